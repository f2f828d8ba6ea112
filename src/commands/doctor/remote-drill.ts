import type { Config } from '../../config/schema.ts'
import { readBankEntries } from '../../list/bank-entries.ts'
import { digestEntry } from '../../list/digests.ts'
import type { Manifest } from '../../list/manifest.ts'
import { publishBank } from '../../list/publish.ts'
import type { ListStore } from '../../list/store.ts'
import { type Check, failed, skipped } from './checks.ts'
import { drill } from './drill.ts'
import { checkHealth } from './list-checks.ts'
import { DRILL_BANK } from './local-drill.ts'
import { drillEntries } from './pictures.ts'

const TAKEN_UP_WITHIN_MS = 180_000
const POLL_MS = 3000
/** The check that fails until the Worker has the list. */
const REFUSED = 'a known picture is refused'

/** Publishes the drill's entry if it is missing, and uploads pictures to a running Worker. */
export async function runningDrill(target: RunningDrill): Promise<Check[]> {
  const { settings, method, canReadBack } = target
  if (settings.policy.mode === 'shadow')
    return [skipped(REFUSED, 'policy.mode is shadow: nothing is refused')]
  const version = await publishOnce(target)
  const limit = Date.now() + TAKEN_UP_WITHIN_MS
  if (!(await isTakenUp(target.health, version, limit)))
    return [failed(REFUSED, `the Worker has not taken up version ${version} in three minutes`)]
  const { maxBufferedBytes, maxBodyBytes } = settings.upload
  const url = new URL(target.path, target.url)
  const isNew = version !== target.manifest.version
  for (;;) {
    const checks = await drill({ url, method, maxBufferedBytes, maxBodyBytes, canReadBack })
    const isRefused = checks.some(({ check, state }) => check === REFUSED && state === 'ok')
    // The version is unknown: retry until the Worker uses what was just published.
    if (isRefused || !isNew || Date.now() > limit) return checks
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** A running Worker and the list that it uses. */
export interface RunningDrill {
  url: URL
  health: URL
  path: string
  method: string
  settings: Config
  store: ListStore
  manifest: Manifest
  canReadBack: boolean
}

/** Version of the list with the drill's entry. Monitoring drills often but publishes once. */
async function publishOnce({ store, manifest }: RunningDrill): Promise<number> {
  const entries = await drillEntries()
  const known = new Set((await readBankEntries(store, manifest, DRILL_BANK)).map(digestEntry))
  if (entries.every((entry) => known.has(digestEntry(entry)))) return manifest.version
  const published = await publishBank(store, entries, { bank: DRILL_BANK, allowLarge: true })
  return published.manifest.version
}

/** Whether the Worker uses a version, as far as it says. */
async function isTakenUp(health: URL, version: number, limit: number): Promise<boolean> {
  for (;;) {
    const { version: there, check } = await checkHealth(health)
    if (there === undefined ? check.state === 'ok' : there >= version) return true
    if (Date.now() > limit) return false
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
