/** The module that bench/read-memory.ts makes. */
interface ReaderExports {
  memory: WebAssembly.Memory
  read: (start: number, bytes: number) => number
  readInFour: (start: number, bytes: number) => number
}

/**
 * A function that reads `bytes` of memory: memory of its own, grown at once and written to once.
 * @param bytes a multiple of 256
 * @param how from the start to the end, or in four places at once
 */
export function memoryReader(
  module: WebAssembly.Module,
  bytes: number,
  how: 'read' | 'readInFour',
): () => number {
  const core = new WebAssembly.Instance(module).exports as unknown as ReaderExports
  core.memory.grow(Math.ceil(bytes / 65536))
  new Uint8Array(core.memory.buffer).fill(0x5a)
  return () => core[how](0, bytes)
}
