import sharp, { type Sharp } from 'sharp'
import type { Random } from './seeded.ts'

/** sRGB, 3 bytes per pixel, row-major. */
export interface Pixels {
  data: Uint8Array
  width: number
  height: number
}

/** A step of a transform. */
export type Edit = (pixels: Pixels, random: Random) => Promise<Pixels>

/** A picture before it is transformed. */
export interface SourceImage {
  name: string
  pixels: Pixels
}

/**
 * Larger pictures are reduced to this before they are transformed: about what services keep of an
 * upload.
 */
const LONGEST_SIDE = 1024

/** Decodes a file as stored, ignoring its Exif orientation, over white. */
export async function readSource(name: string, file: Uint8Array): Promise<SourceImage> {
  const image = sharp(file)
    .flatten({ background: 'white' })
    .resize(LONGEST_SIDE, LONGEST_SIDE, { fit: 'inside', withoutEnlargement: true })
  return { name, pixels: await settle(image) }
}

export function open({ data, width, height }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } })
}

export async function settle(image: Sharp): Promise<Pixels> {
  const { data, info } = await image
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

/** Renders SVG on paper; `body` is the content of its root. */
export function drawn(
  { width, height }: { width: number; height: number },
  paper: string,
  body: string,
): Promise<Pixels> {
  return settle(sharp(svg(width, height, body)).flatten({ background: paper }))
}

/** Draws SVG over pixels. */
export function draw(pixels: Pixels, body: string): Promise<Pixels> {
  const { width, height } = pixels
  return settle(open(pixels).composite([{ input: svg(width, height, body), left: 0, top: 0 }]))
}

export function svg(width: number, height: number, body: string): Buffer {
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${body}</svg>`,
  )
}

/** A picture and where it is placed. */
export interface Placed {
  pixels: Pixels
  left: number
  top: number
}

/** Places pictures on a plain sheet that holds them. */
export async function place(
  sheet: { width: number; height: number; background: string },
  pictures: readonly Placed[],
): Promise<Pixels> {
  const { width, height, background } = sheet
  const whole = await settle(sharp({ create: { width, height, channels: 3, background } }))
  for (const { pixels, left, top } of pictures) {
    paste(whole, pixels, Math.round(left), Math.round(top))
  }
  return whole
}

/** Copies rows: libvips would blend them in floating point. */
function paste(sheet: Pixels, { data, width, height }: Pixels, left: number, top: number): void {
  for (let row = 0; row < height; row++) {
    const pixels = data.subarray(row * width * 3, (row + 1) * width * 3)
    sheet.data.set(pixels, ((top + row) * sheet.width + left) * 3)
  }
}

export function resizeTo(pixels: Pixels, width: number, height: number): Promise<Pixels> {
  return settle(
    open(pixels).resize(Math.max(1, Math.round(width)), Math.max(1, Math.round(height)), {
      fit: 'fill',
    }),
  )
}

/** Scales a picture to fit within a box. */
export function fitInto(pixels: Pixels, width: number, height: number): Promise<Pixels> {
  const scale = Math.min(width / pixels.width, height / pixels.height)
  return resizeTo(pixels, pixels.width * scale, pixels.height * scale)
}
