import { describe, expect, it } from 'vitest'
import {
  checkContentType,
  isFormData,
  MalformedBodyError,
  splitFiles,
} from '../../src/body/multipart.ts'

const TYPE = 'multipart/form-data; boundary=bbb'

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function split(body: string, type = TYPE, maxFiles = 100): string[] {
  const decoder = new TextDecoder()
  return splitFiles(bytes(body), type, maxFiles).map((pieces) =>
    pieces.map((piece) => decoder.decode(piece)).join(''),
  )
}

function file(content: string, headers = ''): string {
  return `--bbb\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n${headers}\r\n${content}\r\n`
}

const FIELD = '--bbb\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n'
const END = '--bbb--\r\n'

describe('splitFiles', () => {
  it('finds files and leaves fields', () => {
    expect(split(`${FIELD}${file('one')}${FIELD}${file('two\r\n--bb')}${END}`)).toEqual([
      'one',
      'two\r\n--bb',
    ])
    expect(split(`${FIELD}--bbb--`)).toEqual([])
  })

  it.each([
    'multipart/form-data; boundary=bbb',
    'Multipart/Form-Data;boundary="bbb"',
    ' multipart/form-data ; charset=utf-8; boundary=bbb ; x=y',
  ])('reads the boundary of %j', (type) => {
    expect(isFormData(type)).toBe(true)
    expect(split(`${file('one')}${END}`, type)).toEqual(['one'])
  })

  it.each([
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=bbb; boundary=bbb',
    'multipart/form-data; boundary=aaa; boundary=bbb',
    'multipart/form-data; boundary="b\\bb"',
    'multipart/form-data; boundary="bbb "',
    `multipart/form-data; boundary=${'b'.repeat(71)}`,
    'multipart/form-data; boundary=bbb, multipart/form-data; boundary=aaa',
    "multipart/form-data; boundary*=UTF-8''bbb",
  ])('refuses the Content-Type %j', (type) => {
    expect(() => split(`${file('one')}${END}`, type)).toThrow(MalformedBodyError)
  })

  it('refuses two Content-Types in one, and takes others for none', () => {
    expect(() => checkContentType(`text/plain, ${TYPE}`)).toThrow(MalformedBodyError)
    for (const type of ['', 'image/jpeg', 'multipart/mixed; boundary=x', TYPE])
      checkContentType(type)
    expect(isFormData('multipart/form-datax; boundary=b')).toBe(false)
  })

  const ambiguous: Record<string, string> = {
    'a bare LF before the boundary': `${FIELD}${file(`x\n--bbb\r\nmore`)}${END}`,
    'a bare CR before the boundary': `${FIELD}${file(`x\r--bbb\r\nmore`)}${END}`,
    'the boundary inside a line': `${FIELD}${file('hello--bbb\r\nmore')}${END}`,
    'the boundary inside a field': `${FIELD.replace('value', 'hello--bbb\r\nmore')}${END}`,
    'something behind the boundary': `${FIELD}${file('x').replace('--bbb\r\n', '--bbbxx')}${END}`,
    'spaces behind the boundary': `${file('x').replace('--bbb\r\n', '--bbb  \r\n')}${END}`,
    'a bare LF behind the boundary': `${file('x').replace('--bbb\r\n', '--bbb\n')}${END}`,
    'one hyphen behind the boundary': `${FIELD}${file('x')}--bbb-\r\n${END}`,
    'parts behind the last boundary': `${FIELD}${END}${file('x')}`,
    'a second last boundary': `${FIELD}${END}${END}`,
    'a boundary in the preamble': `text--bbb\r\n${file('x')}${END}`,
    'no last boundary': `${FIELD}${file('x')}`,
    'no boundary at all': 'nothing',
    'nothing at all': '',
    'a part that is encoded': `${file('eA==', 'Content-Transfer-Encoding: base64\r\n')}${END}`,
    'a part without headers': `${FIELD}--bbb\r\n\r\nvalue\r\n${END}`,
    'a part of nothing': `${FIELD}--bbb\r\n${END}`,
    'a header twice': `${file('x', 'Content-Disposition: form-data; name="g"\r\n')}${END}`,
    'a name that is encoded wrongly': `--bbb\r\nContent-Disposition: form-data; name="f"; filename*=UTF-8''100%.jpg\r\n\r\nx\r\n${END}`,
  }

  it.each(Object.entries(ambiguous))('refuses %s', (_, body) => {
    expect(() => split(body)).toThrow(MalformedBodyError)
  })

  it('finds a boundary of hyphens among hyphens', () => {
    const boundary = '-'.repeat(40)
    const type = `multipart/form-data; boundary=${boundary}`
    const body = (content: string) => `${file(content)}${END}`.replaceAll('bbb', boundary)
    for (const hyphens of [39, 40, 41]) {
      const content = `${'-'.repeat(hyphens)}x${'-'.repeat(hyphens)}\r\n${'-'.repeat(41)}`
      expect(split(body(content), type)).toEqual([content])
    }
    expect(() => split(body('-'.repeat(42)), type)).toThrow(MalformedBodyError)
    expect(() => split(body(`x${'-'.repeat(42)}y`), type)).toThrow(MalformedBodyError)
  })

  it('finds a boundary whose beginning comes twice', () => {
    const type = 'multipart/form-data; boundary=abaabab'
    const body = `${file('--abaab--abaaba')}${END}`.replaceAll('bbb', 'abaabab')
    expect(split(body, type)).toEqual(['--abaab--abaaba'])
    expect(() => split(body.replace('--abaaba\r\n', '--abaabaabab\r\n--abaabab'), type)).toThrow(
      MalformedBodyError,
    )
  })

  it('takes a text before the first and after the last boundary for what it is', () => {
    expect(split(`This is a preamble.\r\n${file('one')}${END}and an epilogue`)).toEqual(['one'])
  })

  it('takes a part whose name it cannot read for a file', () => {
    const named = file('one').replace('filename="x"', 'filename="写真.zip"')
    expect(split(`${FIELD}${named}${END}`)).toEqual(['one'])
  })

  it('takes a field that begins like an image for a file', () => {
    const image = '\u0000GIF89a'.slice(1)
    expect(split(`${FIELD.replace('value', `${image} and more`)}${END}`)).toEqual([
      'GIF89a and more',
    ])
  })

  it('has as many files and fields as it may', () => {
    expect(split(`${file('x').repeat(3)}${END}`, TYPE, 3)).toHaveLength(3)
    expect(() => split(`${file('x').repeat(4)}${END}`, TYPE, 3)).toThrow(
      '4 files, and 3 are allowed',
    )
    expect(split(`${FIELD.repeat(1000)}${END}`, TYPE, 3)).toEqual([])
    expect(() => split(`${FIELD.repeat(1004)}${END}`, TYPE, 3)).toThrow('MaxParts')
  })
})
