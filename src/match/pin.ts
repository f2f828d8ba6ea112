import { HashgateError } from '../util/errors.ts'
import { within } from '../util/within.ts'
import { type ListMissingError, ListVanishedError, OlderManifestError } from '../list/errors.ts'
import { type PinReset, readPinReset } from '../list/pin-reset.ts'
import type { StoreReader } from '../list/store.ts'

/** Milliseconds for which a version may still be used after a newer one: some KV locations lag behind. */
const GRACE_MS = 15 * 60_000
/** Milliseconds after which an unused reset expires. */
const RESET_MS = 24 * 3_600_000
/** Stands for no list at all, before the first version. */
const NO_LIST = 0
/** Milliseconds in which the pin must answer. */
const MAX_WAIT_MS = 5000

/** Versions of the list that were seen, by any isolate. */
export interface PinState {
  /** In ascending order: the oldest version that may be used, then later ones, each with the time it was first seen. */
  seen: { version: number; at: number }[]
  /** When the last used reset was decided. */
  resetAt: number
}

export const NO_PIN: PinState = { seen: [], resetAt: 0 }

/** Records that an isolate has read a version. Returns whether it may use it, which it may not if it was replaced long ago. */
export function notePin(
  { seen, resetAt }: PinState,
  version: number,
  now: number,
): { isAllowed: boolean; state: PinState } {
  const latest = seen.at(-1)?.version ?? 0
  const all = version > latest ? [...seen, { version, at: now }] : seen
  const floor = all.findLast(({ at }) => now - at >= GRACE_MS)?.version ?? 0
  const kept = all.filter((one) => one.version >= floor)
  return { isAllowed: version >= floor, state: { seen: kept, resetAt } }
}

/** Allows an older version, unless the reset was already used. */
export function resetPin(
  state: PinState,
  { version, at }: PinReset,
  now: number,
): { isAllowed: boolean; state: PinState } {
  if (at <= state.resetAt || now - at > RESET_MS) return { isAllowed: false, state }
  return { isAllowed: true, state: { seen: [{ version, at: now }], resetAt: at } }
}

/** Durable Objects of class ListPin, as they are used. */
export interface PinNamespace {
  getByName(name: string): {
    note(version: number): Promise<boolean>
    reset(reset: PinReset): Promise<boolean>
  }
}

/** The pin does not answer. */
export class PinUnavailableError extends HashgateError {
  readonly code = 'pin-unavailable'

  constructor(options?: ErrorOptions) {
    super('the Durable Object that knows the latest version of the list does not answer', options)
  }
}

/**
 * Checks that a version was not replaced long ago, whatever the store returns.
 * @throws {OlderManifestError} it was
 * @throws {PinUnavailableError}
 */
export async function checkPin(
  pins: PinNamespace,
  store: StoreReader,
  version: number,
): Promise<void> {
  const pin = pins.getByName('list')
  if (await confirmed(pin.note(version))) return
  const reset = await readPinReset(store)
  if (reset?.version === version && (await confirmed(pin.reset(reset)))) return
  throw new OlderManifestError(version)
}

/**
 * Finds out why the store has no list: it was never published, or it is gone. As with versions, a list first seen minutes ago
 * may not be everywhere yet.
 * @throws {ListVanishedError} some isolate has read a list
 * @throws {PinUnavailableError}
 */
export async function checkNeverSeen(pins: PinNamespace, cause: ListMissingError): Promise<void> {
  if (!(await confirmed(pins.getByName('list').note(NO_LIST))))
    throw new ListVanishedError({ cause })
}

async function confirmed(asking: Promise<boolean>): Promise<boolean> {
  try {
    return await within(asking, MAX_WAIT_MS, () => new PinUnavailableError())
  } catch (cause) {
    throw cause instanceof PinUnavailableError ? cause : new PinUnavailableError({ cause })
  }
}
