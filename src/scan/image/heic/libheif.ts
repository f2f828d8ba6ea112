// oxlint-disable no-underscore-dangle -- Emscripten names C functions so.

import createLibheif from 'libheif-js/libheif-wasm/libheif.js'
import type { UnscannableReason } from '../../scanned.ts'
import { MEMORY_PAGES } from './limits.ts'
import type { HeicImage, HeicLibrary } from './library.ts'

/** Maximum images read from a file. */
const MAX_IMAGES = 8

// heif.h
const RGB = 1
const INTERLEAVED = { 3: 10, 4: 11 } as const
const INTERLEAVED_CHANNEL = 10
const UNSUPPORTED_FEATURE = 4
const OUT_OF_MEMORY = 6
/** Offsets in `heif_decoding_options`. */
const IGNORES_TRANSFORMATIONS = 1
const CONVERTS_TO_8_BITS = 20

/** libheif, in a new instance for each call: nothing refers to its memory afterwards. */
export function libheif(module: WebAssembly.Module): HeicLibrary {
  return {
    images: (file) => use(module, file, (heif) => heif.images()),
    rows: (file, image, row, onRow) =>
      use(module, file, (heif) => heif.rows(image, row, onRow)) ?? undefined,
  }
}

/**
 * The part of libheif's C interface (heif.h) used here: addresses and numbers. Errors are
 * structures written to the first address.
 */
interface Libheif {
  HEAPU8: Uint8Array
  HEAPU32: Uint32Array
  _malloc(bytes: number): number
  _heif_context_alloc(): number
  _heif_context_read_from_memory_without_copy(
    error: number,
    context: number,
    file: number,
    bytes: number,
    options: number,
  ): void
  _heif_context_get_list_of_top_level_image_IDs(context: number, ids: number, most: number): number
  _heif_context_get_number_of_top_level_images(context: number): number
  _heif_context_has_sequence(context: number): number
  _heif_context_get_image_handle(error: number, context: number, id: number, handle: number): void
  _heif_image_handle_is_primary_image(handle: number): number
  _heif_image_handle_has_alpha_channel(handle: number): number
  _heif_image_handle_get_image_tiling(
    error: number,
    handle: number,
    isTransformed: number,
    tiling: number,
  ): void
  _heif_decoding_options_alloc(): number
  _heif_image_handle_decode_image_tile(
    error: number,
    handle: number,
    image: number,
    colours: number,
    chroma: number,
    options: number,
    x: number,
    y: number,
  ): void
  _heif_image_get_plane_readonly(image: number, channel: number, stride: number): number
  _heif_image_get_width(image: number, channel: number): number
  _heif_image_get_height(image: number, channel: number): number
}

type LibheifFactory = (options: {
  noInitialRun: boolean
  print(text: string): void
  printErr(text: string): void
  instantiateWasm(
    imports: WebAssembly.Imports,
    onInstance: (instance: WebAssembly.Instance) => void,
  ): WebAssembly.Exports
}) => Libheif

function use<T>(
  module: WebAssembly.Module,
  file: Uint8Array,
  ask: (heif: OpenFile) => T,
): T | UnscannableReason {
  const memory: { own?: WebAssembly.Memory } = {}
  try {
    return ask(new OpenFile(start(module, memory), file))
  } catch (error) {
    if (error instanceof HeifError) return error.reason
    // It throws any kind of value: numbers, strings, traps.
    const isFull = (memory.own?.buffer.byteLength ?? 0) > MEMORY_PAGES * PAGE_BYTES * 0.7
    return isFull ? 'over-memory-budget' : 'damaged'
  }
}

const PAGE_BYTES = 65_536

function start(module: WebAssembly.Module, memory: { own?: WebAssembly.Memory }): Libheif {
  return withFolder(() =>
    (createLibheif as unknown as LibheifFactory)({
      noInitialRun: true,
      print: () => {},
      printErr: () => {},
      instantiateWasm(imports, onInstance) {
        const instance = new WebAssembly.Instance(module, imports)
        memory.own = capped(instance)
        onInstance(instance)
        return instance.exports
      },
    }),
  )
}

/**
 * Its memory, which cannot grow past its cap. Only its JavaScript grows it, so the module stays as
 * its authors made it.
 * @see scripts/cap-memory.ts for the other libraries
 */
function capped(instance: WebAssembly.Instance): WebAssembly.Memory {
  const memory = Object.values(instance.exports).find((one) => one instanceof WebAssembly.Memory)
  if (!memory) throw new TypeError('libheif has no memory')
  const grow = memory.grow.bind(memory)
  memory.grow = (pages) => {
    if (memory.buffer.byteLength / PAGE_BYTES + pages > MEMORY_PAGES) throw new RangeError('cap')
    return grow(pages)
  }
  return memory
}

/**
 * If there is node:process, libheif asks for its own folder, which an ES module does not know. It
 * never uses the answer.
 */
function withFolder<T>(begin: () => T): T {
  const scope = globalThis as { __dirname?: string }
  if (scope.__dirname !== undefined) return begin()
  scope.__dirname = '/'
  try {
    return begin()
  } finally {
    delete scope.__dirname
  }
}

class HeifError extends Error {
  readonly reason: UnscannableReason

  constructor(code: number) {
    super(`libheif says ${code}`)
    this.reason =
      code === UNSUPPORTED_FEATURE
        ? 'unsupported-variant'
        : code === OUT_OF_MEMORY
          ? 'over-memory-budget'
          : 'damaged'
  }
}

/** A file that libheif has read. */
class OpenFile {
  readonly #heif: Libheif
  readonly #context: number
  /** Room for what functions write: an error (3 words) or a result. */
  readonly #error: number
  readonly #result: number

  constructor(heif: Libheif, file: Uint8Array) {
    this.#heif = heif
    this.#error = this.#allocate(12)
    this.#result = this.#allocate(128)
    this.#context = heif._heif_context_alloc()
    const copy = this.#allocate(file.length)
    heif.HEAPU8.set(file, copy)
    heif._heif_context_read_from_memory_without_copy(
      this.#error,
      this.#context,
      copy,
      file.length,
      0,
    )
    this.#check()
  }

  images(): { images: HeicImage[]; isPartial: boolean } {
    const heif = this.#heif
    const count = heif._heif_context_get_number_of_top_level_images(this.#context)
    const most = Math.min(count, MAX_IMAGES)
    heif._heif_context_get_list_of_top_level_image_IDs(this.#context, this.#result, most)
    const ids = Array.from({ length: most }, (_, i) => this.#word(i))
    const images = ids.map((id) => this.#describe(id))
    const hasSequence = heif._heif_context_has_sequence(this.#context) !== 0
    return {
      images: images.toSorted((a, b) => Number(b.isPrimary) - Number(a.isPrimary)),
      isPartial: count > most || hasSequence,
    }
  }

  rows(image: HeicImage, row: number, onRow: (pixels: Uint8Array) => void): void {
    const handle = this.#handleOf(image.id)
    const across = Math.ceil(image.width / image.tileWidth)
    const tiles = Array.from({ length: across }, (_, x) => this.#decodeTile(image, handle, x, row))
    const { width, channels } = image
    const height = Math.min(image.tileHeight, image.height - row * image.tileHeight)
    if (tiles.some((tile) => tile.height < height)) throw new HeifError(0)
    const pixels = new Uint8Array(width * channels)
    for (let y = 0; y < height; y++) {
      for (const [x, { at, stride, width: columns }] of tiles.entries()) {
        const left = x * image.tileWidth
        const bytes = Math.min(columns, width - left) * channels
        const from = at + y * stride
        pixels.set(this.#heif.HEAPU8.subarray(from, from + bytes), left * channels)
      }
      onRow(pixels)
    }
  }

  #describe(id: number): HeicImage {
    const heif = this.#heif
    const handle = this.#handleOf(id)
    heif._heif_image_handle_get_image_tiling(this.#error, handle, 0, this.#result)
    this.#check()
    return {
      id,
      isPrimary: heif._heif_image_handle_is_primary_image(handle) !== 0,
      channels: heif._heif_image_handle_has_alpha_channel(handle) === 0 ? 3 : 4,
      tileWidth: this.#word(3),
      tileHeight: this.#word(4),
      width: this.#word(5),
      height: this.#word(6),
    }
  }

  #handleOf(id: number): number {
    this.#heif._heif_context_get_image_handle(this.#error, this.#context, id, this.#result)
    this.#check()
    return this.#word(0)
  }

  #decodeTile({ channels }: HeicImage, handle: number, x: number, y: number) {
    const heif = this.#heif
    const options = heif._heif_decoding_options_alloc()
    heif.HEAPU8[options + IGNORES_TRANSFORMATIONS] = 1
    heif.HEAPU8[options + CONVERTS_TO_8_BITS] = 1
    const [error, result] = [this.#error, this.#result]
    const form = INTERLEAVED[channels]
    heif._heif_image_handle_decode_image_tile(error, handle, result, RGB, form, options, x, y)
    this.#check()
    const tile = this.#word(0)
    const at = heif._heif_image_get_plane_readonly(tile, INTERLEAVED_CHANNEL, result)
    if (at === 0) throw new HeifError(0)
    return {
      at,
      stride: this.#word(0),
      width: heif._heif_image_get_width(tile, INTERLEAVED_CHANNEL),
      height: heif._heif_image_get_height(tile, INTERLEAVED_CHANNEL),
    }
  }

  /** @throws {HeifError} */
  #check(): void {
    const code = this.#heif.HEAPU32[this.#error >> 2] ?? 0
    if (code !== 0) throw new HeifError(code)
  }

  #word(index: number): number {
    return this.#heif.HEAPU32[(this.#result >> 2) + index] ?? 0
  }

  #allocate(bytes: number): number {
    const address = this.#heif._malloc(bytes)
    if (address === 0) throw new HeifError(OUT_OF_MEMORY)
    return address
  }
}
