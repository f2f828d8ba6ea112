/** Bytes of a result: position (u32), distance of the first half (u16), number of the needle (u16). */
const RESULT_BYTES: usize = 8

/** Writes result number `at`, if there is room. */
export function report(
  distance: u32,
  position: u32,
  needle: u32,
  results: usize, // capacity x RESULT_BYTES
  capacity: u32,
  at: u32,
): void {
  if (at >= capacity) return
  const result = results + <usize>at * RESULT_BYTES
  store<u32>(result, position)
  store<u16>(result, <u16>distance, 4)
  store<u16>(result, <u16>needle, 6)
}
