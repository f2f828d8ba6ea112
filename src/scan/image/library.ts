import createAvif from '@jsquash/avif/codec/dec/avif_dec.js'
import createWebp from '@jsquash/webp/codec/dec/webp_dec.js'
import type { CoreModules } from '../../core/modules.ts'
import { LIBRARY_LIMITS, type LibraryFormat } from './library-limits.ts'

/** What an Emscripten factory of @jsquash takes and gives, as far as it is used here. */
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

const FACTORIES: Record<LibraryFormat, CodecFactory> = {
  webp: createWebp,
  avif: createAvif,
}

/** Bits a channel that the AVIF decoder is asked for; WebP has no other, and its decoder takes no second argument. */
const AVIF_BIT_DEPTH = 8

/** RGBA of width x height pixels. */
export interface Pixels {
  data: Uint8Array
  width: number
  height: number
}

/**
 * Decodes a file in a fresh instance of the library, which nothing refers to afterwards. Between the awaits here is no
 * input or output, so that no other decoding runs meanwhile: there is one such memory at a time.
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
      printErr: () => {}, // it says 'Aborted()' where memory is refused
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

const PAGE_BYTES = 65536

/** Their memory grows in steps: more than half of what it may be is a sign that a further step was refused. */
function failure(
  format: LibraryFormat,
  memory: WebAssembly.Memory | undefined,
): 'damaged' | 'over-memory-budget' {
  const cap = LIBRARY_LIMITS[format].memoryPages * PAGE_BYTES
  return (memory?.buffer.byteLength ?? 0) > cap * 0.7 ? 'over-memory-budget' : 'damaged'
}
