import {
  distance,
  formatHash,
  loadPdq,
  parseHash,
  type Pdq,
  type PdqImage,
  UnhashableImageError,
} from 'hashgate/pdq'

/** Whether two images show the same. */
export async function isSame(a: PdqImage, b: PdqImage): Promise<boolean> {
  const pdq: Pdq = await loadPdq()
  return distance(pdq.hash(a).hash, parseHash(pdq.hash(b).hash)) <= 31
}

export async function mirrored(bytes: ArrayBuffer): Promise<string | undefined> {
  try {
    const { hashes } = (await loadPdq()).dihedral(bytes)
    return formatHash(parseHash(hashes.flipX))
  } catch (error) {
    if (error instanceof UnhashableImageError && error.reason === 'too-small') return undefined
    throw error
  }
}

const pdq = await loadPdq()
pdq.hash({ width: 6, height: 6, data: new Uint8ClampedArray(6 * 6 * 4) })
// @ts-expect-error a hash is text
export const hash: Uint8Array = pdq.hash(new Uint8Array(9)).hash
// @ts-expect-error no image
pdq.hash('image.jpg')
