import { createReadStream } from 'node:fs'
import { HashgateError } from '../util/errors.ts'
import { count } from './count.ts'
import { fileErrorText, isFileError } from './file-errors.ts'
import { BadListLineError } from '../list/errors.ts'
import { parseList, type ParsedList, type WideKind } from '../list/text.ts'

/** Bad lines reported one by one; beyond that, only a count. */
const MAX_PRINTED = 20

/** Reads a hash list to match files against. @throws {NothingToMatchError | UnreadableListError} */
export async function readListToMatch(path: string, options: ReadOptions): Promise<ParsedList> {
  const list = await readListFile(path, options)
  if (list.entries.length === 0) throw new NothingToMatchError(path)
  return list
}

/** How to read a list, from the command's options. */
export interface ReadOptions {
  skipBad?: true
  kind?: WideKind
}

/** A list that cannot be read, with its file's name. */
class UnreadableListError extends HashgateError {
  readonly code = 'unreadable-list'
}

/** A list without entries. */
class NothingToMatchError extends HashgateError {
  readonly code = 'nothing-to-match'

  constructor(path: string) {
    super(`${path}: the list has no entries, so nothing can match it`)
  }
}

/**
 * Reads a hash list from a file, and reports skipped lines.
 * @throws {UnreadableListError} names the file and what is wrong with it
 */
export async function readListFile(path: string, options: ReadOptions): Promise<ParsedList> {
  const say = (text: string) => console.error(`hashgate: ${path}: ${text}`)
  const list = await parseFile(path, options)
  const { skipped, duplicates, leftOut, unlikePdq } = list
  for (const { message } of skipped.slice(0, MAX_PRINTED)) say(message)
  if (skipped.length > MAX_PRINTED) say(`… and ${skipped.length - MAX_PRINTED} more`)
  if (skipped.length > 0) say(`skipped ${count(skipped.length, 'bad line')}`)
  if (duplicates > 0) say(`${count(duplicates, 'hash')} appeared before and count once`)
  for (const [kind, hashes] of leftOut) {
    say(`left out ${count(hashes, 'hash')} of kind ${kind}, which hashgate cannot match`)
  }
  if (unlikePdq > 0) {
    say(
      `${count(unlikePdq, 'hash')} that the list calls PDQ do not look like PDQ, and may never match`,
    )
  }
  return list
}

async function parseFile(path: string, { skipBad, kind }: ReadOptions): Promise<ParsedList> {
  const text = createReadStream(path) as AsyncIterable<Uint8Array>
  try {
    return await parseList(text, { skipBad: skipBad === true, ...(kind && { kind }) })
  } catch (cause) {
    if (isFileError(cause)) throw new UnreadableListError(fileErrorText(cause, path), { cause })
    if (!(cause instanceof HashgateError)) throw cause
    throw new UnreadableListError(`${path}: ${cause.message}${remedyOf(cause)}`, { cause })
  }
}

/** What to do about an error that does not say so itself. */
function remedyOf(error: HashgateError): string {
  return error instanceof BadListLineError ? '. Correct it, or skip bad lines with --skip-bad' : ''
}

/** Number of hashes of each kind in a list: `2 pdq, 1 md5`. */
export function describeKinds({ counts }: Pick<ParsedList, 'counts'>): string {
  return [...counts].map(([kind, hashes]) => `${hashes.toLocaleString('en')} ${kind}`).join(', ')
}
