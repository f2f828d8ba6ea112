// `hashgate/features`: a Worker with only the features that it names. The code of the others stays
// out of its bundle.

import { createWorker as create } from './worker/create-worker.ts'
import * as features from './worker/features.ts'
import type { GateWorker, NamedFeature } from './worker/gate-worker.ts'

export type { GateWorker, NamedFeature } from './worker/gate-worker.ts'

export { SinkNotBoundError } from './events/errors.ts'
export { BadListKeyError } from './list/errors.ts'
export { BadConfigError, HashgateError } from './util/errors.ts'

/**
 * Creates the Worker with these features, from the bindings and settings of its deployment. Call it
 * once, in the Worker's module.
 * @param options.features what the Worker has beside the gate; the code of other features is not
 * bundled
 * @throws {BadConfigError} at startup: a setting is invalid, or belongs to a feature that is not
 * named
 * @throws {BadListKeyError} at startup: LIST_KEY is missing or invalid
 * @throws {SinkNotBoundError} at startup: `events.sinks` names a sink whose binding is missing
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
 * Sealed copies of quarantined uploads: docs/quarantine.md.
 * @example
 * ```ts
 * import { createWorker, quarantine } from 'hashgate/features'
 *
 * export default createWorker({ features: [quarantine()] })
 * ```
 */
export const quarantine: () => NamedFeature = features.quarantine
/**
 * Remote services that are asked about hashes, instead of a list or beside it: docs/remote.md.
 * @example
 * ```ts
 * import { createWorker, remote } from 'hashgate/features'
 *
 * export default createWorker({ features: [remote()] })
 * ```
 */
export const remote: () => NamedFeature = features.remote
/**
 * S3 uploads, including multipart uploads: docs/resumable.md.
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
 * Uploads to a bucket by ticket. Your services get tickets from the API: docs/tickets.md.
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
