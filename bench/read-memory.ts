import { main as compile } from 'assemblyscript/asc'

// The lower bound of a scan: loading every vector of the same memory, from start to end, or in four
// places at once as the scan does, which is faster if memory is the limit.
const SOURCE = `
export function read(start: usize, bytes: usize): u32 {
  let sum = i32x4.splat(0)
  for (let at = start, end = start + bytes; at < end; at += 64) sum = v128.xor(sum, line(at))
  return fold(sum)
}

export function readInFour(start: usize, bytes: usize): u32 {
  let sum = i32x4.splat(0)
  const part = bytes / 4
  for (let at = start, end = start + part; at < end; at += 64) {
    const first = v128.or(line(at), line(at + part))
    sum = v128.xor(sum, v128.or(first, v128.or(line(at + part * 2), line(at + part * 3))))
  }
  return fold(sum)
}

function line(at: usize): v128 {
  const first = v128.or(v128.load(at), v128.load(at, 16))
  return v128.or(first, v128.or(v128.load(at, 32), v128.load(at, 48)))
}

function fold(sum: v128): u32 {
  return i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1) + i32x4.extract_lane(sum, 2) + i32x4.extract_lane(sum, 3)
}`

/** Compiles the loops that read memory: bench/match/reader.ts runs them, in Node and in workerd. */
export async function compileReader(): Promise<Uint8Array<ArrayBuffer>> {
  let binary: Uint8Array | undefined
  const { error } = await compile(
    ['read.ts', '--outFile', 'read.wasm', '--runtime', 'stub', '--enable', 'simd', '-O3'],
    {
      readFile: (name) => (name === 'read.ts' ? SOURCE : null),
      writeFile: (name, content) => {
        if (name === 'read.wasm') binary = content as Uint8Array
      },
      listFiles: () => [],
    },
  )
  if (error || !binary) throw error ?? new Error('asc made no module')
  return new Uint8Array(binary)
}
