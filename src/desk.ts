// `hashgate/desk`: the desk as wrangler deploys it, for a folder of your own: `export { default } from 'hashgate/desk'`.

import worker from './desk/worker.ts'

/** A Worker as its runtime takes it, in the types of no platform. */
export interface DeskWorker {
  fetch: (request: never, env: never, context: never) => Response | Promise<Response>
  scheduled: (controller: never, env: never) => Promise<void>
  queue: (batch: never, env: never) => Promise<void>
}

const desk: DeskWorker = worker
export default desk
