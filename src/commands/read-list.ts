import { createReadStream } from 'node:fs'
import type { Entry } from '../list/entry.ts'
import { parseList } from '../list/text.ts'

/** Bad lines that are told one by one; of more, only the number. */
const MAX_TOLD = 20

/**
 * Reads a hash list from the file system, and reports what was passed over.
 * @throws {BadListLineError} the first bad line, unless `skipBad`
 */
export async function readListFile(path: string, options: { skipBad?: true }): Promise<Entry[]> {
  const text = createReadStream(path) as AsyncIterable<Uint8Array>
  const { entries, skipped, duplicates } = await parseList(text, {
    skipBad: options.skipBad === true,
  })
  for (const { message } of skipped.slice(0, MAX_TOLD))
    console.error(`hashgate: ${path}: ${message}`)
  if (skipped.length > MAX_TOLD)
    console.error(`hashgate: ${path}: … and ${skipped.length - MAX_TOLD} more`)
  if (skipped.length > 0)
    console.error(
      `hashgate: ${path}: skipped ${skipped.length} bad ${skipped.length === 1 ? 'line' : 'lines'}`,
    )
  if (duplicates > 0) console.error(`hashgate: ${path}: ${duplicates} hashes come more than once`)
  return entries
}
