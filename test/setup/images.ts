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
  })
}
