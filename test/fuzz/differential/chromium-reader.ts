import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ChromiumPage } from '../../support/chromium.ts'
import type { Reader, Shown } from './reading.ts'

/** Pixels of a side beyond which a picture is not read back. */
const MAX_SIDE = 2048
const WAIT_MS = 30_000
/** Files that the page shows at the same time; a browser opens six connections to a host, and each takes two. */
const AT_ONCE = 3

const PAGE = `<!doctype html><script type="module">
async function show(url, context) {
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
  context.canvas.width = width
  context.canvas.height = height
  context.drawImage(image, 0, 0)
  const { data } = context.getImageData(0, 0, width, height)
  const body = new Uint8Array(8 + data.length)
  new DataView(body.buffer).setUint32(0, width)
  new DataView(body.buffer).setUint32(4, height)
  body.set(data, 8)
  return body
}
async function showAll() {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  for (;;) {
    const next = await fetch('/next')
    if (next.status !== 200) continue
    const id = await next.text()
    await fetch('/shown/' + id, { method: 'POST', body: await show('/file/' + id, context) })
  }
}
for (let left = ${AT_ONCE}; left > 0; left--) void showAll()
</script>`

interface Asked {
  file: Uint8Array
  answer(shown: Shown | undefined): void
}

/** Shows files in a headless Chromium, and reads its pixels. */
export class ChromiumReader implements Reader {
  readonly program = 'Chromium'
  readonly #server: Server
  #page: ChromiumPage | undefined
  readonly #asked = new Map<string, Asked>()
  readonly #queue: string[] = []
  readonly #waiting: ServerResponse[] = []
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

  readonly read = (file: Uint8Array): Promise<Shown | undefined> => {
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
    if (this.#waiting.length > 0 && this.#queue.length > 0)
      this.#waiting.shift()?.end(this.#queue.shift())
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, action, id = ''] = (request.url ?? '/').split('/')
    if (action === 'next') {
      this.#waiting.push(response)
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
