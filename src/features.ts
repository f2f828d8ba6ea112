// `hashgate/features`: a Worker with the features that it names, and without the code of others in its bundle.

import { createWorker as create } from './worker/create-worker.ts'
import * as features from './worker/features.ts'
import type { GateWorker, NamedFeature } from './worker/gate-worker.ts'

export type { GateWorker, NamedFeature } from './worker/gate-worker.ts'

export { SinkNotBoundError } from './events/errors.ts'
export { BadListKeyError } from './list/errors.ts'
export { BadConfigError, HashgateError } from './util/errors.ts'

/**
 * The Worker with these features, by the bindings and settings that it is deployed with. Call it once, in the Worker's module.
 * @param options.features what it has beside the gate; others are not in its bundle
 * @throws {BadConfigError} when it starts: a setting cannot be used, or is for another feature
 * @throws {BadListKeyError} when it starts: LIST_KEY is missing or cannot be used
 * @throws {SinkNotBoundError} when it starts: `events.sinks` names what is not bound
 * @example
 * ```ts
 * import { createWorker, quarantine, tus } from 'hashgate/features'
 *
 * export { FloodCounter, ListPin, StagedUpload } from 'hashgate/objects'
 * export default createWorker({ features: [quarantine(), tus()] })
 * ```
 */
export const createWorker: (options: { features: readonly NamedFeature[] }) => GateWorker = create

/**
 * Verdicts over HTTP, for callers with a key: docs/api.md.
 * @example
 * ```ts
 * import { createWorker, api } from 'hashgate/features'
 *
 * export default createWorker({ features: [api()] })
 * ```
 */
export const api: () => NamedFeature = features.api
/**
 * The API that clients of hasher-matcher-actioner use, beside `api()`: docs/api.md.
 * @example
 * ```ts
 * import { api, createWorker, hma } from 'hashgate/features'
 *
 * export default createWorker({ features: [api(), hma()] })
 * ```
 */
export const hma: () => NamedFeature = features.hma
/**
 * Sealed copies of what is quarantined: docs/quarantine.md.
 * @example
 * ```ts
 * import { createWorker, quarantine } from 'hashgate/features'
 *
 * export default createWorker({ features: [quarantine()] })
 * ```
 */
export const quarantine: () => NamedFeature = features.quarantine
/**
 * Services that are asked about hashes, in place of a list or beside it: docs/remote.md.
 * @example
 * ```ts
 * import { createWorker, remote } from 'hashgate/features'
 *
 * export default createWorker({ features: [remote()] })
 * ```
 */
export const remote: () => NamedFeature = features.remote
/**
 * S3 uploads, also in parts: docs/resumable.md.
 * @example
 * ```ts
 * import { createWorker, s3 } from 'hashgate/features'
 *
 * export { StagedUpload } from 'hashgate/objects'
 * export default createWorker({ features: [s3()] })
 * ```
 */
export const s3: () => NamedFeature = features.s3
/**
 * Uploads to a bucket, by ticket. Services ask the API for tickets: docs/tickets.md.
 * @example
 * ```ts
 * import { api, createWorker, tickets } from 'hashgate/features'
 *
 * export { TicketUse } from 'hashgate/objects'
 * export default createWorker({ features: [api(), tickets()] })
 * ```
 */
export const tickets: () => NamedFeature = features.tickets
/**
 * Resumable uploads by the tus protocol: docs/resumable.md.
 * @example
 * ```ts
 * import { createWorker, tus } from 'hashgate/features'
 *
 * export { StagedUpload } from 'hashgate/objects'
 * export default createWorker({ features: [tus()] })
 * ```
 */
export const tus: () => NamedFeature = features.tus
