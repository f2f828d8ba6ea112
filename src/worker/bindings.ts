import type { WorkerParts } from './app.ts'
import type { CoreModules } from '../core/modules.ts'
import { eventSinks, type SinkBindings } from '../events/sinks.ts'
import { BadConfigError, checkSecrets, readConfig } from '../config/config.ts'
import type { FloodCounter } from '../gate/flood/counter.ts'
import { chooseOrigin, type OriginBindings } from '../doors/proxy/origin.ts'
import { chooseQuarantine, type QuarantineBindings } from './quarantine.ts'
import { KvStore } from '../list/kv-store.ts'
import { parseListKeys, SealedStore } from '../list/sealing.ts'
import type { ListShard } from '../match/list-shard.ts'
import { type ResumableBindings, stagingOf } from '../doors/s3/bindings.ts'
import { imagesConverter } from '../scan/image/images-binding.ts'
import { type TicketBindings, ticketsOf } from '../doors/tickets/bindings.ts'

/** Bindings of the Worker, beside its settings. */
export interface Bindings
  extends OriginBindings, QuarantineBindings, ResumableBindings, SinkBindings, TicketBindings {
  HASH_LISTS: KVNamespace
  /** Secret: the key that the list is sealed with; several with commas while it is changed. */
  LIST_KEY?: string
  /** Durable Objects of class ListShard, for a list that is too large for an isolate. */
  LIST_SHARDS?: DurableObjectNamespace<ListShard>
  /** Durable Objects of class FloodCounter, so that isolates count together what entries match. */
  FLOOD_COUNTERS?: DurableObjectNamespace<FloodCounter>
  IMAGES?: ImagesBinding
}

/**
 * What the gate is made of in a Worker with these bindings.
 * @throws {BadConfigError | BadListKeyError | SinkNotBoundError} a setting cannot be used
 */
export function workerParts(bindings: Bindings, modules: CoreModules): WorkerParts {
  const config = readConfig(bindings)
  const staging = stagingOf(config, bindings)
  checkSecrets(bindings)
  if (!bindings.HASH_LISTS) throw new BadConfigError(['HASH_LISTS, a KV namespace, is not bound'])
  const quarantine = chooseQuarantine(config, bindings)
  const tickets = ticketsOf(config, bindings)
  return {
    config,
    modules,
    store: new SealedStore(new KvStore(bindings.HASH_LISTS), parseListKeys(bindings.LIST_KEY)),
    origin: chooseOrigin(config, bindings),
    ...(bindings.LIST_SHARDS && { shards: bindings.LIST_SHARDS }),
    ...(bindings.FLOOD_COUNTERS && { floodCounters: bindings.FLOOD_COUNTERS }),
    ...(staging && { staging }),
    ...(bindings.IMAGES && { convert: imagesConverter(bindings.IMAGES) }),
    ...(quarantine && { quarantine }),
    ...(tickets && { tickets }),
    onEvent: eventSinks(config, bindings),
  }
}
