import type { Config } from '../config/schema.ts'
import type { ApiConfig } from '../doors/api/settings.ts'
import type { TicketBindings, TicketParts } from '../doors/tickets/bindings.ts'
import type { S3Access, S3Bindings } from '../doors/s3/bindings.ts'
import type { OriginBindings } from '../doors/proxy/origin.ts'
import type { SinkBindings } from '../events/sinks.ts'
import type { Webhook } from '../events/webhook.ts'
import type { FloodCounter } from '../gate/flood/counter.ts'
import type { ListPin } from '../match/list-pin.ts'
import type { RemoteSecrets } from '../match/remote/bindings.ts'
import type { ListShard } from '../match/list-shard.ts'
import type { QuarantineBindings } from '../quarantine/bindings.ts'
import type { Origin } from '../upload/origin.ts'
import type { Staging, StagingBindings } from '../upload/staging/staging.ts'
import type { UploadsParts } from '../upload/uploads.ts'

/** Bindings of the Worker, beside its settings. */
export interface Bindings
  extends
    OriginBindings,
    QuarantineBindings,
    RemoteSecrets,
    S3Bindings,
    SinkBindings,
    StagingBindings,
    TicketBindings {
  HASH_LISTS: KVNamespace
  /** Secret: the key that seals the list. Several, separated by commas, while you change it. */
  LIST_KEY?: string
  /** Durable Objects of class ListShard, for a list that is too large for an isolate. */
  LIST_SHARDS?: DurableObjectNamespace<ListShard>
  /** Durable Objects of class ListPin, so that no isolate accepts an older list as the latest. */
  LIST_PIN?: DurableObjectNamespace<ListPin>
  /** Durable Objects of class FloodCounter, so that isolates count matches of entries together. */
  FLOOD_COUNTERS?: DurableObjectNamespace<FloodCounter>
  IMAGES?: ImagesBinding
  /** The variable: a server that is the origin. */
  ORIGIN_URL?: string
  /** Secret: keys of callers that may ask for verdicts, one a line. */
  API_KEYS?: string
  /** Secret: signs events. */
  WEBHOOK_SECRET?: string
}

export interface WorkerParts extends UploadsParts {
  config: Config
  origin: Origin
  /** The callers that may ask for verdicts. */
  api?: ApiConfig
  /** Whether the caller may see how full an isolate is. */
  mayWatch?: (request: Request) => Promise<boolean>
  /** Where events of the queue are delivered to. */
  webhook?: Webhook
  tickets?: TicketParts
  /** Where uploads that arrive in parts wait. */
  staging?: Staging
  /** S3 uploads. */
  s3?: S3Access
}
