// The image module: an instance decodes one image to luma, hashes its planes, and is dropped. Each
// export is documented where it is defined; src/core/image.ts is the only caller.

import { exifAddress, exifLength } from './exif'
import { hasCanvas, isOtherScene, looks } from './luma/canvas'
import { orientPlane } from './luma/orient'
import { imageHeight, imageWidth, isLeftOut } from './luma/planes'

export { allocate, memoryTop } from './memory'
export {
  beginTones,
  tonesSet,
  applyCurve,
  chromaticitiesAddress,
  codePointsOf,
  gammaOf,
  peakOf,
  putOver,
  profileAddress,
  profileLength,
} from './colour'
export { inputAddress, inputAdded, inputRoom } from './input'

export { decodeBmp } from './bmp/decoder'
export { decodeGif } from './gif/decoder'
export { decodeJpeg, seedSamples } from './jpeg/decoder'
export { beginPixels, decodePixels } from './pixels/decoder'
export { decodePng } from './png/decoder'

export { thumbnailAddress, thumbnailLength } from './jpeg/thumbnail'
export { exifAddress, exifLength }
export {
  blackAddress,
  makeAlphaPlane,
  otherAddress,
  planeAddress,
  planeCols,
  planeRows,
  tonedAddress,
  whiteAddress,
} from './luma/planes'
export { picksAddress } from './luma/picks'
export { isOtherScene, orientPlane }

export { hashDihedral, hashPlane, midtones, weakBits } from './pdq/hash'
export { countOnBorder, findRuns, shareInside } from './probe/borders'
export { measureCells } from './probe/cells'
export { findPatches } from './probe/patches'
export { countNear, medianOfLine, sumSteps } from './probe/lines'
export {
  fillCovered,
  filterPlane,
  hashSampled,
  sampledAmplitudes,
  sampleIdentity,
  sampleTurned,
  sampleUpright,
} from './probe/view'

// For tests: memory guards, and each stage of PDQ.
export { areGuardsIntact, guardAllocations } from './memory'
export { lumaFromGrey, lumaFromRgb, lumaFromRgba } from './luma/pixels'
export { jaroszDecimate } from './pdq/jarosz'
export { quality64, stretchedQuality } from './pdq/quality'
export { dct64To16 } from './pdq/dct'
export { hashBits, median256 } from './pdq/hash'

/** Width of the image in pixels; 0 while it is not known. */
export function width(): u32 {
  return imageWidth
}

/** Height of the image in pixels; 0 while it is not known. */
export function height(): u32 {
  return imageHeight
}

/** Whether frames may follow the first one: a canvas is kept for them. */
export function isAnimation(): bool {
  return hasCanvas()
}

/** How often frames after the first were looked at, whether or not they showed anything new. */
export function looksAtFrames(): u32 {
  return looks
}

/** Whether frames of an animation or planes of transparency were left out, or rows were missing or broken. */
export function hasLeftOut(): bool {
  return isLeftOut
}
