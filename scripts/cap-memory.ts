const HEADER_BYTES = 8
const MEMORY_SECTION = 5

/**
 * Rewrites a WebAssembly module so that its memory cannot grow past `maxPages` (core specification,
 * 5.5.8). The engine then refuses to grow it, and the module's allocator fails as on a machine
 * without free memory.
 */
export function capMemory(module: Uint8Array, maxPages: number): Uint8Array {
  for (let at = HEADER_BYTES; at < module.length;) {
    const id = module[at]
    const size = readUnsigned(module, at + 1)
    const end = size.next + size.value
    if (id === MEMORY_SECTION) {
      const section = cappedSection(module.subarray(size.next, end), maxPages)
      return Buffer.concat([module.subarray(0, at), section, module.subarray(end)])
    }
    at = end
  }
  throw new Error('the module defines no memory')
}

function cappedSection(content: Uint8Array, maxPages: number): Uint8Array {
  const count = readUnsigned(content, 0)
  if (count.value !== 1) throw new Error(`the module defines ${count.value} memories`)
  const minPages = readUnsigned(content, count.next + 1)
  if (minPages.value > maxPages) throw new Error(`the module begins with ${minPages.value} pages`)
  const limits = [1, 1, ...writeUnsigned(minPages.value), ...writeUnsigned(maxPages)]
  return Uint8Array.from([MEMORY_SECTION, ...writeUnsigned(limits.length), ...limits])
}

/** LEB128 (core specification, 5.2.2). */
function readUnsigned(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return { value, next: at }
  }
}

function writeUnsigned(value: number): number[] {
  return value < 0x80
    ? [value]
    : [(value & 0x7f) | 0x80, ...writeUnsigned(Math.floor(value / 0x80))]
}
