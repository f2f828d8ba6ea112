import { resolve } from 'node:path'
import type * as wrangler from 'wrangler'
import type { Config } from '../../config/schema.ts'
import { ListMissingError } from '../../list/errors.ts'
import { HashgateError } from '../../util/errors.ts'
import { readSetup } from '../config-command.ts'
import type { ListStore } from '../../list/store.ts'
import { type TargetOptions, withStore } from '../list-commands.ts'
import { readWranglerConfig } from '../stores.ts'
import { type Check, failed, ok, skipped, warning } from './checks.ts'
import { checkHealth, checkList, checkSameList } from './list-checks.ts'
import { localDrill } from './local-drill.ts'
import { runningDrill } from './remote-drill.ts'
import { checkAddresses, checkCpu, checkOrigin } from './setup-checks.ts'

const MARKS = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ', skipped: 'skipped' }

/** `hashgate doctor`: checks a deployment. Returns whether no check failed. */
export async function doctor(options: DoctorOptions): Promise<boolean> {
  const checks: Check[] = []
  const add = (more: readonly Check[]) => {
    checks.push(...more)
    if (options.json) return
    for (const { check, state, message } of more)
      console.log(`${MARKS[state]}  ${check}: ${message}`)
  }
  await examine(options, add)
  const isWell = checks.every(({ state }) => state !== 'failed')
  if (options.json) console.log(JSON.stringify({ ok: isWell, checks }, null, 2))
  else console.log(isWell ? '\nno check failed' : '\nsome checks failed')
  return isWell
}

export interface DoctorOptions extends TargetOptions {
  /** Address of a running Worker. Without it, the doctor starts one. */
  url?: string
  /** Path that the drill uploads to. */
  path: string
  /** Address of the server behind the route. */
  origin?: string
  /** Hours after which a list counts as too old. */
  maxAge: number
  drill: boolean
  readBack?: true
  json?: true
}

async function examine(options: DoctorOptions, add: (checks: readonly Check[]) => void) {
  const config = await readWranglerConfig(options)
  const setup = await readSetup(options)
  const { problems, config: settings } = setup
  add(problems.map((problem) => failed('settings and bindings', problem)))
  if (!settings) return
  if (problems.length === 0) add([ok('settings and bindings', secretsText(setup.secrets, options))])
  add([checkCpu(config), checkAddresses(config)])
  if (options.url === undefined) {
    const isSound = problems.length === 0
    await examineHere({ ...options, drill: options.drill && isSound }, config, settings, add)
    if (options.drill && !isSound)
      add([skipped('the drill', 'fix the settings and bindings first')])
  } else await examineRunning(options, new URL(options.url), settings, add)
}

function secretsText(secrets: readonly string[], { remote }: DoctorOptions): string {
  const names = secrets.join(', ')
  if (remote) return `as required, and these secrets are set: ${names}`
  return `as required; --remote also checks these secrets: ${names}`
}

/** Checks a configuration on this machine. */
async function examineHere(
  options: DoctorOptions,
  config: wrangler.Unstable_Config,
  settings: Config,
  add: (checks: readonly Check[]) => void,
): Promise<void> {
  await withList(options, async ({ checks }) => add(checks))
  const { configPath } = config
  if (!options.drill || configPath === undefined) return
  if (hasOtherOrigin(config)) {
    add([
      skipped('the drill', 'your origin is a binding, so it cannot be replaced here; use --url'),
    ])
    return
  }
  const { env, path } = options
  const method = uploadMethod(settings)
  add(
    await localDrill({ config: resolve(configPath), ...(env && { env }), settings, method, path }),
  )
}

function hasOtherOrigin({ services = [], r2_buckets: buckets }: wrangler.Unstable_Config): boolean {
  return [...services, ...buckets].some(({ binding }) => /^ORIGIN(_BUCKET)?$/.test(binding))
}

/** Checks a running Worker. */
async function examineRunning(
  options: DoctorOptions,
  url: URL,
  settings: Config,
  add: (checks: readonly Check[]) => void,
): Promise<void> {
  const health = new URL(settings.health.path || '/healthz', url)
  const { version, check } = await checkHealth(health)
  add([check])
  for (const origin of originsOf(options, settings)) add([await checkOrigin(origin)])
  await withList(options, async ({ store, manifest, checks }) => {
    add(checks)
    if (!manifest || !store) return
    add([checkSameList(manifest.version, version)])
    if (!options.drill) return
    const { path, readBack } = options
    const target = { url, health, path, method: uploadMethod(settings), settings, store, manifest }
    add(await runningDrill({ ...target, canReadBack: readBack === true }))
  })
}

/** Servers that must not be reachable around the gate. */
function originsOf({ origin }: DoctorOptions, settings: Config): (URL | undefined)[] {
  const main = origin === undefined ? settings.origin.url : new URL(origin)
  const routed = settings.policy.routes.flatMap((route) => route.origin ?? [])
  return [main, ...[...new Set(routed)].map((url) => new URL(url))]
}

function uploadMethod({ upload }: Config): string {
  return upload.methods.includes('PUT') ? 'PUT' : (upload.methods[0] ?? 'POST')
}

type Listed = Awaited<ReturnType<typeof checkList>> & { store?: ListStore }

/** Opens the published list and uses it. */
async function withList(
  options: DoctorOptions,
  use: (listed: Listed) => Promise<void>,
): Promise<void> {
  const isRemote = options.remote === true
  try {
    await withStore(options, async (store) =>
      use({ ...(await checkList(store, { isRemote, maxAgeHours: options.maxAge })), store }),
    )
  } catch (error) {
    if (!(error instanceof HashgateError) || error instanceof ListMissingError) throw error
    const say = isRemote ? failed : warning
    await use({ checks: [say('LIST_KEY opens the list', error.message)] })
  }
}
