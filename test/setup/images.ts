import sharp, { type Sharp } from 'sharp'
import type { TestProject } from 'vitest/node'
import { scene } from '../support/scene.ts'

/** Files that tests in workerd use, where no encoder runs: made by libvips, as base64. */
export interface ImageFixtures {
  jpeg: string
  otherJpeg: string
  recompressed: string
  png: string
  webp: string
  avif: string
  gif: string
  largeAvif: string
  /** The picture of `jpeg` after what people do to it. */
  mirrored: string
  bordered: string
  cropped: string
  turnedBy5Degrees: string
  stripes: string
  /** The picture of `jpeg` with next to no contrast. */
  faint: string
  /** Blurred, so that its quality is below 100 at full contrast, too. */
  soft: string
  blank: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    images: ImageFixtures
  }
}

function picture(width: number, height: number, seed: number): Sharp {
  const { data, channels } = scene(width, height, 3, seed)
  return sharp(data, { raw: { width, height, channels } })
}

/** Even stripes: much changes in them from point to point, and yet they tell nothing. */
function stripes(width: number, height: number): Sharp {
  const data = Uint8Array.from({ length: width * height }, (_, i) => (i % 50 < 25 ? 230 : 20))
  return sharp(data, { raw: { width, height, channels: 1 } })
}

/** Makes the files once for all tests. */
export default async function setup(project: TestProject): Promise<void> {
  const base64 = async (image: Sharp) => (await image.toBuffer()).toString('base64')
  project.provide('images', {
    jpeg: await base64(picture(640, 480, 1).jpeg({ quality: 92 })),
    otherJpeg: await base64(picture(640, 480, 2).jpeg({ quality: 92 })),
    recompressed: await base64(picture(640, 480, 1).resize(320, 240).jpeg({ quality: 50 })),
    png: await base64(picture(320, 200, 1).png()),
    webp: await base64(picture(320, 200, 1).webp()),
    avif: await base64(picture(320, 200, 1).avif({ effort: 0 })),
    gif: await base64(picture(320, 200, 1).gif()),
    largeAvif: await base64(picture(1600, 1200, 1).avif({ effort: 0, quality: 40 })),
    mirrored: await base64(picture(640, 480, 1).flop().jpeg()),
    bordered: await base64(
      picture(640, 480, 1).extend({ top: 30, bottom: 90, background: '#204080' }).jpeg(),
    ),
    cropped: await base64(
      picture(640, 480, 1).extract({ left: 16, top: 12, width: 608, height: 456 }).jpeg(),
    ),
    turnedBy5Degrees: await base64(picture(640, 480, 1).rotate(5, { background: 'white' }).jpeg()),
    stripes: await base64(stripes(400, 300).png()),
    faint: await base64(picture(640, 480, 1).linear(0.05, 120).png()),
    soft: await base64(picture(640, 480, 6).blur(20).png()),
    blank: await base64(
      sharp({ create: { width: 400, height: 300, channels: 3, background: 'white' } }).png(),
    ),
  })
}
