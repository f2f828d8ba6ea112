// A JPEG encoder for what other encoders do not write: any sampling, colour and order of scans. Sequential, or progressive in
// bands of all bits, with plain tables: every DC category has a code of 5 bits, every AC symbol one of 8.

/** One component: samples at its own resolution, row-major, 0 to 255. */
export interface JpegComponent {
  h: number
  v: number
  sample: (x: number, y: number) => number
}

export interface JpegOptions {
  width: number
  height: number
  components: JpegComponent[]
  /** Component numbers of each scan; all in one scan if none are given. */
  scans?: number[][]
  /** Whether it is progressive: means in the scans that are given, then a scan of the rest of each component. */
  isProgressive?: boolean
  /** Every coefficient's quantisation step. */
  step?: number
  /** Whether quantisation tables have 16 bits a value. */
  has16BitTables?: boolean
  /** MCUs between restart markers. */
  restartInterval?: number
  /** Transform of an Adobe marker: 0 none (RGB, CMYK), 1 YCbCr, 2 YCCK. */
  adobeTransform?: number
  /** Whether the height stands in a DNL segment behind the first scan. */
  hasDnl?: boolean
  /** Component ids; 1, 2, 3, … if none are given. */
  ids?: number[]
  /** Coefficients of a block instead of those of its samples: 64 numbers of 16 bits in zigzag order. */
  coefficients?: (component: number, blockX: number, blockY: number) => number[]
}

const ZIGZAG = [
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
  13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52,
  45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
]

const DC_SYMBOLS = Array.from({ length: 16 }, (_, size) => size)
const AC_SYMBOLS = [
  0x00,
  0xf0,
  ...Array.from({ length: 240 }, (_, i) => (Math.floor(i / 15) << 4) | ((i % 15) + 1)),
]

export function writeJpeg(options: JpegOptions): Uint8Array<ArrayBuffer> {
  const { width, height, components, step = 1 } = options
  const ids = options.ids ?? components.map((_, i) => i + 1)
  const maxH = Math.max(...components.map(({ h }) => h))
  const maxV = Math.max(...components.map(({ v }) => v))
  const out: number[] = [0xff, 0xd8]
  const segment = (code: number, body: number[]) => {
    out.push(0xff, code, (body.length + 2) >> 8, (body.length + 2) & 255, ...body)
  }
  if (options.adobeTransform !== undefined) {
    segment(0xee, [...ascii('Adobe'), 0, 100, 0, 0, 0, 0, options.adobeTransform])
  }
  const table = Array.from({ length: 64 }, () =>
    options.has16BitTables ? [step >> 8, step & 255] : [step],
  )
  segment(0xdb, [options.has16BitTables ? 0x10 : 0, ...table.flat()])
  const lines = options.hasDnl ? 0 : height
  const specs = components.flatMap(({ h, v }, i) => [ids[i] ?? 0, (h << 4) | v, 0])
  const { isProgressive = false } = options
  segment(isProgressive ? 0xc2 : 0xc0, [
    8,
    lines >> 8,
    lines & 255,
    width >> 8,
    width & 255,
    components.length,
    ...specs,
  ])
  segment(0xc4, [0x00, ...countsOf(5, DC_SYMBOLS.length), ...DC_SYMBOLS])
  segment(0xc4, [0x10, ...countsOf(8, AC_SYMBOLS.length), ...AC_SYMBOLS])
  const interval = options.restartInterval ?? 0
  if (interval) segment(0xdd, [interval >> 8, interval & 255])

  const asked = options.scans ?? [components.map((_, i) => i)]
  const rest = isProgressive ? components.map((_, i) => [i]) : []
  ;[...asked, ...rest].forEach((scan, scanIndex) => {
    const isRest = scanIndex >= asked.length
    const band = isRest ? [1, 63] : [0, isProgressive ? 0 : 63]
    segment(0xda, [scan.length, ...scan.flatMap((i) => [ids[i] ?? 0, 0]), ...band, 0])
    const bits = new BitWriter(out)
    const predictions = components.map(() => 0)
    const block = (i: number, x: number, y: number) => {
      const component = components[i]
      if (!component) throw new RangeError(`no component ${i}`)
      const coefficients =
        options.coefficients?.(i, x, y) ?? quantise(component.sample, x * 8, y * 8, step)
      if (!isRest) predictions[i] = writeMean(bits, coefficients, predictions[i] ?? 0)
      if (isRest || !isProgressive) writeRest(bits, coefficients)
    }
    const only = scan.length === 1 ? components[scan[0] ?? 0] : undefined
    const cols = only
      ? Math.ceil(Math.ceil((width * only.h) / maxH) / 8)
      : Math.ceil(width / (8 * maxH))
    const rows = only
      ? Math.ceil(Math.ceil((height * only.v) / maxV) / 8)
      : Math.ceil(height / (8 * maxV))
    for (let mcu = 0; mcu < cols * rows; mcu++) {
      if (interval && mcu && mcu % interval === 0) {
        bits.flush()
        out.push(0xff, 0xd0 + ((mcu / interval - 1) % 8))
        predictions.fill(0)
      }
      const [col, row] = [mcu % cols, Math.floor(mcu / cols)]
      if (only) block(scan[0] ?? 0, col, row)
      else {
        for (const i of scan) {
          const { h, v } = components[i] ?? { h: 1, v: 1 }
          for (let n = 0; n < h * v; n++) block(i, col * h + (n % h), row * v + Math.floor(n / h))
        }
      }
    }
    bits.flush()
    if (options.hasDnl && scanIndex === 0) segment(0xdc, [height >> 8, height & 255])
  })
  out.push(0xff, 0xd9)
  return Uint8Array.from(out)
}

function countsOf(length: number, count: number): number[] {
  return Array.from({ length: 16 }, (_, i) => (i + 1 === length ? count : 0))
}

export function ascii(text: string): number[] {
  return Array.from(text, (char) => char.charCodeAt(0))
}

const COSINES = Array.from({ length: 8 }, (_, u) =>
  Array.from(
    { length: 8 },
    (_unused, x) => (u ? 0.5 : Math.SQRT1_2 / 2) * Math.cos(((2 * x + 1) * u * Math.PI) / 16),
  ),
)

/** The DCT of a block of samples, divided by the step, in zigzag order (T.81, A.3.3). */
function quantise(
  sample: JpegComponent['sample'],
  left: number,
  top: number,
  step: number,
): number[] {
  const rows = Array.from({ length: 8 }, (_, y) => {
    const values = Array.from({ length: 8 }, (_unused, x) => sample(left + x, top + y) - 128)
    return COSINES.map((cosines) =>
      cosines.reduce((sum, cosine, x) => sum + cosine * (values[x] ?? 0), 0),
    )
  })
  return ZIGZAG.map((place) => {
    const [u, v] = [place % 8, Math.floor(place / 8)]
    const sum = (COSINES[v] ?? []).reduce(
      (total, cosine, y) => total + cosine * (rows[y]?.[u] ?? 0),
      0,
    )
    return Math.round(sum / step)
  })
}

/** Writes the first coefficient of a block (T.81, F.1.2.1). Returns it. */
function writeMean(bits: BitWriter, coefficients: number[], prediction: number): number {
  const dc = coefficients[0] ?? 0
  writeNumber(bits, dc - prediction, (size) => bits.put(DC_SYMBOLS.indexOf(size), 5))
  return dc
}

/** Writes the others (F.1.2.2). */
function writeRest(bits: BitWriter, coefficients: number[]): void {
  let run = 0
  for (const value of coefficients.slice(1)) {
    if (value === 0) {
      run++
      continue
    }
    for (; run > 15; run -= 16) bits.put(AC_SYMBOLS.indexOf(0xf0), 8)
    const zeros = run
    writeNumber(bits, value, (size) => bits.put(AC_SYMBOLS.indexOf((zeros << 4) | size), 8))
    run = 0
  }
  if (run > 0) bits.put(AC_SYMBOLS.indexOf(0), 8)
}

function writeNumber(bits: BitWriter, value: number, putSize: (size: number) => void): void {
  const size = value === 0 ? 0 : Math.floor(Math.log2(Math.abs(value))) + 1
  putSize(size)
  if (size) bits.put(value > 0 ? value : value + 2 ** size - 1, size)
}

class BitWriter {
  readonly #out: number[]
  #byte = 0
  #count = 0

  constructor(out: number[]) {
    this.#out = out
  }

  put(value: number, count: number): void {
    for (let bit = count - 1; bit >= 0; bit--) {
      this.#byte = (this.#byte << 1) | ((value >> bit) & 1)
      if (++this.#count < 8) continue
      this.#out.push(this.#byte)
      if (this.#byte === 0xff) this.#out.push(0)
      this.#byte = 0
      this.#count = 0
    }
  }

  /** Fills the last byte with ones. */
  flush(): void {
    while (this.#count) this.put(1, 1)
  }
}
