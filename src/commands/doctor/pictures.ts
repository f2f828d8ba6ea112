import { readFileSync } from 'node:fs'
import { readModules } from '../../core/node.ts'
import type { Entry } from '../../list/entry.ts'
import { scanFile } from '../../scan/scanner.ts'
import { HashgateError } from '../../util/errors.ts'
import { needlesOf } from '../../scan/scanned.ts'

/** The pictures that come with hashgate: the known one, which the drill's bank has, and another. */
export function drillPicture(name: 'known' | 'other'): Uint8Array<ArrayBuffer> {
  const file = new URL(`../../../examples/${name}.jpg`, import.meta.url) // from src/ and dist/
  return new Uint8Array(readFileSync(file))
}

/** The drill's picture has no hash, which is a bug. */
class NoHashError extends HashgateError {
  readonly code = 'no-hash'
}

/** A file of `bytes` bytes that begins with the other picture and ends with the known one. */
export function longDrillFile(bytes: number): Uint8Array<ArrayBuffer> {
  const known = drillPicture('known')
  const file = new Uint8Array(bytes)
  file.set(drillPicture('other'))
  file.set(known, bytes - known.length)
  return file
}

export async function drillEntries(): Promise<Entry[]> {
  const scanned = await scanFile({ modules: readModules() }, drillPicture('known'))
  const [identity] = needlesOf(scanned)
  if (!identity) throw new NoHashError('the picture of the drill has no hash; report this as a bug')
  return [{ kind: 'pdq', hash: identity.hash, id: 'drill', labels: { source: 'hashgate doctor' } }]
}
