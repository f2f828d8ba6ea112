import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endBrowser } from './chromium.ts'

const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  ...['--remote-debugging-port=0', '--hide-scrollbars'],
]
const STARTED_WITHIN_MS = 120_000
const UNTIL_MS = 120_000

type Answer = Record<string, unknown>

/** A page of a headless Chromium, driven by the DevTools protocol. */
export class Browser {
  readonly #process: ChildProcess
  readonly #profile: string
  readonly #socket: WebSocket
  readonly #open = new Map<number, (answer: Answer) => void>()
  /** Errors that scripts of the page did not catch. */
  readonly errors: string[] = []
  #last = 0

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process
    this.#profile = profile
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(String(data)) as Answer))
  }

  static async open(chromium: string, url: string): Promise<Browser> {
    const profile = await mkdtemp(join(tmpdir(), 'hashgate-browser-'))
    const args = [...FLAGS, `--user-data-dir=${profile}`, 'about:blank']
    const child = spawn(chromium, args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
    const endpoint = await debuggerOf(child)
    const pages = (await (await fetch(`http://${new URL(endpoint).host}/json`)).json()) as {
      type: string
      webSocketDebuggerUrl: string
    }[]
    const page = pages.find(({ type }) => type === 'page')
    const socket = new WebSocket(page?.webSocketDebuggerUrl ?? '')
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    const browser = new Browser(child, profile, socket)
    await browser.send('Page.enable')
    await browser.send('Runtime.enable')
    await browser.send('Page.navigate', { url })
    await browser.until("document.readyState === 'complete' && location.href !== 'about:blank'")
    return browser
  }

  #take({ id, result, method, params }: Answer): void {
    if (method === 'Runtime.exceptionThrown') this.errors.push(JSON.stringify(params))
    if (typeof id === 'number') this.#open.get(id)?.(result as Answer)
  }

  /** Sends a command of the protocol. */
  send(method: string, params: object = {}): Promise<Answer> {
    const id = ++this.#last
    this.#socket.send(JSON.stringify({ id, method, params }))
    return new Promise((resolve) => this.#open.set(id, resolve))
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const params = { expression, awaitPromise: true, returnByValue: true }
    const { result } = (await this.send('Runtime.evaluate', params)) as { result: { value: T } }
    return result.value
  }

  /** Waits until an expression is true in the page. */
  async until(expression: string): Promise<void> {
    const limit = Date.now() + UNTIL_MS
    while (!(await this.evaluate<boolean>(`Boolean(${expression})`))) {
      if (Date.now() > limit) throw new Error(`never true in the page: ${expression}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async press(key: string, code = key): Promise<void> {
    const text = key === 'Enter' ? '\r' : key === ' ' ? ' ' : undefined
    const windowsVirtualKeyCode = { Tab: 9, Enter: 13, ' ': 32 }[key] ?? 0
    const params = { key, code, windowsVirtualKeyCode, ...(text && { text }) }
    await this.send('Input.dispatchKeyEvent', { type: 'keyDown', ...params })
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...params })
  }

  /** The page at a width, in pixels, and as a light or dark one. */
  async resize(width: number, height: number, scheme: 'light' | 'dark' = 'light'): Promise<void> {
    const metrics = { width, height, deviceScaleFactor: 1, mobile: width < 500 }
    await this.send('Emulation.setDeviceMetricsOverride', metrics)
    const features = [{ name: 'prefers-color-scheme', value: scheme }]
    await this.send('Emulation.setEmulatedMedia', { features })
  }

  /** A picture of the page, as PNG. */
  async screenshot(): Promise<Buffer> {
    const params = { format: 'png', captureBeyondViewport: false }
    const { data } = await this.send('Page.captureScreenshot', params)
    return Buffer.from(String(data), 'base64')
  }

  /** Ends the browser with all of its processes. */
  async close(): Promise<void> {
    this.#socket.close()
    await endBrowser(this.#process, this.#profile)
  }
}

/** The address of a browser's debugger, which it writes when it has started. */
function debuggerOf({ stderr }: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const timer = setTimeout(() => reject(new Error(`no debugger: ${said}`)), STARTED_WITHIN_MS)
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const [, url] = /DevTools listening on (ws:\S+)/.exec(said) ?? []
      if (url === undefined) return
      clearTimeout(timer)
      resolve(url)
    })
  })
}
