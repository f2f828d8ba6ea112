// What the gate takes for the parts of a form is compared with what three parsers that origins use take for them: whatever the
// gate accepts, none of them may find a file in it that the gate was not told.

import { Readable } from 'node:stream'
import busboy from 'busboy'
import multiparty from 'multiparty'
import { describe, expect, it } from 'vitest'
import { randomFrom } from '../support/random.ts'
import { readFiles } from '../support/read-body.ts'

const COUNT = 4000

/** Contents of the files that a parser finds; `undefined` if it refuses. */
type ParserTwin = (body: Buffer, type: string) => Promise<string[] | undefined>

const PARSERS: Record<string, ParserTwin> = {
  busboy: (body, type) =>
    new Promise((resolve) => {
      const files: string[] = []
      const parser = busboy({ headers: { 'content-type': type } })
      parser.on('file', (_, stream) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('error', () => undefined)
        stream.on('close', () => files.push(Buffer.concat(chunks).toString('latin1')))
      })
      parser.on('field', (_, value) => files.push(Buffer.from(value).toString('latin1')))
      parser.on('error', () => resolve(undefined))
      parser.on('close', () => resolve(files))
      parser.end(body)
    }),
  multiparty: (body, type) =>
    new Promise((resolve) => {
      const files: string[] = []
      const request = Object.assign(Readable.from([body]), {
        headers: { 'content-type': type, 'content-length': String(body.length) },
      })
      const form = new multiparty.Form()
      form.on('part', (part) => {
        const chunks: Buffer[] = []
        part.on('data', (chunk: Buffer) => chunks.push(chunk))
        part.on('error', () => undefined)
        part.on('end', () => files.push(Buffer.concat(chunks).toString('latin1')))
      })
      form.on('error', () => resolve(undefined))
      form.on('close', () => resolve(files))
      form.parse(request as unknown as Parameters<typeof form.parse>[0])
    }),
  undici: async (body, type) => {
    try {
      const form = await new Response(new Uint8Array(body), {
        headers: { 'content-type': type },
      }).formData()
      const values = [...form.values()].map(async (value) =>
        typeof value === 'string'
          ? Buffer.from(value).toString('latin1')
          : Buffer.from(await value.arrayBuffer()).toString('latin1'),
      )
      return await Promise.all(values)
    } catch {
      return undefined
    }
  },
}

const PIECES = {
  ends: ['\r\n', '\r\n', '\r\n', '\n', '\r', '', '\r\n\r\n', ' \r\n'],
  delimiters: [
    '--bbb',
    '--bbb',
    '--bbb',
    '--bbb',
    '--bbb--',
    '--bb',
    '-bbb',
    '--bbbb',
    '--BBB',
    ' --bbb',
  ],
  headers: [
    'Content-Disposition: form-data; name="f"; filename="x"',
    'Content-Disposition: form-data; name="f"; filename="x"',
    'Content-Disposition: form-data; name="a"',
    'content-disposition:form-data;name=a;filename=b',
    `Content-Disposition: form-data; name="f"; filename*=UTF-8''y`,
    'Content-Disposition: form-data; name="f"; filename="a\\"b;c"',
    'Content-Disposition: form-data; name="f"; filename="x"; filename="y"',
    'Content-Disposition: attachment; filename="x"',
    'Content-Disposition: form-data; name="f"; -filename="x"',
    'Content-Disposition: form-data; name="f"; filename="x";',
    'Content-Disposition: form-data; name="f"; filename=a:b',
    `Content-Disposition: form-data; name="f"; filename*=UTF-8''`,
    'Content-Disposition : form-data; name="f"',
    'Content-Type: image/jpeg',
    'Content-Type: text/plain; charset=utf-16',
    'Content-Type: multipart/mixed; boundary=ccc',
    'Content-Transfer-Encoding: base64',
    'Content-Length: 3',
    'X-Odd: \u00e4',
    ' folded',
    'nothing',
    '',
  ],
  contents: [
    'one',
    'two\r\n',
    '',
    '\r\n',
    '--bb',
    '\r\n--bb',
    '\r\n--bbb',
    '--ccc',
    '\n--bbb\r\n',
    'x\0y',
    '\xff\xfe',
  ],
  types: [
    'multipart/form-data; boundary=bbb',
    'multipart/form-data; boundary=bbb',
    'multipart/form-data; boundary=bbb',
    'multipart/form-data; boundary="bbb"',
    'multipart/form-data; boundary=bbb; charset=utf-8',
    'multipart/form-data; boundary=bbb; boundary=bb',
    'Multipart/Form-Data;Boundary=bbb',
  ],
}

/** A form that is nearly right, most of the time. */
function makeForm(random: () => number): { body: Buffer; type: string } {
  const pick = (from: readonly string[]) => from[Math.floor(random() * from.length)] ?? ''
  const mostly = (usual: string, from: readonly string[]) => (random() < 0.93 ? usual : pick(from))
  let text = random() < 0.1 ? `preamble${pick(PIECES.ends)}` : ''
  for (let parts = Math.floor(random() * 4); parts >= 0; parts--) {
    text += mostly('--bbb', PIECES.delimiters) + mostly('\r\n', PIECES.ends)
    const [first = ''] = PIECES.headers
    text += mostly(first, PIECES.headers) + mostly('\r\n', PIECES.ends)
    if (random() < 0.3) text += pick(PIECES.headers) + mostly('\r\n', PIECES.ends)
    text += mostly('\r\n', PIECES.ends)
    text += pick(PIECES.contents) + mostly('\r\n', PIECES.ends)
  }
  text += mostly('--bbb--', PIECES.delimiters) + mostly('\r\n', PIECES.ends)
  if (random() < 0.05) text += 'epilogue'
  return { body: Buffer.from(text, 'latin1'), type: pick(PIECES.types) }
}

/** Contents of the parts that the gate is told; `undefined` if it refuses. */
function toldTo(body: Buffer, type: string): string[] | undefined {
  try {
    return readFiles(body, { 'content-type': type }).map(({ bytes }) => bytes.toString('latin1'))
  } catch {
    return undefined
  }
}

describe('a form that the gate accepts', () => {
  it.each(Object.entries(PARSERS))(
    'has no part for %s that the gate was not told',
    async (_, parse) => {
      const random = randomFrom(7)
      let accepted = 0
      let compared = 0
      for (let i = 0; i < COUNT; i++) {
        const { body, type } = makeForm(random)
        const told = toldTo(body, type)
        if (!told) continue
        accepted++
        const found = await parse(body, type)
        if (!found) continue
        compared++
        const hidden = found.filter((content) => content !== '' && !told.includes(content))
        // A text of a form is told as bytes, and read by its charset.
        const isSame = hidden.every((content) => /[\x80-\xff]/.test(content))
        if (!isSame) expect({ found, body: body.toString('latin1'), type }).toEqual({ told })
      }
      expect(accepted).toBeGreaterThan(COUNT / 10)
      expect(compared).toBeGreaterThan(accepted / 2)
    },
  )
})
