import { parseHash, distance } from '../../../util/hash.ts'
import { ApiError } from '../errors.ts'
import { isJson, readJsonBody } from '../json-body.ts'
import { jsonAnswer } from '../../respond.ts'
import type { Call } from '../route.ts'
import { readSignal } from './signals.ts'

/** Largest distance of PDQ hashes that HMA calls alike. */
const THRESHOLD = 31

/** `POST /m/compare`: pairs of hashes by signal type. The list is not asked. */
export async function answerCompare(call: Call): Promise<Response> {
  if (!isJson(call.request))
    throw new ApiError(415, "the request Content-Type was not 'application/json'")
  const pairs = await readJsonBody(call)
  if (typeof pairs !== 'object' || pairs === null || Array.isArray(pairs))
    throw new ApiError(400, 'Request input was not a dict')
  const compared = Object.entries(pairs).map(([type, pair]) => [type, compare(type, pair)])
  return jsonAnswer(Object.fromEntries(compared))
}

/** Whether two hashes are alike, and their distance; digests have none. */
type Comparison = [boolean, { distance?: number }]

function compare(type: string, pair: unknown): Comparison {
  const name = type.slice(0, 64)
  if (!Array.isArray(pair)) throw new ApiError(400, `Comparison hashes for ${name} was not a list`)
  if (pair.length !== 2) throw new ApiError(400, 'Comparison hash list length must be exactly 2')
  const [left, right] = pair.map((text: unknown) => {
    if (typeof text !== 'string')
      throw new ApiError(400, `Invalid ${name} hash: it is not a string`)
    return readSignal(type, text)
  })
  if (!left || !right) throw new RangeError('a pair lacks a hash')
  if (left.kind !== 'pdq') return [left.hex === right.hex, {}]
  const [a, b] = [parseHash(left.hex), parseHash(right.hex)]
  if (!a || !b) throw new RangeError('a signal is not a hash')
  const bits = distance(a, b)
  return [bits <= THRESHOLD, { distance: bits }]
}
