import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../config/schema.ts'
import { type KvNamespace, KvStore } from '../../list/kv-store.ts'
import { publishBank } from '../../list/publish.ts'
import { generateListKey, parseListKeys, SealedStore } from '../../list/sealing.ts'
import { BINDING, openLocal } from '../stores.ts'
import { type Check, failed } from './checks.ts'
import { drill } from './drill.ts'
import { startLocalWorker } from './local-worker.ts'
import { OwnOrigin } from './own-origin.ts'
import { drillEntries } from './pictures.ts'

/** Bank that holds the drill's picture. */
export const DRILL_BANK = 'hashgate-drill'

/**
 * Runs the configured Worker on this machine with the drill's own list, key and origin, and uploads
 * pictures to it. Nothing of the operator's changes.
 */
export async function localDrill(options: DrillSettings): Promise<Check[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hashgate-doctor-'))
  const origin = await OwnOrigin.start()
  const key = generateListKey()
  try {
    await publishTo(folder, key, options)
    const { config, env, settings, method, path } = options
    const vars = { LIST_KEY: key, ORIGIN_URL: origin.url, HASHGATE: drillSettings(settings) }
    const worker = await startLocalWorker({ config, ...(env && { env }), persistTo: folder, vars })
    try {
      const { maxBufferedBytes, maxBodyBytes } = settings.upload
      const url = new URL(path, worker.url)
      return await drill({ url, method, maxBufferedBytes, maxBodyBytes, origin })
    } finally {
      await worker.stop()
    }
  } catch (error) {
    return [failed('the Worker starts on this machine', (error as Error).message)]
  } finally {
    await origin.stop()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

export interface DrillSettings {
  config: string
  env?: string
  settings: Config
  method: string
  path: string
}

/**
 * The settings, changed so that matches are blocked and no service hears about the drill's
 * pictures. Events stay on this machine: the queue is a local one.
 */
function drillSettings(settings: Config): string {
  const { origin, policy, events, list, remote, ...others } = settings
  const { url: _, ...rest } = origin // set as its own variable
  const webhook = {
    ...events.webhook,
    ...(events.webhook.url && { url: 'https://doctor.invalid/' }),
  }
  return JSON.stringify({
    ...others,
    origin: rest,
    list: { ...list, onMissing: 'fail' },
    remote: { ...remote, banks: {} },
    policy: {
      ...policy,
      mode: 'enforce',
      // Whatever their origins: here all requests go to the drill's own.
      routes: policy.routes.map((route) =>
        Object.assign({}, route, { mode: 'enforce', origin: undefined }),
      ),
    },
    events: { ...events, webhook },
  })
}

async function publishTo(
  folder: string,
  key: string,
  { config, env }: DrillSettings,
): Promise<void> {
  const where = { config, persistTo: folder, ...(env && { env }) }
  const proxy = await openLocal<Record<string, unknown>>(where)
  try {
    const namespace = proxy.env[BINDING] as KvNamespace
    const store = new SealedStore(new KvStore(namespace), parseListKeys(key))
    await publishBank(store, await drillEntries(), { bank: DRILL_BANK })
  } finally {
    await proxy.dispose()
  }
}
