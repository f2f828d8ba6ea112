// `hashgate/objects`: Durable Object classes for a Worker to export.

import { FloodCounter as Counter } from './gate/flood/counter.ts'
import { ListPin as Pin } from './match/list-pin.ts'
import { ListShard as Shard } from './match/list-shard.ts'
import { TicketUse as Use } from './doors/tickets/ticket-use.ts'
import { StagedUpload as Upload } from './upload/staging/staged-upload.ts'

/** A Durable Object class, as wrangler expects it to be exported. */
export type DurableObjectClass = new (state: never, env: never) => object

/**
 * Counts the matches of entries across all isolates: `floodCounters`, or the binding
 * FLOOD_COUNTERS.
 * @example
 * ```ts
 * export { FloodCounter } from 'hashgate/objects'
 * export { default } from 'hashgate/worker'
 * ```
 */
export const FloodCounter: DurableObjectClass = Counter

/**
 * Knows the latest version of the list: `listPins`, or the binding LIST_PIN.
 * @example
 * ```ts
 * export { ListPin } from 'hashgate/objects'
 * export { default } from 'hashgate/worker'
 * ```
 */
export const ListPin: DurableObjectClass = Pin

/**
 * Holds a part of a list that is too large for an isolate: `listShards`, or the binding LIST_SHARDS. It reads the bindings HASH_LISTS
 * and LIST_KEY.
 * @example
 * ```ts
 * export { ListShard } from 'hashgate/objects'
 * export { default } from 'hashgate/worker'
 * ```
 */
export const ListShard: DurableObjectClass = Shard

/**
 * Tracks an upload that arrives in parts: the binding UPLOADS. It reads the binding STAGING.
 * @example
 * ```ts
 * export { StagedUpload } from 'hashgate/objects'
 * export { default } from 'hashgate/worker'
 * ```
 */
export const StagedUpload: DurableObjectClass = Upload

/**
 * Knows whether a ticket has been used: the binding TICKETS.
 * @example
 * ```ts
 * export { TicketUse } from 'hashgate/objects'
 * export { default } from 'hashgate/worker'
 * ```
 */
export const TicketUse: DurableObjectClass = Use
