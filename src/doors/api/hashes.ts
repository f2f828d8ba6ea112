import * as v from 'valibot'
import { parseHash } from '../../util/hash.ts'
import { parseHex } from '../../util/bytes.ts'
import { describeNeedle } from '../../match/thresholds.ts'
import { matchEvent, verdictEvent } from '../../upload/verdict-event.ts'
import { HASH_LENGTHS, type HashKind } from '../../list/entry.ts'
import { EMPTY } from '../../scan/describe.ts'
import { needlesOf, type ScannedContent, type ScannedFile } from '../../scan/scanned.ts'
import { checkFields, readJsonBody } from './json-body.ts'
import type { Call } from './route.ts'
import { verdictAnswer } from './verdict-answer.ts'

/** Most hashes in a request: as many as the needles of a few images. */
export const MAX_HASHES = 100

const QUALITY = 'must be the quality of the PDQ hash, a whole number from 0 to 100'

const HashSchema = v.union(
  [
    v.strictObject({
      pdq: hexOf('pdq'),
      quality: v.pipe(
        v.number(QUALITY),
        v.integer(QUALITY),
        v.minValue(0, QUALITY),
        v.maxValue(100, QUALITY),
      ),
    }),
    v.strictObject({ md5: hexOf('md5') }),
    v.strictObject({ sha1: hexOf('sha1') }),
    v.strictObject({ sha256: hexOf('sha256') }),
  ],
  'must be one of { pdq, quality }, { md5 }, { sha1 } and { sha256 }, with hex digits as text',
)

/** Hashes that the caller computed. */
export const HashesSchema = v.strictObject({
  hashes: v.pipe(
    v.array(HashSchema, 'must be an array'),
    v.minLength(1, 'must have at least one hash'),
    v.maxLength(MAX_HASHES, `must have at most ${MAX_HASHES} hashes`),
  ),
})

type GivenHash = v.InferOutput<typeof HashSchema>

/** The verdict on hashes, each as if it were all that is known about a file. */
export async function judgeHashes(call: Call): Promise<Response> {
  const { request, waitUntil, caller, uploads } = call
  const { hashes } = checkFields(HashesSchema, await readJsonBody(call))
  const address = request.headers.get('cf-connecting-ip') ?? ''
  const { gate, settings } = uploads
  const verdict = await gate.judge(hashes.map(fileOfGiven), { address, settings, waitUntil })
  const event = verdictEvent(crypto.randomUUID(), request, verdict, { caller: caller.name })
  uploads.report(event)
  const results = verdict.files.map(({ scanned, matches }, i) => ({
    kind: givenKind(hashes[i]),
    ...limitsOf(scanned),
    matches: matches.map(matchEvent),
  }))
  return verdictAnswer(verdict, event, { hashes: results })
}

function hexOf(kind: HashKind) {
  const digits = 2 * HASH_LENGTHS[kind]
  return v.pipe(
    v.string(`must be ${digits} hex digits`),
    v.regex(new RegExp(`^[0-9a-fA-F]{${digits}}$`), `must be ${digits} hex digits`),
  )
}

function limitsOf(file: ScannedFile): object {
  const [needle] = needlesOf(file)
  if (!needle) return {}
  const { limited, limitedTo } = describeNeedle(needle)
  return limited ? { limited, limitedTo } : {}
}

function givenKind(hash: GivenHash | undefined): HashKind {
  if (!hash) throw new RangeError('there are more results than hashes')
  if ('pdq' in hash) return 'pdq'
  if ('md5' in hash) return 'md5'
  return 'sha1' in hash ? 'sha1' : 'sha256'
}

/** A file of which only this is known. */
function fileOfGiven(hash: GivenHash): ScannedContent {
  const text = Object.values(hash).find((value) => typeof value === 'string') ?? ''
  return fileOfHash(givenKind(hash), text, 'quality' in hash ? hash.quality : 0)
}

/**
 * A file of which one hash is known.
 * @param hex of the kind's length
 * @param quality of a PDQ hash
 */
export function fileOfHash(kind: HashKind, hex: string, quality: number): ScannedContent {
  if (kind !== 'pdq') {
    const digest = parseHex(hex, HASH_LENGTHS[kind])
    if (!digest) throw new RangeError('not a digest')
    return { ...EMPTY, digests: { [kind]: digest } }
  }
  const hash = parseHash(hex)
  if (!hash) throw new RangeError('not a hash')
  const known = { hash, quality, stretchedQuality: quality, weakBits: 0 }
  return { ...EMPTY, needles: [{ probe: 'identity', ...known, tolerance: 0, frame: 0 }] }
}
