import { toHex } from '../../../util/bytes.ts'
import { formatHash } from '../../../util/hash.ts'
import { judge } from '../../../gate/verdict.ts'
import type { AskList } from '../../../match/stages.ts'
import { FileDigester } from '../../../scan/digests.ts'
import type { ScannedFile } from '../../../scan/scanned.ts'
import { ApiError } from '../errors.ts'
import { jsonAnswer } from '../../respond.ts'
import type { Call } from '../route.ts'
import { readFile } from './file.ts'
import { refuseUrl, requireParameter } from './query.ts'
import { readSignalType } from './signals.ts'

/** PDQ hashes of lower quality are withheld, as in HMA: they match what they should not. */
const MIN_QUALITY = 50

/** `GET /h/hash`. @throws {ApiError} 400 always */
export async function answerHashUrl({ url }: Call): Promise<Response> {
  requireParameter(url, 'url')
  refuseUrl(url)
  throw new ApiError(400, 'url is required')
}

/** `POST /h/hash`: the hashes of the caller's file. The list is not asked. */
export async function answerHash(call: Call): Promise<Response> {
  const { settings } = call.uploads
  const { scanned, types } = await readFile(call, {
    judge: (files) => judge(files, nothing, settings),
  })
  return jsonAnswer(Object.fromEntries(types.map((type) => [type, hashOf(scanned, type)])))
}

const nothing: AskList = async (queries) => queries.map(() => ({ matches: [], isComplete: true }))

function hashOf(scanned: ScannedFile, type: string): string {
  const kind = readSignalType(type)
  if (kind === 'pdq') return pdqOf(scanned)
  return toHex((scanned.digests ?? NO_BYTES)[kind] ?? NO_BYTES[kind])
}

/** Digests of an empty file. */
const NO_BYTES = FileDigester.ofAllKinds().digest()

/** The PDQ hash of an image as stored; empty if its quality is too low. */
function pdqOf(scanned: ScannedFile): string {
  if (scanned.coverage === 'unscannable')
    throw new ApiError(400, `the file could not be hashed: ${scanned.reason}`)
  const needle = scanned.needles.find(({ probe, frame }) => probe === 'identity' && frame === 0)
  return needle && needle.quality >= MIN_QUALITY ? formatHash(needle.hash) : ''
}
