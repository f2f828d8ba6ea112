import * as v from 'valibot'
import type { Hash256 } from '../../util/hash.ts'
import { HASH_BYTES } from '../../util/hash.ts'
import { type Fetch, type Finding, postJson, RemoteError, type RemoteService } from './service.ts'

/** Default address. The slash at the end is required. */
const URL = 'https://shield.projectarachnid.com/v1/pdq/'

/** Most hashes in a call. The service's own limit is not known. */
const MAX_HASHES = 400

/** The classification of unknown hashes; `null` means the same. */
const NO_MATCH = 'no-known-match'

const NearSchema = v.looseObject({
  sha256_hex: v.nullish(v.string(), ''),
  sha1_base32: v.nullish(v.string(), ''),
  classification: v.nullish(v.string(), ''),
  distance: v.nullish(v.pipe(v.number(), v.minValue(0), v.maxValue(8 * HASH_BYTES))),
})

const FindingSchema = v.nullable(
  v.looseObject({
    classification: v.nullable(v.string()),
    match_type: v.nullish(v.string()),
    near_match_details: v.nullish(v.looseObject({ matches: v.nullish(v.array(NearSchema), []) })),
  }),
)

const AnswerSchema = v.looseObject({ scanned_hashes: v.record(v.string(), FindingSchema) })

/**
 * Project Arachnid Shield of the Canadian Centre for Child Protection: `POST /v1/pdq/`, as its client for Python asks.
 * Undocumented classifications count as known: the client says that more may be added.
 */
export function arachnid(fetch: Fetch, user: string, password: string, url = URL): RemoteService {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  return {
    maxHashes: MAX_HASHES,
    async ask(hashes, signal) {
      const texts = hashes.map(hashText)
      const body = { hashes: [...new Set(texts)] }
      const parsed = v.safeParse(
        AnswerSchema,
        await postJson(fetch, url, { body, authorization, signal }),
      )
      if (!parsed.success) throw new RemoteError('the answer lacks a required field')
      const answers = new Map(Object.entries(parsed.output.scanned_hashes))
      return texts.map((text) => {
        const answer = answers.get(text)
        if (answer === undefined) throw new RemoteError('the answer lacks a requested hash')
        return findingOfAnswer(answer, text)
      })
    },
  }
}

function findingOfAnswer(
  answer: v.InferOutput<typeof FindingSchema>,
  asked: string,
): Finding | undefined {
  if (!answer?.classification || answer.classification === NO_MATCH) return undefined
  const { classification, match_type: type, near_match_details: details } = answer
  const near = (details?.matches ?? []).filter((match) => typeof match.distance === 'number')
  const [nearest] = near.toSorted((a, b) => (a.distance ?? 0) - (b.distance ?? 0))
  if (nearest) {
    const secret = nearest.sha256_hex || nearest.sha1_base32 || asked
    return { classification, distance: nearest.distance ?? undefined, secret }
  }
  return { classification, distance: type === 'near' ? undefined : 0, secret: asked }
}

function hashText(hash: Hash256): string {
  return Buffer.from(hash).toString('base64')
}
