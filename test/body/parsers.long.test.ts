// Forms that are nearly right, with a picture in them, are read by programs that origins use. Whenever one of them finds the
// picture, the gate sees it, or refuses the form.

import { atOnce } from '../../src/util/steps.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBodyReader } from '../../src/body/reader.ts'
import { MalformedBodyError } from '../../src/body/errors.ts'
import { readModules } from '../../src/core/node.ts'
import { allFiles } from '../../src/scan/scanned.ts'
import { budgetOf, FileScanner } from '../../src/scan/scanner.ts'
import { AMBIGUOUS, CLIENTS } from '../support/client-forms.ts'
import { randomFrom } from '../support/random.ts'
import {
  NPM_PARSERS,
  parseWithGo,
  parseWithPython,
  startPhp,
} from '../support/reference-parsers.ts'
import { picture } from '../support/sharp-images.ts'

const COUNT = 1500
const modules = readModules()
const PICTURE = '@@PICTURE@@'

interface Form {
  body: Buffer
  type: string
}

const CHOICES = {
  ends: ['\r\n', '\r\n', '\r\n', '\n', '\r', '', '\r\n\r\n', ' \r\n'],
  delimiters: ['--bbb', '--bbb', '--bbb', '--bbb--', '--bb', '-bbb', '--bbbb', '--BBB', ' --bbb'],
  headers: [
    'Content-Disposition: form-data; name="f"; filename="x"',
    'Content-Disposition: form-data; name="f"; filename="x"',
    'Content-Disposition: form-data; name="a"',
    'content-disposition:form-data;name=a;filename=b',
    `Content-Disposition: form-data; name="f"; filename*=UTF-8''y`,
    `Content-Disposition: form-data; name="f"; filename="x"; filename*=utf-8''photo(1).jpg`,
    'Content-Disposition: form-data; name="f"; filename="a\\"b;c"',
    'Content-Disposition: form-data; name="f"; filename="x"; filename="y"',
    'Content-Disposition: attachment; filename="x"',
    'Content-Disposition: form-data; name = "f";\tfilename="x";',
    'Content-Disposition : form-data; name="f"',
    'Content-Disposition: form-data; name="_charset_"',
    'Content-Type: image/jpeg',
    'Content-Type: text/plain; charset=utf-16',
    'Content-Type: multipart/mixed; boundary=ccc',
    'Content-Type: application/x-www-form-urlencoded',
    'Content-Transfer-Encoding: base64',
    'Content-Transfer-Encoding: quoted-printable',
    'Content-Length: 3',
    'X-Odd: \u00e4',
    ' folded',
    'nothing',
    '',
  ],
  contents: [
    PICTURE,
    PICTURE,
    PICTURE,
    'one',
    '',
    '\r\n',
    '\r\n--bb',
    '\r\n--bbb',
    '--ccc',
    '\n--bbb\r\n',
    '\xff\xd8',
  ],
  types: [
    'multipart/form-data; boundary=bbb',
    'multipart/form-data; boundary=bbb',
    'multipart/form-data; boundary="bbb"',
    'multipart/form-data; boundary=bbb; charset=utf-8',
    'multipart/form-data; boundary=bbb; boundary=bb',
    'multipart/form-data; boundary = bbb ;x',
    'Multipart/Form-Data;Boundary=bbb',
  ],
}

let image: Buffer
let forms: Form[]
const seen = new Map<Form, Promise<'seen' | 'refused' | 'missed'>>()

beforeAll(async () => {
  image = await picture(40, 32).jpeg().toBuffer()
  const random = randomFrom(7)
  forms = Array.from({ length: COUNT }, () => makeForm(random))
})

/** A form that is nearly right, most of the time. */
function makeForm(random: () => number): Form {
  const pick = (from: readonly string[]) => from[Math.floor(random() * from.length)] ?? ''
  const mostly = (usual: string, from: readonly string[]) => (random() < 0.93 ? usual : pick(from))
  let text = random() < 0.1 ? `${pick(['preamble', PICTURE])}${pick(CHOICES.ends)}` : ''
  for (let parts = Math.floor(random() * 3); parts >= 0; parts--) {
    text += mostly('--bbb', CHOICES.delimiters) + mostly('\r\n', CHOICES.ends)
    text += pick(CHOICES.headers) + mostly('\r\n', CHOICES.ends)
    if (random() < 0.4) text += pick(CHOICES.headers) + mostly('\r\n', CHOICES.ends)
    text += mostly('\r\n', CHOICES.ends)
    if (random() < 0.1) text += pick(CHOICES.contents)
    text += pick(CHOICES.contents) + mostly('\r\n', CHOICES.ends)
  }
  text += mostly('--bbb--', CHOICES.delimiters) + mostly('\r\n', CHOICES.ends)
  if (random() < 0.05) text += pick(['epilogue', PICTURE])
  const body = Buffer.from(
    text.replaceAll(PICTURE, () => image.toString('latin1')),
    'latin1',
  )
  return { body, type: pick(CHOICES.types) }
}

/** What the gate makes of a form: whether it sees a picture, or refuses. */
function lookAt(form: Form): Promise<'seen' | 'refused' | 'missed'> {
  let result = seen.get(form)
  if (!result) seen.set(form, (result = look(form)))
  return result
}

async function look({ body, type }: Form): Promise<'seen' | 'refused' | 'missed'> {
  const context = { modules, digestKinds: [] }
  const budget = budgetOf(context)
  const ended: FileScanner[] = []
  const handlers = {
    budget,
    openFile: ({ text }: { text?: 'text' | 'urlencoded' | undefined }) => {
      const scanner = new FileScanner(context, { budget, depth: 0, text })
      return {
        write: (chunk: Uint8Array, kind?: 'free' | 'handed') => scanner.write(chunk, kind),
        end: () => void ended.push(scanner),
      }
    },
    later: atOnce,
    onUnreadable: () => {},
  }
  try {
    const options = { maxFiles: 100, base64Fields: [] }
    const reader = createBodyReader(new Headers({ 'content-type': type }), options, handlers)
    reader.write(body)
    reader.end()
  } catch (error) {
    if (error instanceof MalformedBodyError) return 'refused'
    throw error
  }
  for (const scanner of ended) {
    const files = allFiles(await scanner.end())
    if (files.some((file) => file.coverage === 'scanned' && file.needles.length > 0)) return 'seen'
  }
  return 'missed'
}

/** Compares what a program found in each form with what the gate saw. */
async function expectSeen(found: (Buffer[] | undefined)[]): Promise<void> {
  let [pictures, refused] = [0, 0]
  for (const [i, form] of forms.entries()) {
    if (!found[i]?.some((content) => content.indexOf(image) >= 0 && content.indexOf(image) < 8))
      continue
    pictures++
    const what = await lookAt(form)
    if (what === 'refused') refused++
    if (what === 'missed')
      expect({ type: form.type, body: form.body.toString('latin1') }).toBe('seen')
  }
  expect(pictures).toBeGreaterThan(30)
  expect(pictures - refused).toBeGreaterThan(pictures / 10)
}

/** For each form that is refused, two parsers that find other parts in it. */
const DIFFERING: Record<keyof typeof AMBIGUOUS, [string, string]> = {
  'bare line feeds': ['werkzeug', 'busboy'],
  'bare line feeds in headers': ['multiparty', 'busboy'],
  'a space behind the boundary': ['werkzeug', 'busboy'],
  'a boundary behind the last': ['busboy', 'undici'],
  'no last boundary': ['busboy', 'multiparty'],
  'its boundary within a line': ['django', 'busboy'],
  'its boundary in headers': ['django', 'busboy'],
  'a bare CR in headers': ['PHP', 'busboy'],
  'a NUL in headers': ['formidable', 'busboy'],
  'long headers': ['formidable', 'busboy'],
  'a boundary with a backslash, in quotes': ['busboy', 'undici'],
  'a boundary with a comma': ['formidable', 'multer'],
  'a boundary with a space': ['formidable', 'multer'],
  'a boundary that is not ASCII': ['multiparty', 'multer'],
  'two boundaries': ['busboy', 'werkzeug'],
  'an encoded boundary': ['werkzeug', 'multiparty'],
  'two types': ['formidable', 'django'],
}

describe('a form that is refused', () => {
  it('is one that two parsers are named for', () => {
    expect(Object.keys(DIFFERING)).toEqual(Object.keys(AMBIGUOUS))
  })

  it.for(Object.entries(DIFFERING))(
    'is read differently: %s',
    async ([name, parsers], { skip }) => {
      const form = AMBIGUOUS[name]!(CLIENTS['.NET HttpClient']!, image)
      const found: string[] = []
      for (const parser of parsers) {
        const php = parser === 'PHP' ? await startPhp() : undefined
        const parse = php?.parse ?? NPM_PARSERS[parser]
        const parts =
          parser === 'werkzeug' || parser === 'django'
            ? parseWithPython(parser, [form])
            : parse && [await parse(form.body, form.type)]
        php?.stop()
        if (!parts) return skip(`${parser} is not installed`)
        found.push((parts[0] ?? []).map((part) => part.toString('base64')).join())
      }
      expect(found[0]).not.toBe(found[1])
      expect(found.some((parts) => parts.includes(image.toString('base64')))).toBe(true)
      return undefined
    },
  )
})

describe('a picture in a form', () => {
  it.each(Object.entries(NPM_PARSERS))('is seen wherever %s finds it', async (_, parse) => {
    const found: (Buffer[] | undefined)[] = []
    for (const { body, type } of forms) found.push(await parse(body, type))
    await expectSeen(found)
  })

  it('is seen wherever PHP finds it', async ({ skip }) => {
    const php = await startPhp()
    if (!php) return skip('PHP is not installed')
    afterAll(php.stop)
    const found: (Buffer[] | undefined)[] = []
    for (const { body, type } of forms) found.push(await php.parse(body, type))
    await expectSeen(found)
  })

  it('is seen wherever Go finds it', async ({ skip }) => {
    const found = parseWithGo(forms)
    if (!found) return skip('Go is not installed')
    await expectSeen(found)
  })

  for (const name of ['werkzeug', 'django'] as const) {
    it(`is seen wherever ${name} finds it`, async ({ skip }) => {
      const found = parseWithPython(name, forms)
      if (!found) return skip(`${name} is not installed`)
      await expectSeen(found)
    })
  }
})
