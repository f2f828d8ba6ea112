import { describe, expect, it } from 'vitest'
import { atOnce } from '../../src/util/steps.ts'
import { Base64Sink } from '../../src/body/decoding-sinks.ts'
import { MalformedBodyError } from '../../src/body/errors.ts'
import { MAX_PART_HEADER_BYTES } from '../../src/body/limits.ts'
import { MultipartGrammar } from '../../src/body/multipart-grammar.ts'
import { createBodyReader } from '../../src/body/reader.ts'
import type { FileInfo } from '../../src/body/types.ts'
import { ScanBudget } from '../../src/scan/budget.ts'
import { SCAN_LIMITS } from '../../src/scan/limits.ts'
import { randomBytes } from '../support/random.ts'
import { readFiles } from '../support/read-body.ts'

const TYPE = 'multipart/form-data; boundary=bbb'

/** What is told of a body, whatever chunks it comes in: files, and fields in parentheses. */
function split(body: string, type = TYPE, maxFiles = 100): string[] {
  const found = [Infinity, 4096, 7, 1].map((size) => {
    const told = readFiles(body, { 'content-type': type }, { size, maxFiles })
    return told
      .filter(({ isRaw }) => !isRaw)
      .map(({ text, isText }) => (isText ? `(${text})` : text))
  })
  for (const other of found) expect(other).toEqual(found[0])
  return found[0] ?? []
}

function file(content: string, headers = ''): string {
  return `--bbb\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n${headers}\r\n${content}\r\n`
}

const FIELD = '--bbb\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n'
const END = '--bbb--\r\n'

describe('a multipart body', () => {
  it('is told part by part', () => {
    expect(split(`${FIELD}${file('one')}${FIELD}${file('two\r\n--bb')}${END}`)).toEqual([
      '(value)',
      'one',
      '(value)',
      'two\r\n--bb',
    ])
    expect(split(`${FIELD}--bbb--`)).toEqual(['(value)'])
  })

  it.each([
    'multipart/form-data; boundary=bbb',
    'Multipart/Form-Data;boundary="bbb"',
    ' multipart/form-data ; charset=utf-8; boundary=bbb ; x=y',
    'multipart/form-data; boundary=bbb; boundary="bbb"',
  ])('reads the boundary of %j', (type) => {
    expect(split(`${file('one')}${END}`, type)).toEqual(['one'])
  })

  it.each([
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=aaa; boundary=bbb',
    'multipart/form-data; boundary="b\\bb"',
    'multipart/form-data; boundary="bbb',
    'multipart/form-data; boundary=b,bb',
    'multipart/form-data; boundary=b bb',
    'multipart/form-data; x-boundary=bb; boundary=bbb',
    'multipart/form-data; boundary=bbb, multipart/form-data; boundary=aaa',
    "multipart/form-data; boundary*=UTF-8''bbb",
  ])('refuses the Content-Type %j', (type) => {
    expect(() => split(`${file('one')}${END}`, type)).toThrow(MalformedBodyError)
  })

  it.each([`text/plain, ${TYPE}`, `${TYPE}, ${TYPE}`, 'multipart/form-data/x; boundary=bbb'])(
    'refuses two Content-Types in one: %j',
    (type) => {
      expect(() => split(`${file('one')}${END}`, type)).toThrow(MalformedBodyError)
    },
  )

  const ambiguous: Record<string, string> = {
    'a bare LF before the boundary': `${FIELD}${file(`x\n--bbb\r\nmore`)}${END}`,
    'a bare CR before the boundary': `${FIELD}${file(`x\r--bbb\r\nmore`)}${END}`,
    'the boundary inside a line': `${FIELD}${file('hello--bbb\r\nmore')}${END}`,
    'the boundary inside a field': `${FIELD.replace('value', 'hello--bbb\r\nmore')}${END}`,
    'something behind the boundary': `${FIELD}${file('x').replace('--bbb\r\n', '--bbbxx')}${END}`,
    'spaces behind the boundary': `${file('x').replace('--bbb\r\n', '--bbb  \r\n')}${END}`,
    'a bare LF behind the boundary': `${file('x').replace('--bbb\r\n', '--bbb\n')}${END}`,
    'one hyphen behind the boundary': `${FIELD}${file('x')}--bbb-\r\n${END}`,
    'half of the last boundary at the end': `${FIELD}${file('x')}--bbb-x\r\n`,
    'the other half of it': `${FIELD}${file('x')}--bbbx-\r\n`,
    'parts behind the last boundary': `${FIELD}${END}${file('x')}`,
    'a second last boundary': `${FIELD}${END}${END}`,
    'a boundary in the preamble': `text--bbb\r\n${file('x')}${END}`,
    'a first boundary inside a line': `text${file('x')}${END}`,
    'a boundary right behind headers': `--bbb\r\nX-A: b\r\n\r\n${file('x')}${END}`,
    'no last boundary': `${FIELD}${file('x')}`,
    'a part of nothing': `${FIELD}--bbb\r\n${END}`,
    'a header that ends with LF': `${file('x', 'X-A: b\n')}${END}`,
    'a NUL in a header': `${file('x', 'X-A: b\0c\r\n')}${END}`,
  }

  it.each(Object.entries(ambiguous))('refuses %s', (_, body) => {
    expect(() => split(body)).toThrow(MalformedBodyError)
  })

  it.each([
    ['no boundary in its type', 'multipart/form-data', `${file('x')}${END}`],
    ['no boundary at all', TYPE, 'no parts'],
    ['another boundary', 'multipart/form-data; boundary="bbb "', `${file('x')}${END}`],
    ['a text that is almost its boundary', TYPE, '--bb\r\n\r\nx\r\n--bb--\r\n'],
  ])('is looked at as it is, since nobody finds parts in it, if it has %s', (_, type, body) => {
    for (const size of [Infinity, 1]) {
      const told = readFiles(body, { 'content-type': type }, { size })
      expect(told.map(({ text }) => text)).toEqual([body])
    }
  })

  it('may be empty', () => {
    expect(split('')).toEqual([])
  })

  // Parsers differ in what they make of these; what is in a part is the same to all.
  const odd: Record<string, string> = {
    'a part that is encoded': `${file('eA==', 'Content-Transfer-Encoding: base64\r\n')}${END}`,
    'a part without headers': `${FIELD}--bbb\r\n\r\nvalue\r\n${END}`,
    'a header twice': `${file('x', 'Content-Disposition: form-data; name="g"\r\n')}${END}`,
    'a text behind the last boundary': `${file('x')}${END}and an epilogue`,
    'a space behind the last boundary': `${file('x')}${END.trimEnd()} \r\n`,
    'a tab behind the last boundary': `${file('x')}${END.trimEnd()}\t\r\n`,
    'a bare LF behind the last boundary': `${file('x')}${END.trimEnd()}\n`,
    'a parameter twice': `${file('x').replace('filename="x"', 'filename="x"; filename="y"')}${END}`,
    'a filename in two ways': `${file('x').replace('filename="x"', `filename="x"; filename*=UTF-8''y`)}${END}`,
    'a filename in chunks': `${file('x').replace('filename="x"', 'filename*0="x"; filename*1="y"')}${END}`,
    'a parameter without a value': `${file('x').replace('filename="x"', 'filename=')}${END}`,
    'a parameter that is almost a filename': `${file('x').replace('filename="x"', '-filename="x"')}${END}`,
    'a parameter that ends with filename': `${file('x').replace('filename="x"', 'xfilename="x"')}${END}`,
    'a parameter that begins with name': `${file('x').replace('filename="x"', 'name2="x"')}${END}`,
    'an extended name': `${file('x').replace('filename="x"', `name*=UTF-8''x`)}${END}`,
    'a filename within another parameter': `${file('x').replace('filename="x"', 'y="; filename=x"')}${END}`,
    'a name that is not there, beside a filename': `${file('x').replace('name="f"; filename="x"', 'filename="写"')}${END}`,
    'a semicolon with nothing behind it': `${file('x').replace('filename="x"', 'filename="x";')}${END}`,
    'two semicolons': `${file('x').replace('; filename', ';; filename')}${END}`,
    'a space before an equals sign': `${file('x').replace('filename=', 'filename =')}${END}`,
    'a space behind an equals sign': `${file('x').replace('filename=', 'filename= ')}${END}`,
    'a space before a semicolon': `${file('x').replace('"f";', '"f" ;')}${END}`,
    'a space behind an unquoted filename': `${file('x').replace('filename="x"', 'filename=x ')}${END}`,
    'another space than a space': `${file('x').replace('; filename', ';\u00a0filename')}${END}`,
    'an unquoted colon': `${file('x').replace('filename="x"', 'filename=a:b')}${END}`,
    'an unquoted letter beyond ASCII': `${file('x').replace('filename="x"', 'filename=ü')}${END}`,
    'an apostrophe that is a quote to PHP': `${file('x').replace('filename="x"', `y='; filename="x'"`)}${END}`,
    'an extended filename without a value': `${file('x').replace('filename="x"', `filename*=UTF-8''`)}${END}`,
    'an extended filename without a charset': `${file('x').replace('filename="x"', 'filename*=x')}${END}`,
    'an extended filename in another charset': `${file('x').replace('filename="x"', `filename*=UTF-7''x`)}${END}`,
    'an extended filename in quotes': `${file('x').replace('filename="x"', `filename*="UTF-8''x"`)}${END}`,
    'a text behind a quoted filename': `${file('x').replace('filename="x"', 'filename="x"y')}${END}`,
    'a backslash before the last quote': `${file('x').replace('"f"', '"f\\\\"')}${END}`,
    'a quote without end': `${file('x').replace('filename="x"', 'filename="x')}${END}`,
    'a folded header': `${file('x', 'X-A: b\r\n c\r\n')}${END}`,
    'a header without a colon': `${file('x', 'nothing\r\n')}${END}`,
    'a space before a colon': `${file('x', 'X-A : b\r\n')}${END}`,
    'another charset': `${file('x', 'Content-Type: text/plain; charset=utf-7\r\n')}${END}`,
    'a field that names a charset': `${FIELD.replace('"a"', '"_charset_"')}${file('x')}${END}`,
    'a field that names a charset with escapes': `${FIELD.replace('"a"', '"\\_charset\\_"')}${file('x')}${END}`,
    'a part without a name': `${FIELD.replace('; name="a"', '')}${END}`,
    'a part that is an attachment': `${FIELD.replace('form-data', 'attachment')}${END}`,
    'a name that is encoded wrongly': `--bbb\r\nContent-Disposition: form-data; name="f"; filename*=UTF-8''100%.jpg\r\n\r\nx\r\n${END}`,
  }

  it.each(Object.entries(odd))('is read with %s', (_, body) => {
    expect(split(body).join()).toMatch(/x|value|eA==/)
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
    const longer = body.replace('--abaaba\r\n', '--abaabaabab\r\n')
    expect(split(longer, type)).toEqual(['--abaab--abaabaabab'])
    expect(() => split(longer.replace('--abaaba', '--abaabab'), type)).toThrow(MalformedBodyError)
  })

  it.each([
    ['has no boundary', 'multipart/mixed', 'a picture'],
    ['does not have its boundary', 'multipart/mixed; boundary=in', 'a picture'],
    ['has a boundary within a line', 'multipart/mixed; boundary=in', 'x --in\r\n a picture'],
    ['has odd line ends', 'multipart/mixed; boundary=in', '--in\n\na picture\n--in--'],
  ])('is an unchanged file in a part that calls itself multipart and %s', (_, type, content) => {
    const body = `${file(content, `Content-Type: ${type}\r\n`)}${FIELD}${END}`
    for (const size of [Infinity, 7, 1]) {
      const told = readFiles(body, { 'content-type': TYPE }, { size }).map(({ text }) => text)
      expect(told).toContain(content)
      expect(told).toContain('value')
    }
  })

  it('continues a part where parsers disagree about its parts', () => {
    const type = 'Content-Type: multipart/mixed; boundary=in\r\n'
    const inner = '--in\r\n\r\none\r\n--in\r\n\r\ntwo --in\r\n three'
    expect(split(`${file(inner, type)}${END}`)).toEqual(['one', 'two --in\r\n three'])
  })

  it('may have a text before its first boundary, and white space after the last', () => {
    expect(split(`This is a preamble.\r\n${file('one')}${END}\r\n \t`)).toEqual(['one'])
  })

  it.each([
    ['nested names', 'name="a[b][0]"; filename="x"'],
    ['escaped quotes', 'name="f"; filename="a\\"b;c.jpg"'],
    ['RFC 5987', `name="f"; filename*=UTF-8''%e2%82%ac.jpg`],
    ['UTF-8', 'name="f"; filename="写真.jpg"'],
    ['no quotes', 'name=f; filename=x.jpg'],
    ['an empty filename', 'name="f"; filename=""'],
    ['browsers, curl', 'name="f"; filename="a%22b;c (1).jpg"'],
    ['browsers, of a path', 'name="f"; filename="C:\\dev\\写真.jpg"'],
    ['Go', 'name="f"; filename="a\\"b\\\\c.jpg"'],
    ['.NET', 'name=f; filename="a b.jpg"'],
    ['Python', `name="f"; filename*=utf-8''%E5%86%99%E7%9C%9F.jpg`],
    ['a query', 'name="f"; filename="image.php?name=x&filename=y.jpg"'],
    ['no spaces', 'name="f";filename="x"'],
    ['another parameter', 'name="f"; filename="x"; size=1; creation-date="Mon, 1 Jan 2024"'],
  ])('may have names of any kind: %s', (_, names) => {
    expect(split(`${file('one').replace('name="f"; filename="x"', names)}${END}`)).toEqual(['one'])
  })

  it('of other kinds has parts that are files, and may have them in base64', () => {
    const type = 'multipart/related; boundary=bbb; type="application/json"'
    const part = (content: string, headers = '') => `--bbb\r\n${headers}\r\n${content}\r\n`
    const json = part('{"a":1}', 'Content-Type: application/json\r\n')
    const image = part('R0lGODlh\r\nAQAB', 'Content-Transfer-Encoding: base64\r\n')
    const gif = 'GIF89a\u0001\0\u0001'
    expect(split(`${json}${image}${END}`, type)).toEqual([
      '({"a":1})',
      'R0lGODlh\r\nAQAB',
      `(${gif})`,
    ])
    for (const lenient of ['R0lG*', 'R0==lG']) {
      const part64 = part(lenient, 'content-transfer-encoding : BASE64\r\n')
      expect(split(`${part64}${END}`, type)).toEqual([lenient, '(GIF)'])
    }
    const quoted = part('a=3D=\r\nb', 'Content-Transfer-Encoding: quoted-printable\r\n')
    expect(split(`${quoted}${END}`, 'multipart/mixed; boundary=bbb')).toEqual([
      'a=3D=\r\nb',
      '(a=b)',
    ])
    expect(
      split(`${file('a=3Db', 'Content-Transfer-Encoding: quoted-printable\r\n')}${END}`),
    ).toEqual(['a=3Db', '(a=b)'])
  })

  it('may lie in another, three deep', () => {
    const wrap = (inner: string, depth: number): string => {
      if (depth === 0) return inner
      const [outer, own] = [`b${depth}`, `b${depth - 1}`]
      const type = depth === 1 ? 'text/plain' : `multipart/mixed; boundary=${own}`
      return `--${outer}\r\nContent-Type: ${type}\r\n\r\n${wrap(inner, depth - 1)}\r\n--${outer}--\r\n`
    }
    expect(split(wrap('deep', 3), 'multipart/mixed; boundary=b3')).toEqual(['deep'])
    // What lies deeper is a file to those that read no further.
    const reasons: string[] = []
    const onUnreadable = (reason: string) => void reasons.push(reason)
    const deep = readFiles(
      wrap('deep', 4),
      { 'content-type': 'multipart/mixed; boundary=b4' },
      { onUnreadable },
    )
    expect(deep[0]?.text).toMatch(/^--b1[^]*deep[^]*--b1--\r\n$/)
    expect(reasons).toEqual(['over-limit'])
  })

  it('treats a part with an unreadable name as a file', () => {
    const named = file('one').replace('filename="x"', 'filename="写真.zip"')
    expect(split(`${FIELD}${named}${END}`)).toEqual(['(value)', 'one'])
  })

  it('has headers as long as they may be', () => {
    const [disposition = ''] = /Content.*/.exec(file('')) ?? []
    const ofBytes = (bytes: number) =>
      file('x', `X-A: ${'b'.repeat(bytes - disposition.length - '\r\nX-A: '.length)}\r\n`)
    expect(split(`${ofBytes(MAX_PART_HEADER_BYTES)}${END}`)).toEqual(['x'])
    expect(() => split(`${ofBytes(MAX_PART_HEADER_BYTES + 1)}${END}`)).toThrow(
      'headers of a part are too long',
    )
  })

  it('is also passed on unparsed, with the bytes of its parts marked as handed on', () => {
    const kinds: string[] = []
    const body = Buffer.from(`preamble\r\n${FIELD}${file('one')}${END}epilogue`)
    const reader = createBodyReader(
      new Headers({ 'content-type': TYPE }),
      { maxFiles: 9, base64Fields: [] },
      {
        openFile: ({ isRaw }) => ({
          write: (chunk, kind) => {
            if (isRaw) kinds.push(`${kind}: ${Buffer.from(chunk).toString()}`)
          },
          end: () => {},
        }),
        budget: new ScanBudget(SCAN_LIMITS),
        later: atOnce,
        onUnreadable: () => {},
      },
    )
    reader.write(body)
    reader.end()
    expect(kinds.filter((chunk) => chunk.startsWith('handed'))).toEqual([
      'handed: value',
      'handed: one',
    ])
    expect(kinds[0]).toBe('free: preamble')
    expect(kinds.map((chunk) => chunk.replace(/^\w+: /, '')).join('')).toBe(body.toString())
  })

  it('skips fields that need no scan, by names that all parsers read alike', () => {
    const skipFields = ['a', 'f']
    const read = (body: string) =>
      readFiles(body, { 'content-type': TYPE }, { skipFields })
        .filter(({ isRaw }) => !isRaw)
        .map(({ text }) => text)
    expect(read(`${FIELD}${file('one')}${END}`)).toEqual([])
    expect(read(`${FIELD.replace('"a"', '"A"')}${END}`)).toEqual(['value'])
    for (const other of [
      'name="a"; name="b"',
      'name=a',
      'name="a\\"',
      "name*=utf-8''a",
      'name="a"; filename="x\\"',
    ])
      expect(read(`${FIELD.replace('name="a"', other)}${END}`)).toEqual(['value'])
  })

  it.each([1, 7, 1000, 65_536])('holds no more than may begin a boundary: chunks of %i', (cut) => {
    const content = Buffer.from(randomBytes(20_000, 1).map((byte) => byte & 63))
    const begin = Buffer.from('--b\r\nX: y\r\n\r\n')
    let told = 0
    const grammar = new MultipartGrammar('b', {
      onFree: ({ length }) => void (told += length),
      onDoubtful: () => {},
      onPart: () => {},
      onContent: ({ length }) => void (told += length),
      onPartEnd: () => {},
    })
    const body = Buffer.concat([begin, content])
    for (let at = 0; at < body.length; at += cut) {
      grammar.write(body.subarray(at, at + cut))
      const sent = Math.min(body.length, at + cut)
      if (sent > begin.length + 100) expect(sent - told).toBeLessThanOrEqual('\r\n--b'.length)
    }
    grammar.write(Buffer.from('\r\n--b--'))
    grammar.end()
    expect(told).toBe(body.length + '\r\n--b--'.length)
  })

  it('has files and fields up to its limits', () => {
    expect(split(`${file('x').repeat(3)}${END}`, TYPE, 3)).toHaveLength(3)
    expect(() => split(`${file('x').repeat(4)}${END}`, TYPE, 3)).toThrow('more than 3 files')
    expect(split(`${FIELD.repeat(1000)}${END}`, TYPE, 3)).toHaveLength(1000)
    expect(() => split(`${FIELD.repeat(1001)}${END}`, TYPE, 3)).toThrow('more than 1000 fields')
  })
})

describe('a form that is cut off', () => {
  it.each(['--b\r\nX: y', '--b\r\nX: y\r\n\r\nz\r\n--b\r\nX', 'text'])(
    'within a part is told on to its last byte: %j',
    (body) => {
      const told: Uint8Array[] = []
      const tell = (bytes: Uint8Array) => void told.push(bytes.slice())
      const events = { onFree: tell, onContent: tell, onDoubtful: tell }
      const grammar = new MultipartGrammar(
        'b',
        { ...events, onPart: () => {}, onPartEnd: () => {} },
        true,
      )
      grammar.write(Buffer.from(body))
      grammar.end()
      expect(Buffer.concat(told).toString()).toBe(body)
    },
  )

  it('between two parts ends the first once, and the body', () => {
    const ended: FileInfo[] = []
    const reader = createBodyReader(
      new Headers({ 'content-type': TYPE }),
      { maxFiles: 9, base64Fields: [] },
      {
        budget: new ScanBudget(SCAN_LIMITS),
        openFile: (info) => ({ write: () => {}, end: () => void ended.push(info) }),
        later: atOnce,
        onUnreadable: () => {},
      },
    )
    reader.write(Buffer.from(`${file('x')}--bbb\r\n`))
    reader.cut?.()
    expect(ended).toMatchObject([{ isText: false }, { isText: true, isRaw: true }])
  })
})

describe('Base64Sink', () => {
  it('tells on what it has, but for what makes no whole bytes', () => {
    let told = ''
    const sink = new Base64Sink({
      write: (bytes) => void (told += Buffer.from(bytes).toString()),
      end: () => void (told += '.'),
    })
    const steps = ['YWJj', 'ZG', 'Vm', 'Zw'].map((text) => {
      sink.write(Buffer.from(text))
      return told
    })
    sink.end()
    expect([...steps, told]).toEqual(['abc', 'abc', 'abcdef', 'abcdef', 'abcdefg.'])
  })
})
