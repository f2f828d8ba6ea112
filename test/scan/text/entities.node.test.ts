import { describe, expect, it } from 'vitest'
import { Entities } from '../../../src/scan/text/entities.ts'

/** What a text becomes in chunks of a size, and how often a limit was met. */
function expanded(text: string, size = text.length): { text: string; overLimit: number } {
  let overLimit = 0
  const entities = new Entities(() => overLimit++)
  const out: Uint8Array[] = []
  const all = Buffer.from(text)
  for (let at = 0; at < all.length; at += size) {
    out.push(entities.write(all.subarray(at, at + size)).bytes)
    for (let more = entities.more(); more; more = entities.more()) out.push(more.bytes)
  }
  return { text: Buffer.concat(out).toString(), overLimit }
}

describe('Entities', () => {
  it.each([
    ['one', `<!ENTITY a "1"><x>&a;-&a;</x>.`, `<!ENTITY a "1"><x>1-1</x>.`],
    ['others with white space', `<!ENTITY\n%\t a\r\n'1' >&a;.`, `<!ENTITY\n%\t a\r\n'1' >1.`],
    [
      'entities within entities',
      `<!ENTITY b '2&c;2'><!ENTITY c "3">&b;.`,
      `<!ENTITY b '2&c;2'><!ENTITY c "3">232.`,
    ],
    [
      'the first of a name',
      `<!ENTITY a "1"><!ENTITY a "2">&a;.`,
      `<!ENTITY a "1"><!ENTITY a "2">1.`,
    ],
    ['empty ones', `<!ENTITY a "">&a;.`, `<!ENTITY a "">.`],
    ['values with marks', `<!ENTITY a "<b>'&">&a;.`, `<!ENTITY a "<b>'&"><b>'&.`],
  ])('puts the value of %s where it is referred to, in chunks of any size', (_, text, whole) => {
    for (const size of [1, 2, 7, 4096]) expect(expanded(text, size).text).toBe(whole)
  })

  it.each([
    '&amp; &#65; & && &; &a b; <!ENTITIES> <! <!ELEMENT a>.',
    '<!ENTITY a SYSTEM "b">&a;.',
    '<!ENTITY a>&a;.',
    `<!ENTITY a "1">&${'a'.repeat(500)};.`,
  ])('leaves other texts as they are: %s', (text) => {
    for (const size of [1, 7, 4096]) expect(expanded(text, size)).toEqual({ text, overLimit: 0 })
  })

  it('returns long values in portions', () => {
    const value = 'ab'.repeat(100_000)
    const entities = new Entities(() => {})
    const first = entities.write(Buffer.from(`<!ENTITY a "${value}">&a;.`))
    expect(first.bytes.length).toBeLessThanOrEqual(8192)
    expect(expanded(`<!ENTITY a "${value}">&a;.`, 1000).text).toBe(
      `<!ENTITY a "${value}">${value}.`,
    )
  })

  it('ends entities that grow or go around, and says so', () => {
    const laughs = Array.from({ length: 20 }, (_, i) => {
      return `<!ENTITY a${i + 1} "${`&a${i};`.repeat(10)}">`
    })
    const many = expanded(`<!ENTITY a0 "lol">${laughs.join('')}&a20;.`)
    expect(many.overLimit).toBeGreaterThan(0)
    expect(many.text.length).toBeLessThan(3 * 1024 * 1024)
    expect(expanded('<!ENTITY a "&b;"><!ENTITY b "&a;">&a;.').overLimit).toBe(1)
  })

  it('keeps a mebibyte of values', () => {
    const declared = (bytes: number) => expanded(`<!ENTITY a "${'x'.repeat(bytes)}">.`).overLimit
    expect([declared(1024 * 1024), declared(1024 * 1024 + 1)]).toEqual([0, 1])
  })
})
