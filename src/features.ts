// `hashgate/features`: a Worker that has the features that it names, and nothing of others in its bundle.

export { createWorker, type GateWorker } from './worker/create-worker.ts'
export { api, type Feature, hma, quarantine, s3, tickets, tus } from './worker/features.ts'
