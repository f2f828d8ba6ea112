import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ChromiumPage } from '../../support/chromium.ts'
import type { Shown } from './reading.ts'

/** Pixels of a side beyond which a picture is not read back. */
const MAX_SIDE = 2048
const WAIT_MS = 30_000

const PAGE = `<!doctype html><script type="module">
const canvas = document.createElement('canvas')
const context = canvas.getContext('2d', { willReadFrequently: true })
async function show(url) {
  const image = new Image()
  const isLoaded = new Promise((resolve) => {
    image.onload = () => resolve(true)
    image.onerror = () => resolve(false)
  })
  image.src = url
  if (!await isLoaded) return new Uint8Array(0)
  const { naturalWidth: width, naturalHeight: height } = image
  if (!width || !height || width > ${MAX_SIDE} || height > ${MAX_SIDE}) return new Uint8Array(0)
  try { await image.decode() } catch { return new Uint8Array(0) }
  canvas.width = width
  canvas.height = height
  context.drawImage(image, 0, 0)
  const { data } = context.getImageData(0, 0, width, height)
  const body = new Uint8Array(8 + data.length)
  new DataView(body.buffer).setUint32(0, width)
  new DataView(body.buffer).setUint32(4, height)
  body.set(data, 8)
  return body
}
for (;;) {
  const next = await fetch('/next')
  if (next.status !== 200) continue
  const id = await next.text()
  await fetch('/shown/' + id, { method: 'POST', body: await show('/file/' + id) })
}
</script>`

interface Asked {
  file: Uint8Array
  answer(shown: Shown | undefined): void
}

/** Shows files in a headless Chromium, one after another, and reads its pixels. */
export class ChromiumReader {
  readonly #server: Server
  #page: ChromiumPage | undefined
  readonly #asked = new Map<string, Asked>()
  readonly #queue: string[] = []
  #waiting: ServerResponse | undefined
  #count = 0

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  static async open(chromium: string): Promise<ChromiumReader> {
    const reader = new ChromiumReader()
    const listens = new Promise<void>((resolve) => {
      reader.#server.listen(0, '127.0.0.1', resolve)
    })
    await listens
    const { port } = reader.#server.address() as AddressInfo
    reader.#page = await ChromiumPage.open(chromium, `http://127.0.0.1:${port}/`)
    return reader
  }

  /** What Chromium shows of a file, at first; `undefined`: nothing. */
  read(file: Uint8Array): Promise<Shown | undefined> {
    const id = String(this.#count++)
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#asked.get(id)?.answer(undefined), WAIT_MS)
      const answer = (shown: Shown | undefined) => {
        clearTimeout(timer)
        this.#asked.delete(id)
        resolve(shown)
      }
      this.#asked.set(id, { file, answer })
      this.#queue.push(id)
      this.#giveNext()
    })
  }

  async close(): Promise<void> {
    await this.#page?.close()
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #giveNext(): void {
    const id = this.#waiting && this.#queue.shift()
    if (id === undefined) return
    this.#waiting?.end(id)
    this.#waiting = undefined
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, action, id = ''] = (request.url ?? '/').split('/')
    if (action === 'next') {
      this.#waiting = response
      this.#giveNext()
    } else if (action === 'file') {
      response.end(this.#asked.get(id)?.file)
    } else if (action === 'shown') {
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part as Buffer)
      this.#asked.get(id)?.answer(shownOf(Buffer.concat(parts)))
      response.end()
    } else {
      response.setHeader('Content-Type', 'text/html')
      response.end(action === '' ? PAGE : '')
    }
  }
}

function shownOf(body: Buffer): Shown | undefined {
  if (body.length < 8) return undefined
  return { width: body.readUInt32BE(0), height: body.readUInt32BE(4), pixels: body.subarray(8) }
}
