import * as v from 'valibot'
import { utf8 } from '../util/bytes.ts'
import { ValueDamagedError } from './errors.ts'
import { readManifest } from './manifest.ts'
import { type ListStore, PIN_RESET_KEY, type StoreReader } from './store.ts'

const PinResetSchema = v.object({
  /** The version that may be used again, though a newer one was seen. */
  version: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** When that was decided: milliseconds since the epoch. */
  at: v.pipe(v.number(), v.integer()),
})

/** The decision of an operator to restore an older list: sealed like the list, so that nobody else can make it. */
export type PinReset = v.InferOutput<typeof PinResetSchema>

/** Allows the published version, whatever was seen before. @throws {ListMissingError} */
export async function writePinReset(store: ListStore, now = Date.now()): Promise<PinReset> {
  const { version } = await readManifest(store)
  const reset = { version, at: now }
  await store.put(PIN_RESET_KEY, utf8(JSON.stringify(reset)))
  return reset
}

/** The last reset, if there was any. @throws {ValueDamagedError} */
export async function readPinReset(store: StoreReader): Promise<PinReset | undefined> {
  const value = await store.get(PIN_RESET_KEY)
  if (!value) return undefined
  try {
    return v.parse(PinResetSchema, JSON.parse(new TextDecoder().decode(value)))
  } catch {
    throw new ValueDamagedError(PIN_RESET_KEY, 'is no reset of the pin')
  }
}
