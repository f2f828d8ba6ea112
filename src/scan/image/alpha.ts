import type { Pixels } from './library.ts'

/** Least and most values of limited range (ITU-R BT.601). */
const [LEAST, MOST] = [16, 235]

const STRETCHED = Uint8ClampedArray.from(
  { length: 256 },
  (_, value) => ((value - LEAST) * 255) / (MOST - LEAST),
)

/**
 * Takes the alpha of a picture to have limited range, and stretches it. libheif writes alpha of
 * full range without saying so in its AV1 data. Chromium stretches it, and readers by libheif do
 * not. Returns whether that makes a difference.
 */
export function stretchAlpha({ data }: Pixels): boolean {
  let isOther = false
  for (let at = 3; at < data.length; at += 4) {
    const alpha = data[at] as number
    const stretched = STRETCHED[alpha] as number
    isOther ||= stretched !== alpha
    data[at] = stretched
  }
  return isOther
}

/**
 * Divides the colours of a picture by its alpha, as if they had been multiplied with it. Chromium
 * shows WebP so if its header does not announce alpha.
 */
export function divideByAlpha({ data }: Pixels): void {
  for (let at = 0; at < data.length; at += 4) {
    const alpha = data[at + 3] as number
    if (alpha === 0 || alpha === 255) continue
    for (let c = at; c < at + 3; c++) {
      data[c] = Math.min(255, Math.round(((data[c] as number) * 255) / alpha))
    }
  }
}
