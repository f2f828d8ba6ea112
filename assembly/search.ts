// Finds where images may begin in a file: pairs of bytes that are rare outside signatures. Sixteen
// places are checked at once. src/core/signature-search.ts is the only caller;
// src/scan/archive/signatures.ts checks what begins there.

const MAX_BYTES: usize = 65536

const input = memory.data(65536 + 32) // MAX_BYTES, and what kernels read after them
const places = memory.data(131072) // MAX_BYTES / 2 of u32: pairs never overlap

/** Address of MAX_BYTES bytes, to be searched. */
export function inputAddress(): usize {
  return input
}

/** Address of the places that `findPairs` found, u32 each. */
export function placesAddress(): usize {
  return places
}

// The pairs to find. They lie in memory so that the engine keeps them in registers: it would
// rebuild constants each time.
const firsts: usize = memory.data<u8>([0xd8, 0x50, 0x47, 0x57, 0x66, 0x42])
const seconds: usize = memory.data<u8>([0xff, 0x4e, 0x49, 0x45, 0x74, 0x4d])
// In a TIFF, II is followed by a number (`*`, or `+` in BigTIFF) and a zero. After MM, the zero
// comes first.
const tiffs: usize = memory.data<u8>([0x2a, 0x4d, 0xfe])

/**
 * Finds D8 FF, which follows FF in a JPEG; the first two letters of PNG, GIF, WEBP, ftyp and BM; and
 * the zero of a TIFF's signature with the byte before it. Writes their places in order, and returns
 * how many there are.
 */
export function findPairs(
  count: u32, // bytes of the input, at most MAX_BYTES
): u32 {
  if (count > <u32>MAX_BYTES) unreachable()
  const end = input + count
  v128.store(end, i8x16.splat(0)) // clears bytes of an earlier search
  const first0 = v128.load8_splat(firsts)
  const first1 = v128.load8_splat(firsts, 1)
  const first2 = v128.load8_splat(firsts, 2)
  const first3 = v128.load8_splat(firsts, 3)
  const first4 = v128.load8_splat(firsts, 4)
  const first5 = v128.load8_splat(firsts, 5)
  const second0 = v128.load8_splat(seconds)
  const second1 = v128.load8_splat(seconds, 1)
  const second2 = v128.load8_splat(seconds, 2)
  const second3 = v128.load8_splat(seconds, 3)
  const second4 = v128.load8_splat(seconds, 4)
  const second5 = v128.load8_splat(seconds, 5)
  const number = v128.load8_splat(tiffs)
  const letter = v128.load8_splat(tiffs, 1)
  const mask = v128.load8_splat(tiffs, 2) // 2A and 2B differ in the last bit
  const zero = i8x16.splat(0)
  let to = places
  for (let at = input; at < end; at += 16) {
    const here = v128.load(at)
    const behind = v128.load(at, 1)
    let found = v128.and(i8x16.eq(here, first0), i8x16.eq(behind, second0))
    found = v128.or(found, v128.and(i8x16.eq(here, first1), i8x16.eq(behind, second1)))
    found = v128.or(found, v128.and(i8x16.eq(here, first2), i8x16.eq(behind, second2)))
    found = v128.or(found, v128.and(i8x16.eq(here, first3), i8x16.eq(behind, second3)))
    found = v128.or(found, v128.and(i8x16.eq(here, first4), i8x16.eq(behind, second4)))
    found = v128.or(found, v128.and(i8x16.eq(here, first5), i8x16.eq(behind, second5)))
    const tiff = v128.or(i8x16.eq(v128.and(here, mask), number), i8x16.eq(here, letter))
    found = v128.or(found, v128.and(tiff, i8x16.eq(behind, zero)))
    if (!v128.any_true(found)) continue
    for (let bits = i8x16.bitmask(found); bits; bits &= bits - 1) {
      const place = at + ctz(bits)
      if (load<u8>(place, 1) === 0 && !isTiff(place, end)) continue
      store<u32>(to, <u32>(place - input))
      to += 4
    }
  }
  return <u32>((to - places) >> 2)
}

/** Whether a TIFF's signature surrounds a place. UTF-16 text has many such places without one. */
function isTiff(place: usize, end: usize): bool {
  if (load<u8>(place) === 0x4d)
    return (
      place > input &&
      place + 2 < end &&
      load<u8>(place - 1) === 0x4d &&
      (load<u8>(place, 2) & 0xfe) === 0x2a
    )
  return place > input + 1 && place + 1 < end && load<u16>(place - 2) === 0x4949
}
