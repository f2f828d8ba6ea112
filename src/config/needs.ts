import { apiPathsOf, isApiOn } from '../doors/api/settings.ts'
import { REMOTE_SECRETS } from '../match/remote/settings.ts'
import { quarantinedBank } from '../policy/schema.ts'
import { BINDING_KINDS, type BindingName, BINDINGS, type SecretName } from './names.ts'
import type { Config } from './schema.ts'

const TICKET_NEEDS = ['OBJECTS', 'TICKETS', 'TICKET_KEY'] as const

/** What the settings, bindings and secrets of a Worker need. */
export function needsOf(config: Config, has: Has): Need[] {
  const { events, tus, policy, quarantine } = config
  const bank = quarantinedBank(policy)
  const ticket = TICKET_NEEDS.find(has)
  const isS3 = has('S3_CLIENT_KEYS')
  const needs = [
    need('the Worker', 'HASH_LISTS', 'LIST_KEY'),
    events.sinks.includes('queue') && need('events.sinks with queue', 'EVENT_QUEUE'),
    events.sinks.includes('analytics') && need('events.sinks with analytics', 'EVENT_ANALYTICS'),
    events.webhook.url !== undefined && need('events.webhook.url', 'WEBHOOK_SECRET'),
    quarantine.recipients.length > 0 && need('quarantine.recipients', 'QUARANTINE'),
    bank !== undefined && need(quarantinedBy(bank), 'QUARANTINE'),
    ticket !== undefined && need(ticket, ...TICKET_NEEDS),
    tus.path !== '' && need('tus.path', 'STAGING', 'UPLOADS'),
    ...Object.entries(config.remote.banks).map(([name, { service }]) =>
      need(`remote.banks.${name}`, REMOTE_SECRETS[service]),
    ),
    // Without it, a list that vanishes looks like one that was never published.
    config.list.onMissing === 'remote' && need('list.onMissing with remote', 'LIST_PIN'),
    isS3 && need('S3_CLIENT_KEYS', 'STAGING', 'UPLOADS'),
    isS3 && !has('ORIGIN_BUCKET') && need('S3_CLIENT_KEYS', 'S3_ORIGIN_KEY'),
  ]
  return needs.flatMap((some) => some || [])
}

/** Whether the Worker has a binding, a secret or a variable. */
export type Has = (name: BindingName | SecretName | 'ORIGIN_URL') => boolean

/** A binding or a secret that something needs. */
export interface Need {
  /** What needs it: a setting, a binding or a secret. */
  by: string
  name: BindingName | SecretName
}

function quarantinedBy(bank: string | undefined): string {
  return `policy.banks.${bank} with quarantine`
}

function need(by: string, ...names: readonly (BindingName | SecretName)[]): Need[] {
  return names.map((name) => ({ by, name }))
}

export function needText({ by, name }: Need): string {
  if (!(name in BINDINGS)) return `${by} needs the secret ${name}`
  return `${by} needs the binding ${name}, ${kindText(name as BindingName)}`
}

export function kindText(name: BindingName): string {
  const binding: { kind: keyof typeof BINDING_KINDS; className?: string } = BINDINGS[name]
  const ofClass = binding.className === undefined ? '' : ` of class ${binding.className}`
  return `${BINDING_KINDS[binding.kind]}${ofClass}`
}

/** Settings, secrets and bindings that conflict. */
export function conflictsOf(config: Config, has: Has): string[] {
  const { api, events, health, policy, quarantine, tus, upload } = config
  const bank = quarantinedBank(policy)
  const origins = (['ORIGIN_URL', 'ORIGIN', 'ORIGIN_BUCKET'] as const).filter(has)
  const isHidden = isApiOn(api, has('API_KEYS')) && apiPathsOf(api).includes(health.path)
  const conflicts = [
    origins.length > 1 && `only one origin may be set, not ${origins.join(' and ')}`,
    has('WEBHOOK_SECRET') &&
      events.webhook.url === undefined &&
      'WEBHOOK_SECRET needs events.webhook.url',
    (has('QUARANTINE') || bank !== undefined) &&
      quarantine.recipients.length === 0 &&
      `${has('QUARANTINE') ? 'QUARANTINE' : quarantinedBy(bank)} needs quarantine.recipients`,
    tus.path !== '' &&
      !upload.methods.includes('POST') &&
      'upload.methods must list POST if tus.path is set',
    has('S3_CLIENT_KEYS') &&
      !upload.methods.includes('PUT') &&
      'upload.methods must list PUT if S3_CLIENT_KEYS is set',
    isHidden && 'health.path is a path of the API; set api.path or api.host',
  ]
  return conflicts.filter((conflict) => conflict !== false)
}

/** Everything that a Worker lacks, and every conflict. */
export function missingOf(config: Config, has: Has): string[] {
  const lacking = needsOf(config, has).filter(({ name }) => !has(name))
  return [...new Set(lacking.map(needText)), ...conflictsOf(config, has)]
}
