import { describe, expect, it } from 'vitest'
import { MalformedBodyError } from '../../src/body/errors.ts'
import { MAX_TEXT_BYTES, MAX_TEXT_FILES } from '../../src/body/limits.ts'
import type { UnreadableReason } from '../../src/body/types.ts'
import { fixture } from '../support/fixtures.ts'
import { readFiles, type ReadOptions } from '../support/read-body.ts'

const JPEG = Buffer.from(fixture('jpeg'))
const PNG = Buffer.from(fixture('png'))
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' }
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' }

/** Files that are told of a body beside the body itself. */
function filesIn(
  body: string,
  headers: Record<string, string>,
  options: ReadOptions = {},
): Buffer[] {
  const [whole, ...files] = readFiles(body, headers, options)
  expect(whole).toMatchObject({ isText: true, text: body })
  return files.map(({ bytes }) => bytes)
}

function wrapped(base64: string): string {
  return base64.replaceAll(/(.{76})/g, '$1\r\n')
}

describe('a field of a form', () => {
  const TYPE = { 'content-type': 'multipart/form-data; boundary=bbb' }
  const form = (value: string, headers = '') =>
    `--bbb\r\nContent-Disposition: form-data; name="f"\r\n${headers}\r\n${value}\r\n--bbb--\r\n`

  it.each([
    [
      'a data URI, as a script makes of a canvas',
      `data:image/png;base64,${PNG.toString('base64')}`,
    ],
    ['base64', PNG.toString('base64')],
    ['base64 in lines', wrapped(PNG.toString('base64'))],
    ['JSON', JSON.stringify({ a: PNG.toString('base64') })],
  ])('is searched for files: %s', (_, value) => {
    for (const headers of [
      '',
      'Content-Type: text/plain\r\n',
      'Content-Type: application/json\r\n',
    ]) {
      for (const size of [Infinity, 4096, 7]) {
        const [field, file, ...others] = readFiles(form(value, headers), TYPE, { size })
        expect(field).toMatchObject({ isText: true, text: value })
        expect(file?.bytes).toEqual(PNG)
        expect(others).toEqual([])
      }
    }
  })

  it('is one that is named, or holds no file', () => {
    const value = Buffer.from('a document').toString('base64')
    expect(readFiles(form(value), TYPE)).toHaveLength(1)
    const [, file] = readFiles(form(value), TYPE, { base64Fields: ['f'] })
    expect(file?.text).toBe('a document')
  })

  it('is unscannable when it is longer than it may be, and told as it is', () => {
    const reasons: UnreadableReason[] = []
    const onUnreadable = (reason: UnreadableReason) => void reasons.push(reason)
    const value = 'x'.repeat(MAX_TEXT_BYTES + 1)
    expect(readFiles(form(value), TYPE, { onUnreadable })).toHaveLength(1)
    expect(reasons).toEqual(['over-limit'])
  })
})

describe('a JSON part of a multipart body', () => {
  it('is searched for files, in a form or not', () => {
    const json = JSON.stringify({ a: PNG.toString('base64') })
    const related = `--bbb\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${json}\r\n--bbb--\r\n`
    const [, file] = readFiles(related, { 'content-type': 'multipart/related; boundary=bbb' })
    expect(file?.bytes).toEqual(PNG)
  })
})

describe('a JSON body', () => {
  const cases: Record<string, [value: unknown, files: Buffer[]]> = {
    'a data URI': [{ a: [{ b: `data:image/jpeg;base64,${JPEG.toString('base64')}` }] }, [JPEG]],
    'a data URI with parameters': [`data:image/png;x=y;base64,${PNG.toString('base64')}`, [PNG]],
    'data URIs in a text': [
      `<img src="data:image/png;base64,${PNG.toString('base64')}"> ![](data:;base64,${JPEG.toString('base64')})`,
      [PNG, JPEG],
    ],
    'base64 that begins like an image': [{ photo: JPEG.toString('base64') }, [JPEG]],
    'base64 for URLs': [[PNG.toString('base64url')], [PNG]],
    'base64 in lines': [{ photo: wrapped(JPEG.toString('base64')) }, [JPEG]],
    'texts of other kinds': [
      { text: 'x'.repeat(1000), more: Buffer.from('y'.repeat(99)).toString('base64') },
      [],
    ],
    nothing: [null, []],
  }

  it.each(Object.entries(cases))('is searched for files: %s', (_, [value, files]) => {
    const body = JSON.stringify(value)
    for (const size of [Infinity, 4096, 7, 1].slice(0, body.length > 50_000 ? 2 : 4)) {
      expect(filesIn(body, JSON_TYPE, { size })).toEqual(files)
    }
  })

  it('is read with all its escapes', () => {
    const base64 = JPEG.toString('base64')
    const escaped = base64
      .replaceAll('/', '\\/')
      .replaceAll('A', '\\u0041')
      .replaceAll('+', '\\u002B')
    expect(filesIn(`{"a":"data:image\\/jpeg;base64,${escaped}"}`, JSON_TYPE)).toEqual([JPEG])
    expect(filesIn(`["\\\\\\"", "${base64}"]`, JSON_TYPE)).toEqual([JPEG])
  })

  it('has all values of a name that is there twice', () => {
    const [jpeg, png] = [JPEG.toString('base64'), PNG.toString('base64')]
    expect(filesIn(`{"a":"${jpeg}","a":"${png}"}`, JSON_TYPE)).toEqual([JPEG, PNG])
  })

  it('has files in fields that are named, whatever they begin like', () => {
    const text = Buffer.from('a document')
    const body = JSON.stringify({ file: text.toString('base64'), other: text.toString('base64') })
    const base64Fields = ['file']
    expect(filesIn(body, JSON_TYPE, { base64Fields })).toEqual([text])
    const uri = JSON.stringify({ file: `data:text/plain,${text.toString('base64')}` })
    expect(filesIn(uri, JSON_TYPE, { base64Fields })).toEqual([text])
  })

  it('is searched where it is none, as a text', () => {
    const [uri, base64] = [`data:;base64,${PNG.toString('base64')}`, JPEG.toString('base64')]
    expect(filesIn(`{"a":"${base64}"} {"a":"${base64}"}`, JSON_TYPE)).toEqual([JPEG, JPEG])
    expect(filesIn(`{a:${uri}}`, JSON_TYPE)).toEqual([PNG])
    expect(filesIn(base64, JSON_TYPE)).toEqual([JPEG])
    for (const body of ['{', '"', '"\\', '\0', `{'a':1}`])
      expect(filesIn(body, JSON_TYPE)).toEqual([])
  })

  const BASE64 = JPEG.toString('base64')
  const lenient: Record<string, string> = {
    'a string in which a quote stands': `{a:'"',"b":"${BASE64}"}`,
    'a comment in which a quote stands': `{/* " */"b":"${BASE64}"}`,
    'a quote that does not end': `{"a":"${BASE64}"`,
    'a comma too many': `{"a":"${BASE64}",}`,
    'single quotes': `{'a':'${BASE64}'}`,
    'single quotes and escapes': `{'a':'${BASE64.replaceAll('/', '\\u002f')}'}`,
    'escapes that JSON has not': `{"a":"${BASE64.replaceAll('/', '\\x2F')}"}`,
    'line ends in a string': `{"a":"${wrapped(BASE64)}"}`,
    'line ends behind backslashes': `{'a':'${wrapped(BASE64).replaceAll('\r', '\\')}'}`,
    'no quotes': `{a: ${BASE64}}`,
    'a data URI in single quotes': `{'a':'data:image\\/jpeg;base64,${BASE64.replaceAll('/', '\\/')}'}`,
  }

  it.each(Object.entries(lenient))('is searched as a lenient reader may read it: %s', (_, body) => {
    expect(filesIn(body, JSON_TYPE)).toEqual([JPEG])
  })

  it('has files in fields that are named, where it is none', () => {
    const base64Fields = ['file']
    for (const body of [`{file: 'YW55'}`, `{"file" : "YW55",}`, `{'no"': 1, 'file':"YW55"}`])
      expect(filesIn(body, JSON_TYPE, { base64Fields })).toEqual([Buffer.from('any')])
  })

  const within: Record<string, string> = {
    'JSON in a string': JSON.stringify({ a: BASE64 }),
    'JSON in a string of JSON, with slashes escaped': JSON.stringify(
      JSON.stringify({ a: BASE64 }).replaceAll('/', '\\/'),
    ),
    'an element of XML': `<photo type="jpeg">${BASE64}</photo>`,
    'base64 behind many line ends': '\r\n'.repeat(500) + BASE64,
    'base64 with signs that readers pass over': `*${BASE64.replaceAll('A', 'A.')}`,
    'base64 with signs that readers pass over, which others put around values': `${BASE64.slice(0, 400)}",:{${BASE64.slice(400)}`,
    'a data URI with some signs escaped': `data:;base64,${BASE64.replaceAll('+', '%2B')}`,
    'a data URI with such signs': `data:;base64,${BASE64.slice(0, 400)}",:{${BASE64.slice(400)}`,
    'a data URI with signs that readers pass over': `data:;base64,${BASE64.replaceAll('A', '*A')}`,
  }

  it.each(Object.entries(within))('is searched within its strings: %s', (_, text) => {
    expect(filesIn(JSON.stringify({ a: text }), JSON_TYPE)).toEqual([JPEG])
    expect(filesIn(`a=${encodeURIComponent(text)}`, FORM_TYPE)).toEqual([JPEG])
  })

  it('takes no path for JPEG XL', () => {
    const [path, image] = [`/worlds/${'long-name/'.repeat(9)}x.html`, `/wo${'A'.repeat(60)}`]
    expect(filesIn(JSON.stringify([path, image]), JSON_TYPE)).toEqual([
      Buffer.from(image, 'base64'),
    ])
  })

  it.each(['utf16le', 'utf8'] as const)('may be in UTF-8 or UTF-16: %s', (encoding) => {
    const body = Buffer.from(`\ufeff${JSON.stringify({ a: JPEG.toString('base64') })}`, encoding)
    expect(readFiles(body, JSON_TYPE)[1]?.bytes).toEqual(JPEG)
  })

  it('is unscannable when it is longer than it may be', () => {
    const reasons: UnreadableReason[] = []
    const onUnreadable = (reason: UnreadableReason) => void reasons.push(reason)
    const bodyOf = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`
    filesIn(bodyOf(MAX_TEXT_BYTES), JSON_TYPE, { onUnreadable })
    expect(reasons).toEqual([])
    filesIn(bodyOf(MAX_TEXT_BYTES + 1), JSON_TYPE, { onUnreadable })
    expect(reasons).toEqual(['over-limit'])
  })

  it('has as many files as it may', () => {
    const bodyOf = (count: number) =>
      JSON.stringify(
        Array.from({ length: count }, () => `data:;base64,${PNG.toString('base64', 0, 30)}`),
      )
    expect(filesIn(bodyOf(MAX_TEXT_FILES), JSON_TYPE)).toHaveLength(MAX_TEXT_FILES)
    expect(() => readFiles(bodyOf(MAX_TEXT_FILES + 1), JSON_TYPE)).toThrow(MalformedBodyError)
  })

  it.each(['application/ld+json', 'Application/JSON', ' application/vnd.api+json;x=y'])(
    'may be of the type %j',
    (type) => {
      const body = JSON.stringify([JPEG.toString('base64')])
      expect(filesIn(body, { 'content-type': type })).toEqual([JPEG])
    },
  )
})

describe('an urlencoded body', () => {
  it.each([
    ['escaped', encodeURIComponent(JPEG.toString('base64'))],
    ['with plus signs as they are', JPEG.toString('base64').replaceAll('/', '%2F')],
    ['as a data URI', encodeURIComponent(`data:image/jpeg;base64,${JPEG.toString('base64')}`)],
  ])('is searched for files: %s', (_, value) => {
    for (const size of [Infinity, 4096]) {
      expect(filesIn(`a=1&photo=${value}&b=`, FORM_TYPE, { size })).toEqual([JPEG])
    }
  })

  it('has files in fields that are named', () => {
    const base64Fields = ['file']
    const body = `file=${encodeURIComponent(Buffer.from('any').toString('base64'))}&b=YW55`
    expect(filesIn(body, FORM_TYPE, { base64Fields })).toEqual([Buffer.from('any')])
  })

  it('may be encoded as badly as it likes', () => {
    expect(filesIn('%&=&%zz=%&a', FORM_TYPE)).toEqual([])
  })
})
