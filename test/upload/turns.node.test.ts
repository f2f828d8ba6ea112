// Bodies that make as much work as they may, through the Worker in workerd: others are answered meanwhile.

import { describe, expect, it } from 'vitest'
import { writeZip } from '../support/archive-writer.ts'
import { turnsBeside } from '../support/turns.ts'
import { startUploads } from '../support/uploads.ts'
import { picture } from '../support/sharp-images.ts'

const { known, send, health } = await startUploads({ upload: { clientStallSeconds: 120 } })

const small = await picture(96, 96, 3, 5).jpeg().toBuffer()

describe('the health of the gate can be asked beside', () => {
  it('a ZIP of many small pictures, the last of which is known', async () => {
    const files = Array.from({ length: 1000 }, (_, i) => ({ name: `${i}`, content: small }))
    const zip = writeZip([...files, { name: 'known', content: known }])
    const packed = writeZip([{ name: 'inner', content: zip, method: 8 }])
    for (const body of [zip, packed]) {
      const { result, turns } = await turnsBeside(send(body), health)
      expect(result.status).toBe(451)
      expect(turns).toBeGreaterThan(40)
    }
  })
})
