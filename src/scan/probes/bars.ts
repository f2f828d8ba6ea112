import type { Part, Plane } from '../../core/plane.ts'
import { wholeOf } from './view.ts'

/** A line belongs to the bar if at least this share of its pixels has the bar's colour. */
const LINE_SHARE = 0.95
/**
 * Luma by which pixels may differ from the bar's colour: for drawn bars, and for photographed or
 * repeatedly compressed ones.
 */
const TOLERANCES = [3, 14]
/** Largest share of a side that a bar may take. */
const MAX_BAR = 0.4
/** Smallest side of the remaining part, in pixels. */
const MIN_SIDE = 32
/** Nested bars: a screenshot of a letterboxed picture has two. */
const MAX_DEPTH = 2
/** Maximum parts reported. */
const MAX_PARTS = 16
/**
 * From this share of a line's pixels on, the picture seems to continue in the bar's colour, which
 * hides where it begins.
 */
const VAGUE_SHARE = 0.4
/** Shares of a side to try then: of borders all around, and of bars above or below. */
const VAGUE_BORDERS = [0.012, 0.024, 0.036, 0.048]
const VAGUE_BARS = [0.048, 0.09, 0.13, 0.167]
/** Minimum difference between two parts, in pixels, summed over all sides. */
const MIN_DIFFERENCE = 4

const SIDES = ['top', 'bottom', 'left', 'right'] as const
type BarSide = (typeof SIDES)[number]

/** Parts of a plane without the bars around it: each is one interpretation. */
export function partsWithoutBars(plane: Plane): Part[] {
  const found: Part[] = []
  const add = (part: Part): boolean => {
    const isNew = ![wholeOf(plane), ...found].some((one) => isSameWindow(one, part))
    if (isNew && isLarge(part)) found.push(part)
    return isNew && isLarge(part)
  }
  let parts = [wholeOf(plane)]
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const vague: Part[] = []
    parts = parts.flatMap((part) =>
      TOLERANCES.flatMap((tolerance) => {
        const bars = findBars(plane, part, tolerance)
        const isVague = SIDES.some((side) => bars[side].isVague)
        if (isVague && tolerance === TOLERANCES[0]) vague.push(...vagueCuts(part, bars))
        return cutBars(part, bars).filter(add)
      }),
    )
    vague.forEach(add)
  }
  return found.slice(0, MAX_PARTS)
}

/** Lengths that may be cut off a side, in pixels. */
interface Bar {
  /** Lines of one colour, from the outermost. */
  plain: number
  /** Whether the picture may begin before they end. */
  isVague: boolean
  /**
   * Lengths including text or the like between such lines: up to the last of them, and to where a
   * bar with even margins ends.
   */
  captions: number[]
}

type Bars = Record<BarSide, Bar>

function findBars(plane: Plane, part: Part, tolerance: number): Bars {
  const bar = (side: BarSide) => findBar(plane, part, side, tolerance)
  return { top: bar('top'), bottom: bar('bottom'), left: bar('left'), right: bar('right') }
}

/**
 * What remains of a part without bars: without plain ones, and without captions above, below, or
 * both.
 */
function cutBars(part: Part, { top, bottom, left, right }: Bars): Part[] {
  const cut = (above: number, below: number): Part => ({
    x0: part.x0 + left.plain,
    x1: part.x1 - right.plain,
    y0: part.y0 + above,
    y1: part.y1 - below,
  })
  return [
    cut(top.plain, bottom.plain),
    cutSharp(part, { top, bottom, left, right }),
    ...top.captions.map((height) => cut(height, bottom.plain)),
    ...bottom.captions.map((height) => cut(top.plain, height)),
    ...top.captions.flatMap((above) => bottom.captions.map((below) => cut(above, below))),
    // Plain space beside a caption may be the picture's own.
    ...top.captions.map((height) => ({ ...part, y0: part.y0 + height })),
    ...bottom.captions.map((height) => ({ ...part, y1: part.y1 - height })),
  ]
}

/**
 * What remains without the bars that end exactly where the picture begins: others may be its sky,
 * or its own margins.
 */
function cutSharp(part: Part, bars: Bars): Part {
  const cut = (side: BarSide) => (bars[side].isVague ? 0 : bars[side].plain)
  return {
    x0: part.x0 + cut('left'),
    x1: part.x1 - cut('right'),
    y0: part.y0 + cut('top'),
    y1: part.y1 - cut('bottom'),
  }
}

/** What may remain of a part whose picture has margins of its own in the bars' colour. */
function vagueCuts(part: Part, bars: Bars): Part[] {
  const [width, height] = [part.x1 - part.x0, part.y1 - part.y0]
  const cut = (share: Partial<Record<BarSide, number>>): Part => ({
    x0: part.x0 + (share.left ?? 0) * width,
    x1: part.x1 - (share.right ?? 0) * width,
    y0: part.y0 + (share.top ?? 0) * height,
    y1: part.y1 - (share.bottom ?? 0) * height,
  })
  const isWide = (side: BarSide, share: number, length: number) =>
    Math.max(bars[side].plain, ...bars[side].captions) > share * length
  return [
    ...VAGUE_BORDERS.filter((share) =>
      SIDES.every((side) => bars[side].plain > 0 && isWide(side, share, height)),
    ).map((share) => cut({ top: share, bottom: share, left: share, right: share })),
    ...VAGUE_BARS.filter((share) => isWide('top', share, height)).map((top) => cut({ top })),
    ...VAGUE_BARS.filter((share) => isWide('bottom', share, height)).map((bottom) =>
      cut({ bottom }),
    ),
  ]
}

function findBar(plane: Plane, part: Part, side: BarSide, tolerance: number): Bar {
  const along = side === 'top' || side === 'bottom' ? 'row' : 'column'
  const count = along === 'row' ? part.y1 - part.y0 : part.x1 - part.x0
  const line = (index: number) => {
    const at = { top: part.y0, bottom: part.y1 - 1, left: part.x0, right: part.x1 - 1 }[side]
    return { part, along, at: side === 'top' || side === 'left' ? at + index : at - index } as const
  }
  const luma = plane.medianOf(line(0))
  const share = (index: number) => plane.shareNear(line(index), luma, tolerance)
  const isPlain = (index: number) => share(index) >= LINE_SHARE
  const most = Math.floor(count * MAX_BAR)
  let plain = 0
  while (plain < most && isPlain(plain)) plain++
  if (plain === 0) return { plain, isVague: false, captions: [] }
  const bar = { plain, isVague: share(plain) >= VAGUE_SHARE }
  const last = along === 'row' ? lastBefore(most, plain, isPlain) : undefined
  return { ...bar, captions: last ? [last.end, ...evenEnd(plain, last)] : [] }
}

/** The last run of plain lines after others. */
function lastBefore(
  most: number,
  plain: number,
  isPlain: (index: number) => boolean,
): { start: number; end: number } | undefined {
  let end = most
  while (end > plain && !isPlain(end - 1)) end--
  if (end === plain) return undefined
  let start = end
  while (start > plain && isPlain(start - 1)) start--
  return { start, end }
}

/**
 * Where a bar ends whose margin below the text is as high as the one above, if it stays plain up to
 * the picture.
 */
function evenEnd(margin: number, { start, end }: { start: number; end: number }): number[] {
  const even = start + margin
  return even + 2 < end ? [even] : []
}

function isLarge({ x0, x1, y0, y1 }: Part): boolean {
  return x1 - x0 >= MIN_SIDE && y1 - y0 >= MIN_SIDE
}

function isSameWindow(a: Part, b: Part): boolean {
  const difference =
    Math.abs(a.x0 - b.x0) + Math.abs(a.x1 - b.x1) + Math.abs(a.y0 - b.y0) + Math.abs(a.y1 - b.y1)
  return difference <= MIN_DIFFERENCE
}
