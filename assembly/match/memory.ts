// Memory of a match instance: from __heap_base on, one region that the host fills and the kernels read.

const PAGE: usize = 65536
/** A line of the cache. */
const ALIGNMENT: usize = 64

const BOTTOM: usize = (__heap_base + ALIGNMENT - 1) & ~(ALIGNMENT - 1)

let top = BOTTOM

/** Frees everything that was reserved. Memory keeps its size for what comes next. */
export function reset(): void {
  top = BOTTOM
}

/** Address of `bytes` more bytes on a boundary of 64; 0 if memory cannot grow that far. */
export function reserve(bytes: usize): usize {
  const address = top
  const end = (address + bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1)
  if (end < address) return 0
  const available = <usize>memory.size() * PAGE
  if (end > available && memory.grow(<i32>((end - available + PAGE - 1) / PAGE)) < 0) return 0
  top = end
  return address
}
