/** A Worker as its runtime takes it, in the types of no platform. */
export interface GateWorker {
  /** Answers a request: as the origin does, if it may reach the origin. */
  fetch: (request: never, env: never, context: never) => Response | Promise<Response>
  /** Deletes what has expired in the quarantine. For a cron trigger. */
  scheduled: () => Promise<void>
  /** Delivers events to the webhook. For the queue of events. */
  queue: (batch: never) => Promise<void>
}

/** What a Worker has only if it names it: `api()`, `tus()` and the others of `hashgate/features`. */
export interface NamedFeature {
  /** As settings and messages call it. */
  readonly name: 'api' | 'heic' | 'hma' | 'quarantine' | 'remote' | 's3' | 'tickets' | 'tus'
}
