import { isDeepStrictEqual } from 'node:util'
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { BodyOverLimitError, MalformedBodyError } from '../../src/body/errors.ts'
import { randomFrom } from '../support/random.ts'
import { readFiles, type ToldFile } from '../support/read-body.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { below, pick, type Random } from './choose.ts'

/** A body, and the headers that it is sent with. */
export interface FuzzedBody {
  headers: Record<string, string>
  body: Uint8Array
}

export interface BodyFuzzReport {
  /** Bodies by what became of them. */
  counts: Map<string, number>
  violations: string[]
}

const IMAGE = Buffer.from('GIF89a\x01\0\x01\0\0\0\0;', 'latin1')
const DISPOSITION = 'Content-Disposition: form-data; name="f"; filename="x"'

function parts(boundary: string, contents: readonly (string | Buffer)[], headers: string): Buffer {
  const chunks = contents.flatMap((content) => [
    Buffer.from(`--${boundary}\r\n${headers}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ])
  return Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)])
}

const nested = () =>
  parts(
    'b',
    [parts('c', ['one', IMAGE], 'X: y')],
    `${DISPOSITION}\r\nContent-Type: multipart/mixed; boundary=c`,
  )

/** Bodies that are right. */
const MAKERS: ((random: Random) => FuzzedBody)[] = [
  () => ({
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: parts('b', ['one', IMAGE, '--b', '\r\n'], DISPOSITION),
  }),
  () => ({ headers: { 'content-type': 'multipart/form-data; boundary="b"' }, body: nested() }),
  () => ({
    headers: { 'content-type': 'multipart/related; boundary=bb' },
    body: parts('bb', [IMAGE.toString('base64')], 'Content-Transfer-Encoding: base64'),
  }),
  () => ({
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(
      JSON.stringify({ a: [`data:image/gif;base64,${IMAGE.toString('base64')}`, '\\"\u20ac'] }),
    ),
  }),
  () => ({
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(
      `a=%20&b=${encodeURIComponent(`data:;base64,${IMAGE.toString('base64')}`)}&c=+`,
    ),
  }),
  () => ({
    headers: { 'content-encoding': 'aws-chunked' },
    body: Buffer.from(`5;chunk-signature=ab\r\nhello\r\n3\r\nyou\r\n0\r\nx: y\r\n\r\n`),
  }),
]

const ENCODINGS: Record<string, (body: Uint8Array) => Uint8Array> = {
  gzip: (body) => gzipSync(body),
  deflate: (body) => deflateSync(body),
  'Deflate ': (body) => deflateRawSync(body),
  'gzip, x-gzip': (body) => gzipSync(gzipSync(body)),
  br: (body) => body,
}

/** A body that is right, or was, before bytes and headers were changed. */
export function makeBody(random: Random): FuzzedBody {
  const { headers, body } = pick(MAKERS, random)(random)
  const early = below(2, random) === 0 ? mutateBytes(body, body, random) : body
  if (below(3, random) > 0 || headers['content-encoding'])
    return odd({ headers, body: early }, random)
  const [encoding, encode] = pick(Object.entries(ENCODINGS), random)
  const encoded = encode(early)
  const late = below(2, random) === 0 ? mutateBytes(encoded, encoded, random) : encoded
  return odd({ headers: { ...headers, 'content-encoding': encoding }, body: late }, random)
}

/** Sometimes with a header that is not quite right. */
function odd({ headers, body }: FuzzedBody, random: Random): FuzzedBody {
  if (below(10, random) > 0) return { headers, body }
  const name = pick(Object.keys(headers), random)
  const value = Buffer.from(mutateBytes(Buffer.from(headers[name] ?? ''), body, random)).toString(
    'latin1',
  )
  return {
    headers: { ...headers, [name]: value.replaceAll(/[^\t -~]/g, ' ').trim() },
    body,
  }
}

/** What is told of a body, or the kind of error that it is refused by. */
function outcomeOf({ headers, body }: FuzzedBody, nextSize: () => number): ToldFile[] | string {
  try {
    return readFiles(body, headers, { nextSize })
  } catch (error) {
    if (error instanceof MalformedBodyError || error instanceof BodyOverLimitError)
      return error.code
    throw error
  }
}

/**
 * Reads bodies that follow from a seed, each whole and in random chunks: what is told is the same, and nothing is thrown but
 * what is declared.
 */
export function fuzzBodies(count: number, seed: number): BodyFuzzReport {
  const report: BodyFuzzReport = { counts: new Map(), violations: [] }
  for (let index = 0; index < count; index++) {
    const random = randomFrom(seed * 1_000_003 + index)
    const body = makeBody(random)
    const name = `seed ${seed}, number ${index}`
    try {
      const whole = outcomeOf(body, () => Infinity)
      const chunks = outcomeOf(body, () => 1 + below(30, random))
      if (!isDeepStrictEqual(whole, chunks))
        report.violations.push(`${name}: in chunks it is another`)
      const outcome = typeof whole === 'string' ? whole : 'read'
      report.counts.set(outcome, (report.counts.get(outcome) ?? 0) + 1)
    } catch (error) {
      report.violations.push(`${name}: ${String(error)}`)
    }
  }
  return report
}
