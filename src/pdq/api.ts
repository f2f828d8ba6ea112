// What `hashgate/pdq` exports besides `loadPdq`, which is different on each platform: browser.ts, node.ts, workerd.ts.

export { DIHEDRAL_NAMES, type DihedralName, MATCH_THRESHOLD } from '../util/hash.ts'
export { HashgateError } from '../util/errors.ts'
export {
  BadHashError,
  BadImageInputError,
  ModuleUnavailableError,
  UnhashableImageError,
  type UnhashableReason,
} from './errors.ts'
export { distance, formatHash, parseHash } from './hashes.ts'
export type { Pdq } from './pdq.ts'
export type { PdqDihedral, PdqHash, PdqImage, PdqPixels, WasmModule } from './types.ts'
