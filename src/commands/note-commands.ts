import * as v from 'valibot'
import { readManifest } from '../list/manifest.ts'
import { changeExempt, publishNotes } from '../list/notes.ts'
import { EntryName } from '../policy/schema.ts'
import { TextsSchema } from '../policy/texts.ts'
import { HashgateError } from '../util/errors.ts'
import { parseJson } from '../util/json.ts'
import { readText } from './file-errors.ts'
import { withStore, type TargetOptions } from './list-commands.ts'

/** Entries or texts that cannot be published. */
export class BadNotesError extends HashgateError {
  readonly code = 'bad-notes'
}

/** `hashgate list exempt`: without entries, prints the exempt ones. */
export async function listExempt(
  entries: readonly string[],
  options: TargetOptions & { remove?: true },
): Promise<boolean> {
  const wrong = entries.find((entry) => !v.safeParse(EntryName, entry).success)
  if (wrong !== undefined)
    throw new BadNotesError(`${wrong} must be a bank and an entry, as bank/entry`)
  return withStore(options, async (store) => {
    if (entries.length === 0) {
      for (const entry of (await readManifest(store)).exempt ?? []) console.log(entry)
      return true
    }
    const { version, exempt = [] } = await publishNotes(store, (notes) => ({
      exempt: changeExempt(notes, entries, options.remove === true),
    }))
    console.log(`published version ${version}: ${exempt.length} exempt`)
    return true
  })
}

/** `hashgate list texts`: without a file, prints the published texts. */
export async function listTexts(
  file: string | undefined,
  options: TargetOptions,
): Promise<boolean> {
  const texts = file === undefined ? undefined : await readTexts(file)
  return withStore(options, async (store) => {
    if (!texts) {
      console.log(JSON.stringify((await readManifest(store)).texts ?? {}, null, 2))
      return true
    }
    const { version } = await publishNotes(store, () => ({ texts }))
    const kinds = Object.keys(texts).join(', ') || 'no kind of harm'
    console.log(`published version ${version}: texts for ${kinds}`)
    return true
  })
}

/**
 * Texts by kind of harm, from a JSON file. @throws {BadNotesError} with the path of what is wrong
 */
async function readTexts(file: string): Promise<v.InferOutput<typeof TextsSchema>> {
  const json = parseJson(await readText(file))
  if (json === undefined)
    throw new BadNotesError(`${file} must be JSON: an object of texts by kind of harm`)
  const result = v.safeParse(TextsSchema, json)
  if (result.success) return result.output
  const problems = result.issues.map((issue) => `${v.getDotPath(issue) ?? file} ${issue.message}`)
  throw new BadNotesError(problems.join('; '))
}
