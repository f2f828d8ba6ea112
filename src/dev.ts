// The Worker of `npm run dev`: the gate, and a page at / where a person drops a picture and sees what the gate makes of
// it. It tells hashes and distances, so it is never deployed.

import { env } from 'cloudflare:workers'
import { Hono } from 'hono'
import { formatHash } from './util/hash.ts'
import { modules } from './core/workerd.ts'
import page from './dev/page.html'
import { createApp } from './worker/app.ts'
import { workerParts } from './worker/bindings.ts'
import { allFeatures } from './worker/features.ts'
import type { Bindings } from './worker/parts.ts'
import { judge } from './gate/verdict.ts'
import { readManifest } from './list/manifest.ts'
import { BankIndex } from './match/bank-index.ts'
import type { AskList } from './match/stages.ts'
import { probesOf } from './scan/settings.ts'
import { scanFile } from './scan/scanner.ts'

const features = allFeatures()
const parts = workerParts(env as unknown as Bindings, modules, features)
const app = new Hono()

app.get('/', (c) => c.html(page))

app.post('/inspect', async (c) => {
  const file = new Uint8Array(await c.req.arrayBuffer())
  const scanned = await scanFile({ ...parts, probes: probesOf(parts.config.scan) }, file)
  const loading = loadIndex()
  const askList: AskList = async (queries) => (await loading).match(queries)
  const verdict = await judge([scanned], askList, parts.config)
  const needles = scanned.coverage === 'scanned' ? scanned.needles : []
  const nearest = verdict.reason === 'failed' ? undefined : await (await loading).nearest(needles)
  return c.json({
    action: verdict.action,
    reason: verdict.reason,
    coverage: scanned.coverage,
    ...(scanned.coverage === 'unscannable' && { unscannable: scanned.reason }),
    format: scanned.format,
    width: scanned.width,
    height: scanned.height,
    bytes: scanned.bytes,
    hashes: needles.map(({ probe, hash, quality }) => ({ probe, hash: formatHash(hash), quality })),
    nearest: nearest && { entry: nearest.entry, bank: nearest.bank, distance: nearest.distance },
  })
})

app.route('/', createApp(parts, features))

/** The list as it is now, without waiting for a refresh. */
async function loadIndex(): Promise<BankIndex> {
  return BankIndex.load(parts.modules, parts.store, await readManifest(parts.store))
}

export { FloodCounter, ListPin, ListShard } from './objects.ts'
export default { fetch: app.fetch } satisfies ExportedHandler
