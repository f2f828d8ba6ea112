import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]

/** Path of the Chromium of this machine, if it has one. */
export function findChromium(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A page in a headless Chromium of its own. */
export class ChromiumPage {
  readonly #process: ChildProcess
  readonly #profile: string

  private constructor(process: ChildProcess, profile: string) {
    this.#process = process
    this.#profile = profile
  }

  static async open(chromium: string, url: string): Promise<ChromiumPage> {
    const profile = await mkdtemp(join(tmpdir(), 'hashgate-chromium-'))
    const args = [...FLAGS, `--user-data-dir=${profile}`, url]
    return new ChromiumPage(spawn(chromium, args, { detached: true, stdio: 'ignore' }), profile)
  }

  /** Ends the browser with all of its processes. */
  async close(): Promise<void> {
    await endBrowser(this.#process, this.#profile)
  }
}

/** Ends a browser that leads a group of processes, and removes its profile. */
export async function endBrowser(browser: ChildProcess, profile: string): Promise<void> {
  const { pid } = browser
  if (pid !== undefined && browser.exitCode === null) {
    const isOver = new Promise((resolve) => browser.once('exit', resolve))
    process.kill(-pid, 'SIGKILL')
    await isOver
  }
  await rm(profile, { recursive: true, force: true, maxRetries: 5 })
}
