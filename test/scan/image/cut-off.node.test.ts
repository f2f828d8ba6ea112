import { describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { decode } from '../../support/decode.ts'
import { writeJpeg } from '../../support/jpeg-writer.ts'
import { decodeBySharp, picture } from '../../support/sharp-images.ts'

const context = { modules: readModules(), digestKinds: [] }

describe('a JPEG that is cut off', () => {
  it.each([false, true])(
    'is partial, as browsers show less of it: progressive %s',
    async (progressive) => {
      const file = await picture(96, 72).jpeg({ progressive, quality: 90 }).toBuffer()
      const behind = Buffer.concat([file, Buffer.from('anything')])
      for (const whole of [file, behind]) {
        expect(await scanFile(context, whole)).toMatchObject({ isPartial: false })
      }
      for (const lost of [1, 2, 3, Math.floor(file.length / 10)]) {
        const cut = file.subarray(0, file.length - lost)
        expect(await scanFile(context, cut)).toMatchObject({ isPartial: true })
      }
    },
  )
})

describe('a progressive JPEG', () => {
  const progressive = () =>
    picture(96, 72).jpeg({ progressive: true, quality: 60, chromaSubsampling: '4:4:4' }).toBuffer()

  /** A scan of the components that begin so, with its tables, by its band of coefficients and its bits. */
  function scanOf(file: Buffer, component: number, band: number[]): { from: number; end: number } {
    const name = [component, component === 1 ? 0 : 1]
    const at = file.indexOf(Uint8Array.of(0xff, 0xda, 0, 8, 1, ...name, ...band))
    const from = file.lastIndexOf(Uint8Array.of(0xff, 0xc4), at)
    const end = file.findIndex((byte, i) => i > at + 1 && byte === 0xff && file[i + 1] !== 0)
    return { from, end }
  }

  it.each([1, 2, 3])(
    'is partial without some bits of component %i, as libjpeg smooths blocks',
    async (component) => {
      const file = await progressive()
      const { from, end } = scanOf(file, component, [1, 63, 0x10])
      const lacking = Buffer.concat([file.subarray(0, from), file.subarray(end)])
      expect(await scanFile(context, file)).toMatchObject({ isPartial: false })
      expect(await scanFile(context, lacking)).toMatchObject({ isPartial: true })
    },
  )

  it('is partial if its last scan claims that a bit is missing', async () => {
    const file = await progressive()
    const { from, end } = scanOf(file, 1, [1, 63, 0x21])
    const parts = [file.subarray(0, -2), file.subarray(from, end), file.subarray(-2)]
    expect(await scanFile(context, Buffer.concat(parts))).toMatchObject({ isPartial: true })
  })

  const refused: [string, number[]][] = [
    ['a start of image', [0xff, 0xd8]],
    ['a marker that does not exist', [0xff, 0x61, 0, 2]],
    ['a reserved marker', [0xff, 0xf3, 0, 2]],
    ['a second frame', [0xff, 0xc0, 0, 8, 8, 0, 72, 0, 96, 0]],
    ['tables without length', [0xff, 0xdb, 0, 0]],
    ['impossible tables', [0xff, 0xdb, 0, 3, 9]],
    ['a scan of no component', [0xff, 0xda, 0, 3, 0]],
  ]
  it.each(refused)('ends at %s, where libjpeg gives up', async (_name, bytes) => {
    const file = await progressive()
    const { from } = scanOf(file, 1, [1, 63, 0x10])
    const broken = Buffer.concat([file.subarray(0, from), Buffer.from(bytes), file.subarray(from)])
    await expect(decodeBySharp(broken, 'none')).rejects.toThrow('VipsJpeg')
    const [shown] = decode('jpeg', file.subarray(0, from)).frames
    for (const cut of [1, 7, broken.length]) {
      expect(decode('jpeg', broken, cut).frames[0]?.luma).toEqual(shown?.luma)
    }
    expect(await scanFile(context, broken)).toMatchObject({ isPartial: true })
  })

  const passedOver: [string, number[]][] = [
    ['a restart', [0xff, 0xd3]],
    ['a temporary marker', [0xff, 0x01]],
    ['a comment', [0xff, 0xfe, 0, 3, 1]],
    ['arithmetic conditioning', [0xff, 0xcc, 0, 4, 0, 0]],
  ]
  it.each(passedOver)('goes on behind %s', async (_name, bytes) => {
    const file = await progressive()
    const { from } = scanOf(file, 1, [1, 63, 0x10])
    const strange = Buffer.concat([file.subarray(0, from), Buffer.from(bytes), file.subarray(from)])
    const [whole] = decode('jpeg', file).frames
    expect(decode('jpeg', strange).frames[0]?.luma).toEqual(whole?.luma)
    expect(await decodeBySharp(strange, 'none')).toEqual(await decodeBySharp(file))
    expect(await scanFile(context, strange)).toMatchObject({ isPartial: false })
  })
})

describe('a JPEG with values that no pixels have', () => {
  const [width, height] = [1008, 80] // decoded at half of its width
  const write = (isLoud: (x: number, y: number) => boolean) =>
    writeJpeg({
      ...{ width, height },
      components: [{ h: 1, v: 1, sample: () => 0 }],
      coefficients: (_, x, y) => {
        const block = Array.from({ length: 64 }, () => 0)
        block[0] = ((x * 7 + y * 5) % 40) * 10 - 200
        if (isLoud(x, y)) block.fill(1500, 1, 3)
        return block
      },
    })

  it('is partial at a reduced scale, where most blocks are not looked at in full', async () => {
    const isPartial = { isPartial: true }
    expect(
      await scanFile(
        context,
        write(() => false),
      ),
    ).toMatchObject({ isPartial: false })
    expect(
      await scanFile(
        context,
        write((x, y) => x === 90 && y === 9),
      ),
    ).toMatchObject(isPartial)
  })
})

describe('a PNG that is cut off', () => {
  it('is partial if a chunk is cut off, even one behind the pixels, as libvips then loses rows', async () => {
    const file = await picture(96, 72).png().toBuffer()
    const [data, end] = [file.subarray(0, -12), file.subarray(-12)]
    expect(await scanFile(context, data)).toMatchObject({ isPartial: false })
    const text = Buffer.concat([Buffer.from('\0\0\0\u0005tEXta\0bcd'), Buffer.alloc(4)])
    const long = Buffer.concat([data, text, end])
    expect(await scanFile(context, long)).toMatchObject({ isPartial: false })
    const cut = long.subarray(0, data.length + text.length - 5)
    expect(await scanFile(context, cut)).toMatchObject({ isPartial: true })
  })
})
