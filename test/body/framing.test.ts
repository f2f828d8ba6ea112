import { describe, expect, it } from 'vitest'
import { Framing } from '../../src/body/framing.ts'
import { randomBytes } from '../support/random.ts'

const MARK = '\r\n--b'
const HEADERS = 'Content-Disposition: form-data; name="f"\r\n\r\n'

describe('Framing', () => {
  it.each([1, 7, 1000, 65_536])('holds no more than may begin a boundary: pieces of %i', (cut) => {
    const file = Buffer.from(randomBytes(20_000, 1).map((byte) => byte & 63))
    const begin = Buffer.from(`--b\r\n${HEADERS}`)
    const body = Buffer.concat([begin, file, Buffer.from(`${MARK}\r\n${HEADERS}`), file])
    const framing = new Framing('b')
    const told: Uint8Array[] = []
    let bytes = 0
    for (let at = 0; at < body.length; at += cut) {
      const piece = framing.write(body.subarray(at, at + cut))
      told.push(piece)
      bytes += piece.length
      const sent = Math.min(body.length, at + cut)
      // A boundary with its headers is handed on whole, so that much may wait, too.
      expect(sent - bytes).toBeLessThanOrEqual(2 * MARK.length + begin.length)
      const isFarFromBoundary = sent > begin.length + 100 && sent < begin.length + file.length
      if (isFarFromBoundary) expect(sent - bytes).toBeLessThanOrEqual(MARK.length + 1)
    }
    framing.write(Buffer.from(`${MARK}--`))
    expect(body.subarray(0, bytes).equals(Buffer.concat(told))).toBe(true)
  })
})
