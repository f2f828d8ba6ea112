// `hashgate/objects`: classes of Durable Objects, for a Worker to export.

import { FloodCounter as Counter } from './gate/flood/counter.ts'
import { ListPin as Pin } from './match/list-pin.ts'
import { ListShard as Shard } from './match/list-shard.ts'
import { TicketUse as Use } from './doors/tickets/ticket-use.ts'
import { StagedUpload as Upload } from './upload/staging/staged-upload.ts'

/** A class of Durable Objects, as wrangler wants it exported. */
export type DurableObjectClass = new (state: never, env: never) => object

/** Counts for all isolates what entries match: `floodCounters`. */
export const FloodCounter: DurableObjectClass = Counter

/** Knows the latest version of the list: `listPins`. */
export const ListPin: DurableObjectClass = Pin

/** Holds a part of a list that is too large for an isolate: `listShards`. It reads the bindings HASH_LISTS and LIST_KEY. */
export const ListShard: DurableObjectClass = Shard

/** Knows how far an upload is that comes in parts. It reads the binding STAGING. */
export const StagedUpload: DurableObjectClass = Upload

/** Knows whether a ticket is used. */
export const TicketUse: DurableObjectClass = Use
