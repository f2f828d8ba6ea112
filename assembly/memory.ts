// Memory of one image instance. An instance serves one image and is dropped, so nothing here is
// ever freed. The host lends the memory, zeroed (src/core/image-core.ts). It may be longer than
// what is allocated, since an earlier instance grew it.
//
//   0 ............ static tables and scratch of each file (memory.data), written by that file alone
//   __heap_base .. input window, then whatever the image needs, in the order it is asked for:
//                  the luma plane (or two), the decoder's tables and rows, the kept coefficients
//   memoryLimit .. never grown past: `allocate` returns 0, and the image is `unscannable` (over budget)
//
// The engine's own limit (asconfig.json, maximumMemory) is a safety net behind `memoryLimit`.

const PAGE: usize = 65536
const ALIGNMENT: usize = 16

/**
 * Maximum memory of an image, unless `limitMemory` sets less: the module's maximum, 366 pages, just
 * under 24 MB.
 */
const MAX_MEMORY: usize = 366 * PAGE

/**
 * Enough for an image that does not wait in memory for later scans, and for any up to 40
 * megapixels: just under 9 MB.
 */
export const SMALL_MEMORY: u32 = 137 * 65536

let memoryLimit: usize = MAX_MEMORY
let lastAddress: usize = 0
let top: usize = (__heap_base + ALIGNMENT - 1) & ~(ALIGNMENT - 1)

/** Lowers the memory limit of this instance, in bytes. */
export function limitMemory(bytes: u32): void {
  memoryLimit = min<usize>(bytes, MAX_MEMORY)
}

/** Bytes in use, by static data and `allocate`. Nothing is freed, so this is also the peak. */
export function memoryTop(): usize {
  return top
}

/** Bytes that may still be allocated. */
export function memoryLeft(): usize {
  return memoryLimit > top ? memoryLimit - top : 0
}

/**
 * Address of `bytes` zeroed bytes on a 16-byte boundary, followed by 16 more readable and writable
 * bytes for vector loads and stores that overhang; 0 if they do not fit under the limit.
 */
export function allocate(bytes: usize): usize {
  lastAddress = top
  return raiseTop(bytes + ALIGNMENT) && placeGuard() ? lastAddress : 0
}

/**
 * Extends the allocation at `address` by `bytes`. Returns false if something follows it already, or
 * the limit would be exceeded.
 */
export function extendLast(address: usize, bytes: usize): bool {
  if (address != lastAddress) return false
  takeGuardAway()
  return raiseTop(bytes) && placeGuard()
}

function raiseTop(bytes: usize): bool {
  const size = (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1)
  if (size < bytes || size > memoryLeft()) return false
  const end = top + size
  const available = <usize>memory.size() * PAGE
  if (end > available && memory.grow(<i32>((end - available + PAGE - 1) / PAGE)) < 0) return false
  top = end
  return true
}

// Tests leave a guard after each allocation, to detect writes beyond it:
//
//   allocation │ 16 bytes │ address of the guard before this one, 12 zeros, further zeros │ next allocation

let guardBytes: usize = 0
let lastGuard: usize = 0

/**
 * Leaves guards of `bytes`, a multiple of 16, after everything allocated from now on. For tests.
 */
export function guardAllocations(bytes: u32): void {
  guardBytes = bytes
}

/** Whether all guards are untouched. For tests. */
export function areGuardsIntact(): bool {
  for (let guard = lastGuard; guard; guard = load<usize>(guard)) {
    for (let at = guard + sizeof<usize>(); at < guard + guardBytes; at++) {
      if (load<u8>(at)) return false
    }
  }
  return true
}

function placeGuard(): bool {
  if (!guardBytes) return true
  const guard = top
  if (!raiseTop(guardBytes)) return false
  store<usize>(guard, lastGuard)
  lastGuard = guard
  return true
}

function takeGuardAway(): void {
  if (!guardBytes) return
  top = lastGuard
  lastGuard = load<usize>(top)
  store<usize>(top, 0)
}
