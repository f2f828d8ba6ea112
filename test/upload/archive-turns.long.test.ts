// Bodies that make as much work as they may, through the Worker in workerd: others are answered meanwhile.

import { describe, expect, it } from 'vitest'
import { writeZip } from '../support/archive-writer.ts'
import { turnsBeside } from '../support/turns.ts'
import { startUploads } from '../support/uploads.ts'
import { picture } from '../support/sharp-images.ts'

const { known, send, health } = await startUploads({ upload: { clientStallSeconds: 120 } })

const MIB = 1024 * 1024
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

  it.each<[what: string, body: Buffer, type: string]>([
    ['megabytes of a&', Buffer.from('a&'.repeat(4 * MIB)), 'application/x-www-form-urlencoded'],
    [
      'megabytes of empty strings in JSON',
      Buffer.from(`[${'"",'.repeat((8 / 3) * MIB)}""]`),
      'application/json',
    ],
  ])('%s', async (_, body, type) => {
    const headers = { 'content-type': type }
    const { result, turns } = await turnsBeside(send(body, { headers }), health)
    expect(result.status).toBe(201)
    expect(turns).toBeGreaterThan(5) // one or two, if all of it were searched at once
  })
})
