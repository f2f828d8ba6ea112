// What clients write, byte for byte but for the boundary's random part: docs/forms.md has the same as a table.

import { describe, expect, it } from 'vitest'
import { fixture } from '../support/fixtures.ts'
import { readFiles } from '../support/read-body.ts'

interface Client {
  type: string
  boundary: string
  file: string[]
  field: string[]
}

const CLIENTS: Record<string, Client> = {
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

const PHOTO = Buffer.from(fixture('jpeg'))

function bodyOf({ boundary, file, field }: Client): Buffer {
  return Buffer.concat([
    Buffer.from(`--${boundary}\r\n${field.join('\r\n')}\r\n\r\nhello\r\n`),
    Buffer.from(`--${boundary}\r\n${file.join('\r\n')}\r\n\r\n`),
    PHOTO,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
}

describe('a form of a client', () => {
  it.each(Object.entries(CLIENTS))('is read, not refused: %s', (_, client) => {
    for (const size of [Infinity, 4096, 7]) {
      const told = readFiles(bodyOf(client), { 'content-type': client.type }, { size })
      const [field, file, ...others] = told.filter(({ isRaw }) => !isRaw)
      expect(field).toMatchObject({ text: 'hello', isText: true })
      expect([file?.bytes.equals(PHOTO), file?.isText, others]).toEqual([true, false, []])
    }
  })

  it.each([
    ['spaces around an equals sign', 'form-data; name = "photo"; filename = "a.jpg"'],
    ['tabs and semicolons', 'form-data;\tname="photo" ;; filename="a.jpg";'],
    [
      'a filename in two ways that differ',
      `form-data; name="photo"; filename="a.jpg"; filename*=UTF-8''b.jpg`,
    ],
  ])('may have names as it likes: %s', (_, disposition) => {
    const client = { ...CLIENTS.curl!, file: [`Content-Disposition: ${disposition}`] }
    const told = readFiles(bodyOf(client), { 'content-type': client.type })
    expect(told.some(({ bytes, isText }) => !isText && bytes.equals(PHOTO))).toBe(true)
  })

  it.each(['a/b', 'a:b', 'a?b', 'a=b', '(a)', "a'b"])(
    'may have the boundary %s without quotes',
    (boundary) => {
      const type = `multipart/form-data; boundary=${boundary}`
      const told = readFiles(bodyOf({ ...CLIENTS.curl!, boundary }), { 'content-type': type })
      expect(told.some(({ bytes }) => bytes.equals(PHOTO))).toBe(true)
    },
  )
})
