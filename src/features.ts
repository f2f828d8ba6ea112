// `hashgate/features`: a Worker that has the features that it names, and nothing of others in its bundle.

import { createWorker as create } from './worker/create-worker.ts'
import * as features from './worker/features.ts'
import type { GateWorker, NamedFeature } from './worker/gate-worker.ts'

export type { GateWorker, NamedFeature } from './worker/gate-worker.ts'

/** The Worker with these features. @throws {BadConfigError} when it starts: a setting cannot be used, or is for another feature */
export const createWorker: (options: { features: readonly NamedFeature[] }) => GateWorker = create

/** Verdicts for those who have a key. */
export const api: () => NamedFeature = features.api
/** Look-ups in the API, as clients of hasher-matcher-actioner make them. */
export const hma: () => NamedFeature = features.hma
/** Sealed copies of what is quarantined. */
export const quarantine: () => NamedFeature = features.quarantine
/** Services that are asked about hashes, in place of a list or beside it. */
export const remote: () => NamedFeature = features.remote
/** Multipart uploads of S3. */
export const s3: () => NamedFeature = features.s3
/** Uploads to a bucket, by ticket. */
export const tickets: () => NamedFeature = features.tickets
/** Uploads by the tus protocol. */
export const tus: () => NamedFeature = features.tus
