import { pick, type Random } from '../choose.ts'
import { mutateParts } from '../mutate.ts'
import { CHANGERS } from './changers.ts'
import type { ComparedFormat } from './formats.ts'
import type { Pool } from './pool.ts'

/** Formats whose parts are of no use without their places. */
const BY_CONTAINER: ReadonlySet<ComparedFormat> = new Set(['webp', 'avif', 'tiff'])

/** A file that is valid, or nearly so: one of a pool, changed once or twice, or now and then not at all. */
export function structured(format: ComparedFormat, pool: Pool, random: Random): Uint8Array {
  let file = pick(pool, random)
  const changes = pick([0, 1, 1, 1, 1, 2, 2, 2, 3], random)
  for (let left = changes; left > 0; left--) {
    const isOwn = BY_CONTAINER.has(format) || random() < 0.6
    const changer = isOwn ? CHANGERS[format] : undefined
    if (changer) file = changer(file, random)
    else if (!BY_CONTAINER.has(format)) file = mutateParts(file, pick(pool, random), format, random)
  }
  return file
}
