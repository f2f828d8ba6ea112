import { checkNeeds, readConfig } from '../config/config.ts'
import type { Config } from '../config/schema.ts'
import type { CoreModules } from '../core/modules.ts'
import type { Scope } from '../doors/api/keys.ts'
import { type ApiConfig, apiOf, isApiOn } from '../doors/api/settings.ts'
import { chooseOrigin } from '../doors/proxy/origin.ts'
import { eventSinks } from '../events/sinks.ts'
import { webhookOf } from '../events/webhook.ts'
import { KvStore } from '../list/kv-store.ts'
import { parseListKeys, SealedStore } from '../list/sealing.ts'
import { quarantinedBank } from '../policy/schema.ts'
import { imagesConverter } from '../scan/image/images-binding.ts'
import { stagingOf } from '../upload/staging/staging.ts'
import { BadConfigError } from '../util/errors.ts'
import type { Feature } from './features.ts'
import type { Bindings, WorkerParts } from './parts.ts'

/**
 * The parts of a Worker with these features, from its bindings.
 * @throws {BadConfigError | BadListKeyError | SinkNotBoundError} a setting is invalid, or belongs
 * to a feature that is not named
 */
export function workerParts(
  bindings: Bindings,
  modules: CoreModules,
  features: readonly Feature[],
): WorkerParts {
  const config = readConfig(bindings)
  checkFeatures(config, bindings, features)
  checkNeeds(config, (name) => bindings[name] !== undefined && bindings[name] !== '')
  const store = new SealedStore(new KvStore(bindings.HASH_LISTS), parseListKeys(bindings.LIST_KEY))
  const webhook = webhookOf(config.events.webhook, bindings.WEBHOOK_SECRET)
  return {
    config,
    modules,
    store,
    origin: chooseOrigin(config, bindings),
    ...(bindings.LIST_PIN && { pins: bindings.LIST_PIN }),
    ...(bindings.LIST_SHARDS && { shards: bindings.LIST_SHARDS }),
    ...(bindings.FLOOD_COUNTERS && { floodCounters: bindings.FLOOD_COUNTERS }),
    ...(bindings.STAGING && bindings.UPLOADS && { staging: stagingOf(bindings) }),
    ...(bindings.IMAGES && { convert: imagesConverter(bindings.IMAGES) }),
    ...Object.assign({}, ...features.map(({ bind }) => bind?.(config, bindings, store))),
    ...(webhook && { webhook }),
    onEvent: eventSinks(config.events, bindings),
  }
}

/** Settings and bindings that ask for a feature: a request for protection must not be ignored. */
const WANTED: Record<Feature['name'], (config: Config, bindings: Bindings) => unknown> = {
  api: ({ api }, { API_KEYS }) => isApiOn(api, API_KEYS !== undefined),
  heic: () => undefined,
  hma: ({ api }, { API_KEYS }) => hasKeyFor('lookup', apiOf(api, API_KEYS)),
  quarantine: ({ quarantine, policy }, { QUARANTINE }) =>
    QUARANTINE ?? (quarantine.recipients.length > 0 || quarantinedBank(policy)),
  remote: ({ remote }) => Object.keys(remote.banks).length > 0,
  s3: (_, { S3_CLIENT_KEYS }) => S3_CLIENT_KEYS,
  tickets: ({ api }, { OBJECTS, TICKETS, TICKET_KEY, API_KEYS }) =>
    OBJECTS ?? TICKETS ?? TICKET_KEY ?? hasKeyFor('tickets', apiOf(api, API_KEYS)),
  tus: ({ tus }) => tus.path,
}

/** Requests that such a key is for must be answered here: the origin must not get the key. */
function hasKeyFor(scope: Scope, api: ApiConfig | undefined): boolean | undefined {
  return api?.keys.some(({ scopes }) => scopes.has(scope))
}

function checkFeatures(config: Config, bindings: Bindings, features: readonly Feature[]): void {
  const names = new Set(features.map(({ name }) => name))
  const missing = (Object.keys(WANTED) as Feature['name'][]).filter(
    (name) => !names.has(name) && WANTED[name](config, bindings),
  )
  if (missing.length > 0)
    throw new BadConfigError([
      `settings or bindings are for ${missing.join(', ')}, which the Worker's features do not name; add the features, or remove the settings`,
    ])
}
