/** A Worker as its runtime takes it, in the types of no platform. */
export interface GateWorker {
  fetch: (request: never, env: never, context: never) => Response | Promise<Response>
  scheduled: () => Promise<void>
  queue: (batch: never) => Promise<void>
}

/** What a Worker has only if it names it. */
export interface NamedFeature {
  readonly name: 'api' | 'hma' | 'quarantine' | 'remote' | 's3' | 'tickets' | 'tus'
}
