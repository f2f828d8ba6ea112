import { TooManyNotesError, UnknownListBankError } from './errors.ts'
import { type Manifest, type Notes, readManifest } from './manifest.ts'
import { publishManifest, readBase } from './publish.ts'
import type { ListStore } from './store.ts'

/** Most entries that may be exempt: every isolate reads all of them at each refresh. */
export const MAX_EXEMPT = 10_000
/** Most kinds of harm and statuses that may have texts. */
export const MAX_TEXTS = 100
/** Largest size of all texts together as JSON, in bytes. */
export const MAX_TEXT_BYTES = 256 * 1024

/**
 * Publishes the current list with other exemptions or texts.
 * @throws {ListMissingError} there is no list: one without entries would let everything pass
 * @throws {UnknownListBankError} an entry names a bank that is not in the list
 * @throws {TooManyNotesError}
 * @throws {PublishConflictError} the store shows that somebody else publishes
 */
export async function publishNotes(
  store: ListStore,
  change: (notes: Notes) => Notes,
): Promise<Manifest> {
  const base = await readBase(store)
  const old = base.manifest ?? (await readManifest(store))
  const notes = { ...pick(old), ...change(pick(old)) }
  check(notes, old)
  return (await publishManifest(store, base, old.banks, notes)).manifest
}

/** The exemptions after some are added or removed. */
export function changeExempt(
  { exempt = [] }: Notes,
  entries: readonly string[],
  isRemoval: boolean,
): string[] {
  const kept = exempt.filter((entry) => !entries.includes(entry))
  return isRemoval ? kept : [...kept, ...new Set(entries)].toSorted()
}

function pick({ exempt, texts }: Manifest): Notes {
  return { ...(exempt && { exempt }), ...(texts && { texts }) }
}

function check({ exempt = [], texts = {} }: Notes, { banks }: Manifest): void {
  if (exempt.length > MAX_EXEMPT) throw new TooManyNotesError('exempt entries', MAX_EXEMPT)
  if (Object.keys(texts).length > MAX_TEXTS) throw new TooManyNotesError('texts', MAX_TEXTS)
  const { length } = new TextEncoder().encode(JSON.stringify(texts))
  if (length > MAX_TEXT_BYTES) throw new TooManyNotesError('bytes of texts', MAX_TEXT_BYTES)
  const names = banks.map(({ id }) => id)
  const unknown = exempt
    .map((entry) => entry.split('/', 1)[0] ?? '')
    .find((id) => !names.includes(id))
  if (unknown !== undefined) throw new UnknownListBankError(unknown, names)
}
