import createAvif from '@jsquash/avif/codec/dec/avif_dec.js'
import createWebp from '@jsquash/webp/codec/dec/webp_dec.js'
import type { CoreModules } from '../../core/modules.ts'
import { LIBRARY_LIMITS, type LibraryFormat } from './library-limits.ts'

const FACTORIES: Record<LibraryFormat, CodecFactory> = {
  webp: createWebp,
  avif: createAvif,
}

/**
 * Bits per channel requested from the AVIF decoder; WebP has no choice, and its decoder takes no
 * second argument.
 */
const AVIF_BIT_DEPTH = 8

/**
 * Decodes a file in a fresh instance of the library that nothing refers to afterwards. No input or
 * output happens between the awaits here, so no other decoding runs meanwhile: only one such memory
 * exists at a time.
 */
export async function decodeWithLibrary(
  modules: CoreModules,
  format: LibraryFormat,
  file: Uint8Array,
): Promise<Pixels | 'damaged' | 'over-memory-budget'> {
  let memory: WebAssembly.Memory | undefined
  try {
    const library = await FACTORIES[format]({
      noInitialRun: true,
      printErr: () => {}, // it prints 'Aborted()' if memory is refused
      instantiateWasm(imports, onInstance) {
        const instance = new WebAssembly.Instance(modules[format], imports)
        memory = Object.values(instance.exports).find(
          (value) => value instanceof WebAssembly.Memory,
        )
        onInstance(instance)
        return instance.exports
      },
    })
    const pixels = format === 'avif' ? library.decode(file, AVIF_BIT_DEPTH) : library.decode(file)
    if (!pixels) return failure(format, memory)
    const { data, width, height } = pixels
    return { data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), width, height }
  } catch {
    // The libraries throw any kind of value: numbers, strings, traps.
    return failure(format, memory)
  }
}

/** The part of an @jsquash Emscripten factory used here. */
type CodecFactory = (options: {
  noInitialRun: boolean
  printErr(text: string): void
  instantiateWasm(
    imports: WebAssembly.Imports,
    onInstance: (instance: WebAssembly.Instance) => void,
  ): WebAssembly.Exports
}) => Promise<{ decode(...args: [Uint8Array] | [Uint8Array, number]): DecodedPixels | null }>

interface DecodedPixels {
  data: Uint8ClampedArray
  width: number
  height: number
}

/** RGBA of width x height pixels. */
export interface Pixels {
  data: Uint8Array
  width: number
  height: number
}

const PAGE_BYTES = 65536

/**
 * Memory grows in steps: using more than half of the cap suggests that a further step was refused.
 */
function failure(
  format: LibraryFormat,
  memory: WebAssembly.Memory | undefined,
): 'damaged' | 'over-memory-budget' {
  const cap = LIBRARY_LIMITS[format].memoryPages * PAGE_BYTES
  return (memory?.buffer.byteLength ?? 0) > cap * 0.7 ? 'over-memory-budget' : 'damaged'
}
