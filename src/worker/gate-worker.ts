/** A Worker as the runtime calls it, without platform-specific types. */
export interface GateWorker {
  /** Answers a request. If it is allowed, the answer is the origin's. */
  fetch: (request: never, env: never, context: never) => Response | Promise<Response>
  /** For a cron trigger: asks silent services again, and deletes expired quarantined uploads. */
  scheduled: () => Promise<void>
  /** Delivers events to the webhook. For the queue of events. */
  queue: (batch: never) => Promise<void>
}

/** A feature that a Worker has only if it names it, such as `api()` from `hashgate/features`. */
export interface NamedFeature {
  /** As settings and messages call it. */
  readonly name: 'api' | 'heic' | 'hma' | 'quarantine' | 'remote' | 's3' | 'tickets' | 'tus'
}
