import type { CoreModules } from '../core/modules.ts'
import type { DigestKind } from '../list/entry.ts'
import type { HeicLibrary } from './image/heic/library.ts'
import type { ScanLimits } from './limits.ts'
import type { Pictures } from './pictures.ts'
import type { ProbeSet } from './probes/sets.ts'
import type { ScannedFile } from './scanned.ts'

/** Makes a picture of a file that is not decoded here: PNG, at most 1,024 pixels a side. `undefined`: it cannot either. */
export type ImageConverter = (file: Uint8Array) => Promise<Uint8Array | undefined>

export interface ScanContext {
  modules: CoreModules
  /** For formats and sizes that are not decoded here. */
  convert?: ImageConverter
  /** For HEIC, which is unscannable otherwise, or converted. */
  heic?: HeicLibrary
  /** What images are probed for; what the file shows, if absent. */
  probes?: ProbeSet
  /** Whether the dihedral variants are probes too, derived from the DCT. */
  withDihedral?: boolean
  /** Kinds of digests that are taken of whole files; all, if absent. */
  digestKinds?: readonly DigestKind[]
  /** Given each file as it is complete: what is within it before itself, and all before the whole has come to its end. */
  onFile?: (file: ScannedFile) => void
  /** Told of pictures while they arrive, where their bytes are to wait for a verdict. */
  pictures?: Pictures
  /** Names of fields in texts whose values are files in base64, whatever they begin with. */
  base64Fields?: readonly string[] | undefined
  /** Limits of what is nested in files, where they are not SCAN_LIMITS. */
  limits?: Partial<ScanLimits>
}
