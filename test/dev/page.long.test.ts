// The page of `npm run dev`, in Chromium, with the Worker that it belongs to.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DevWorker, hashgate, publishList, startDevWorker } from '../../scripts/dev-worker.ts'
import { Browser } from '../support/browser.ts'
import { findChromium } from '../support/chromium.ts'

const chromium = findChromium()
let folder: string
let worker: DevWorker
let browser: Browser

describe.skipIf(chromium === undefined)('the page of npm run dev', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hashgate-page-'))
    const listKey = (await hashgate('list', 'key')).trim()
    await publishList('examples/list.csv', { persistTo: folder, listKey })
    worker = await startDevWorker({ port: 0, persistTo: folder, listKey, onLine: () => undefined })
    browser = await Browser.open(chromium ?? '', worker.url)
  })

  afterAll(async () => {
    await browser.close()
    await worker.stop()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  })

  /** The newest verdict, after something that makes one. */
  async function verdictAfter(act: () => Promise<unknown>): Promise<string> {
    const count = await browser.evaluate<number>("document.querySelectorAll('.verdict').length")
    await act()
    await browser.until(`document.querySelectorAll('.verdict').length > ${count}`)
    return browser.evaluate("document.querySelector('article .verdict').textContent")
  }

  const click = (name: string) =>
    verdictAfter(() =>
      browser.evaluate(
        `[...document.querySelectorAll('#samples button')].find((one) => one.textContent === '${name}').click()`,
      ),
    )

  it.each([
    [
      'a known picture',
      /^Blocked: \d+ bits? from entry picture-1 in bank demo, found as it is; threshold 31\.$/,
    ],
    ['smaller, as PNG', /^Blocked: .* found as (it is|programs show it)/],
    ['mirrored', /^Blocked: .* found mirrored or turned \(mirrors\)/],
    ['with a caption', /^Blocked: .* found framed/],
    ['cropped by 5%', /^Blocked: .* found cropped/],
    ['cropped by half', /^Allowed: nothing on the list matches\. The nearest entry/],
    ['another picture', /^Allowed: nothing on the list matches/],
    ['a damaged file', /^Allowed, but not judged: hashgate cannot read it, because/],
  ])('says in one sentence what becomes of %s', async (sample, sentence) => {
    expect(await click(sample)).toMatch(sentence)
    expect(browser.errors).toEqual([])
  })

  it('shows the distance as a bar, and the picture that is hashed', async () => {
    await click('a known picture')
    const shown = await browser.evaluate<{ bar: string; at: string; luma: number }>(`(() => {
      const bar = document.querySelector('article .bar')
      const canvas = document.querySelector('article canvas')
      const { data } = canvas.getContext('2d').getImageData(0, 0, 64, 64)
      return {
        bar: bar.getAttribute('aria-label'),
        at: bar.style.getPropertyValue('--threshold'),
        luma: new Set(data.filter((_, i) => i % 4 === 0)).size,
      }
    })()`)
    expect(shown.bar).toMatch(/^\d+ of 256 bits differ; up to 31 match$/)
    expect(parseFloat(shown.at)).toBeCloseTo((31 / 128) * 100)
    expect(shown.luma).toBeGreaterThan(50)
  })

  it('folds the hashes away by family, each with what it means', async () => {
    await click('with a caption')
    const families = await browser.evaluate<
      string[][]
    >(`[...document.querySelectorAll('article:first-of-type details')].map((one) => [
      one.querySelector('summary').textContent, one.querySelector('p').textContent, String(one.open)])`)
    expect(families.length).toBeGreaterThan(5)
    for (const [, meaning, isOpen] of families) {
      expect(meaning).toMatch(/\w+\.$/)
      expect(isOpen).toBe('false')
    }
    expect(
      families.filter(([summary]) => summary?.endsWith('matched')).map(([one]) => one),
    ).toEqual([expect.stringMatching(/^framed/)])
  })

  it('takes files that are dropped and pasted', async () => {
    const send = (type: 'drop' | 'paste', field: string) =>
      verdictAfter(() =>
        browser.evaluate(`(async () => {
          const blob = await (await fetch('/samples/known.jpg')).blob()
          const data = new DataTransfer()
          data.items.add(new File([blob], '${type}ped.jpg', { type: 'image/jpeg' }))
          const event = new Event('${type}', { bubbles: true, cancelable: true })
          Object.defineProperty(event, '${field}', { value: data })
          document.dispatchEvent(event)
        })()`),
      )
    expect(await send('drop', 'dataTransfer')).toMatch(/^Blocked/)
    expect(await send('paste', 'clipboardData')).toMatch(/^Blocked/)
  })

  it('takes files that are chosen, the same one twice too', async () => {
    const choose = async () => {
      const { root } = (await browser.send('DOM.getDocument')) as { root: { nodeId: number } }
      const selector = { nodeId: root.nodeId, selector: '#file' }
      const { nodeId } = (await browser.send('DOM.querySelector', selector)) as { nodeId: number }
      await browser.send('DOM.setFileInputFiles', {
        nodeId,
        files: [resolve('examples/known.jpg')],
      })
    }
    expect(await verdictAfter(choose)).toMatch(/^Blocked/)
    expect(await verdictAfter(choose)).toMatch(/^Blocked/)
  })

  it('says so when what is pasted holds no file', async () => {
    await browser.evaluate(`(() => {
      const event = new Event('paste', { bubbles: true })
      Object.defineProperty(event, 'clipboardData', { value: new DataTransfer() })
      document.dispatchEvent(event)
    })()`)
    expect(await browser.evaluate("document.querySelector('article').textContent")).toBe(
      'There was no file in what you pasted.',
    )
  })

  it('says so when its port is in use, and takes no other server for its own', async () => {
    const port = Number(new URL(worker.url).port)
    const again = startDevWorker({ port, onLine: () => undefined })
    await expect(again).rejects.toThrow(`port ${port} is in use`)
  })

  it('shows each sample as a picture', async () => {
    const widths = "[...document.querySelectorAll('#samples img')].map((one) => one.naturalWidth)"
    await browser.until(`${widths}.every((width) => width > 0)`)
    expect(await browser.evaluate<number[]>(widths)).toHaveLength(8)
  })

  it('works by keyboard alone, and says the verdict to a screen reader', async () => {
    await browser.evaluate("document.querySelector('#file').focus()")
    await browser.press('Tab')
    expect(await browser.evaluate('document.activeElement.textContent')).toBe('a known picture')
    expect(await verdictAfter(() => browser.press('Enter'))).toMatch(/^Blocked/)
    expect(await browser.evaluate("document.querySelector('[role=status]').textContent")).toMatch(
      /^a known picture\. Blocked: /,
    )
    for (let left = 8; left > 0; left--) await browser.press('Tab') // past the samples
    await browser.press('Enter')
    expect(await browser.evaluate("document.querySelector('article details').open")).toBe(true)
  })

  it.each([
    [360, 'light'],
    [360, 'dark'],
    [768, 'light'],
    [1280, 'dark'],
  ] as const)('fits %i pixels, and can be read, in %s', async (width, scheme) => {
    await click('a known picture')
    await browser.resize(width, 800, scheme)
    await browser.evaluate(
      "document.querySelectorAll('details').forEach((one) => (one.open = true))",
    )
    expect(await browser.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(
      width,
    )
    const contrasts = await browser.evaluate<number[]>(CONTRASTS)
    expect(contrasts).toHaveLength(7)
    for (const contrast of contrasts) expect(contrast).toBeGreaterThan(4.5) // WCAG 2.2, AA
  })
})

/** Contrast of texts with what is behind them. */
const CONTRASTS = `(() => {
  const context = new OffscreenCanvas(1, 1).getContext('2d')
  const luminance = (colour) => {
    context.fillStyle = colour
    context.fillRect(0, 0, 1, 1)
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((one) => {
      const part = one / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const back = luminance(getComputedStyle(document.documentElement).backgroundColor)
  return ['p', '.verdict b', '.faint', 'summary .count', 'summary .found', 'figcaption', 'code'].map((selector) => {
    const front = luminance(getComputedStyle(document.querySelector('article ' + selector)).color)
    return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05)
  })
})()`
