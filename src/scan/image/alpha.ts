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
