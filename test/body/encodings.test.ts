import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { BodyOverLimitError, MalformedBodyError } from '../../src/body/errors.ts'
import { MAX_INFLATED_BYTES } from '../../src/body/limits.ts'
import { createBodyReader } from '../../src/body/reader.ts'
import { ScanBudget } from '../../src/scan/budget.ts'
import { SCAN_LIMITS } from '../../src/scan/limits.ts'
import { INFLATED_BYTE_MS } from '../../src/scan/work.ts'
import { atOnce } from '../../src/util/steps.ts'
import { randomBytes } from '../support/random.ts'
import { readFiles } from '../support/read-body.ts'

const CONTENT = Buffer.concat([randomBytes(9000, 1), Buffer.from('abc'.repeat(3000))])
const SIZES = [Infinity, 4096, 7, 1]

const ENCODED: [string, Buffer][] = [
  ['gzip', gzipSync(CONTENT)],
  ['x-gzip', gzipSync(CONTENT)],
  ['GZIP', Buffer.concat([gzipSync(CONTENT.subarray(0, 5000)), gzipSync(CONTENT.subarray(5000))])],
  ['deflate', deflateSync(CONTENT)],
  ['deflate', deflateSync(CONTENT, { level: 1 })],
  ['deflate', deflateRawSync(CONTENT)],
  ['deflate, gzip', gzipSync(deflateSync(CONTENT))],
  ['identity', CONTENT],
  ['', CONTENT],
]

describe('a compressed body', () => {
  it.each(ENCODED)('is passed on inflated: %j', (encoding, body) => {
    for (const size of SIZES) {
      const files = readFiles(body, { 'content-encoding': encoding }, { size })
      const [file, raw] = files
      expect(Buffer.compare(file!.bytes, CONTENT)).toBe(0)
      // As it came, it is told as well: an origin may take it so.
      if (body !== CONTENT) expect(Buffer.compare(raw!.bytes, body)).toBe(0)
      expect(files.map(({ isText }) => isText)).toEqual(body === CONTENT ? [false] : [false, true])
    }
  })

  it('may be deflate without a header whose first bytes are nearly those of zlib', () => {
    const inputs = Array.from({ length: 1000 }, (_, i) => Buffer.from(randomBytes(20, i)))
    const isCheck = ([first = 0, second = 0]: Buffer) => (first * 256 + second) % 31 === 0
    // A check of zlib without its method; its method without a check, as a stored block may have bits that nobody reads.
    const checked = inputs.find((input) => isCheck(deflateRawSync(input)))!
    const stored = Buffer.concat([
      Buffer.of(8, 3, 0, 252, 255),
      Buffer.from('abc'),
      Buffer.of(3, 0),
    ])
    const headers = { 'content-encoding': 'deflate' }
    expect(readFiles(deflateRawSync(checked), headers)[0]!.bytes).toEqual(checked)
    expect(readFiles(stored, headers)[0]!.text).toBe('abc')
  })

  it('may be a form', () => {
    const form =
      '--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\none\r\n--b--\r\n'
    const headers = {
      'content-encoding': 'gzip',
      'content-type': 'multipart/form-data; boundary=b',
    }
    expect(readFiles(gzipSync(form), headers)[0]?.text).toEqual('one')
    // An origin that does not inflate it would find the second form.
    const two = Buffer.concat([gzipSync(form), Buffer.from(`\r\n${form}`)])
    for (const size of SIZES)
      expect(() => readFiles(two, headers, { size })).toThrow(MalformedBodyError)
  })

  it.each(['br', 'zstd', 'compress', 'gzip, br', 'gzip, gzip, gzip'])(
    'is told as it came where its encoding is not read: %s',
    (encoding) => {
      const reasons: string[] = []
      const onUnreadable = (reason: string) => void reasons.push(reason)
      const [file] = readFiles(CONTENT, { 'content-encoding': encoding }, { onUnreadable })
      expect([reasons, file?.isText]).toEqual([['unsupported-encoding'], true])
      expect(Buffer.compare(file!.bytes, CONTENT)).toBe(0)
    },
  )

  it.each([
    ['gzip', Buffer.from('no gzip at all')],
    ['gzip', gzipSync(CONTENT).subarray(0, -1)],
    ['gzip', Buffer.concat([gzipSync(CONTENT).subarray(0, -8), Buffer.alloc(8)])],
    ['deflate', deflateSync(CONTENT).subarray(0, -1)],
    ['deflate', deflateRawSync(CONTENT).subarray(0, -1)],
    ['deflate', Buffer.concat([deflateSync(CONTENT), Buffer.from('x')])],
    ['deflate', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['deflate', Buffer.of(3)], // the first of two bytes that are nothing, packed
  ])('is refused if it is damaged: %s, %#', (encoding, body) => {
    for (const size of SIZES) {
      expect(() => readFiles(body, { 'content-encoding': encoding }, { size })).toThrow(
        MalformedBodyError,
      )
    }
  })

  it('may be empty', () => {
    for (const encoding of ['gzip', 'deflate']) {
      expect(readFiles('', { 'content-encoding': encoding }).map(({ text }) => text)).toEqual([
        '',
        '',
      ])
    }
  })

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const)(
    'gives on little at each step, which is looked at before more is: %s',
    (name, pack) => {
      let given = 0
      const steps: number[] = []
      const reader = createBodyReader(
        new Headers({ 'content-encoding': name }),
        { maxFiles: 1, base64Fields: [] },
        {
          budget: new ScanBudget(SCAN_LIMITS),
          openFile: ({ isRaw }) => ({
            write: ({ length }) => void (given += isRaw ? 0 : length),
            end: () => {},
          }),
          later: (work) => {
            for (let isDone = false; !isDone; given = 0) {
              isDone = work.next().done ?? false
              steps.push(given)
            }
          },
          onUnreadable: () => {},
        },
      )
      reader.write(pack(Buffer.alloc(900_000)))
      reader.end()
      expect(steps.reduce((sum, step) => sum + step)).toBe(900_000)
      expect(Math.max(...steps)).toBeLessThanOrEqual(32 * 1024)
    },
  )

  it('may grow a hundredfold, and no more', () => {
    const read = (body: Buffer) => () => readFiles(body, { 'content-encoding': 'gzip' })
    expect(read(gzipSync(Buffer.alloc(900_000)))).not.toThrow()
    expect(read(gzipSync(Buffer.alloc(3_000_000)))).toThrow(BodyOverLimitError)
  })

  it.each(['gzip', 'gzip, gzip'])('is read as far as work goes, and no further: %s', (encoding) => {
    const noise = randomBytes(400_000, 3)
    const head = '--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n'
    const form = Buffer.concat([Buffer.from(head), noise, Buffer.from('\r\n--b--\r\n')])
    const packed = encoding === 'gzip' ? gzipSync(form) : gzipSync(gzipSync(form))
    const headers = {
      'content-encoding': encoding,
      'content-type': 'multipart/form-data; boundary=b',
    }
    for (const size of [Infinity, 4096]) {
      const reasons: string[] = []
      const onUnreadable = (reason: string) => void reasons.push(reason)
      const workMs = INFLATED_BYTE_MS * noise.length * 0.5
      const budget = new ScanBudget({ ...SCAN_LIMITS, workMs })
      const files = readFiles(packed, headers, { size, budget, onUnreadable })
      const part = files.find(({ isRaw }) => !isRaw)
      expect(part?.bytes.length).toBeGreaterThan(50_000)
      expect(part?.bytes.length).toBeLessThan(noise.length)
      expect(Buffer.compare(part!.bytes, noise.subarray(0, part!.bytes.length))).toBe(0)
      expect([...new Set(reasons)]).toEqual(['over-limit'])
      expect(budget.workMs).toBeLessThan(2 * workMs)
      expect(files.at(-1)?.bytes).toEqual(Buffer.from(packed))
    }
  })

  it('may inflate up to its limit', () => {
    let told = 0
    const sink = { write: (chunk: Uint8Array) => void (told += chunk.length), end: () => {} }
    const reader = createBodyReader(
      new Headers({ 'content-encoding': 'deflate' }),
      { maxFiles: 1, base64Fields: [] },
      {
        budget: new ScanBudget(SCAN_LIMITS),
        openFile: () => sink,
        later: atOnce,
        onUnreadable: () => {},
      },
    )
    // Stored blocks of 65,535 bytes: as much as goes in comes out.
    const block = Buffer.concat([Buffer.from([0, 0xff, 0xff, 0, 0]), Buffer.alloc(65_535, 1)])
    const fill = () => {
      for (let i = 0; i < MAX_INFLATED_BYTES / 65_535 - 1; i++) reader.write(block)
    }
    expect(fill).not.toThrow()
    expect(told).toBeGreaterThan(MAX_INFLATED_BYTES - 2 * 65_535)
    const more = () => {
      for (let i = 0; i < 3; i++) reader.write(block)
    }
    expect(more).toThrow(BodyOverLimitError)
  })
})

describe('a body in chunks of S3', () => {
  const signature = `;chunk-signature=${'ab'.repeat(32)}`
  const chunk = (data: Uint8Array) =>
    Buffer.concat([
      Buffer.from(`${data.length.toString(16)}${signature}\r\n`),
      data,
      Buffer.from('\r\n'),
    ])
  const end = Buffer.from(`0${signature}\r\n\r\n`)
  const body = Buffer.concat([chunk(CONTENT.subarray(0, 8192)), chunk(CONTENT.subarray(8192)), end])
  const headers = { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' }

  it.each([headers, { 'content-encoding': 'aws-chunked' }])(
    'is passed on without them: %o',
    (own) => {
      for (const size of SIZES) {
        const [file] = readFiles(body, own, { size })
        expect(Buffer.compare(file!.bytes, CONTENT)).toBe(0)
      }
    },
  )

  it('may have trailing headers', () => {
    const trailing = Buffer.from('0\r\nx-amz-checksum-crc32c:sOO8/Q==\r\n\r\n')
    const [file] = readFiles(Buffer.concat([chunk(CONTENT), trailing]), headers)
    expect(Buffer.compare(file!.bytes, CONTENT)).toBe(0)
  })

  it('may be compressed', () => {
    const [file] = readFiles(Buffer.concat([chunk(gzipSync(CONTENT)), end]), {
      ...headers,
      'content-encoding': 'aws-chunked,gzip',
    })
    expect(Buffer.compare(file!.bytes, CONTENT)).toBe(0)
  })

  it('may have lines of a KiB', () => {
    for (const size of SIZES) {
      const line = `3;x=${'x'.repeat(1018)}\r\n`
      const [file] = readFiles(Buffer.from(`${line}abc\r\n0\r\n\r\n`), headers, { size })
      expect([line.length, file?.bytes.toString()]).toEqual([1024, 'abc'])
    }
  })

  it.each([
    ['no size', Buffer.from('x\r\n')],
    ['no size, and an end', Buffer.from('x\r\n\r\n')],
    ['no end', chunk(CONTENT)],
    ['a size that is too small', Buffer.from('2\r\nabc\r\n0\r\n\r\n')],
    ['a bare LF', Buffer.from('3\nabc\r\n0\r\n\r\n')],
    ['something behind its end', Buffer.concat([end, Buffer.from('x')])],
    ['a form behind its end', Buffer.concat([end, Buffer.from('\r\n--b\r\n')])],
    ['a trailer that is none', Buffer.from('0\r\nno header\r\n\r\n')],
    ['a long line', Buffer.from(`3;x=${'x'.repeat(1019)}\r\nabc\r\n0\r\n\r\n`)],
  ])('is refused if it is malformed: %s', (_, bad) => {
    for (const size of SIZES) {
      expect(() => readFiles(bad, headers, { size })).toThrow(MalformedBodyError)
    }
  })
})
