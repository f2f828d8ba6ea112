/** The module that bench/read-memory.ts compiles. */
interface ReaderExports {
  memory: WebAssembly.Memory
  read: (start: number, bytes: number) => number
  readInFour: (start: number, bytes: number) => number
}

/**
 * Returns a function that reads `bytes` of its own memory, grown at once and written once.
 * @param bytes a multiple of 256
 * @param how from start to end, or in four places at once
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
