import { formatHash } from '../../src/util/hash.ts'
import { newMemory } from '../../src/core/image-core.ts'
import type { ImageExports } from '../../src/core/image-exports.ts'
import type { CoreFormat } from '../../src/core/image.ts'
import { readModules } from '../../src/core/node.ts'
import { type CountedModule, countedModule } from './counted-core.ts'

/** Exports of assembly/image.ts by which tests look at planes. */
interface PlaneExports extends ImageExports {
  guardAllocations(bytes: number): void
  areGuardsIntact(): number
}

/** A frame as a decoder leaves it. */
export interface DecodedFrame {
  rows: number
  cols: number
  luma: Float32Array
  /** Luma over white; `undefined` if the frame is opaque. */
  white: Float32Array | undefined
  /** Luma over black; `undefined` if the frame is opaque. */
  black: Float32Array | undefined
  /** Luma as other decoders read it; `undefined` if all read it alike. */
  other: Float32Array | undefined
  hash: string
}

export interface Decoded {
  /** The last status of assembly/status.ts: 2 if all is well. */
  status: number
  frames: DecodedFrame[]
  /** Bytes of memory that the instance took. */
  memoryBytes: number
  /** Whether nothing was written behind an allocation, if there were guards. */
  isIntact: boolean
}

const modules = readModules()
const NAMES = { jpeg: 'decodeJpeg', png: 'decodePng', gif: 'decodeGif', bmp: 'decodeBmp' } as const

const MORE = 0
const FRAME = 1
const TONES = 3
const PAUSED = 4

const CALLED_AGAIN: ReadonlySet<number> = new Set([FRAME, TONES, PAUSED])

/** Decodes a file in the core, in chunks of `cut` bytes. */
export function decode(
  format: CoreFormat,
  file: Uint8Array,
  cut = Number.POSITIVE_INFINITY,
): Decoded {
  return decodeChunks(format, file, () => cut)
}

/** Decodes a file in the core, in chunks whose length `nextCut` tells, with guards of so many bytes. */
export function decodeChunks(
  format: CoreFormat,
  file: Uint8Array,
  nextCut: () => number,
  guardBytes = 0,
): Decoded {
  const instance = modules.image.begin()
  const decoded = decodeIn(instance.exports, format, file, { nextCut, guardBytes })
  instance.release()
  return decoded
}

let counted: CountedModule | undefined

/** Decodes a file in the core. Tells the last status, in how many steps it came to that, in how many calls, and the most of one. */
export function countSteps(
  format: CoreFormat,
  file: Uint8Array,
  cut = Number.POSITIVE_INFINITY,
): { status: number; steps: number; calls: number; longest: number } {
  counted ??= countedModule()
  const { module, imports, steps } = counted
  const before = steps.value
  const env = { ...imports['env'], memory: newMemory() }
  const { exports } = new WebAssembly.Instance(module, { env })
  let [calls, longest] = [0, 0]
  const call = (run: () => number) => {
    calls++
    const first = steps.value
    const result = run()
    longest = Math.max(longest, steps.value - first)
    return result
  }
  const core = exports as unknown as ImageExports
  const { status } = decodeIn(core, format, file, { nextCut: () => cut, guardBytes: 0, call })
  return { status, steps: steps.value - before, calls, longest }
}

interface DecodeOptions {
  nextCut: () => number
  guardBytes: number
  /** Calls the decoder. */
  call?: (run: () => number) => number
}

function decodeIn(
  exports: ImageExports,
  format: CoreFormat,
  file: Uint8Array,
  { nextCut, guardBytes, call = (run) => run() }: DecodeOptions,
): Decoded {
  const all = exports as unknown as PlaneExports & Record<string, unknown>
  const core: PlaneExports = all
  const run = core[NAMES[format]]
  core.guardAllocations(guardBytes)
  const frames: DecodedFrame[] = []
  let offset = 0
  let status = MORE
  while (status === MORE) {
    const address = core.inputAddress()
    const count = Math.min(core.inputRoom(), file.length - offset, nextCut())
    new Uint8Array(core.memory.buffer).set(file.subarray(offset, offset + count), address)
    core.inputAdded(count)
    offset += count
    const isLast = offset === file.length
    const next = () => call(() => run(isLast ? 1 : 0))
    for (status = next(); CALLED_AGAIN.has(status); status = next()) {
      if (status === FRAME) frames.push(frameOf(core))
      else if (status === TONES) setRoot(exports)
    }
    if (isLast) break
  }
  const isIntact = core.areGuardsIntact() !== 0
  return { status, frames, memoryBytes: core.memoryTop(), isIntact }
}

/** Sets the square root for the curve of tones, whatever the file says of them. */
function setRoot(core: ImageExports): void {
  const address = core.beginTones(0, 0, 0)
  if (address === 0) return
  const root = Float32Array.from({ length: 1025 }, (_, i) => 255 * Math.sqrt(i / 1024))
  new Float32Array(core.memory.buffer, address, root.length).set(root)
  core.tonesSet()
}

function frameOf(core: PlaneExports): DecodedFrame {
  const rows = core.planeRows()
  const cols = core.planeCols()
  const plane = (address: number) =>
    new Float32Array(core.memory.buffer, address, rows * cols).slice()
  const planeIfAny = (address: number) => (address === 0 ? undefined : plane(address))
  const out = core.allocate(32)
  core.hashPlane(core.planeAddress(), rows, cols, out)
  return {
    rows,
    cols,
    luma: plane(core.planeAddress()),
    white: planeIfAny(core.whiteAddress()),
    black: planeIfAny(core.blackAddress()),
    other: planeIfAny(core.otherAddress()),
    hash: formatHash(new Uint8Array(core.memory.buffer, out, 32)),
  }
}

/** How far two planes are apart. */
export function difference(a: Float32Array, b: Float32Array): { max: number; mean: number } {
  if (a.length !== b.length) throw new RangeError(`planes of ${a.length} and ${b.length} samples`)
  let max = 0
  let sum = 0
  for (let i = 0; i < a.length; i++) {
    const apart = Math.abs((a[i] ?? 0) - (b[i] ?? 0))
    max = Math.max(max, apart)
    sum += apart
  }
  return { max, mean: sum / a.length }
}
