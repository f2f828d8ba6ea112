import { describe, expect, it } from 'vitest'
import { isCodestream } from '../../../src/scan/image/jxl.ts'
import { randomBytes } from '../../support/random.ts'

/** Bytes behind the signature, up to where the headers end, as cjxl 0.7 writes them. */
const HEADERS = [
  ['a photograph', 'f81f90505c0800128802'],
  ['a small picture', 'cb404271210012880200'],
  ['lossless', 'f81f10505c0808020100'],
  ['fast', 'f81f90505c0800130803'],
  ['with alpha', 'f81fb0a1b81000488028'],
  ['with alpha, lossless', 'f81fb0a0b81008081000'],
  ['of 16 bits', 'f81ffc24141702001288'],
  ['of 16 bits, lossless', 'f81ffc00141702080201'],
  ['with a profile', 'f81f9090208b2d85f19bf02ca0c043214c4928aac385001288'],
  ['an animation', '5d040158505c120808a0'],
  ['of odd size', '408bfe0448282e04001288'],
  ['of many groups', 'b25d08f48180e2420802'],
  ['made of a JPEG', 'f81f1009e05b02100098'],
  ['made of a JPEG, turned', '6009565a20245f0a120e'],
  ['with low frequencies first', '408bfe0448282e040a01'],
  ['sampled down', '408bfe0448282e04c01288'],
  ['filtered', '408bfe0448282e04001208'],
] as const

describe('isCodestream', () => {
  it.each(HEADERS)('takes what an encoder writes: %s', (_, header) => {
    const file = Buffer.concat([Buffer.from(`ff0a${header}`, 'hex'), randomBytes(2000, 1)])
    expect(isCodestream(file)).toBe(true)
    expect(isCodestream(file.subarray(0, 33))).toBe(true)
  })

  it('takes no header that ends too early, nor one with a value that there is not', () => {
    expect(isCodestream(Buffer.from('ff0acb40', 'hex'))).toBe(false)
    expect(isCodestream(Buffer.from('ff0acb404271210012880200', 'hex'))).toBe(true)
    // The first frame begins at a byte: what pads to it is zero.
    expect(isCodestream(Buffer.from('ff0acb4042712100', 'hex').fill(0xff, 6))).toBe(false)
    const wide = Buffer.from('ff0a', 'hex')
    expect(isCodestream(Buffer.concat([wide, Buffer.alloc(40, 0xff)]))).toBe(false)
  })

  it('tells random bytes apart: 2 to 3 in a hundred pass behind the signature', () => {
    const random = randomBytes(64 * 100_000, 5)
    let passed = 0
    for (let at = 0; at < random.length; at += 64) {
      const value = random.subarray(at, at + 64)
      value.set([0xff, 0x0a])
      if (isCodestream(value)) passed++
    }
    expect(passed).toBeGreaterThan(2000)
    expect(passed).toBeLessThan(3000)
  })
})
