// The Worker of `npm run dev`: the gate, and a page at / where you drop a picture and see what the
// gate makes of it. It reveals hashes and distances, so never deploy it.

import { env } from 'cloudflare:workers'
import { Hono } from 'hono'
import known from '../examples/known.jpg'
import other from '../examples/other.jpg'
import { formatHash } from './util/hash.ts'
import { modules } from './core/workerd.ts'
import page from './dev/page.html'
import { hashedPicture } from './dev/hashed-picture.ts'
import { familiesOf, sentencesOf } from './dev/sentence.ts'
import { createApp } from './worker/app.ts'
import { workerParts } from './worker/bindings.ts'
import { allFeatures } from './worker/features.ts'
import type { Bindings } from './worker/parts.ts'
import { judge } from './gate/verdict.ts'
import { readManifest } from './list/manifest.ts'
import { BankIndex } from './match/bank-index.ts'
import type { AskList } from './match/stages.ts'
import { needlesOf, type Needle } from './scan/scanned.ts'
import { probesOf } from './scan/settings.ts'
import { scanFile } from './scan/scanner.ts'

const features = allFeatures()
const parts = workerParts(env as unknown as Bindings, modules, features)
const app = new Hono()

app.get('/', (c) => c.html(page))
app.get('/samples/known.jpg', (c) => c.body(known, 200, { 'content-type': 'image/jpeg' }))
app.get('/samples/other.jpg', (c) => c.body(other, 200, { 'content-type': 'image/jpeg' }))

app.post('/inspect', async (c) => {
  const file = new Uint8Array(await c.req.arrayBuffer())
  const scanned = await scanFile({ ...parts, probes: probesOf(parts.config.scan) }, file)
  const loading = loadIndex()
  const askList: AskList = async (queries) => (await loading).match(queries)
  const verdict = await judge([scanned], askList, parts.config)
  const needles = needlesOf(scanned)
  const nearest = verdict.reason === 'failed' ? undefined : await (await loading).nearest(needles)
  const match = verdict.files.flatMap(({ matches }) => matches)[0]
  const near =
    match ?? (nearest && { ...nearest, threshold: bankThreshold(await loading, nearest.bank) })
  return c.json({
    action: verdict.action,
    sentences: sentencesOf(verdict, scanned, nearest),
    format: scanned.format,
    width: scanned.width,
    height: scanned.height,
    bytes: scanned.bytes,
    quality: needles.find(({ probe }) => probe === 'identity')?.quality,
    picture: hashedPicture(modules.image, scanned.format, file),
    ...(near && { distance: near.distance, threshold: near.threshold, probe: near.probe }),
    families: familiesOf(needles).map(({ name, meaning, needles: some }) => ({
      name,
      meaning,
      count: some.length,
      hashes: some.map(hashRow),
      isFound: some.some(({ probe }) => probe === near?.probe),
    })),
    within: verdict.files.length - 1,
  })
})

function hashRow({ probe, hash, quality, frame }: Needle) {
  return { probe, hash: formatHash(hash), quality, frame }
}

app.route('/', createApp(parts, features))

/** The largest distance that matches in a bank. */
function bankThreshold({ manifest: { banks } }: BankIndex, bank: string): number | undefined {
  return (
    parts.config.policy.banks[bank]?.threshold ?? banks.find(({ id }) => id === bank)?.threshold
  )
}

/** The list as it is now, without waiting for a refresh. */
async function loadIndex(): Promise<BankIndex> {
  return BankIndex.load(parts.modules, parts.store, await readManifest(parts.store))
}

export { FloodCounter, ListPin, ListShard } from './objects.ts'
export default { fetch: app.fetch } satisfies ExportedHandler
