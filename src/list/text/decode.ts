import { BadListError } from '../errors.ts'

/** Characters of a list that reveal its form; only comments precede them. */
const HEAD_CHARACTERS = 65_536

/** Files that people take for lists, by their first bytes. */
const NO_TEXT: [first: string, what: string][] = [
  ['PK\u0003\u0004', 'an Excel workbook or a ZIP archive: export it as CSV, or unpack it'],
  ['\u001f\u008b', 'compressed by gzip: unpack it (gunzip)'],
  ['\u00d0\u00cf\u0011\u00e0', 'an old Excel workbook: export it as CSV'],
  ['SQLite format 3', 'an SQLite database: export its hashes as CSV'],
  ['%PDF-', 'a PDF document: ask for the list as CSV'],
  ['{\\rtf', 'a rich text document: save it as plain text'],
]

/**
 * A list's text, its first chunk long enough to reveal its form. UTF-8, or UTF-16 as Excel writes it; a byte order mark is taken
 * away.
 * @throws {BadListError} it is not text
 */
export async function decodeText(
  bytes: ListText,
): Promise<{ head: string; rest: AsyncGenerator<string> }> {
  const chunks = decoded(bytes)
  let head = ''
  while (head.length < HEAD_CHARACTERS) {
    const { done, value } = await chunks.next()
    if (done) break
    head += value
  }
  if (/^\s*</.test(head)) throw new BadListError('the list is XML or HTML: export it as CSV')
  return { head, rest: chunks }
}

/** The bytes of a list, in chunks of any size. */
export type ListText = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

async function* decoded(bytes: ListText): AsyncGenerator<string> {
  let first: Uint8Array | undefined
  let decoder: TextDecoder | undefined
  for await (const chunk of bytes) {
    if (decoder) yield decoder.decode(chunk, { stream: true })
    else {
      first = first ? Buffer.concat([first, chunk]) : chunk
      if (first.length < 16) continue
      decoder = decoderFor(first)
      yield decoder.decode(first, { stream: true })
    }
  }
  decoder ??= decoderFor(first ?? new Uint8Array(0))
  yield first && first.length < 16 ? decoder.decode(first) : decoder.decode()
}

function decoderFor(first: Uint8Array): TextDecoder {
  const start = Buffer.from(first.subarray(0, 16)).toString('latin1')
  const found = NO_TEXT.find(([signature]) => start.startsWith(signature))
  if (found) throw new BadListError(`the list is ${found[1]}`)
  // In UTF-16, every other byte of ASCII text is zero.
  if (/^(\u00ff\u00fe|[^\0]\0)/.test(start)) return new TextDecoder('utf-16le')
  if (/^(\u00fe\u00ff|\0[^\0])/.test(start)) return new TextDecoder('utf-16be')
  return new TextDecoder()
}
