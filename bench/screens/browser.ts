import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

/** Debian's name first. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

const ARGUMENTS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--hide-scrollbars',
  '--allow-file-access-from-files',
  '--remote-debugging-pipe',
]

/** The screen that a page is shown on. */
export interface Screen {
  /** CSS pixels. */
  width: number
  height: number
  /** Screen pixels per CSS pixel, a side. */
  scale: number
}

/** Name of a Chromium on this machine, if there is one. */
export function findChromium(): string | undefined {
  return NAMES.find((name) => spawnSync(name, ['--version']).status === 0)
}

/**
 * A headless Chromium, controlled by the DevTools protocol over a pipe: JSON, each message followed
 * by a zero byte.
 */
export class Browser {
  readonly #child: ChildProcess
  readonly #pending = new Map<number, (message: Message) => void>()
  #sent = 0
  #text = ''
  #session: string | undefined
  #onLoad: (() => void) | undefined

  private constructor(child: ChildProcess) {
    this.#child = child
    const from = child.stdio[4] as Readable
    from.setEncoding('utf8')
    from.on('data', (text: string) => this.#read(text))
  }

  static async start(name: string, profile: string): Promise<Browser> {
    const child = spawn(name, [...ARGUMENTS, `--user-data-dir=${profile}`], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    })
    const browser = new Browser(child)
    const { targetId } = await browser.#send('Target.createTarget', { url: 'about:blank' })
    const attached = await browser.#send('Target.attachToTarget', { targetId, flatten: true })
    browser.#session = String(attached['sessionId'])
    await browser.#send('Page.enable')
    return browser
  }

  /** A JPEG of quality 92 of what a page shows, like a shared phone screenshot. */
  async shot(url: string, { width, height, scale }: Screen): Promise<Buffer> {
    await this.#send('Emulation.setDeviceMetricsOverride', {
      ...{ width, height, deviceScaleFactor: scale, mobile: false },
    })
    const loaded = new Promise<void>((resolve) => (this.#onLoad = resolve))
    await this.#send('Page.navigate', { url })
    await loaded
    const options = { format: 'jpeg', quality: 92, optimizeForSpeed: true }
    const { data } = await this.#send('Page.captureScreenshot', options)
    return Buffer.from(String(data), 'base64')
  }

  stop(): void {
    this.#child.kill()
  }

  #send(method: string, params: object = {}): Promise<Result> {
    const id = ++this.#sent
    const sessionId = this.#session
    const message = JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })
    const to = this.#child.stdio[3] as Writable
    return new Promise((resolve, reject) => {
      this.#pending.set(id, ({ result, error }) =>
        result ? resolve(result) : reject(new Error(`${method}: ${error?.message}`)),
      )
      to.write(`${message}\0`)
    })
  }

  #read(text: string): void {
    const messages = (this.#text + text).split('\0')
    this.#text = messages.pop() ?? ''
    for (const message of messages.map((one) => JSON.parse(one) as Message)) {
      if (message.method === 'Page.loadEventFired') this.#onLoad?.()
      if (message.id === undefined) continue
      this.#pending.get(message.id)?.(message)
      this.#pending.delete(message.id)
    }
  }
}

type Result = Record<string, unknown>

interface Message {
  id?: number
  method?: string
  result?: Result
  error?: { message: string }
}
