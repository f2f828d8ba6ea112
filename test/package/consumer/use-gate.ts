import { type FloodNamespace, gate, type KvNamespace, type VerdictEvent } from 'hashgate'
import { createWorker, type GateWorker, tus } from 'hashgate/features'
import { FloodCounter, ListShard } from 'hashgate/objects'
import whole from 'hashgate/worker'
import { Hono } from 'hono'

interface Env {
  Bindings: { MY_LISTS: KvNamespace; KEY: string; COUNTERS: FloodNamespace }
}

const verdicts: VerdictEvent['action'][] = []

export const app = new Hono<Env>().use(
  gate<Env>({
    hashLists: ({ MY_LISTS }) => MY_LISTS,
    listKey: ({ KEY }) => KEY,
    settings: { policy: { onFailed: 'allow', mode: 'shadow' } },
    floodCounters: (env) => env.COUNTERS,
    skip: (c) => c.req.path.startsWith('/internal/'),
    onVerdict: ({ action }) => verdicts.push(action),
  }),
)

// @ts-expect-error no such binding
gate<Env>({ hashLists: ({ OTHER }) => OTHER, listKey: () => '' })
// @ts-expect-error not a KV namespace
gate<Env>({ hashLists: ({ COUNTERS }) => COUNTERS, listKey: () => '' })
// @ts-expect-error no such setting
gate<Env>({ hashLists: (env) => env.MY_LISTS, listKey: () => '', settings: { polcy: {} } })
// @ts-expect-error the key is missing
gate<Env>({ hashLists: ({ MY_LISTS }) => MY_LISTS })

export const workers: GateWorker[] = [whole, createWorker({ features: [tus()] })]
// @ts-expect-error no such feature
createWorker({ features: [{ name: 'other' }] })

export { FloodCounter, ListShard }
