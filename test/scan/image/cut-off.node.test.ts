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
