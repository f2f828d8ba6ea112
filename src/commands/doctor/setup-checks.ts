import type * as wrangler from 'wrangler'
import { type Check, failed, ok, reasonOf, skipped, warning } from './checks.ts'

/** CPU time that the worst upload may need, in milliseconds: docs/limits.md. */
const LEAST_CPU_MS = 10_000
const ANSWER_WITHIN_MS = 10_000

/** Checks that the Worker has enough CPU time. */
export function checkCpu({ limits }: wrangler.Unstable_Config): Check {
  const check = 'CPU time'
  const limit = limits?.cpu_ms
  if (limit === undefined)
    return ok(
      check,
      '30 seconds by default, on the Workers Paid plan; 10 ms, as on the free plan, are not enough',
    )
  if (limit >= LEAST_CPU_MS) return ok(check, `limits.cpu_ms is ${limit}`)
  return failed(check, `limits.cpu_ms is ${limit}; large uploads need up to ${LEAST_CPU_MS}`)
}

/** Checks that the origin rejects requests that bypass the gate, such as those of this machine. */
export async function checkOrigin(origin: URL | undefined): Promise<Check> {
  const check = 'the origin is closed'
  if (origin === undefined)
    return skipped(
      check,
      'pass --origin with the address of your server to see whether it answers around the gate',
    )
  if (['localhost', '127.0.0.1', '[::1]'].includes(origin.hostname))
    return skipped(check, `${origin.host} is this machine`)
  try {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS)
    const { status } = await fetch(origin, { redirect: 'manual', signal })
    if (status === 401 || status === 403) return ok(check, `${origin.host} answers ${status}`)
    return failed(
      check,
      `${origin.host} answers ${status} to this machine: uploads can bypass the gate. Use a tunnel, authenticated origin pulls, or a firewall`,
    )
  } catch (error) {
    const isTimeout = error instanceof Error && error.name === 'TimeoutError'
    const why = isTimeout ? 'does not answer' : `cannot be reached: ${reasonOf(error)}`
    return ok(check, `${origin.host} ${why}`)
  }
}

/** Checks for other addresses that reach the Worker. */
export function checkAddresses(config: wrangler.Unstable_Config): Check {
  const check = 'one address'
  const { routes = [], route } = config
  const hasRoute = routes.length > 0 || route !== undefined
  if (config.workers_dev === false && config.preview_urls === false)
    return ok(check, 'no workers.dev, no previews')
  if (!hasRoute) return warning(check, 'no route: the Worker answers at workers.dev only')
  return warning(
    check,
    'set workers_dev and preview_urls to false: these addresses have no zone rules',
  )
}
