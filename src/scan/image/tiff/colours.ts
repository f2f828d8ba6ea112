import type { Page } from './page.ts'

/** Channels of the pixels made from a page. */
export function channelsOf({ colours, samples, colourSamples }: Page): 1 | 3 | 4 {
  if (colours === 'palette' || colours === 'inks') return 3
  if (colours === 'ycc' || colours === 'lab') return 1
  if (samples > colourSamples) return 4
  return colourSamples === 1 ? 1 : 3
}

/** Turns a row of samples into pixels: grey, RGB, or RGBA that is not premultiplied. */
export function toPixels(page: Page, row: Uint8Array, pixels: Uint8Array): void {
  if (page.colours === 'palette') fromPalette(page, row, pixels)
  else if (page.colours === 'inks') fromInks(page, row, pixels)
  else if (page.colours === 'ycc') fromFirst(page, row, pixels, LUMA)
  else if (page.colours === 'lab') fromFirst(page, row, pixels, LIGHTNESS)
  else if (page.samples > page.colourSamples) withAlpha(page, row, pixels)
  else if (page.colours === 'white-is-zero')
    for (let i = 0; i < pixels.length; i++) pixels[i] = 255 - (row[i] ?? 0)
  else pixels.set(row.subarray(0, pixels.length))
}

/** Luma for Y, and for L* (CIE 15) as an sRGB grey. */
const LUMA = Uint8Array.from({ length: 256 }, (_, y) => y)
const LIGHTNESS = Uint8Array.from({ length: 256 }, (_, i) => lumaOfLightness((i * 100) / 255))

/** Luma of the sRGB grey with a lightness of 0 to 100. */
export function lumaOfLightness(lightness: number): number {
  const root = (lightness + 16) / 116
  const light = root > 6 / 29 ? root ** 3 : (root - 4 / 29) * 3 * (6 / 29) ** 2
  const value = light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055
  return Math.round(value * 255)
}

function fromFirst({ samples }: Page, row: Uint8Array, pixels: Uint8Array, lumas: Uint8Array) {
  for (let i = 0; i < pixels.length; i++) pixels[i] = lumas[row[i * samples] ?? 0] ?? 0
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
    for (let c = 0; c < 3; c++) pixels[at++] = ((255 - (row[i + c] ?? 0)) * black) / 255
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
