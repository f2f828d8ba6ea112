// `hashgate/pdq` as it is published: packed, installed, and used as a project would, on each platform.

import { execFile } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { Log, LogLevel, Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { within } from '../../src/util/within.ts'
import { writeBmp } from '../support/bmp-writer.ts'
import { ChromiumPage, findChromium } from '../support/chromium.ts'
import { Consumer } from '../support/consumer.ts'
import { largePicture, picture } from '../support/sharp-images.ts'

const run = promisify(execFile)

let consumer: Consumer
const files: Record<string, Uint8Array> = {}
/** By `hashgate hash`, in the order of the files. */
let expected: object[]

beforeAll(async () => {
  files['photo.jpg'] = await largePicture(2000, 1500).jpeg().toBuffer()
  files['progressive.jpg'] = await picture(400, 300).jpeg({ progressive: true }).toBuffer()
  files['turned.jpg'] = await picture(400, 300).withMetadata({ orientation: 6 }).jpeg().toBuffer()
  files['opaque.png'] = await picture(300, 200).png().toBuffer()
  files['alpha.png'] = await picture(300, 200, 4).png().toBuffer()
  files['grey.png'] = await picture(300, 200, 1).png().toBuffer()
  files['image.gif'] = await picture(300, 200).gif().toBuffer()
  files['image.bmp'] = writeBmp({ width: 90, height: 70, bits: 24, pixel: (x, y) => x * y * 977 })
  files['half.jpg'] = files['photo.jpg'].subarray(0, files['photo.jpg'].length * 0.7)
  files['start.jpg'] = files['photo.jpg'].subarray(0, 5000)
  files['tiny.png'] = await picture(4, 9).png().toBuffer()
  files['text.txt'] = Buffer.from('no image')

  consumer = await Consumer.install()
  for (const [name, bytes] of Object.entries(files)) await writeFile(consumer.path(name), bytes)
  expected = await hashedByCommand(Object.keys(files))
})

afterAll(() => consumer.remove())

/** What the command of the same package says. */
async function hashedByCommand(names: string[]): Promise<object[]> {
  const cli = 'node_modules/hashgate/dist/cli.js'
  const args = [cli, 'hash', '--json', '--dihedral', ...names]
  const failed = await run(process.execPath, args, { cwd: consumer.folder }).catch(
    (error: { stdout: string }) => error, // some files have no hash
  )
  const lines = failed.stdout.trim().split('\n')
  return lines.map((line) => {
    const { hash, quality, dihedral, reason } = JSON.parse(line) as Record<string, unknown>
    return hash === undefined ? { reason } : { hash, quality, dihedral }
  })
}

describe('the package', () => {
  it('has what is built and its documentation, and no sources or bundles', async () => {
    const packed = await readdir(consumer.path('node_modules/hashgate'))
    expect(packed.toSorted()).toEqual([
      ...['CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md'],
      ...['THIRD-PARTY-NOTICES.md', 'assets', 'build', 'dist', 'docs', 'examples', 'package.json'],
    ])
    const built = await readdir(consumer.path('node_modules/hashgate/build'))
    expect(new Set(built.map((name) => extname(name)))).toEqual(new Set(['.wasm']))
  })

  it('has types that need neither those of a platform nor a blind eye', async () => {
    const strict = ['--strict', '--skipLibCheck', 'false', '--types', '', '--noEmit']
    const target = ['--ignoreConfig', '--target', 'es2024', '--module', 'nodenext']
    const check = (lib: string, ...sources: string[]) =>
      consumer.run('tsc', ...strict, ...target, '--lib', lib, ...sources)
    await expect(check('es2024', 'use.ts')).resolves.toBeUndefined()
    await expect(check('es2024,dom', 'use.ts', 'use-dom.ts')).resolves.toBeUndefined()
  })
})

describe('hashgate/pdq hashes as the command does', () => {
  it('knows what the command says', () => {
    const reasons = expected.flatMap((one) => ('reason' in one ? [one.reason] : []))
    expect(reasons).toEqual(['truncated', 'too-small', 'unknown-format'])
  })

  it('in Node', async () => {
    const args = ['node.js', ...Object.keys(files)]
    const { stdout } = await run(process.execPath, args, { cwd: consumer.folder })
    expect(JSON.parse(stdout)).toEqual(expected)
  })

  it('in workerd, deployed by wrangler without flags', async () => {
    const worker = await startWorker()
    try {
      const url = await worker.unsafeGetDirectURL('consumer')
      for (const [i, body] of Object.values(files).entries()) {
        const response = await fetch(url, { method: 'POST', body: new Uint8Array(body) })
        expect(await response.json()).toEqual(expected[i])
      }
    } finally {
      await worker.dispose()
    }
  })

  it('in Chromium, files as well as pixels of a canvas', async ({ skip }) => {
    const chromium = findChromium()
    if (chromium === undefined) return skip('this machine has no Chromium on its PATH')
    expect(await askPage(chromium)).toEqual({
      files: expected,
      canvas: [expected[Object.keys(files).indexOf('opaque.png')]],
    })
  })
})

/** What wrangler makes of worker.js, in workerd. */
async function startWorker(): Promise<Miniflare> {
  const date = '2026-10-20'
  const args = ['--dry-run', '--outdir', 'out', '--name', 'consumer', '--compatibility-date', date]
  await consumer.run('wrangler', 'deploy', 'worker.js', ...args)
  const modules: Record<string, { type: 'esm' | 'wasm'; contents: Uint8Array<ArrayBuffer> }> = {}
  for (const name of await readdir(consumer.path('out'))) {
    const contents = new Uint8Array(await readFile(consumer.path(`out/${name}`)))
    if (name.endsWith('.js')) modules[name] = { type: 'esm', contents }
    if (name.endsWith('.wasm')) modules[name] = { type: 'wasm', contents }
  }
  return new Miniflare({
    log: new Log(LogLevel.NONE),
    workers: [
      {
        config: {
          name: 'consumer',
          compatibilityDate: date,
          manifest: { mainModule: 'worker.js', modules },
        },
        dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] },
      },
    ],
  })
}

/** What page.js finds, served as files by a server that knows few types, without a bundler. */
async function askPage(chromium: string): Promise<unknown> {
  const { browser } = consumer.manifest.exports['./pdq'] as Record<string, string>
  const imports = { 'hashgate/pdq': `/node_modules/hashgate/${browser}` }
  await writeFile(
    consumer.path('page.html'),
    `<script type="importmap">${JSON.stringify({ imports })}</script><script type="module" src="page.js"></script>`,
  )
  await writeFile(consumer.path('names.json'), JSON.stringify(Object.keys(files)))

  const answered = Promise.withResolvers<string>()
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://page').pathname
    if (path === '/answer') {
      void text(request).then(answered.resolve)
      response.end()
      return
    }
    readFile(consumer.path(path)).then(
      (file) => response.writeHead(200, { 'content-type': typeOf(path) }).end(file),
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const page = await ChromiumPage.open(chromium, `http://127.0.0.1:${port}/page.html`)
  try {
    const timeout = () => new Error(`${chromium} gave no answer`)
    return JSON.parse(await within(answered.promise, 40_000, timeout))
  } finally {
    await page.close()
    server.close()
  }
}

function typeOf(path: string): string {
  const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' }
  return types[extname(path)] ?? 'application/octet-stream'
}
