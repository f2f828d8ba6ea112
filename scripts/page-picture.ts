// Makes docs/pictures/page.png, the README's picture of the `npm run dev` page, in Chromium. Run it
// when the page changes.
//
//   npm run dev            in one terminal
//   node scripts/page-picture.ts [URL]

import { join } from 'node:path'
import sharp from 'sharp'
import { Browser } from '../test/support/browser.ts'
import { findChromium } from '../test/support/chromium.ts'
import { PROJECT } from './dev-worker.ts'

const WIDTH = 720
const MARGIN = 12
const SAMPLE = 'cropped by 5%'

const browser = await Browser.open(
  findChromium() ?? 'chromium',
  process.argv[2] ?? 'http://127.0.0.1:8787/',
)
try {
  await browser.resize(WIDTH, 800)
  await browser.until(
    '[...document.images].length === 8 && [...document.images].every((one) => one.naturalWidth)',
  )
  await browser.evaluate(
    `[...document.querySelectorAll('button')].find((one) => one.textContent === '${SAMPLE}').click()`,
  )
  await browser.until("document.querySelector('article .pictures img')?.naturalWidth")
  const bottom = await browser.evaluate<number>(
    "document.querySelector('article').getBoundingClientRect().bottom",
  )
  await browser.resize(WIDTH, Math.ceil(bottom) + MARGIN)
  const file = join(PROJECT, 'docs', 'pictures', 'page.png')
  await sharp(await browser.screenshot())
    .png({ palette: true, quality: 90 })
    .toFile(file)
  console.log(`wrote ${file}`)
} finally {
  await browser.close()
}
