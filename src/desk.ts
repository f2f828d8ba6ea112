// `hashgate/desk`: the desk as wrangler deploys it, for a folder of your own: `export { default } from 'hashgate/desk'`.

import worker from './desk/worker.ts'

/** A Worker as the runtime calls it, without platform-specific types. */
export interface DeskWorker {
  fetch: (request: never, env: never, context: never) => Response | Promise<Response>
  scheduled: (controller: never, env: never) => Promise<void>
  queue: (batch: never, env: never) => Promise<void>
}

const desk: DeskWorker = worker
export default desk
