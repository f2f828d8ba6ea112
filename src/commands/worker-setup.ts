import type * as wrangler from 'wrangler'
import {
  type BindingKind,
  BINDING_KINDS,
  type BindingName,
  BINDINGS,
  SECRETS,
} from '../config/names.ts'
import { kindText } from '../config/needs.ts'

/** Bindings by name. Kinds that hashgate does not use are left out. */
export function bindingsOf(config: wrangler.Unstable_Config): Map<string, Binding> {
  const { kv_namespaces: kv, r2_buckets: r2, services, queues, images } = config
  const { durable_objects: objects, analytics_engine_datasets: datasets } = config
  return new Map<string, Binding>([
    ...kv.map(({ binding }) => [binding, { kind: 'kv' }] as const),
    ...r2.map(({ binding }) => [binding, { kind: 'r2' }] as const),
    ...(services ?? []).map(({ binding }) => [binding, { kind: 'service' }] as const),
    ...(queues.producers ?? []).map(({ binding }) => [binding, { kind: 'queue' }] as const),
    ...datasets.map(({ binding }) => [binding, { kind: 'analytics' }] as const),
    ...(images ? ([[images.binding, { kind: 'images' }]] as const) : []),
    ...objects.bindings.map(
      ({ name, class_name: className }) => [name, { kind: 'durable-object', className }] as const,
    ),
  ])
}

/** Something that wrangler's configuration binds to a Worker. */
export interface Binding {
  kind: BindingKind
  /** For Durable Objects. */
  className?: string
}

/**
 * Names of all bindings, including kinds that hashgate does not use: the Worker's environment has
 * them.
 */
export function boundNames(config: object): string[] {
  return Object.entries(config).flatMap(([key, value]: [string, unknown]) => {
    if (key === 'binding' && typeof value === 'string') return [value]
    return key !== 'vars' && typeof value === 'object' && value !== null ? boundNames(value) : []
  })
}

/** Bindings of another kind than the Worker expects. */
export function wrongKinds(bindings: ReadonlyMap<string, Binding>): string[] {
  return Object.keys(BINDINGS).flatMap((key) => {
    const name = key as BindingName
    const bound = bindings.get(name)
    const wanted: Binding = BINDINGS[name]
    if (!bound || (bound.kind === wanted.kind && bound.className === wanted.className)) return []
    const ofClass = bound.className === undefined ? '' : ` of class ${bound.className}`
    return `${name} must be ${kindText(name)}, not ${BINDING_KINDS[bound.kind]}${ofClass}`
  })
}

/** Secrets set as plain variables, where anyone can read them. */
export function exposedSecrets(vars: object): string[] {
  return Object.keys(SECRETS)
    .filter((name) => name in vars)
    .map((name) => `${name} is a secret and must not be a variable: wrangler secret put ${name}`)
}

/**
 * Triggers that the settings need: without a consumer events pile up; without a schedule nothing is
 * deleted or retried.
 */
export function missingTriggers(
  { queues, triggers }: wrangler.Unstable_Config,
  has: { webhook: boolean; quarantine: boolean; unansweredThatPass: string | undefined },
): string[] {
  const problems: string[] = []
  const hasSchedule = (triggers.crons ?? []).length > 0
  if (has.webhook && (queues.consumers ?? []).length === 0)
    problems.push('events.webhook.url needs a consumer of the queue: [[queues.consumers]]')
  if (has.quarantine && !hasSchedule)
    problems.push('QUARANTINE needs a schedule that deletes what has expired: triggers.crons')
  if (has.unansweredThatPass !== undefined && !hasSchedule)
    problems.push(
      `remote.banks.${has.unansweredThatPass}.onFailed with allow needs a schedule that asks again: triggers.crons`,
    )
  return problems
}
