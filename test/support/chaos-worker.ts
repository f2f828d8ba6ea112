// The Worker over a store that is a server: what that does wrong, KV may do. `npm run chaos` starts it.

import { env } from 'cloudflare:workers'
import { modules } from '../../src/core/workerd.ts'
import type { KvNamespace } from '../../src/list/kv-store.ts'
import { createApp } from '../../src/worker/app.ts'
import { workerParts } from '../../src/worker/bindings.ts'
import { api } from '../../src/worker/features.ts'
import type { Bindings } from '../../src/worker/parts.ts'

const bindings = env as unknown as Bindings & { CHAOS_STORE: string }

const store: Pick<KvNamespace, 'get'> = {
  async get(key) {
    const response = await fetch(new URL(encodeURIComponent(key), bindings.CHAOS_STORE))
    if (response.status === 404) return null
    if (!response.ok || !response.body) throw new Error(`KV GET failed: ${response.status}`)
    return response.body
  },
}

const features = [api()]
const parts = workerParts({ ...bindings, HASH_LISTS: store }, modules, features)

export { StagedUpload } from '../../src/objects.ts'
export default { fetch: createApp(parts, features).fetch }
