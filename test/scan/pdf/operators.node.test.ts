import { describe, expect, it } from 'vitest'
import { OperatorReader } from '../../../src/scan/pdf/operators.ts'

function read(content: string): string[] {
  const reader = new OperatorReader(Buffer.from(content, 'latin1'))
  const found: string[] = []
  while (!reader.isAtEnd) {
    const operator = reader.next()
    if (operator) found.push([...reader.numbers, reader.name, operator].filter(String).join(' '))
  }
  return found
}

describe('OperatorReader', () => {
  it('reads numbers in all forms', () => {
    expect(read('1 -2 +3 .5 -.25 4. cm')).toEqual(['1 -2 3 0.5 -0.25 4 cm'])
    expect(read('1e9 7x2 W 0.10 g')).toEqual(['1 7 W', '0.1 g'])
  })

  it('reads names, which may have escapes', () => {
    expect(read('/Im5 Do/A#20b#2F Do /A /B Do')).toEqual(['Im5 Do', 'A b/ Do', 'B Do'])
  })

  it('skips text, comments, arrays and dictionaries', () => {
    expect(read('q (Q (q) \\) Q) Tj Q')).toEqual(['q', 'Q'])
    expect(read('q <51 20> Tj [(Q) 5 <51>] TJ % Q\nQ % q\rq')).toEqual(['q', 'Q', 'q'])
    expect(read('/Span << /A /Q /B (Q) >> BDC q (open Q')).toEqual(['q'])
  })

  it('knows operators that begin like others', () => {
    expect(read('qq Quit W* f* f*x BIT EMC 1 2 m')).toEqual(['W*', 'f*', '1 2 m'])
  })
})
