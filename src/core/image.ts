import { DIHEDRAL_NAMES, type DihedralName, HASH_BYTES, type Hash256 } from '../util/hash.ts'
import type { ImageCore, ImageInstance } from './image-core.ts'
import type { ImageExports } from './image-exports.ts'
import { Plane, ProbeRoom, type QualifiedHash } from './plane.ts'

const DECODERS = {
  jpeg: 'decodeJpeg',
  png: 'decodePng',
  gif: 'decodeGif',
  bmp: 'decodeBmp',
  pixels: 'decodePixels',
} as const satisfies Record<CoreFormat | 'pixels', keyof ImageExports>

// assembly/status.ts
const FRAME = 1
const DONE = 2
const TONES = 3
const PAUSED = 4
const FAILURES: Record<number, DecodeFailure> = {
  [-1]: 'damaged',
  [-2]: 'truncated',
  [-3]: 'over-memory-budget',
  [-4]: 'over-limit',
  [-5]: 'unsupported-variant',
  [-6]: 'out-of-range',
}

/** Smallest side that has a hash, as in the reference. */
const MIN_HASHABLE_SIDE = 5

/** Side of the picture that PDQ hashes. */
const SEEN_SIDE = 64

/**
 * Decodes one image in a WebAssembly instance of its own, so neither a trap nor memory outlives it. It takes bytes in
 * chunks of any size and returns each frame when it is complete. `release` it once all of it has been read.
 */
export class ImageDecoder {
  readonly #instance: ImageInstance
  readonly #decode: (isLast: number) => number
  #state: 'open' | 'done' | DecodeFailure = 'open'
  #scratch = 0
  #oriented = 0
  #curve = 0
  #probeRoom: ProbeRoom | undefined
  /** Returns the file's tones. Called when the file's colour metadata is known, before its pixels. */
  onTones: (() => Tones | undefined) | undefined

  private constructor(core: ImageCore, format: keyof typeof DECODERS) {
    this.#instance = core.begin()
    this.#decode = this.#core[DECODERS[format]]
  }

  get #core(): ImageExports {
    return this.#instance.exports
  }

  static forFile(core: ImageCore, format: CoreFormat): ImageDecoder {
    const decoder = new ImageDecoder(core, format)
    // A file must not be able to predict which places are only sampled.
    if (format === 'jpeg')
      decoder.#core.seedSamples(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0)
    return decoder
  }

  /** Decoder for pixels that another decoder made: width x height x channels bytes. */
  static forPixels(core: ImageCore, size: PixelSize): ImageDecoder {
    const decoder = new ImageDecoder(core, 'pixels')
    decoder.#settle(decoder.#core.beginPixels(size.width, size.height, size.channels))
    return decoder
  }

  /**
   * Takes the next bytes of the file. Calls `onFrame` for each frame that they complete.
   * Once `failure` or `isDone` is set, bytes are ignored.
   */
  push(bytes: Uint8Array, isLast: boolean, onFrame: (frame: Frame) => void): void {
    for (const frame of this.frames(bytes, isLast)) if (frame) onFrame(frame)
  }

  /** The same in turns: yields each frame, or `undefined` after some milliseconds, and continues on the next call. */
  *frames(bytes: Uint8Array, isLast: boolean): Generator<Frame | undefined, void> {
    let offset = 0
    let isFull = false
    do {
      if (this.#state !== 'open') return
      const taken = this.#guard(() => this.#give(bytes, offset)) ?? 0
      // A core that takes no byte of a full window never will.
      if (taken === 0 && isFull) this.#state = 'damaged'
      isFull = taken === 0
      offset += taken
      yield* this.#run(isLast && offset === bytes.length)
    } while (offset < bytes.length)
  }

  /** Makes a second plane besides luma, of what programs show. Call it before the first pixels. */
  setTones({ curve, colours }: Tones): void {
    const [red = 0, green = 0, blue = 0] = colours?.sides ?? []
    let address = this.#guard(() => this.#core.beginTones(red, green, blue)) ?? 0
    if (address === 0) return
    for (const numbers of [curve, ...(colours ? [...colours.places, colours.grid] : [])]) {
      new Float32Array(this.#core.memory.buffer, address, numbers.length).set(numbers)
      address += numbers.byteLength
    }
    this.#core.tonesSet()
  }

  /** Stops decoding. Later bytes are ignored. */
  stop(): void {
    if (this.#state === 'open') this.#state = 'done'
  }

  /** Stops decoding and gives the memory to the next image. Only `isDone` and `failure` may be read afterwards. */
  release(): void {
    this.stop()
    this.#instance.release()
  }

  /** Whether decoding has finished. */
  get isDone(): boolean {
    return this.#state === 'done'
  }

  /** Why the image cannot be decoded; `undefined` if it can, so far. */
  get failure(): DecodeFailure | undefined {
    return this.#state === 'open' || this.#state === 'done' ? undefined : this.#state
  }

  /** Size in pixels; zeros until it is known. */
  get size(): { width: number; height: number } {
    return { width: this.#core.width(), height: this.#core.height() }
  }

  /** Whether frames of an animation were left out because of a limit. */
  get hasLeftOut(): boolean {
    return this.#core.hasLeftOut() !== 0
  }

  /** Whether frames may follow the first one. */
  get mayHaveFrames(): boolean {
    return this.#core.isAnimation() !== 0
  }

  /** How many times frames after the first were inspected. What came before is known. */
  get looks(): number {
    return this.#core.looksAtFrames()
  }

  /** The file's Exif block, from its byte order mark on, if found so far. */
  get exif(): Uint8Array | undefined {
    return this.#segment(this.#core.exifAddress(), this.#core.exifLength())
  }

  /** The APP0 segment of a JPEG that holds a thumbnail as pixels, if found so far. */
  get thumbnail(): Uint8Array | undefined {
    return this.#segment(this.#core.thumbnailAddress(), this.#core.thumbnailLength())
  }

  /** The file's ICC profile, as far as it has come, if it has one. For PNG, the chunk that holds it. */
  get profile(): Uint8Array | undefined {
    return this.#segment(this.#core.profileAddress(), this.#core.profileLength())
  }

  #segment(address: number, bytes: number): Uint8Array | undefined {
    return address === 0
      ? undefined
      : new Uint8Array(this.#core.memory.buffer, address, bytes).slice()
  }

  get pngColours(): PngColours {
    const address = this.#core.chromaticitiesAddress()
    const xy = address ? new DataView(this.#core.memory.buffer, address, 32) : undefined
    const [primaries = 0, transfer = 0] = new Uint8Array(
      Uint32Array.of(this.#core.codePointsOf()).buffer,
    )
    const peak = this.#core.peakOf() / 10_000
    return {
      gamma: this.#core.gammaOf() / 100_000,
      ...(xy && {
        chromaticities: Array.from({ length: 8 }, (_, i) => xy.getUint32(4 * i) / 100_000),
      }),
      ...(primaries && { codePoints: { primaries, transfer } }),
      ...(peak && { peak }),
    }
  }

  /** The plane as bytes of luma, for a picture that is part of another. */
  get luma(): { columns: number; rows: number; data: Uint8Array } {
    const [columns, rows] = [this.#core.planeCols(), this.#core.planeRows()]
    const address = this.#core.planeAddress()
    const plane = new Float32Array(this.#core.memory.buffer, address, columns * rows)
    return { columns, rows, data: Uint8Array.from(Uint8ClampedArray.from(plane)) }
  }

  /** Bytes of memory that the instance has taken. It frees none, so this is the peak. */
  get memoryBytes(): number {
    return this.#core.memoryTop()
  }

  /** Copies as many bytes as fit into the input window. Returns how many. */
  #give(bytes: Uint8Array, offset: number): number {
    const address = this.#core.inputAddress()
    if (address === 0) {
      this.#state = 'over-memory-budget'
      return 0
    }
    const count = Math.min(this.#core.inputRoom(), bytes.length - offset)
    const window = new Uint8Array(this.#core.memory.buffer, address, count)
    window.set(bytes.subarray(offset, offset + count))
    this.#core.inputAdded(count)
    return count
  }

  *#run(isLast: boolean): Generator<Frame | undefined, void> {
    while (this.#state === 'open') {
      const status = this.#guard(() => this.#decode(isLast ? 1 : 0))
      if (status === undefined) return
      if (status === TONES) {
        const tones = this.onTones?.()
        if (tones) this.setTones(tones)
        continue
      }
      if (status === PAUSED) {
        yield undefined
        continue
      }
      this.#settle(status)
      if (status !== FRAME) return
      yield this.frame
    }
  }

  #settle(status: number): void {
    if (status === DONE) this.#state = 'done'
    else if (status < 0) this.#state = FAILURES[status] ?? 'damaged'
  }

  /** Runs the core. After a trap, the instance is never used again. */
  #guard<T>(run: () => T): T | undefined {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error
      this.#state = 'damaged'
      return undefined
    }
  }

  /** The frame in the planes: the last one reported. */
  get frame(): Frame {
    const core = this.#core
    const rows = core.planeRows()
    const cols = core.planeCols()
    const isHashable = rows >= MIN_HASHABLE_SIDE && cols >= MIN_HASHABLE_SIDE
    const hashOf = (plane: number, planeRows: number, planeCols: number): QualifiedHash => {
      const out = this.#hashRoom()
      const quality = core.hashPlane(plane, planeRows, planeCols, out)
      const stretchedQuality = core.stretchedQuality()
      return { hash: this.#read(out), quality, stretchedQuality, weakBits: core.weakBits() }
    }
    const orientedHash = (orientation: number): QualifiedHash => {
      const swaps = orientation >= 5
      return hashOf(this.#oriented, swaps ? cols : rows, swaps ? rows : cols)
    }
    const turnedHash = (plane: number, orientation: number): QualifiedHash | undefined => {
      this.#oriented ||= core.allocate(rows * cols * 4)
      if (this.#oriented === 0) return undefined
      core.orientPlane(plane, rows, cols, orientation, this.#oriented)
      return orientedHash(orientation)
    }
    const planeHash = (plane: number, orientation: number): QualifiedHash | undefined => {
      if (!isHashable || plane === 0) return undefined
      return orientation === 1 ? hashOf(plane, rows, cols) : turnedHash(plane, orientation)
    }
    return {
      stored: () => (isHashable ? hashOf(core.planeAddress(), rows, cols) : undefined),
      displayed: (orientation) =>
        isHashable ? turnedHash(core.planeAddress(), orientation) : undefined,
      overWhite: (orientation) => planeHash(core.whiteAddress(), orientation),
      overBlack: (orientation) => planeHash(core.blackAddress(), orientation),
      alpha: (orientations) => {
        const plane = core.blackAddress()
        if (!isHashable || plane === 0) return []
        core.makeAlphaPlane()
        return orientations.flatMap((orientation) => {
          const hash = planeHash(plane, orientation)
          return hash ? [{ hash, isSilhouette: core.midtones() <= SILHOUETTE_MIDTONES }] : []
        })
      },
      otherReading: (orientation) => planeHash(core.otherAddress(), orientation),
      picked: () => {
        const plane = core.picksAddress()
        return isHashable && plane !== 0 ? hashOf(plane, rows, cols) : undefined
      },
      plane: (of) => {
        const plane = of === 'stored' ? core.planeAddress() : core.whiteAddress()
        if (!isHashable || plane === 0) return undefined
        this.#probeRoom ??= ProbeRoom.in(this.#instance, rows * cols, core.picksAddress())
        return this.#probeRoom && new Plane(this.#probeRoom, plane, rows, cols)
      },
      toned: ({ curve }, orientation, background) => {
        this.#oriented ||= core.allocate(rows * cols * 4)
        this.#curve ||= core.allocate(curve.length * 4)
        if (!isHashable || this.#oriented === 0 || this.#curve === 0) return undefined
        const toned = core.tonedAddress()
        core.orientPlane(toned || core.planeAddress(), rows, cols, orientation, this.#oriented)
        if (toned === 0) {
          new Float32Array(core.memory.buffer, this.#curve, curve.length).set(curve)
          core.applyCurve(this.#oriented, rows * cols, this.#curve, this.#oriented)
        }
        if (background !== undefined) {
          const [white, black] = [core.whiteAddress(), core.blackAddress()]
          if (white === 0 || black === 0 || orientation !== 1) return undefined
          core.putOver(this.#oriented, rows * cols, white, black, background)
        }
        return orientedHash(orientation)
      },
      seen: () => {
        const out = isHashable ? core.allocate(SEEN_SIDE * SEEN_SIDE * 4) : 0
        if (out === 0) return undefined
        const [byRow, byColumn] = [windowOf(cols), windowOf(rows)]
        const plane = core.planeAddress()
        core.jaroszDecimate(plane, rows, cols, byRow, byColumn, out, SEEN_SIDE, SEEN_SIDE)
        const luma = new Float32Array(core.memory.buffer, out, SEEN_SIDE * SEEN_SIDE)
        return Uint8Array.from(luma, Math.round)
      },
      dihedral: () => {
        if (!isHashable) return undefined
        const out = this.#hashRoom()
        const quality = core.hashDihedral(core.planeAddress(), rows, cols, out)
        const known = { quality, stretchedQuality: core.stretchedQuality() }
        const variants = DIHEDRAL_NAMES.map((name, i) => {
          const hash = this.#read(out + i * HASH_BYTES)
          return [name, { hash, ...known, weakBits: core.weakBits() }]
        })
        return Object.fromEntries(variants) as Record<DihedralName, QualifiedHash>
      },
    }
  }

  /** Address of room for eight hashes. */
  #hashRoom(): number {
    this.#scratch ||= this.#core.allocate(DIHEDRAL_NAMES.length * HASH_BYTES)
    return this.#scratch
  }

  #read(address: number): Hash256 {
    return new Uint8Array(this.#core.memory.buffer, address, HASH_BYTES).slice()
  }
}

/** Formats that the core decodes itself. */
export type CoreFormat = 'jpeg' | 'png' | 'gif' | 'bmp'

/** Layout of pixels: rows from top to bottom, one byte a channel. */
export interface PixelSize {
  /** Pixels, 1 to 65535. */
  width: number
  height: number
  /** Luma; red, green, blue; or these and alpha, not premultiplied. */
  channels: 1 | 3 | 4
}

/** Why an image has no plane. */
export type DecodeFailure =
  | 'damaged'
  | 'truncated'
  | 'over-memory-budget'
  | 'over-limit'
  | 'unsupported-variant'
  | 'out-of-range'

/** What programs show for the values of a file that does not store sRGB. */
export interface Tones {
  /** Luma for a grey of 0 to 255, in 1,024 even steps. */
  curve: Float32Array
  /** What they show for colours, unless the curve on each channel says that. */
  colours?: {
    /** The place in the grid for each channel, 0 to 255, in 1,024 even steps: nodes. */
    places: readonly Float32Array[]
    /** Nodes along each channel. */
    sides: readonly number[]
    /** Luma at each node, those along blue next to one another. */
    grid: Float32Array
  }
}

/** What a PNG says of its colours besides a profile. */
export interface PngColours {
  /** About 0.45 for sRGB; 0 if the file has none. */
  gamma: number
  /** White, red, green and blue in CIE xy. */
  chromaticities?: readonly number[]
  /** Code points of ITU-T H.273. */
  codePoints?: { primaries: number; transfer: number }
  /** The brightest light in nits. */
  peak?: number
}

/** The frame in the planes. Valid until the decoder gets more bytes. */
export interface Frame {
  /** Hash of the image as it is stored, alpha dropped. `undefined` under 5 pixels in a dimension. */
  stored(): QualifiedHash | undefined
  /** Hash of the image as an Exif orientation, 2 to 8, displays it. */
  displayed(orientation: number): QualifiedHash | undefined
  /** Hash of the image over white, as it is stored (1) or as an orientation displays it; `undefined` if it is opaque. */
  overWhite(orientation: number): QualifiedHash | undefined
  /** The same over black. Call it before `alpha`, which reuses its memory. */
  overBlack(orientation: number): QualifiedHash | undefined
  /** Hashes of alpha as luma, one for each orientation; empty if the image is opaque. */
  alpha(orientations: readonly number[]): AlphaHash[]
  /** Hash of the image as other decoders read it; `undefined` if all decoders agree. */
  otherReading(orientation: number): QualifiedHash | undefined
  /**
   * Hash of every n-th pixel, as the reference program takes them; `undefined` if `stored` hashes the same. Call it before
   * `plane`, which reuses their memory.
   */
  picked(): QualifiedHash | undefined
  /** The plane to probe: as stored, or over white. `undefined` if there is no such plane, or no memory to probe it. */
  plane(of: 'stored' | 'over-white'): Plane | undefined
  /**
   * Hash of the image as programs show it. With a `background`, over that luma: then `undefined` if the image is opaque or
   * turned.
   */
  toned(tones: Tones, orientation: number, background?: number): QualifiedHash | undefined
  /** The 64 x 64 luma that `stored` hashes, row by row, to be shown to people. `undefined` if there is no hash. */
  seen(): Uint8Array | undefined
  /** Hashes of the eight dihedral variants, derived from one DCT. */
  dihedral(): Record<DihedralName, QualifiedHash> | undefined
}

/** Hash of alpha as luma. */
export interface AlphaHash {
  hash: QualifiedHash
  /** Whether nearly all of it is opaque or clear: the outline of an icon, which many icons have. */
  isSilhouette: boolean
}

/**
 * Most samples of 64 x 64 that are neither opaque nor clear in a silhouette. Nine icons in ten have
 * fewer, and so has one photograph in twenty.
 */
const SILHOUETTE_MIDTONES = 512

/** Pixels of PDQ's filter along a side: `jaroszWindow` of the core. */
function windowOf(side: number): number {
  return Math.floor((side + 127) / 128)
}
