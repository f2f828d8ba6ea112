// Where images may begin in a file: places of pairs of bytes that are rare but in signatures. Sixteen places are looked at at once.
// src/core/signature-search.ts is the only caller, src/scan/archive/signatures.ts tells what begins there.

const MAX_BYTES: usize = 65536

const input = memory.data(65536 + 32) // MAX_BYTES, and what kernels read behind them
const places = memory.data(131072) // MAX_BYTES / 2 of u32: no byte is the second of one pair and the first of another

/** Address of MAX_BYTES bytes, to be searched. */
export function inputAddress(): usize {
  return input
}

/** Address of the places that `findPairs` found, u32 each. */
export function placesAddress(): usize {
  return places
}

// Pairs that are searched for. They lie in memory so that the engine keeps them in registers: constants it would make anew each time.
const firsts: usize = memory.data<u8>([0xd8, 0x50, 0x47, 0x57, 0x66])
const seconds: usize = memory.data<u8>([0xff, 0x4e, 0x49, 0x45, 0x74])

/**
 * Finds D8 FF, which lies behind FF in a JPEG, and the first two letters of PNG, GIF, WEBP and ftyp. Returns the number of their
 * places. They are reported in order.
 */
export function findPairs(
  count: u32, // bytes of the input, at most MAX_BYTES
): u32 {
  if (count > <u32>MAX_BYTES) unreachable()
  const end = input + count
  v128.store(end, i8x16.splat(0)) // what an earlier search left
  const first0 = v128.load8_splat(firsts)
  const first1 = v128.load8_splat(firsts, 1)
  const first2 = v128.load8_splat(firsts, 2)
  const first3 = v128.load8_splat(firsts, 3)
  const first4 = v128.load8_splat(firsts, 4)
  const second0 = v128.load8_splat(seconds)
  const second1 = v128.load8_splat(seconds, 1)
  const second2 = v128.load8_splat(seconds, 2)
  const second3 = v128.load8_splat(seconds, 3)
  const second4 = v128.load8_splat(seconds, 4)
  let to = places
  for (let at = input; at < end; at += 16) {
    const here = v128.load(at)
    const behind = v128.load(at, 1)
    let found = v128.and(i8x16.eq(here, first0), i8x16.eq(behind, second0))
    found = v128.or(found, v128.and(i8x16.eq(here, first1), i8x16.eq(behind, second1)))
    found = v128.or(found, v128.and(i8x16.eq(here, first2), i8x16.eq(behind, second2)))
    found = v128.or(found, v128.and(i8x16.eq(here, first3), i8x16.eq(behind, second3)))
    found = v128.or(found, v128.and(i8x16.eq(here, first4), i8x16.eq(behind, second4)))
    if (!v128.any_true(found)) continue
    for (let bits = i8x16.bitmask(found); bits; bits &= bits - 1) {
      store<u32>(to, <u32>(at - input) + ctz(bits))
      to += 4
    }
  }
  return <u32>((to - places) >> 2)
}
