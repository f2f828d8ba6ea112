import type { CoreModules } from '../core/modules.ts'
import type { DigestKind } from '../list/entry.ts'
import type { HeicLibrary } from './image/heic/library.ts'
import type { ScanLimits } from './limits.ts'
import type { Pictures } from './pictures.ts'
import type { ProbeSet } from './probes/sets.ts'
import type { ScannedFile } from './scanned.ts'

/**
 * Converts a file that is not decoded here to PNG, at most 1,024 pixels a side. `undefined` if it
 * cannot either.
 */
export type ImageConverter = (file: Uint8Array) => Promise<Uint8Array | undefined>

export interface ScanContext {
  modules: CoreModules
  /** Converts formats and sizes that are not decoded here. */
  convert?: ImageConverter
  /** Decodes HEIC. Without it, HEIC is converted or unscannable. */
  heic?: HeicLibrary
  /** What images are probed for; by default, what the file shows. */
  probes?: ProbeSet
  /** Whether the dihedral variants are probes too, derived from the DCT. */
  withDihedral?: boolean
  /** Kinds of digests taken of whole files; all by default. */
  digestKinds?: readonly DigestKind[]
  /**
   * Called with each complete file: inner files first, and all of them before the whole upload has
   * ended.
   */
  onFile?: (file: ScannedFile) => void
  /** Notified of pictures while they arrive, if their bytes must wait for a verdict. */
  pictures?: Pictures
  /** Text fields whose values are base64 files, whatever they begin with. */
  base64Fields?: readonly string[] | undefined
  /**
   * Whether to report files that are merely hidden in images, where no program would open them.
   */
  findsFiles?: boolean
  /** Limits that differ from SCAN_LIMITS. */
  limits?: Partial<ScanLimits>
}
