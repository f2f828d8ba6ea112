import { createHash, randomBytes } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { gzipSync } from 'node:zlib'
import { writeZip } from '../../test/support/archive-writer.ts'
import { Faults } from './faults.ts'

/** When clients disconnect. */
const DEPARTURES = ['in its body', 'before its answer'] as const
type Departure = (typeof DEPARTURES)[number]

/** An upload under way. */
export interface ChaosUpload {
  path: string
  headers: Record<string, string>
  body: Buffer
  isKnown: boolean
  /** Whether it is sent without a length. */
  isChunked: boolean
  /** Bytes that its client sends. */
  sent: number
  /** When its client disconnects, if it does. */
  departure?: Departure | undefined
}

/**
 * What its client saw: a status, a broken connection, or nothing for a long time; or that it
 * disconnected itself.
 */
export type ChaosAnswer = number | 'broken' | 'nothing' | Departure

/** Milliseconds within which a client must get an answer. */
const MAX_WAIT_MS = 150_000

/** Makes uploads of pictures, in every form that they arrive in. */
export class UploadMaker {
  readonly faults: Faults<Departure>
  readonly #random: () => number
  readonly #known: readonly Buffer[]
  readonly #others: readonly Buffer[]
  #count = 0

  constructor(random: () => number, known: readonly Buffer[], others: readonly Buffer[]) {
    this.faults = new Faults(DEPARTURES, random)
    this.#random = random
    this.#known = known
    this.#others = others
  }

  next(departure = this.faults.pick()): ChaosUpload {
    const isKnown = this.#random() < 0.4
    const { headers, body } = this.#pick(WAYS)(this.#pick(isKnown ? this.#known : this.#others))
    return {
      path: `/uploads/${this.#count++}`,
      headers,
      body,
      isKnown,
      isChunked: this.#random() < 0.3,
      sent: departure === 'in its body' ? Math.floor(this.#random() * body.length) : body.length,
      departure,
    }
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[Math.floor(this.#random() * from.length)]
    if (picked === undefined) throw new RangeError('there is nothing to pick from')
    return picked
  }
}

type Way = (picture: Buffer) => { headers: Record<string, string>; body: Buffer }

const WAYS: readonly Way[] = [
  (picture) => ({ headers: { 'content-type': 'image/jpeg' }, body: picture }),
  (picture) => form(picture),
  (picture) => form(randomBytes(50_000), picture, randomBytes(3_000_000)),
  (picture) => ({
    headers: { 'content-type': 'application/zip' },
    body: Buffer.from(writeZip([{ name: 'a.jpg', content: picture, method: 8 }])),
  }),
  (picture) => json(picture.toString('base64')),
  (picture) => json(Buffer.concat([randomBytes(1), picture]).toString('base64')),
  (picture) => json(Buffer.concat([randomBytes(2), picture]).toString('base64')),
  (picture) => json(picture.toString('hex')),
  (picture) => ({
    headers: { 'content-type': 'image/jpeg', 'content-encoding': 'gzip' },
    body: gzipSync(picture),
  }),
  (picture) => ({ headers: {}, body: Buffer.concat([picture, randomBytes(2_500_000)]) }),
  (picture) => ({ headers: {}, body: Buffer.concat([randomBytes(2_500_000), picture]) }),
  (picture) => ({ headers: {}, body: Buffer.concat([picture, Buffer.alloc(5_000_000)]) }),
]

function form(...files: readonly Buffer[]): ReturnType<Way> {
  const parts = files.flatMap((file, i) => [
    Buffer.from(`--frontier\r\nContent-Disposition: form-data; name="f"; filename="${i}"\r\n\r\n`),
    file,
    Buffer.from('\r\n'),
  ])
  return {
    headers: { 'content-type': 'multipart/form-data; boundary=frontier' },
    body: Buffer.concat([...parts, Buffer.from('--frontier--\r\n')]),
  }
}

function json(image: string): ReturnType<Way> {
  return {
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ image })),
  }
}

export function digestOf(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex')
}

/** Sends an upload, as far as its client does. */
export function send(base: URL, upload: ChaosUpload): Promise<ChaosAnswer> {
  const { path, headers, body, isChunked, sent, departure } = upload
  const length = isChunked ? {} : { 'content-length': String(body.length) }
  return new Promise((resolve) => {
    const request = httpRequest(new URL(path, base), {
      method: 'POST',
      headers: { ...headers, ...length },
      agent: false,
    })
    const timer = setTimeout(() => end('nothing'), MAX_WAIT_MS)
    const end = (answer: ChaosAnswer) => {
      clearTimeout(timer)
      resolve(answer)
      request.destroy()
    }
    request.on('error', () => end('broken'))
    request.on('response', (response) => {
      response.resume()
      response.on('error', () => end('broken'))
      response.on('end', () => end(response.statusCode ?? 'broken'))
      response.on('close', () => end('broken'))
    })
    const leave = () => setTimeout(() => departure && end(departure), 20)
    if (departure === 'in its body') request.write(body.subarray(0, sent), leave)
    else request.end(body, leave)
  })
}
