// What somebody writes who has installed the package. It is the same on each platform.

import { loadPdq } from 'hashgate/pdq'

/** What the library says of images: as `hashgate hash --json --dihedral` prints it, or the reason there is no hash. */
export async function report(images) {
  const pdq = await loadPdq()
  return images.map((image) => {
    try {
      return { ...pdq.hash(image), dihedral: pdq.dihedral(image).hashes }
    } catch (error) {
      return { reason: error.reason ?? String(error) }
    }
  })
}
