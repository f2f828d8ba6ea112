// Rows of a PNG image: undoes filters (PNG specification, clause 9) and turns samples into luma
// (clause 6).

import { lumaFromGrey, lumaFromRgb, lumaFromRgba, lumaOf } from '../luma/pixels'
import { leaveOut } from '../luma/planes'
import { tonedLuma, tonedLumaOf } from '../colour'
import { u16be } from '../input'

/** Colour types. */
export const GREY: u32 = 0
export const RGB: u32 = 2
export const PALETTE: u32 = 3
const GREY_ALPHA: u32 = 4
export const RGBA: u32 = 6

export let depth: u32 = 0
export let colourType: u32 = 0

/**
 * Luma and alpha of each palette entry as f32. Browsers take the last entry for a missing one, and
 * libpng takes black. It is transparent here, so it is black in the plane over black.
 */
const paletteLuma = memory.data(1024)
const paletteAlpha = memory.data(1024)
/** Colours of the palette: red, green, blue; and their number. */
const paletteColours = memory.data(768)
let paletteCount: u32 = 256
/** Number of alphas that tRNS gave. */
let alphaCount: u32 = 0

// The colour that tRNS makes transparent, in samples of the image's depth; -1 if there is none.
let keyRed: i32 = -1
let keyGreen: i32 = -1
let keyBlue: i32 = -1

export let hasPalette: bool = false
let hasTransparency: bool = false
/** Whether some pixels may be transparent: the colour type has alpha, or there was a tRNS. */
export let mayBeTransparent: bool = false
export function setPixelFormat(bitDepth: u32, type: u32): bool {
  depth = bitDepth
  colourType = type
  // Pillow shows values without a palette as grey.
  for (let i: u32 = 0; i < 256; i++) f32.store(paletteLuma + (i << 2), <f32>i)
  mayBeTransparent = type == GREY_ALPHA || type == RGBA
  const isByteWise = depth == 8 || depth == 16
  const isPacked = depth == 1 || depth == 2 || depth == 4
  if (type == GREY) return isByteWise || isPacked
  if (type == PALETTE) return depth == 8 || isPacked
  return (type == RGB || type == GREY_ALPHA || type == RGBA) && isByteWise
}

function channels(): u32 {
  if (colourType == RGB) return 3
  if (colourType == RGBA) return 4
  return colourType == GREY_ALPHA ? 2 : 1
}

/** Bytes of a row of `cols` pixels, without its filter byte. */
export function rowBytesOf(cols: u32): u32 {
  return (cols * channels() * depth + 7) >> 3
}

/**
 * PLTE: up to 256 colours. The last of several counts: libpng rejects such a file, other programs
 * use the last.
 */
export function setPalette(colours: usize, count: u32): void {
  if (colourType != PALETTE) return
  hasPalette = true
  paletteCount = count
  memory.copy(paletteColours, colours, min<u32>(count, 256) * 3)
  mayBeTransparent = hasTransparency || count < (<u32>1) << depth
  let last: f32 = 0
  for (let i: u32 = 0; i < min<u32>(count, 256); i++) {
    const colour = colours + i * 3
    const luma = lumaOf(load<u8>(colour), load<u8>(colour, 1), load<u8>(colour, 2))
    f32.store(paletteLuma + (i << 2), luma)
    if (i >= alphaCount) f32.store(paletteAlpha + (i << 2), 255)
    last = luma
  }
  for (let i = count; i < 256; i++) {
    f32.store(paletteLuma + (i << 2), last)
    if (i >= alphaCount) f32.store(paletteAlpha + (i << 2), 0)
  }
}

/** Whether tRNS has a meaning: not if the colour type has alpha. */
export function takesTransparency(): bool {
  return channels() % 2 == 1
}

/**
 * tRNS: alphas of palette entries, or the transparent colour. As in libpng, the first one counts
 * that has a valid length and comes after its palette. Returns false for any other, which some
 * programs use.
 */
export function setTransparency(at: usize, bytes: u32): bool {
  if (!takesTransparency()) return true
  if (hasTransparency || !isTransparency(bytes)) return false
  hasTransparency = true
  mayBeTransparent = true
  const mask: u32 = (1 << depth) - 1 // bits above the depth are ignored
  if (colourType == PALETTE) {
    alphaCount = bytes
    for (let i: u32 = 0; i < bytes; i++) {
      f32.store(paletteAlpha + (i << 2), <f32>load<u8>(at + i))
    }
    return true
  }
  keyRed = u16be(at) & mask
  if (colourType == GREY) return true
  keyGreen = u16be(at + 2) & mask
  keyBlue = u16be(at + 4) & mask
  return true
}

/** Whether a tRNS of this length is valid here. */
function isTransparency(bytes: u32): bool {
  if (colourType != PALETTE) return bytes == (colourType == GREY ? 2 : 6)
  return hasPalette && bytes > 0 && bytes <= min<u32>(paletteCount, 256)
}

/** Undoes the filter of a row, in place. Returns false if the filter is unknown. */
export function unfilter(
  kind: u32,
  row: usize, // 16 bytes before it are writable
  above: usize, // the row above it, unfiltered; zeros for the first
  bytes: u32,
): bool {
  const pixelBytes = max<u32>(1, (channels() * depth) >> 3)
  switch (kind) {
    case 0:
      return true
    case 1:
      undoSub(row, bytes, pixelBytes)
      return true
    case 2:
      for (let at: usize = 0; at < bytes; at += 16) {
        v128.store(row + at, i8x16.add(v128.load(row + at), v128.load(above + at)))
      }
      return true
    case 3:
      undoAverage(row, above, bytes, pixelBytes)
      return true
    case 4:
      if (pixelBytes == 3 || pixelBytes == 4) undoPaethLanes(row, above, bytes, pixelBytes)
      else undoPaeth(row, above, bytes, pixelBytes)
      return true
    default:
      return false
  }
}

function undoSub(row: usize, bytes: u32, pixelBytes: u32): void {
  if (pixelBytes == 3 || pixelBytes == 4) {
    // One pixel per step, all its channels at once. A pixel of 3 bytes writes 4: the next step
    // restores the fourth.
    let left = i8x16.splat(0)
    for (let at: usize = 0; at < bytes; at += pixelBytes) {
      const delta = v128.load32_zero(row + at)
      left = i8x16.add(left, delta)
      storePixel(row + at, left, delta, pixelBytes)
    }
    return
  }
  for (let at: usize = pixelBytes; at < bytes; at++) {
    store<u8>(row + at, load<u8>(row + at) + load<u8>(row + at - pixelBytes))
  }
}

/**
 * Stores a pixel of 3 or 4 bytes; `original` is what the fourth byte of a wider store overwrites.
 */
function storePixel(to: usize, pixel: v128, original: v128, pixelBytes: u32): void {
  const value = <u32>i32x4.extract_lane(pixel, 0)
  if (pixelBytes == 4) store<u32>(to, value)
  else store<u32>(to, (value & 0xffffff) | (<u32>i32x4.extract_lane(original, 0) & 0xff000000))
}

function undoAverage(row: usize, above: usize, bytes: u32, pixelBytes: u32): void {
  for (let at: usize = 0; at < bytes; at++) {
    const left: u32 = at < pixelBytes ? 0 : load<u8>(row + at - pixelBytes)
    const mean = (left + <u32>load<u8>(above + at)) >> 1
    store<u8>(row + at, load<u8>(row + at) + <u8>mean)
  }
}

function undoPaeth(row: usize, above: usize, bytes: u32, pixelBytes: u32): void {
  for (let at: usize = 0; at < bytes; at++) {
    const isFirst = at < pixelBytes
    const left: i32 = isFirst ? 0 : load<u8>(row + at - pixelBytes)
    const corner: i32 = isFirst ? 0 : load<u8>(above + at - pixelBytes)
    const up: i32 = load<u8>(above + at)
    const byLeft = abs(up - corner)
    const byUp = abs(left - corner)
    const byCorner = abs(left + up - 2 * corner)
    const nearest = byLeft <= byUp && byLeft <= byCorner ? left : byUp <= byCorner ? up : corner
    store<u8>(row + at, load<u8>(row + at) + <u8>nearest)
  }
}

/**
 * Paeth for pixels of 3 or 4 bytes: one pixel per step, its channels in 16-bit lanes (sums reach 3
 * x 255).
 */
function undoPaethLanes(row: usize, above: usize, bytes: u32, pixelBytes: u32): void {
  const zero = i8x16.splat(0)
  let left = zero
  let corner = zero
  for (let at: usize = 0; at < bytes; at += pixelBytes) {
    const delta = v128.load32_zero(row + at)
    const up = i16x8.extend_low_i8x16_u(v128.load32_zero(above + at))
    const upStep = i16x8.sub(up, corner)
    const leftStep = i16x8.sub(left, corner)
    const byLeft = i16x8.abs(upStep)
    const byUp = i16x8.abs(leftStep)
    const byCorner = i16x8.abs(i16x8.add(upStep, leftStep))
    const least = i16x8.min_s(byLeft, i16x8.min_s(byUp, byCorner))
    const upOrCorner = v128.bitselect(up, corner, i16x8.eq(byUp, least))
    const nearest = v128.bitselect(left, upOrCorner, i16x8.eq(byLeft, least))
    const pixel = i8x16.add(delta, i8x16.narrow_i16x8_u(nearest, zero))
    storePixel(row + at, pixel, delta, pixelBytes)
    left = i16x8.extend_low_i8x16_u(pixel)
    corner = up
  }
}

/** Sample `index` of a row of packed samples of 1, 2 or 4 bits. */
function packedSample(row: usize, index: u32): u32 {
  const bit = index * depth
  return (load<u8>(row + (bit >> 3)) >> (8 - depth - (bit & 7))) & ((1 << depth) - 1)
}

/** Luma of an unfiltered row, and alpha if pixels may be transparent. */
export function lumaOfRow(
  row: usize,
  cols: u32,
  luma: usize, // cols of f32, written in fours
  alpha: usize, // the same
): void {
  if (colourType == PALETTE) paletteRow(row, cols, luma, alpha)
  else if (depth == 8 && colourType == RGBA) lumaFromRgba(row, cols, luma, alpha)
  else if (depth == 8 && colourType == RGB && !mayBeTransparent) lumaFromRgb(row, cols, luma)
  else if (depth == 8 && colourType == GREY && !mayBeTransparent) lumaFromGrey(row, cols, luma)
  else anyRow(row, cols, luma, alpha)
}

/**
 * Whether channels may differ: a tone curve on the channels then gives another luma than one on
 * luma.
 */
export function hasColours(): bool {
  return colourType == RGB || colourType == RGBA || colourType == PALETTE
}

/** Luma of an unfiltered row of colours, each channel after the tone curve. */
export function tonedRow(
  row: usize,
  cols: u32,
  luma: usize, // cols of f32
): void {
  const count = channels()
  const isWide = depth == 16
  for (let x: u32 = 0; x < cols; x++) {
    let pixel = row + <usize>x * count
    if (colourType == PALETTE) {
      const index = depth == 8 ? <u32>load<u8>(row + x) : packedSample(row, x)
      pixel = paletteColours + <usize>index * 3
    }
    const value = isWide
      ? tonedLumaOf(
          wideSample(row, x * count),
          wideSample(row, x * count + 1),
          wideSample(row, x * count + 2),
        )
      : tonedLuma(pixel)
    f32.store(luma + ((<usize>x) << 2), value)
  }
}

function wideSample(row: usize, index: u32): f32 {
  return <f32>u16be(row + (index << 1)) * (<f32>255 / 65535)
}

function paletteRow(row: usize, cols: u32, luma: usize, alpha: usize): void {
  let most: u32 = 0
  for (let x: u32 = 0; x < cols; x++) {
    const index = depth == 8 ? <u32>load<u8>(row + x) : packedSample(row, x)
    const at = (<usize>index) << 2
    f32.store(luma + ((<usize>x) << 2), f32.load(paletteLuma + at))
    if (!mayBeTransparent) continue
    f32.store(alpha + ((<usize>x) << 2), f32.load(paletteAlpha + at))
    most = max(most, index)
  }
  // Programs show such a colour in more ways than there are planes: Pillow takes grey.
  if (most >= paletteCount) leaveOut()
}

/** Every other format, one sample at a time. */
function anyRow(row: usize, cols: u32, luma: usize, alpha: usize): void {
  const count = channels()
  const hasAlpha = colourType == GREY_ALPHA || colourType == RGBA
  const scale: f32 = 255 / <f32>((1 << depth) - 1)
  for (let x: u32 = 0; x < cols; x++) {
    const first = x * count
    const red = sampleAt(row, first)
    let value = <f32>red * scale
    let isKey = <i32>red == keyRed
    if (count >= 3) {
      const green = sampleAt(row, first + 1)
      const blue = sampleAt(row, first + 2)
      value = lumaOf(value, <f32>green * scale, <f32>blue * scale)
      isKey = isKey && <i32>green == keyGreen && <i32>blue == keyBlue
    }
    f32.store(luma + ((<usize>x) << 2), value)
    if (!mayBeTransparent) continue
    const opacity: f32 = hasAlpha ? <f32>sampleAt(row, first + count - 1) * scale : isKey ? 0 : 255
    f32.store(alpha + ((<usize>x) << 2), opacity)
  }
}

function sampleAt(row: usize, index: u32): u32 {
  if (depth == 8) return load<u8>(row + index)
  return depth == 16 ? u16be(row + (index << 1)) : packedSample(row, index)
}
