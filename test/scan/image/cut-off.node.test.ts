import { describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { picture } from '../../support/sharp-images.ts'

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
