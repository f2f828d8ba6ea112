// Pixels to luma, a row at a time. Reference: fillFloatLumaFromRGB, whose order of operations is
// kept, so that the same pixels give the same bits: (0.299 R + 0.587 G) + 0.114 B in f32.

const RED: f32 = 0.299
const GREEN: f32 = 0.587
const BLUE: f32 = 0.114

/** Luma of one pixel with channels of 0 to 255. */
export function lumaOf(red: f32, green: f32, blue: f32): f32 {
  return RED * red + GREEN * green + BLUE * blue
}

/** Four lumas from four lanes of each channel. */
function lumaLanes(red: v128, green: v128, blue: v128): v128 {
  return f32x4.add(
    f32x4.add(f32x4.mul(f32x4.splat(RED), red), f32x4.mul(f32x4.splat(GREEN), green)),
    f32x4.mul(f32x4.splat(BLUE), blue),
  )
}

/** Luma of RGBA pixels, alpha dropped, and their alpha. */
export function lumaFromRgba(
  pixels: usize, // count x 4 bytes, read in sixteens
  count: u32,
  luma: usize, // count of f32, written in fours
  alpha: usize, // the same, 0 to 255
): void {
  const mask = i32x4.splat(0xff)
  const end = <usize>count * 4
  for (let at: usize = 0; at < end; at += 16) {
    const four = v128.load(pixels + at)
    const red = f32x4.convert_i32x4_u(v128.and(four, mask))
    const green = f32x4.convert_i32x4_u(v128.and(i32x4.shr_u(four, 8), mask))
    const blue = f32x4.convert_i32x4_u(v128.and(i32x4.shr_u(four, 16), mask))
    v128.store(luma + at, lumaLanes(red, green, blue))
    v128.store(alpha + at, f32x4.convert_i32x4_u(i32x4.shr_u(four, 24)))
  }
}

/** Whether all alphas are 255. */
export function isOpaque(
  alpha: usize, // count of f32
  count: u32,
): bool {
  const opaque = f32x4.splat(255)
  const end = alpha + <usize>count * 4
  for (; alpha + 16 <= end; alpha += 16) {
    if (v128.any_true(f32x4.lt(v128.load(alpha), opaque))) return false
  }
  for (; alpha < end; alpha += 4) if (f32.load(alpha) < 255) return false
  return true
}

/** Luma over white: each channel is mixed with 255 by alpha, and luma is linear in the channels. */
export function lumaOverWhite(
  luma: usize, // count of f32
  alpha: usize, // count of f32
  count: u32,
  white: usize, // count of f32, written in fours
): void {
  const full = f32x4.splat(255)
  const end = <usize>count * 4
  for (let at: usize = 0; at < end; at += 16) {
    const share = f32x4.div(v128.load(alpha + at), full)
    const mixed = f32x4.mul(f32x4.sub(v128.load(luma + at), full), share)
    v128.store(white + at, f32x4.add(full, mixed))
  }
}

/** Luma over black. */
export function lumaOverBlack(
  luma: usize, // count of f32
  alpha: usize, // count of f32
  count: u32,
  black: usize, // count of f32, written in fours
): void {
  const full = f32x4.splat(255)
  const end = <usize>count * 4
  for (let at: usize = 0; at < end; at += 16) {
    const share = f32x4.div(v128.load(alpha + at), full)
    v128.store(black + at, f32x4.mul(v128.load(luma + at), share))
  }
}

// Positions of the four red bytes in four RGB pixels, each as the lowest byte of a lane; green and
// blue follow at 1 and 2. Positions from 128 on give 0.
const redPlaces: usize = memory.data<u8>([
  0, 200, 200, 200, 3, 200, 200, 200, 6, 200, 200, 200, 9, 200, 200, 200,
])

/** Luma of RGB pixels. */
export function lumaFromRgb(
  pixels: usize, // count x 3 bytes, up to 16 readable bytes after it
  count: u32,
  luma: usize, // count of f32, written in fours
): void {
  const reds = v128.load(redPlaces)
  const greens = i8x16.add(reds, i8x16.splat(1))
  const blues = i8x16.add(reds, i8x16.splat(2))
  const end = <usize>count * 4
  for (let at: usize = 0; at < end; at += 16) {
    const four = v128.load(pixels + (at / 4) * 3)
    const red = f32x4.convert_i32x4_u(i8x16.swizzle(four, reds))
    const green = f32x4.convert_i32x4_u(i8x16.swizzle(four, greens))
    const blue = f32x4.convert_i32x4_u(i8x16.swizzle(four, blues))
    v128.store(luma + at, lumaLanes(red, green, blue))
  }
}

/** Luma of grey pixels. */
export function lumaFromGrey(
  pixels: usize, // count bytes, read in fours
  count: u32,
  luma: usize, // count of f32, written in fours
): void {
  for (let at: usize = 0; at < <usize>count; at += 4) {
    const four = v128.load32_zero(pixels + at)
    v128.store(luma + at * 4, f32x4.convert_i32x4_u(u32x4FromBytes(four)))
  }
}

function u32x4FromBytes(four: v128): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(four))
}
