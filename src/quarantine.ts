// `hashgate/quarantine`: sealed copies of quarantined uploads, for a Worker of your own. Only a
// Worker that imports this bundles age.

import { type GateEvent } from './events/schema.ts'
import { reportTo } from './events/report.ts'
import { quarantineOf } from './quarantine/bindings.ts'
import type { QuarantineBucket } from './quarantine/bucket.ts'
import { Quarantine } from './quarantine/quarantine.ts'
import type { QuarantineSettings } from './quarantine/settings.ts'
import { sweepQuarantine as sweep } from './quarantine/sweep.ts'

export type { QuarantineBucket } from './quarantine/bucket.ts'

/**
 * Keeps quarantined uploads, for the option `quarantine` of `gate`. The setting
 * `quarantine.recipients` names the keys that can open them.
 * @param bucketOf an R2 bucket that holds nothing else
 * @throws {BadConfigError} by the first request: recipients without a bucket, or a bucket without
 * recipients
 * @example
 * ```ts
 * import { gate, type KvNamespace } from 'hashgate'
 * import { quarantine, type QuarantineBucket } from 'hashgate/quarantine'
 * import { Hono } from 'hono'
 *
 * interface Env {
 *   Bindings: { HASH_LISTS: KvNamespace; LIST_KEY: string; QUARANTINE: QuarantineBucket }
 * }
 *
 * const app = new Hono<Env>()
 * app.use(
 *   gate<Env>({
 *     hashLists: (env) => env.HASH_LISTS,
 *     listKey: (env) => env.LIST_KEY,
 *     quarantine: quarantine((env: Env['Bindings']) => env.QUARANTINE),
 *     settings: {
 *       quarantine: {
 *         recipients: ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'],
 *       },
 *       policy: { banks: { csam: { action: 'quarantine' } } },
 *     },
 *   }),
 * )
 *
 * export default app
 * ```
 */
export function quarantine<B>(
  bucketOf: (env: B) => QuarantineBucket | undefined,
): (env: B, settings: QuarantineSettings) => Quarantine | undefined {
  return (env, settings) => {
    const bucket = bucketOf(env)
    return quarantineOf(settings, { ...(bucket && { QUARANTINE: bucket }) })
  }
}

/**
 * Deletes quarantined uploads that have expired. Call it from a cron trigger, every hour.
 * @param bucket the bucket of the quarantine
 * @param onEvent receives the event `quarantine-sweep`; by default it is logged to the console as
 * one line of JSON
 * @throws whatever R2 throws
 * @example
 * ```ts
 * import { type QuarantineBucket, sweepQuarantine } from 'hashgate/quarantine'
 *
 * export default {
 *   fetch: () => new Response('ok'),
 *   scheduled: (_: unknown, env: { QUARANTINE: QuarantineBucket }) => sweepQuarantine(env.QUARANTINE),
 * }
 * ```
 */
export function sweepQuarantine(
  bucket: QuarantineBucket,
  onEvent?: (event: GateEvent) => unknown,
): Promise<void> {
  const report = reportTo(onEvent ? [['onEvent', onEvent]] : [], onEvent === undefined)
  return sweep(new Quarantine({ bucket, recipients: [], days: 1 }), report)
}
