// The Worker that measures in workerd: the same cases as in Node, and a cold start.
// bench/match/workerd.ts calls it.
//
//   POST /prepare   a Spec      prepares a case
//   POST /run       { ms }      runs its contenders in turns for that long; milliseconds per call, by contender
//   POST /load      { needle }  the list from KV, and the first answer: number of matches
//   POST /match     { needle }  an answer from the loaded list
//   POST /read      { keys }    reads the same values without using them; number of bytes
//   GET  /                      nothing

import { parseHash } from '../../src/util/hash.ts'
import { modules } from '../../src/core/workerd.ts'
import { readManifest } from '../../src/list/manifest.ts'
import { parseListKeys, SealedStore } from '../../src/list/sealing.ts'
import { type KvNamespace, KvStore } from '../../src/list/kv-store.ts'
import { BankIndex } from '../../src/match/bank-index.ts'
import { type Case, prepareCase, type Spec } from './cases.ts'
import { readValues, type StreamNamespace } from './read-values.ts'
import reader from './read.wasm'

interface Env {
  HASH_LISTS: KvNamespace & StreamNamespace
  LIST_KEY: string
}

let prepared: Case | undefined
let loaded: BankIndex | undefined

const ROUTES: Record<string, (body: string, env: Env) => unknown> = {
  '/': () => null,
  '/prepare': async (body) => {
    prepared = undefined
    prepared = await prepareCase({ core: modules, reader }, JSON.parse(body) as Spec)
    return prepared.facts
  },
  '/run': (body) => runByTurns(prepared, (JSON.parse(body) as { ms: number }).ms),
  '/load': async (body, env) => {
    const store = new SealedStore(new KvStore(env.HASH_LISTS), parseListKeys(env.LIST_KEY))
    loaded = await BankIndex.load(modules, store, await readManifest(store))
    return countMatches(body)
  },
  '/match': (body) => countMatches(body),
  '/read': (body, env) =>
    readValues(env.HASH_LISTS, (JSON.parse(body) as { keys: string[][] }).keys),
}

/**
 * Takes means, since workerd's clock has whole milliseconds: over many calls, rounding at their
 * starts and ends cancels out.
 */
async function runByTurns(
  running: Case | undefined,
  ms: number,
): Promise<{ means: number[]; rounds: number }> {
  if (!running) throw new Error('nothing is prepared')
  const sums = running.contenders.map(() => 0)
  const begin = performance.now()
  let rounds = 0
  for (; performance.now() - begin < ms; rounds++) {
    for (const [i, { run }] of running.contenders.entries()) {
      const start = performance.now()
      await run()
      sums[i] = (sums[i] ?? 0) + performance.now() - start
    }
  }
  return { means: sums.map((sum) => sum / rounds), rounds }
}

/** Matches of a needle in the loaded list. */
async function countMatches(body: string): Promise<number> {
  const hash = parseHash((JSON.parse(body) as { needle: string }).needle)
  if (!hash) throw new Error('no needle')
  const needles = [
    {
      probe: 'identity',
      hash,
      quality: 100,
      stretchedQuality: 100,
      weakBits: 0,
      tolerance: 0,
      frame: 0,
    } as const,
  ]
  const [result] = (await loaded?.match([{ needles }])) ?? []
  return result?.matches.length ?? 0
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const route = ROUTES[new URL(request.url).pathname]
    if (!route) return new Response('no such route', { status: 404 })
    return Response.json(await route(await request.text(), env))
  },
}
