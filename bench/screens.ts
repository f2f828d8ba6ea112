// Renders the screenshots of `bench -- accuracy`: pages with photographs in them, with the
// machine's Chromium, into a folder outside the repository (HASHGATE_SCREENS). Existing screenshots
// are kept.
//
//   npm run bench -- screens
//     --corpus DIR       photographs, folders read recursively; may be given more than once
//     --take N           N photographs, spread over the corpus: all

import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import sharp from 'sharp'
import { imagesIn } from './accuracy/files.ts'
import { readOptions, spread } from './accuracy/options.ts'
import { open, readSource } from './accuracy/pixels.ts'
import { Browser, findChromium } from './screens/browser.ts'
import { layoutFor, SCREENS_FOLDER, screenPath } from './screens/files.ts'
import { type Layout, pageOf, SCREEN_KINDS, type Shown, THEMES } from './screens/layouts.ts'

/** Pictures that pages show beside the main one. */
const OTHERS = 8

/** `npm run bench -- screens`. */
export async function renderScreens(args: readonly string[]): Promise<void> {
  const options = readOptions(args)
  const chromium = findChromium()
  if (chromium === undefined) {
    console.log('There is no Chromium on this machine: no screenshots.')
    return
  }
  const all = options.corpus.flatMap(imagesIn)
  const folder = await mkdtemp(join(tmpdir(), 'hashgate-screens-'))
  const browser = await Browser.start(chromium, join(folder, 'profile'))
  try {
    let count = 0
    for (const path of spread(all, options.take)) {
      count += await renderPhotograph(browser, folder, path, all)
    }
    console.log(`${count} new screenshots in ${SCREENS_FOLDER}`)
  } finally {
    browser.stop()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function renderPhotograph(
  browser: Browser,
  folder: string,
  path: string,
  all: readonly string[],
): Promise<number> {
  const name = basename(path)
  const layouts = THEMES.flatMap((theme) =>
    SCREEN_KINDS.map((kind) => layoutFor(name, kind, theme)),
  )
  const missing = layouts.filter((layout) => !existsSync(screenPath(name, layout)))
  if (missing.length === 0) return 0
  const picture = await shownAs(folder, path)
  const others = await Promise.all(othersOf(path, all).map((other) => shownAs(folder, other)))
  for (const layout of missing) await render(browser, folder, { name, layout, picture, others })
  return missing.length
}

interface Rendering {
  name: string
  layout: Layout
  picture: Shown
  others: readonly Shown[]
}

async function render(browser: Browser, folder: string, what: Rendering): Promise<void> {
  const { name, layout, picture, others } = what
  const { html, screen } = pageOf(layout, picture, others)
  const page = join(folder, 'page.html')
  await writeFile(page, html)
  const shot = await browser.shot(pathToFileURL(page).href, screen)
  const to = screenPath(name, layout)
  await mkdir(dirname(to), { recursive: true })
  await writeFile(to, shot)
}

/** The photographs after one, in the order of the corpus. */
function othersOf(path: string, all: readonly string[]): string[] {
  const at = all.indexOf(path)
  return [...all.slice(at + 1), ...all.slice(0, at)].slice(0, OTHERS)
}

/**
 * A photograph as a service sends it to a phone: a JPEG of quality 85, like the input of the
 * transforms.
 */
async function shownAs(folder: string, path: string): Promise<Shown> {
  const file = join(folder, `${basename(path)}.jpg`)
  if (!existsSync(file)) {
    const { pixels } = await readSource(basename(path), await readFile(path))
    await open(pixels).jpeg({ quality: 85 }).toFile(file)
  }
  const { width, height } = await sharp(file).metadata()
  return { url: pathToFileURL(file).href, aspect: width / height }
}
