import { describe, expect, it } from 'vitest'
import { readExif } from '../../../src/scan/image/exif.ts'
import { writeExif } from '../../support/exif-writer.ts'
import { randomFrom } from '../../support/random.ts'

describe('readExif', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('reads orientation %i in either byte order', (orientation) => {
    expect(readExif(writeExif(orientation))).toEqual({ orientation })
    expect(readExif(writeExif(orientation, new Uint8Array(0), false))).toEqual({ orientation })
  })

  it.each([0, 9, 65535])('takes orientation %i as none', (orientation) => {
    expect(readExif(writeExif(orientation))).toEqual({ orientation: 1 })
  })

  it('reads the thumbnail', () => {
    const thumbnail = Uint8Array.of(0xff, 0xd8, 1, 2, 3)
    for (const isLittle of [true, false]) {
      expect(readExif(writeExif(6, thumbnail, isLittle))).toEqual({ orientation: 6, thumbnail })
    }
  })

  it('takes what is damaged as if it were not there', () => {
    const block = writeExif(6, Uint8Array.of(1, 2, 3))
    for (let length = 0; length < block.length; length++) {
      const { orientation } = readExif(block.subarray(0, length))
      expect([1, 6]).toContain(orientation)
    }
    const random = randomFrom(4)
    for (let i = 0; i < 2000; i++) {
      const changed = block.slice()
      for (let k = 0; k < 3; k++) {
        changed[Math.floor(random() * changed.length)] = Math.floor(random() * 256)
      }
      const { orientation } = readExif(changed)
      expect(orientation).toBeGreaterThanOrEqual(1)
      expect(orientation).toBeLessThanOrEqual(8)
    }
  })

  it('does not follow a directory that names itself as the next', () => {
    const block = writeExif(3)
    new DataView(block.buffer).setUint32(22, 8, true)
    expect(readExif(block)).toEqual({ orientation: 3 })
  })
})
