// `hashgate/quarantine`: sealed copies of what is quarantined, for a Worker of your own. Its bundle has age only if it names this.

import { type GateEvent } from './events/schema.ts'
import { reportTo } from './events/report.ts'
import { quarantineOf } from './quarantine/bindings.ts'
import { Quarantine, type QuarantineBucket } from './quarantine/quarantine.ts'
import type { QuarantineSettings } from './quarantine/settings.ts'
import { sweepQuarantine as sweep } from './quarantine/sweep.ts'

export type { QuarantineBucket } from './quarantine/quarantine.ts'

/**
 * Where quarantined uploads are kept, for the option `quarantine` of `gate`. Who can open them is `quarantine.recipients` among
 * its settings.
 * @param bucketOf an R2 bucket for nothing else
 * @example
 * ```ts
 * gate({ hashLists, listKey, quarantine: quarantine((env) => env.QUARANTINE), settings })
 * ```
 */
export function quarantine<B>(
  bucketOf: (env: B) => QuarantineBucket | undefined,
): (env: B, settings: QuarantineSettings) => Quarantine | undefined {
  return (env, settings) => {
    const bucket = bucketOf(env)
    return quarantineOf(settings, { ...(bucket && { QUARANTINE: bucket }) })
  }
}

/** Deletes what has expired of what was quarantined: for a trigger, every hour. @throws what R2 fails by */
export function sweepQuarantine(
  bucket: QuarantineBucket,
  onEvent?: (event: GateEvent) => unknown,
): Promise<void> {
  const report = reportTo(onEvent ? [['onEvent', onEvent]] : [], onEvent === undefined)
  return sweep(new Quarantine({ bucket, recipients: [], days: 1 }), report)
}
