import { describe, expect, it } from 'vitest'
import { layoutFor } from '../../bench/screens/files.ts'
import { pageOf, SCREEN_KINDS, THEMES, VARIANTS } from '../../bench/screens/layouts.ts'
import { isOf } from '../../bench/accuracy/files.ts'

const PICTURE = { url: 'file:///picture.jpg', aspect: 1.5 }
const LAYOUTS = SCREEN_KINDS.flatMap((kind) =>
  THEMES.flatMap((theme) =>
    Array.from({ length: VARIANTS }, (_, variant) => ({ kind, theme, variant })),
  ),
)

describe('pageOf', () => {
  it('makes 112 pages, each with the picture', () => {
    const pages = LAYOUTS.map((layout) => pageOf(layout, PICTURE, []).html)
    expect(new Set(pages).size).toBe(112)
    expect(pages.filter((html) => !html.includes(PICTURE.url))).toEqual([])
  })

  it('shows phones at three pixels for one of CSS', () => {
    const phones = LAYOUTS.filter(({ kind }) => kind !== 'desktop')
    const screens = phones.map((layout) => pageOf(layout, PICTURE, []).screen)
    expect(new Set(screens.map(({ scale }) => scale))).toEqual(new Set([3]))
    const widths = screens.map(({ width }) => width)
    expect([Math.min(...widths), Math.max(...widths)]).toEqual([360, 430])
  })
})

describe('layoutFor', () => {
  it('keeps odd variants for the photographs that are held out', () => {
    const names = Array.from({ length: 40 }, (_, i) => `photo-${i}.jpg`)
    for (const half of ['tune', 'held-out'] as const) {
      const variants = names
        .filter((name) => isOf(half, name))
        .map((name) => layoutFor(name, 'chat', 'dark').variant % 2)
      expect(new Set(variants)).toEqual(new Set([half === 'tune' ? 0 : 1]))
    }
  })
})
