import * as v from 'valibot'
import { utf8 } from '../../util/bytes.ts'
import { formatHash, parseHash } from '../../util/hash.ts'
import { parseJson } from '../../util/json.ts'
import type { ListStore } from '../../list/store.ts'
import type { Needle, Probe } from '../../scan/scanned.ts'
import { type Match, nearestMatches } from '../match.ts'
import type { RemoteBank, RemoteFailure } from './remote-bank.ts'

const FOLDER = 'again/'
/** Most needles kept of an upload: as many as a call takes. */
const MAX_NEEDLES = 400
/** Most uploads of a bank that one run queries. */
const MAX_A_RUN = 100
/** Days after which an unanswered upload is abandoned. */
const MAX_DAYS = 7
const DAY_MS = 86_400_000

const KeptSchema = v.object({
  caseId: v.string(),
  at: v.number(),
  needles: v.array(
    v.object({
      hash: v.pipe(v.string(), v.transform(parseHash)),
      quality: v.number(),
      stretchedQuality: v.number(),
      weakBits: v.number(),
      tolerance: v.number(),
      probe: v.pipe(
        v.string(),
        v.transform((text) => text as Probe),
      ),
      frame: v.number(),
    }),
  ),
})

/** Unanswered queries, sealed in the store until the service answers. Only the needles of an upload are kept. */
export class LaterQuestions {
  readonly #store: ListStore
  readonly #now: () => number

  constructor(store: ListStore, now: () => number) {
    this.#store = store
    this.#now = now
  }

  async keep(caseId: string, { bank, unanswered }: RemoteFailure): Promise<void> {
    const needles = unanswered
      .slice(0, MAX_NEEDLES)
      .map((needle) =>
        Object.assign({}, needle, { hash: formatHash(needle.hash), sure: undefined }),
      )
    const text = JSON.stringify({ caseId, at: this.#now(), needles })
    const key = `${FOLDER}${bank}/${caseId}`
    await this.#store.put(key, utf8(text)).catch(() => undefined)
  }

  /** Repeats queries to a bank for as long as it answers. */
  async askAgain(bank: RemoteBank): Promise<Recheck[]> {
    const keys = await this.#store.list(`${FOLDER}${bank.name}/`).catch(() => [])
    const rechecks: Recheck[] = []
    const done: string[] = []
    for (const key of keys.slice(0, MAX_A_RUN)) {
      const kept = await this.#read(key)
      if (!kept) continue // it is deleted, and the listing lags behind
      const { caseId } = kept
      const matches = await askInCalls(bank, kept.needles)
      const isGivenUp = !matches && this.#now() - kept.at > MAX_DAYS * DAY_MS
      if (!matches && !isGivenUp) break // the service is not back
      done.push(key)
      if (isGivenUp || matches?.length) {
        rechecks.push({ caseId, bank: bank.name, matches: matches ?? [], isGivenUp })
      }
    }
    if (done.length > 0) await this.#store.deleteAll(done).catch(() => undefined)
    return rechecks
  }

  async #read(key: string): Promise<KeptQuestion | undefined> {
    const value = await this.#store.get(key).catch(() => undefined)
    const parsed = v.safeParse(KeptSchema, value && parseJson(value))
    if (!parsed.success) return undefined
    const { needles, ...kept } = parsed.output
    const readable = needles.flatMap(({ hash, ...needle }) => (hash ? [{ ...needle, hash }] : []))
    return { key, ...kept, needles: readable }
  }
}

/** Result of a later query about an upload that had passed. */
export interface Recheck {
  caseId: string
  bank: string
  /** Empty if it was abandoned after MAX_DAYS. */
  matches: Match[]
  isGivenUp: boolean
}

/** An upload that is kept for later, and where. */
interface KeptQuestion {
  key: string
  caseId: string
  at: number
  needles: Needle[]
}

/** What a bank knows about needles; `undefined` if it gives no answer. */
async function askInCalls(
  bank: RemoteBank,
  needles: readonly Needle[],
): Promise<Match[] | undefined> {
  const found: Match[] = []
  for (let first = 0; first < needles.length; first += bank.maxNeedles) {
    const some = needles.slice(first, first + bank.maxNeedles)
    const { matches, failure } = await bank.askAbout([some])
    if (failure) return undefined
    found.push(...matches.flat())
  }
  return nearestMatches(found)
}
