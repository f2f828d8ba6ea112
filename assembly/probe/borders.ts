// Borders of pictures shown on something: a page, a chat, their own blurred copy. A pixel is on a
// border if the pixels before it are smooth and the one after it differs. A picture's border is a
// line with many such pixels. Text and picture details only have a few in a row.

/** Minimum difference in luma between the pixels before and after a border. */
const MIN_STEP: f32 = 8
/** Maximum difference in luma between the two pixels before a border. */
const MAX_SLOPE: f32 = 4
/**
 * A pixel on the border adds this to a run's score; any other subtracts 1. So a run goes on while
 * more than a third of its pixels are on the border.
 */
const GAIN: i32 = 2

/**
 * Best runs: the fields of all lines are stored one after the other, each with room for `MAX_LINES`
 * of i32.
 *
 *   score | from | to     the first pixel, and the one after the last
 */
const MAX_LINES: usize = 512
const FROM: usize = MAX_LINES * 4
const TO: usize = MAX_LINES * 8

/** Whether pixels of four lines are on a border, pixel by pixel: 512 x four lanes. */
const onLines = memory.data(8192)

/** Whether a pixel is on a border; `inwards` is the number of bytes to the pixel after it. */
function isOnBorder(at: usize, inwards: usize): bool {
  const before = f32.load(at - inwards)
  return (
    abs(f32.load(at + inwards) - before) >= MIN_STEP &&
    abs(before - f32.load(at - inwards * 2)) <= MAX_SLOPE
  )
}

/**
 * Finds the best run along each line, as a border of what is after the line and of what is before
 * it, four lines at once. The two outermost lines have none, and neither have planes of fewer than
 * eight lines.
 */
export function findRuns(
  plane: usize, // of f32, 12 readable bytes after it
  lines: u32, // rows, or columns; at most MAX_LINES
  across: usize, // bytes from a line to the next
  count: u32, // pixels of a line; at most MAX_LINES
  along: usize, // bytes from a pixel to the next
  forwards: usize, // runs: what is after it is inside; zeroed
  backwards: usize, // the same: what is before it is inside
): void {
  if (lines < 8) return
  for (let line: u32 = 2; line + 2 < lines; line += 4) {
    // The last four may overlap with those before.
    const first = min(line, lines - 6)
    const at = plane + <usize>first * across
    const to = (<usize>first) << 2
    markOnBorder(at, count, across, along, across)
    findBest(count, forwards + to)
    markOnBorder(at, count, across, along, 0 - across)
    findBest(count, backwards + to)
  }
}

/** Marks which pixels of four lines are on a border; `inwards` may wrap. */
function markOnBorder(at: usize, count: u32, across: usize, along: usize, inwards: usize): void {
  let to = onLines
  if (across == 4) {
    for (const end = to + ((<usize>count) << 4); to < end; to += 16, at += along) {
      v128.store(to, fourOnBorder(at, inwards))
    }
    return
  }
  for (let k: u32 = 0; k < count; k += 4, at += 16, to += 64) {
    const a = fourOnBorder(at, inwards)
    const b = fourOnBorder(at + across, inwards)
    const c = fourOnBorder(at + across * 2, inwards)
    const d = fourOnBorder(at + across * 3, inwards)
    // Rows become columns.
    const lowOfTwo = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
    const highOfTwo = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
    const lowOfOthers = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
    const highOfOthers = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
    v128.store(to, v128.shuffle<i64>(lowOfTwo, lowOfOthers, 0, 2))
    v128.store(to, v128.shuffle<i64>(lowOfTwo, lowOfOthers, 1, 3), 16)
    v128.store(to, v128.shuffle<i64>(highOfTwo, highOfOthers, 0, 2), 32)
    v128.store(to, v128.shuffle<i64>(highOfTwo, highOfOthers, 1, 3), 48)
  }
}

/** Which of four pixels side by side in the plane are on a border. See `isOnBorder`. */
function fourOnBorder(at: usize, inwards: usize): v128 {
  const before = v128.load(at - inwards)
  const step = f32x4.abs(f32x4.sub(v128.load(at + inwards), before))
  const slope = f32x4.abs(f32x4.sub(before, v128.load(at - inwards * 2)))
  return v128.and(f32x4.ge(step, f32x4.splat(MIN_STEP)), f32x4.le(slope, f32x4.splat(MAX_SLOPE)))
}

/** The best run of each of four lines: Kadane's algorithm. */
function findBest(count: u32, runs: usize /* of the first */): void {
  const none = i32x4.splat(0)
  const one = i32x4.splat(1)
  let index = none
  let sum = none // of the run that ends at the present pixel
  let start = none
  let score = none
  let from = none
  let to = none
  let at = onLines
  for (const end = at + ((<usize>count) << 4); at < end; at += 16) {
    const isOn = v128.load(at)
    start = v128.bitselect(index, start, i32x4.eq(sum, none))
    const gain = v128.bitselect(i32x4.splat(GAIN), i32x4.splat(-1), isOn)
    sum = i32x4.max_s(i32x4.add(sum, gain), none)
    index = i32x4.add(index, one)
    const isBest = i32x4.gt_s(sum, score)
    score = v128.bitselect(sum, score, isBest)
    from = v128.bitselect(start, from, isBest)
    to = v128.bitselect(index, to, isBest)
  }
  v128.store(runs, score)
  v128.store(runs, from, FROM)
  v128.store(runs, to, TO)
}

/** Counts the pixels of a line that are on a border: those before each pixel, and in total. */
export function countOnBorder(
  first: usize, // address of the line's first pixel
  count: u32,
  along: usize,
  inwards: usize, // may wrap: to the line before
  out: usize, // count + 1 of u16
): void {
  let sum: u32 = 0
  store<u16>(out, 0)
  for (let k: u32 = 0; k < count; k++, first += along) {
    sum += u32(isOnBorder(first, inwards))
    store<u16>(out + ((<usize>(k + 1)) << 1), <u16>sum)
  }
}

/**
 * How much of the border pixels of a line belongs to what is after it, 0 to 1: least squares
 * between the pixels next to them. A half if none of them is conclusive.
 */
export function shareInside(
  first: usize, // address of the first pixel that counts
  count: u32,
  along: usize,
  inwards: usize,
): f32 {
  let products: f32 = 0
  let squares: f32 = 0
  for (let k: u32 = 0; k < count; k++, first += along) {
    const before = f32.load(first - inwards)
    const step = f32.load(first + inwards) - before
    if (abs(step) < MIN_STEP) continue
    products += (f32.load(first) - before) * step
    squares += step * step
  }
  return squares == 0 ? 0.5 : min(max(products / squares, 0), 1)
}
