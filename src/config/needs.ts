import { quarantinedBank } from '../policy/schema.ts'
import { BINDING_KINDS, type BindingName, BINDINGS, type SecretName } from './names.ts'
import type { Config } from './schema.ts'

/** Whether the Worker has a binding, a secret or a variable. */
export type Has = (name: BindingName | SecretName | 'ORIGIN_URL') => boolean

/** What something needs beside its settings. */
interface Need {
  /** What it is for, in words that continue "…, which". */
  by: string
  names: readonly (BindingName | SecretName)[]
}

/** What the settings and bindings of a Worker need. */
export function needsOf(config: Config, has: Has): Need[] {
  const { events, tus, policy, quarantine } = config
  const bank = quarantinedBank(policy)
  const tickets = (['OBJECTS', 'TICKETS', 'TICKET_KEY'] as const).filter(has)
  const inParts = tus.path !== '' ? 'tus.path' : 'S3_CLIENT_KEYS'
  const isInParts = tus.path !== '' || has('S3_CLIENT_KEYS')
  const needs: (Need | false)[] = [
    { by: 'the Worker', names: ['HASH_LISTS', 'LIST_KEY'] },
    events.sinks.includes('queue') && { by: 'events.sinks with queue', names: ['EVENT_QUEUE'] },
    events.sinks.includes('analytics') && {
      by: 'events.sinks with analytics',
      names: ['EVENT_ANALYTICS'],
    },
    events.webhook.url !== undefined && { by: 'events.webhook.url', names: ['WEBHOOK_SECRET'] },
    quarantine.recipients.length > 0 && { by: 'quarantine.recipients', names: ['QUARANTINE'] },
    bank !== undefined && { by: `policy.banks.${bank} with quarantine`, names: ['QUARANTINE'] },
    tickets[0] !== undefined && { by: tickets[0], names: ['OBJECTS', 'TICKETS', 'TICKET_KEY'] },
    isInParts && { by: inParts, names: ['STAGING', 'UPLOADS'] },
    has('S3_CLIENT_KEYS') &&
      !has('ORIGIN_BUCKET') && {
        by: 'S3_CLIENT_KEYS',
        names: ['S3_ORIGIN_KEY'],
      },
  ]
  return needs.filter((need) => need !== false)
}

/** What a Worker lacks for its settings, and what does not go together. */
export function missingOf(config: Config, has: Has): string[] {
  const lacking = needsOf(config, has).flatMap(({ by, names }) =>
    names.filter((name) => !has(name)).map((name) => `${by} needs ${described(name)}`),
  )
  return [...new Set(lacking)].concat(conflictsOf(config, has))
}

function conflictsOf({ events, quarantine, tus, upload }: Config, has: Has): string[] {
  const problems: string[] = []
  const origins = (['ORIGIN_URL', 'ORIGIN', 'ORIGIN_BUCKET'] as const).filter(has)
  if (origins.length > 1) problems.push(`only one origin may be set, not ${origins.join(' and ')}`)
  if (has('WEBHOOK_SECRET') && events.webhook.url === undefined)
    problems.push('WEBHOOK_SECRET needs events.webhook.url')
  if (has('QUARANTINE') && quarantine.recipients.length === 0)
    problems.push('QUARANTINE needs quarantine.recipients')
  if (tus.path !== '' && !upload.methods.includes('POST'))
    problems.push('upload.methods must list POST if tus.path is set')
  if (has('S3_CLIENT_KEYS') && !upload.methods.includes('PUT'))
    problems.push('upload.methods must list PUT if S3_CLIENT_KEYS is set')
  return problems
}

function described(name: BindingName | SecretName): string {
  if (!(name in BINDINGS)) return `the secret ${name}`
  const binding: { kind: keyof typeof BINDING_KINDS; className?: string } =
    BINDINGS[name as BindingName]
  const ofClass = binding.className === undefined ? '' : ` of class ${binding.className}`
  return `the binding ${name}, ${BINDING_KINDS[binding.kind]}${ofClass}`
}
