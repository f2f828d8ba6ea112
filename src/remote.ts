// `hashgate/remote`: remote services that are asked about hashes, for a Worker of your own. Only a
// Worker that imports this bundles them.

import type { Env } from 'hono'
import { readLibrarySettings } from './config/config.ts'
import { needText } from './config/needs.ts'
import { reportTo } from './events/report.ts'
import type { GateOptions } from './library.ts'
import { KvStore } from './list/kv-store.ts'
import { parseListKeys, SealedStore } from './list/sealing.ts'
import { remoteOf, type RemoteParts, type RemoteSecrets } from './match/remote/bindings.ts'
import type { RemoteBanks } from './match/remote/remote-banks.ts'
import { REMOTE_SECRETS } from './match/remote/settings.ts'
import { askAgain } from './upload/recheck.ts'
import { BadConfigError } from './util/errors.ts'

export type { RemoteSecrets } from './match/remote/bindings.ts'

/**
 * Remote services that are asked about hashes, for the option `remote` of `gate`. The setting
 * `remote.banks` names them.
 * @param secretsOf their passwords, from your environment
 * @throws {BadConfigError} by the first request: a service has no password
 * @example
 * ```ts
 * import { gate, type KvNamespace } from 'hashgate'
 * import { remote } from 'hashgate/remote'
 * import { Hono } from 'hono'
 *
 * interface Env {
 *   Bindings: { HASH_LISTS: KvNamespace; LIST_KEY: string; ARACHNID_PASSWORD: string }
 * }
 *
 * const app = new Hono<Env>()
 * app.use(
 *   gate<Env>({
 *     hashLists: (env) => env.HASH_LISTS,
 *     listKey: (env) => env.LIST_KEY,
 *     remote: remote(({ ARACHNID_PASSWORD }: Env['Bindings']) => ({ ARACHNID_PASSWORD })),
 *     settings: { remote: { banks: { arachnid: { service: 'arachnid', user: 'us' } } } },
 *   }),
 * )
 *
 * export default app
 * ```
 */
export function remote<B>(
  secretsOf: (env: B) => RemoteSecrets,
): (env: B, gate: RemoteParts) => RemoteBanks | undefined {
  return (env, parts) => {
    const secrets = secretsOf(env)
    const missing = Object.entries(parts.settings.banks).flatMap(([name, { service }]) => {
      const secret = REMOTE_SECRETS[service]
      return secrets[secret] ? [] : [needText({ by: `remote.banks.${name}`, name: secret })]
    })
    if (missing.length > 0) throw new BadConfigError(missing)
    return remoteOf(parts, secrets)
  }
}

/**
 * Asks services again about uploads that passed without their answer (`onFailed = "allow"`). Call
 * it from a cron trigger, every few minutes. It reports each answer in an event `late-answer`.
 * @param options those of `gate`
 * @param env the environment of the trigger
 * @throws {BadConfigError | BadListKeyError} an option or a setting is invalid
 * @example
 * ```ts
 * import { gate, type GateOptions, type KvNamespace } from 'hashgate'
 * import { askServicesAgain, remote } from 'hashgate/remote'
 * import { Hono } from 'hono'
 *
 * interface Env {
 *   Bindings: { HASH_LISTS: KvNamespace; LIST_KEY: string; ARACHNID_PASSWORD: string }
 * }
 *
 * const options: GateOptions<Env> = {
 *   hashLists: (env) => env.HASH_LISTS,
 *   listKey: (env) => env.LIST_KEY,
 *   remote: remote(({ ARACHNID_PASSWORD }: Env['Bindings']) => ({ ARACHNID_PASSWORD })),
 *   settings: {
 *     remote: { banks: { arachnid: { service: 'arachnid', user: 'us', onFailed: 'allow' } } },
 *   },
 * }
 * const app = new Hono<Env>().use(gate<Env>(options))
 *
 * export default {
 *   fetch: app.fetch,
 *   scheduled: (_: unknown, env: Env['Bindings']) => askServicesAgain(options, env),
 * }
 * ```
 */
export async function askServicesAgain<E extends Env>(
  options: GateOptions<E>,
  env: E['Bindings'],
): Promise<void> {
  const { settings = {}, onEvent, hashLists, listKey } = options
  const config = readLibrarySettings(typeof settings === 'function' ? settings(env) : settings)
  const store = new SealedStore(new KvStore(hashLists(env)), parseListKeys(listKey(env)))
  const parts = { settings: config.remote, policies: config.policy.banks, store }
  const report = reportTo(onEvent ? [['onEvent', onEvent]] : [], onEvent === undefined)
  await askAgain(options.remote?.(env, parts), { config, onEvent: report })
}
