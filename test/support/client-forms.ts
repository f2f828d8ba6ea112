// What clients write, byte for byte but for the boundary's random part (docs/forms.md has the same as a table), and forms of these
// with one oddity each.

export interface Client {
  type: string
  boundary: string
  /** Headers of the part with a file, and of that with a text. */
  file: string[]
  field: string[]
}

export const CLIENTS: Record<string, Client> = {
  '.NET HttpClient': {
    type: 'multipart/form-data; boundary="0b2f7f0e-6f5c-4d2b-9b6e-0c6a1f1e2d3c"',
    boundary: '0b2f7f0e-6f5c-4d2b-9b6e-0c6a1f1e2d3c',
    file: [
      'Content-Type: image/jpeg',
      "Content-Disposition: form-data; name=photo; filename=a.jpg; filename*=utf-8''a.jpg",
    ],
    field: [
      'Content-Type: text/plain; charset=utf-8',
      'Content-Disposition: form-data; name=title',
    ],
  },
  'React Native, iOS': {
    type: 'multipart/form-data; boundary=-XrQ/dc2_W.9O',
    boundary: '-XrQ/dc2_W.9O',
    file: [
      `content-disposition: form-data; name="photo"; filename="photo(1).jpg"; filename*=utf-8''photo(1).jpg`,
      'content-type: image/jpeg',
    ],
    field: ['content-disposition: form-data; name="title"'],
  },
  'Apache HttpClient 4': {
    type: 'multipart/form-data; boundary=Zb8pZ-q_0w',
    boundary: 'Zb8pZ-q_0w',
    file: [
      'Content-Disposition: form-data; name="photo"; filename="a.jpg"',
      'Content-Type: image/jpeg',
      'Content-Transfer-Encoding: binary',
    ],
    field: [
      'Content-Disposition: form-data; name="title"',
      'Content-Type: text/plain; charset=ISO-8859-1',
      'Content-Transfer-Encoding: 8bit',
    ],
  },
  'Apache HttpClient 5': {
    type: 'multipart/form-data; charset=ISO-8859-1; boundary=httpclient_boundary_7k6d1a',
    boundary: 'httpclient_boundary_7k6d1a',
    file: [
      `Content-Disposition: form-data; name="photo"; filename="?.jpg"; filename*="UTF-8''%E5%86%99.jpg"`,
      'Content-Type: image/jpeg',
    ],
    field: [
      'Content-Disposition: form-data; name="title"',
      'Content-Type: text/plain; charset=ISO-8859-1',
    ],
  },
  OkHttp: {
    type: 'multipart/form-data; boundary=6f2c1c0e-1b1a-4a3e-8a7e-1f0d2c3b4a59',
    boundary: '6f2c1c0e-1b1a-4a3e-8a7e-1f0d2c3b4a59',
    file: [
      'Content-Disposition: form-data; name="photo"; filename="a.jpg"',
      'Content-Type: image/jpeg',
      'Content-Length: 12034',
    ],
    field: ['Content-Disposition: form-data; name="title"', 'Content-Length: 5'],
  },
  'URLSession with Alamofire': {
    type: 'multipart/form-data; boundary=alamofire.boundary.4a7b2c9d0e1f3a5b',
    boundary: 'alamofire.boundary.4a7b2c9d0e1f3a5b',
    file: [
      'Content-Disposition: form-data; name="photo"; filename="a.jpg"',
      'Content-Type: image/jpeg',
    ],
    field: ['Content-Disposition: form-data; name="title"'],
  },
  'axios with form-data': {
    type: 'multipart/form-data; boundary=--------------------------918273645546372819203847',
    boundary: '--------------------------918273645546372819203847',
    file: [
      'Content-Disposition: form-data; name="photo"; filename="a.jpg"',
      'Content-Type: image/jpeg',
    ],
    field: ['Content-Disposition: form-data; name="title"'],
  },
  requests: {
    type: 'multipart/form-data; boundary=c7cbfdd911b4e720f1dd8f479c50bc7f',
    boundary: 'c7cbfdd911b4e720f1dd8f479c50bc7f',
    file: [`Content-Disposition: form-data; name="photo"; filename*=utf-8''%E5%86%99.jpg`],
    field: ['Content-Disposition: form-data; name="title"'],
  },
  Go: {
    type: 'multipart/form-data; boundary=5d1f0c2b3a49587766554433221100ffeeddccbbaa99887766554433',
    boundary: '5d1f0c2b3a49587766554433221100ffeeddccbbaa99887766554433',
    file: [
      'Content-Disposition: form-data; name="photo"; filename="a\\"b.jpg"',
      'Content-Type: application/octet-stream',
    ],
    field: ['Content-Disposition: form-data; name="title"'],
  },
  curl: {
    type: 'multipart/form-data; boundary=------------------------d74496d66958873e',
    boundary: '------------------------d74496d66958873e',
    file: [
      'Content-Disposition: form-data; name="photo"; filename="a%22b.jpg"',
      'Content-Type: image/jpeg',
    ],
    field: ['Content-Disposition: form-data; name="title"'],
  },
  Dart: {
    type: 'multipart/form-data; boundary=dart-http-boundary-+0q.w_R7Yd',
    boundary: 'dart-http-boundary-+0q.w_R7Yd',
    file: [
      'content-type: image/jpeg',
      'content-disposition: form-data; name="photo"; filename="a.jpg"',
    ],
    field: [
      'content-disposition: form-data; name="title"',
      'content-type: text/plain; charset=utf-8',
      'content-transfer-encoding: binary',
    ],
  },
}

/** A form as a request has it. */
export interface ClientForm {
  type: string
  body: Buffer
}

/** A form with a text and a file, or with more parts before these. */
export function formOf(
  { type, boundary, file, field }: Client,
  photo: Uint8Array,
  before: readonly [headers: string[], content: string][] = [],
): ClientForm {
  const texts = [...before, [field, 'hello'] as const].map(([headers, content]) =>
    Buffer.from(`--${boundary}\r\n${headers.join('\r\n')}\r\n\r\n${content}\r\n`),
  )
  const head = Buffer.from(`--${boundary}\r\n${file.join('\r\n')}\r\n\r\n`)
  return {
    type,
    body: Buffer.concat([...texts, head, photo, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  }
}

type Oddity = (client: Client, photo: Uint8Array) => ClientForm

/** Changes headers of parts. */
function inHeaders(change: (line: string) => string, only?: 'file' | 'field'): Oddity {
  return (client, photo) => {
    const { file, field } = client
    const changed = {
      ...client,
      ...(only !== 'field' && { file: file.map(change) }),
      ...(only !== 'file' && { field: field.map(change) }),
    }
    return formOf(changed, photo)
  }
}

function inDisposition(change: (line: string) => string, only?: 'file'): Oddity {
  return inHeaders((line) => (/^content-disposition/i.test(line) ? change(line) : line), only)
}

/** Names the file in another way. */
function named(parameters: string): Oddity {
  return inDisposition((line) => line.replace(/; filename.*$/, '') + parameters, 'file')
}

/** Adds headers to the text's part. */
function onField(...lines: string[]): Oddity {
  return (client, photo) => {
    const own = client.field.filter((line) => !/^content-type/i.test(line))
    return formOf({ ...client, field: [...own, ...lines] }, photo)
  }
}

/** Changes the Content-Type of the request. */
function inType(change: (type: string) => string): Oddity {
  return (client, photo) => formOf({ ...client, type: change(client.type) }, photo)
}

function withBoundary(boundary: string, isQuoted = false): Oddity {
  const value = isQuoted ? `"${boundary}"` : boundary
  return (client, photo) =>
    formOf({ ...client, boundary, type: `multipart/form-data; boundary=${value}` }, photo)
}

/** Changes the body, as characters that are bytes. */
function inBody(change: (text: string, boundary: string) => string): Oddity {
  return (client, photo) => {
    const { type, body } = formOf(client, photo)
    return { type, body: Buffer.from(change(body.toString('latin1'), client.boundary), 'latin1') }
  }
}

/** What honest clients do: all of it is read. */
export const HONEST: Record<string, Oddity> = {
  'as it is': inType((type) => type),
  'filename and filename*, alike': named(`; filename="a.jpg"; filename*=utf-8''a.jpg`),
  'filename and filename*, not alike': named(`; filename="a.jpg"; filename*=UTF-8''b%20c.jpg`),
  'filename* before filename': named(`; filename*=UTF-8''b.jpg; filename="a.jpg"`),
  'filename* with parentheses': named(`; filename*=utf-8''photo(1).jpg`),
  'filename* in quotes': named(`; filename="?.jpg"; filename*="UTF-8''%E5%86%99.jpg"`),
  'filename with quotes in it': named('; filename="a\\"b.jpg"'),
  'filename in another language': named('; filename="\u5199.jpg"'),
  'an empty filename': named('; filename=""'),
  ...Object.fromEntries(
    Array.from(`/:?=()'+_-.`).flatMap((sign, i): [string, Oddity][] => [
      [`a boundary with ${sign}`, withBoundary(`x${i}${sign}y`)],
      [`a boundary with ${sign}, in quotes`, withBoundary(`x${i}${sign}y`, true)],
    ]),
  ),
  'a boundary with a space and a comma, in quotes': withBoundary('x y,z', true),
  'a boundary of 70 characters': withBoundary('b'.repeat(70)),
  'a boundary of one character': withBoundary('b'),
  'a boundary of 200 characters': withBoundary('b'.repeat(200)),
  'a space at the end of the boundary, in quotes': withBoundary('b ', true),
  'its boundary twice': inType((type) => `${type}; ${type.slice(type.indexOf('boundary='))}`),
  'spaces around the equals sign': inDisposition((line) => line.replaceAll('=', ' = ')),
  'tabs behind semicolons': inHeaders((line) => line.replaceAll('; ', ';\t')),
  'tabs around semicolons': inHeaders((line) => line.replaceAll('; ', '\t;\t')),
  'no spaces behind semicolons': inHeaders((line) => line.replaceAll('; ', ';')),
  'two semicolons': inHeaders((line) => line.replaceAll('; ', ' ;; ')),
  'a semicolon at the end': inHeaders((line) => `${line};`),
  'a tab behind the colon': inHeaders((line) => line.replace(': ', ':\t')),
  'no space behind the colon': inHeaders((line) => line.replace(': ', ':')),
  'spaces at the end of lines': inHeaders((line) => `${line}  `),
  'a name without quotes': inDisposition((line) => line.replace(/name="?(\w+)"?/, 'name=$1')),
  'names of headers in capitals': inHeaders((line) =>
    line.replace(/^[^:]+/, (name) => name.toUpperCase()),
  ),
  'headers in another order': (client, photo) =>
    formOf({ ...client, file: client.file.toReversed(), field: client.field.toReversed() }, photo),
  'a folded header': inDisposition((line) => line.replace('; ', ';\r\n ')),
  'more headers': inHeaders((line) => `X-Upload-Id: 7\r\n${line}`),
  'a length': (client, photo) =>
    formOf({ ...client, file: [...client.file, `Content-Length: ${photo.length}`] }, photo),
  'a charset': onField('Content-Type: text/plain; charset=utf-8'),
  'a charset in quotes': onField('Content-Type: text/plain;charset="UTF-8"'),
  'a charset of Windows': onField('Content-Type: text/plain; charset=windows-1252'),
  'a text of 8 bits': onField('Content-Type: text/plain', 'Content-Transfer-Encoding: 8bit'),
  'a text of JSON': onField('Content-Type: application/json; charset=utf-8'),
  _charset_: (client, photo) =>
    formOf(client, photo, [[['Content-Disposition: form-data; name="_charset_"'], 'UTF-8']]),
  'an empty text': (client, photo) => formOf(client, photo, [[client.field, '']]),
  'the same name twice': (client, photo) => formOf(client, photo, [[client.field, 'a']]),
  'a tab before the boundary': inType((type) => type.replaceAll('; ', ';\t')),
  'no space before the boundary': inType((type) => type.replaceAll('; ', ';')),
  'a semicolon behind the boundary': inType((type) => `${type};`),
  'two semicolons before the boundary': inType((type) => type.replace('; ', ';; ')),
  'spaces around the equals sign of the boundary': inType((type) =>
    type.replace('boundary=', 'boundary = '),
  ),
  'a charset behind the boundary': inType((type) => `${type}; charset=utf-8`),
  'a charset before the boundary': inType((type) => type.replace('; ', '; charset=utf-8; ')),
  'a type in capitals': inType((type) => type.replace(/^[^=]+/, (name) => name.toUpperCase())),
  'a preamble': inBody((text) => `This is a form.\r\n${text}`),
  'a line end before all': inBody((text) => `\r\n${text}`),
  'an epilogue': inBody((text) => `${text}The end.\r\n`),
  'no line end behind all': inBody((text) => text.slice(0, -2)),
  'spaces behind the last boundary': inBody((text) => `${text.slice(0, -2)} \t\r\n`),
  'something behind the last boundary': inBody((text) => `${text.slice(0, -2)}x\r\n`),
}

/** What parsers read differently, and a picture can hide in: docs/forms.md names two that do, as `test/body/parsers` compares. */
export const AMBIGUOUS: Record<string, Oddity> = {
  'bare line feeds': inBody((text) => {
    const photo = text.indexOf('\xff\xd8')
    const end = text.lastIndexOf('\r\n--')
    const lines = (part: string) => part.replaceAll('\r\n', '\n')
    return lines(text.slice(0, photo)) + text.slice(photo, end) + lines(text.slice(end))
  }),
  'bare line feeds in headers': inHeaders((line) => `X-Odd: 1\n${line}`),
  'a space behind the boundary': inBody((text, boundary) =>
    text.replaceAll(`--${boundary}\r`, `--${boundary} \r`),
  ),
  'a boundary behind the last': inBody((text) => text + text),
  'no last boundary': inBody((text, boundary) =>
    text.slice(0, text.lastIndexOf(`\r\n--${boundary}`)),
  ),
  'its boundary within a line': inBody((text, boundary) =>
    text.replace('hello', `hello--${boundary}`),
  ),
  'its boundary in headers': (client, photo) =>
    formOf({ ...client, file: [...client.file, `X-Odd: --${client.boundary}`] }, photo),
  'a bare CR in headers': inHeaders((line) => `X-Odd: a\rb\r\n${line}`),
  'a NUL in headers': inHeaders((line) => `X-Odd: a\0b\r\n${line}`),
  'long headers': inHeaders((line) => `X-Odd: ${'a'.repeat(17_000)}\r\n${line}`),
  'a boundary with a backslash, in quotes': withBoundary('a\\b', true),
  'a boundary with a comma': withBoundary('a,b'),
  'a boundary with a space': withBoundary('a b'),
  'a boundary that is not ASCII': (client, photo) => {
    const { type, body } = withBoundary('b\u00c3\u00a9')(client, photo)
    const text = body.toString('latin1').replaceAll('\u00c3\u0083\u00c2\u00a9', '\u00c3\u00a9')
    return { type, body: Buffer.from(text, 'latin1') }
  },
  'two boundaries': inType((type) => `${type}; boundary=other`),
  'an encoded boundary': inType((type) =>
    type.replace(/boundary="?([^";]*)"?/, "boundary*=utf-8''$1"),
  ),
  'two types': inType((type) => `${type}, multipart/form-data; boundary=other`),
}
