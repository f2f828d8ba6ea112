import { describe, expect, it } from 'vitest'
import { type Exif, readExif } from '../../../src/scan/image/exif.ts'
import { writeExif } from '../../support/exif-writer.ts'

/** Where the entry of the orientation ends in what `writeExif` writes, and where its thumbnail is told, and begins. */
const ENTRY_END = 22
const THUMBNAIL_FIELD = 36
const THUMBNAIL_START = 56
/** The 42 of TIFF; a number of entries that is larger than there are; what fills up a value of two bytes. */
const OF_NO_MATTER = new Set([2, 3, 8, 9, 20, 21])

describe('readExif', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('reads orientation %i in either byte order', (orientation) => {
    expect(readExif(writeExif(orientation))).toEqual({ orientation })
    expect(readExif(writeExif(orientation, new Uint8Array(0), false))).toEqual({ orientation })
  })

  it.each([0, 9, 65535])('ignores orientation %i', (orientation) => {
    expect(readExif(writeExif(orientation))).toEqual({ orientation: 1 })
  })

  it('reads the thumbnail', () => {
    const thumbnail = Uint8Array.of(0xff, 0xd8, 1, 2, 3)
    for (const isLittle of [true, false]) {
      expect(readExif(writeExif(6, thumbnail, isLittle))).toEqual({ orientation: 6, thumbnail })
    }
  })

  it.each([true, false])('reads a block that is cut off up to where it is cut: %s', (isLittle) => {
    const thumbnail = Uint8Array.of(0xff, 0xd8, 3)
    const block = writeExif(6, thumbnail, isLittle)
    for (let length = 0; length < block.length; length++) {
      const expected: Exif = { orientation: length >= ENTRY_END ? 6 : 1 }
      // Of the thumbnail is told what is there of it.
      const rest = thumbnail.subarray(0, Math.max(0, length - THUMBNAIL_START))
      if (rest.length > 0) expected.thumbnail = rest
      expect(readExif(block.subarray(0, length))).toEqual(expected)
    }
  })

  it('heeds each byte of what it reads, and no other', () => {
    const block = writeExif(6, Uint8Array.of(0xff, 0xd8, 3))
    for (let at = 0; at < ENTRY_END; at++) {
      const changed = block.slice()
      changed[at]! ^= 0x80
      const { orientation } = readExif(changed)
      expect([at, orientation]).toEqual([at, OF_NO_MATTER.has(at) ? 6 : 1])
    }
  })

  it('ignores data that claims to lie elsewhere', () => {
    const block = writeExif(6, Uint8Array.of(1, 2, 3))
    const edit = (at: number, value: number) => {
      const changed = block.slice()
      new DataView(changed.buffer).setUint32(at, value, true)
      return readExif(changed)
    }
    for (const far of [block.length - 1, block.length, 0x7fffffff, 0xffffffff]) {
      expect(edit(4, far)).toEqual({ orientation: 1 }) // the first directory
      expect(edit(22, far)).toEqual({ orientation: 6 }) // the second
    }
    for (const far of [block.length, 0x7fffffff, 0xffffffff]) {
      expect(edit(THUMBNAIL_FIELD, far)).toEqual({ orientation: 6 })
    }
    const toEnd = { orientation: 6, thumbnail: Uint8Array.of(1, 2, 3) }
    expect(edit(THUMBNAIL_FIELD + 12, 0xffffffff)).toEqual(toEnd)
    expect(edit(THUMBNAIL_FIELD + 12, 0)).toEqual({ orientation: 6 })
  })

  it('does not follow a directory that names itself as the next', () => {
    const block = writeExif(3)
    new DataView(block.buffer).setUint32(22, 8, true)
    expect(readExif(block)).toEqual({ orientation: 3 })
  })
})
