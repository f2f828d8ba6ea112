import { inject } from 'vitest'
import type { ImageFixtures } from '../setup/images.ts'

/** A file that an encoder made, in workerd, where no encoder runs. */
export function fixture(name: keyof ImageFixtures): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(inject('images')[name]), (char) => char.charCodeAt(0))
}
