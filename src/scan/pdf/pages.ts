import { type Frame, ImageDecoder } from '../../core/image.ts'
import type { Steps } from '../../util/steps.ts'
import type { ScanBudget } from '../budget.ts'
import type { ScanContext } from '../context.ts'
import { Needles } from '../probes/needles.ts'
import type { ScannedFile, UnscannableReason } from '../scanned.ts'
import { CANVAS_PIXEL_MS, DECODER_MS, decodingMs, FRAME_MS } from '../work.ts'
import { areaFrom, type ContentReader, type Placement } from './content.ts'
import { openStream } from './filters.ts'
import { type PageArea, chain, isEmpty, type Matrix, overlap, UNCHANGED, areaOf } from './matrix.ts'
import { Montage, type Painted, type Samples } from './montage.ts'
import type { PdfObjects, Stream } from './objects.ts'
import { readPicture } from './picture.ts'
import { decodeRaster, type RasterContext } from './raster.ts'
import { type Dict, Ref, type Value } from './syntax.ts'

/** Maximum montages of a file. A book may be scanned in strips. */
const MAX_MONTAGES = 256
/** Maximum pixels a side. PDQ needs 512. */
const MAX_SIDE = 1024
/** A picture with smaller sides is an ornament, and so is a montage. */
const MIN_SIDE = 16
/** Gap between pictures that belong together, as a share of the page. */
const GAP = 0.002
/** Comparing the places of two pictures. */
const COMPARED_MS = 2e-5
/** Maximum nesting of the tree of pages. */
const MAX_NESTING = 16
/** A part that is clipped by less than this share is shown whole. */
const CLIPPED = 0.02
/** Bytes given to a decoder at once. */
const CHUNK_BYTES = 16 * 1024
/** Size of a page that has none: US Letter. */
const LETTER: PageArea = { x0: 0, y0: 0, x1: 612, y1: 792 }
const QUARTERS: readonly Matrix[] = [
  UNCHANGED,
  [0, -1, 1, 0, 0, 0],
  [-1, 0, 0, -1, 0, 0],
  [0, 1, -1, 0, 0, 0],
]

/**
 * Hashes what pages show of pictures where it differs from the pictures: several that lie edge to
 * edge or over each other, and single ones that are turned or clipped. Scanners and printer drivers
 * cut pictures into strips, and put text over a background.
 */
export class PageScan {
  readonly #context: ScanContext
  readonly #objects: PdfObjects
  readonly #raster: RasterContext
  readonly #contents: ContentReader
  readonly #found: ScannedFile[] = []
  problem: UnscannableReason | undefined

  constructor(
    context: ScanContext,
    objects: PdfObjects,
    raster: RasterContext,
    contents: ContentReader,
  ) {
    this.#context = context
    this.#objects = objects
    this.#raster = raster
    this.#contents = contents
  }

  *read(): Steps<ScannedFile[]> {
    const { budget } = this.#raster
    for (const page of this.#objects.pages()) {
      if (budget.isTurnOver) yield
      if (!page) continue
      const resources = this.#objects.resolve(this.#inherited(page, 'Resources'))
      const box = this.#boxOf(page)
      const placements = yield* this.#contents.read(
        page.get('Contents'),
        resources instanceof Map ? resources : new Map(),
        this.#turnOf(page),
        areaOf(this.#turnOf(page), box),
      )
      if (placements === 'over-limit') this.problem ??= 'over-limit'
      else yield* this.#readGroups(placements.filter(isPicture(this.#objects)), box)
      if (this.#objects.isOverLimit || budget.isExhausted) this.problem ??= 'over-limit'
      if (this.problem) break
    }
    return this.#found
  }

  *#readGroups(placements: Placement[], page: PageArea): Steps {
    const gap = GAP * Math.max(page.x1 - page.x0, page.y1 - page.y0)
    for (const group of yield* groupsOf(placements, gap, this.#raster.budget)) {
      const [only, ...others] = group
      if (!only || (others.length === 0 && isPlain(only))) continue
      if (this.#found.length >= MAX_MONTAGES || this.#raster.budget.isExhausted) {
        this.problem ??= 'over-limit'
        return
      }
      yield* this.#readGroup(group)
    }
  }

  *#readGroup(group: readonly Placement[]): Steps {
    const { budget, core } = this.#raster
    const area = group.map((one) => one.area).reduce(surrounding)
    const [width, height] = this.#sizeOf(group, area)
    if (width < MIN_SIDE || height < MIN_SIDE) return
    const montage = new Montage(area, width, height)
    let missing = 0
    let last: { stream: Stream; picture: Painted | undefined } | undefined
    for (const { stream, matrix, area: shown, paint } of group) {
      if (last?.stream.data !== stream.data)
        last = { stream, picture: yield* this.#paintedOf(stream, paint) }
      if (!last.picture) missing += areaShare(shown, area)
      else {
        const drawn = montage.draw({ ...last.picture, paint }, chain(matrix, montage.matrix), shown)
        budget.spend(drawn * CANVAS_PIXEL_MS)
      }
      if (budget.isExhausted) this.problem ??= 'over-limit'
      if (this.problem) return
      if (budget.isTurnOver) yield
    }
    if (missing > 0.5) return
    budget.spend(DECODER_MS + FRAME_MS)
    const needles = new Needles(this.#context, budget)
    const decoder = ImageDecoder.forPixels(core, { width, height, channels: 1 })
    const aspect = (area.x1 - area.x0) / (area.y1 - area.y0)
    decoder.push(montage.data, true, (frame) => needles.addFrame({ frame, orientation: 1, aspect }))
    decoder.release()
    const shown = needles.outcome({ width, height }, missing > 0)
    this.#found.push({ ...shown, format: 'pdf', bytes: 0, within: 'pdf' })
  }

  /** Pixels of a montage: those of its finest picture, as far as they are needed. */
  #sizeOf(group: readonly Placement[], { x0, y0, x1, y1 }: PageArea): [number, number] {
    let [across, down] = [0, 0]
    for (const { stream, matrix } of group) {
      const [a, b, c, d] = matrix
      const [columns, rows] = sidesOf(this.#objects, stream.dict)
      across = Math.max(across, columns * shareAlong(a, b), rows * shareAlong(c, d))
      down = Math.max(down, columns * shareAlong(b, a), rows * shareAlong(d, c))
    }
    return [Math.round(across * (x1 - x0)), Math.round(down * (y1 - y0))].map((side) =>
      Math.max(1, Math.min(MAX_SIDE, side)),
    ) as [number, number]
  }

  /** Decodes a picture. `undefined` if it cannot be. */
  *#paintedOf(stream: Stream, paint: number): Steps<Painted | undefined> {
    const { dict } = stream
    const luma = yield* this.#samplesOf(stream)
    if (!luma) return undefined
    const isStencil = this.#objects.resolve(dict.get('ImageMask') ?? dict.get('IM')) === true
    if (isStencil) return { luma: undefined, paint, alpha: contraryOf(luma) }
    const [soft, mask] = [dict.get('SMask'), dict.get('Mask')]
    if (soft instanceof Ref) return { luma, paint, alpha: yield* this.#masked(soft) }
    const alpha = mask instanceof Ref ? yield* this.#masked(mask) : undefined
    return { luma, paint, alpha: alpha && contraryOf(alpha) }
  }

  *#masked(ref: Ref): Steps<Samples | undefined> {
    const stream = this.#objects.streamOf(ref)
    return stream && (yield* this.#samplesOf(stream))
  }

  *#samplesOf(stream: Stream): Steps<Samples | undefined> {
    const { budget } = this.#raster
    const picture = yield* readPicture(this.#objects, stream.dict, budget)
    const opened = yield* openStream(this.#objects, stream, budget)
    if (typeof opened === 'string') return undefined
    if ('file' in opened) {
      const luma = opened.format === 'jpeg' ? yield* this.#decodeJpeg(opened.file) : undefined
      const [from, to] = typeof picture === 'string' ? [] : (picture.decode[0] ?? [])
      const isInverted = typeof picture !== 'string' && picture.space.samples < 4
      return luma && isInverted && Number(from) > Number(to) ? contraryOf(luma) : luma
    }
    if (typeof picture === 'string') return undefined
    let samples: Samples | undefined
    const end = yield* decodeRaster(this.#raster, picture, opened.chunks, undefined, (_, luma) => {
      samples = luma()
    })
    return typeof end === 'string' ? undefined : samples
  }

  *#decodeJpeg(file: Uint8Array): Steps<Samples | undefined> {
    const { budget, core } = this.#raster
    budget.spend(DECODER_MS)
    const decoder = ImageDecoder.forFile(core, 'jpeg')
    budget.decoders.add(decoder)
    let [spent, samples]: [number, Samples | undefined] = [0, undefined]
    const onFrame = (frame: Frame | undefined) => {
      if (frame) samples ??= decoder.luma
    }
    try {
      for (let at = 0; at < file.length && !decoder.isDone && !decoder.failure; at += CHUNK_BYTES) {
        const isLast = at + CHUNK_BYTES >= file.length
        for (const frame of decoder.frames(file.subarray(at, at + CHUNK_BYTES), isLast)) {
          onFrame(frame)
          if (budget.isTurnOver) yield
        }
        const ms = decodingMs('jpeg', decoder.size, at + CHUNK_BYTES, isLast)
        budget.spend(Math.max(0, ms - spent))
        spent = Math.max(spent, ms)
        if (budget.isExhausted) return undefined
        if (budget.isTurnOver) yield
      }
      return samples
    } finally {
      budget.decoders.delete(decoder)
      decoder.release()
    }
  }

  #boxOf(page: Dict): PageArea {
    const [crop, media] = ['CropBox', 'MediaBox'].map((name) =>
      areaFrom(this.#objects.numbersOf(this.#inherited(page, name))),
    )
    const shown = crop && media ? overlap(crop, media) : (crop ?? media)
    return shown && !isEmpty(shown) ? shown : (media ?? LETTER)
  }

  #turnOf(page: Dict): Matrix {
    const degrees = Number(this.#objects.resolve(this.#inherited(page, 'Rotate')) ?? 0)
    return QUARTERS[(((degrees / 90) % 4) + 4) % 4] ?? UNCHANGED
  }

  /** An entry of a page, or of the nodes above it. */
  #inherited(page: Dict, name: string): Value {
    let node: Value = page
    for (let i = 0; i < MAX_NESTING && node instanceof Map; i++) {
      if (node.has(name)) return node.get(name)
      node = this.#objects.resolve(node.get('Parent'))
    }
    return undefined
  }
}

function sidesOf(objects: PdfObjects, dict: Dict): [number, number] {
  const [width, height] = [dict.get('Width') ?? dict.get('W'), dict.get('Height') ?? dict.get('H')]
  return [Number(objects.resolve(width) ?? 0), Number(objects.resolve(height) ?? 0)]
}

function isPicture(objects: PdfObjects): (placement: Placement) => boolean {
  return ({ stream }) => Math.max(...sidesOf(objects, stream.dict)) >= MIN_SIDE
}

/** Whether a picture is shown upright and whole, as it is hashed by itself. */
function isPlain({ matrix, area }: Placement): boolean {
  const [a, b, c, d] = matrix
  const whole = areaOf(matrix, { x0: 0, y0: 0, x1: 1, y1: 1 })
  const lean = Math.abs(b) + Math.abs(c)
  return a > 0 && d > 0 && lean < 0.01 * (a + d) && areaShare(area, whole) > 1 - CLIPPED
}

/** Share of an area that another one takes. */
function areaShare(part: PageArea, whole: PageArea): number {
  const sizeOf = ({ x0, y0, x1, y1 }: PageArea) => (x1 - x0) * (y1 - y0)
  return sizeOf(part) / sizeOf(whole)
}

function surrounding(one: PageArea, other: PageArea): PageArea {
  return {
    x0: Math.min(one.x0, other.x0),
    y0: Math.min(one.y0, other.y0),
    x1: Math.max(one.x1, other.x1),
    y1: Math.max(one.y1, other.y1),
  }
}

/** How much of a unit along an axis a vector takes, as 1 over its length, if it is along the axis. */
function shareAlong(along: number, across: number): number {
  const length = Math.hypot(along, across)
  return length > 0 ? Math.abs(along) / length ** 2 : 0
}

/** Pictures that touch, in the order in which they are drawn. */
function* groupsOf(
  placements: readonly Placement[],
  gap: number,
  budget: ScanBudget,
): Steps<Placement[][]> {
  const groupOf = placements.map((_, i) => i)
  const find = (i: number): number => {
    let root = i
    while (groupOf[root] !== root) root = groupOf[root] = groupOf[groupOf[root] ?? root] ?? root
    return root
  }
  // Along the side on which they are shorter, few lie beside each other.
  const length = (from: 'x0' | 'y0', to: 'x1' | 'y1') =>
    placements.reduce((sum, { area }) => sum + area[to] - area[from], 0)
  const isWide = length('x0', 'x1') > length('y0', 'y1')
  const [from, to, start, end] = isWide
    ? (['y0', 'y1', 'x0', 'x1'] as const)
    : (['x0', 'x1', 'y0', 'y1'] as const)
  const sorted = [...placements.entries()].toSorted(([, a], [, b]) => a.area[from] - b.area[from])
  let open: typeof sorted = []
  for (const entry of sorted) {
    const [i, { area }] = entry
    open = open.filter(([, other]) => other.area[to] + gap >= area[from])
    budget.spend(open.length * COMPARED_MS)
    if (budget.isTurnOver) yield
    for (const [j, other] of open) {
      const isNear = other.area[start] - gap <= area[end] && area[start] - gap <= other.area[end]
      if (isNear) groupOf[find(i)] = find(j)
    }
    open.push(entry)
  }
  const groups = new Map<number, Placement[]>()
  for (const [i, one] of placements.entries()) {
    const group = groups.get(find(i))
    if (group) group.push(one)
    else groups.set(find(i), [one])
  }
  return [...groups.values()]
}

function contraryOf({ columns, rows, data }: Samples): Samples {
  return { columns, rows, data: data.map((value) => 255 - value) }
}
