import { writeLab } from '../lab.ts'
import type { Page } from './page.ts'

/** Channels of the pixels made from a page. */
export function channelsOf({ colours, samples, colourSamples }: Page): 1 | 3 | 4 {
  if (['palette', 'inks', 'ycc', 'lab'].includes(colours)) return 3
  if (samples > colourSamples) return 4
  return colourSamples === 1 ? 1 : 3
}

/** Turns a row of samples into pixels: grey, RGB, or RGBA that is not premultiplied. */
export function toPixels(page: Page, row: Uint8Array, pixels: Uint8Array): void {
  if (page.colours === 'palette') fromPalette(page, row, pixels)
  else if (page.colours === 'inks') fromInks(page, row, pixels)
  else if (page.colours === 'ycc') fromYcc(page, row, pixels)
  else if (page.colours === 'lab') fromLabRow(page, row, pixels)
  else if (page.samples > page.colourSamples) withAlpha(page, row, pixels)
  else if (page.colours === 'white-is-zero')
    for (let i = 0; i < pixels.length; i++) pixels[i] = 255 - (row[i] ?? 0)
  else pixels.set(row.subarray(0, pixels.length))
}

/** Y, Cb and Cr as in JPEG. Colours out of range are clamped, which changes luma. */
function fromYcc({ samples }: Page, row: Uint8Array, pixels: Uint8Array): void {
  const clamped = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.length)
  for (let i = 0, at = 0; at < pixels.length; i += samples, at += 3) {
    const [y, blue, red] = [row[i] ?? 0, (row[i + 1] ?? 0) - 128, (row[i + 2] ?? 0) - 128]
    clamped[at] = y + 1.402 * red
    clamped[at + 1] = y - 0.344136 * blue - 0.714136 * red
    clamped[at + 2] = y + 1.772 * blue
  }
}

/** L* from 0 to 255, a* and b* with a sign. */
function fromLabRow({ samples }: Page, row: Uint8Array, pixels: Uint8Array): void {
  const signed = (at: number) => ((row[at] ?? 0) << 24) >> 24
  for (let i = 0, at = 0; at < pixels.length; i += samples, at += 3)
    writeLab((row[i] ?? 0) / 2.55, signed(i + 1), signed(i + 2), pixels, at)
}

function fromPalette({ palette, samples }: Page, row: Uint8Array, pixels: Uint8Array): void {
  const colours = palette.length / 3
  for (let i = 0, at = 0; at < pixels.length; i += samples) {
    const index = row[i] ?? 0
    for (let c = 0; c < 3; c++) pixels[at++] = palette[c * colours + index] ?? 0
  }
}

/** Inks converted to light. A printer profile is not applied. */
function fromInks({ samples }: Page, row: Uint8Array, pixels: Uint8Array): void {
  for (let i = 0, at = 0; at < pixels.length; i += samples) {
    const black = 255 - (row[i + 3] ?? 0)
    for (let c = 0; c < 3; c++) pixels[at++] = Math.round(((255 - (row[i + c] ?? 0)) * black) / 255)
  }
}

/** The sample after the colours is alpha, whatever the file calls it: programs show it that way. */
function withAlpha(page: Page, row: Uint8Array, pixels: Uint8Array): void {
  const { samples, colourSamples, isPremultiplied } = page
  for (let i = 0, at = 0; at < pixels.length; i += samples, at += 4) {
    const alpha = row[i + colourSamples] ?? 0
    for (let c = 0; c < 3; c++) {
      const value = row[i + (colourSamples === 1 ? 0 : c)] ?? 0
      const stored = page.colours === 'white-is-zero' ? 255 - value : value
      const whole = isPremultiplied && alpha > 0 ? Math.min(255, (stored * 255) / alpha) : stored
      pixels[at + c] = whole
    }
    pixels[at + 3] = alpha
  }
}
