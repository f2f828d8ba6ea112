// Borders of pictures shown on something: a page, a chat, their own blurred copy. A pixel is on a border if the pixels before it
// are smooth and the one behind it differs. A picture's border is a line with many such pixels. Text and details of pictures
// have only a few in a row.

/** Luma by which the pixels before and behind a border differ, at least. */
const MIN_STEP: f32 = 8
/** Luma by which the two pixels before a border differ, at most. */
const MAX_SLOPE: f32 = 4
/** What a pixel on the border adds to a run's score; one that is not takes 1 off. So a third of them may be missing, or two. */
const GAIN: i32 = 2

/** The best run of a line: Kadane's algorithm. */
@unmanaged
class Run {
  score: i32
  /** First pixel, and the one behind the last. */
  from: u32
  to: u32
  // The run that ends at the present pixel.
  sum: i32
  start: u32

  add(index: u32, isOn: bool): void {
    if (!isOn) {
      if (this.sum > 0) this.sum--
      return
    }
    if (this.sum == 0) this.start = index
    this.sum += GAIN
    if (this.sum <= this.score) return
    this.score = this.sum
    this.from = this.start
    this.to = index + 1
  }
}

/** Whether a pixel is on a border; `inwards` is the number of bytes to the pixel behind it. */
function isOnBorder(at: usize, inwards: usize): bool {
  const before = f32.load(at - inwards)
  return (
    abs(f32.load(at + inwards) - before) >= MIN_STEP &&
    abs(before - f32.load(at - inwards * 2)) <= MAX_SLOPE
  )
}

/**
 * Finds the best run along each line, as a border of what is behind the line and of what is before it. The two outermost
 * lines have none.
 */
export function findRuns(
  plane: usize, // of f32
  lines: u32, // rows, or columns
  across: usize, // bytes from a line to the next
  count: u32, // pixels of a line
  along: usize, // bytes from a pixel to the next
  forwards: usize, // lines x Run: what is behind is inside; zeroed
  backwards: usize, // the same: what is before is inside
): void {
  for (let line: u32 = 2; line + 2 < lines; line++) {
    const first = changetype<Run>(forwards + <usize>line * offsetof<Run>())
    const second = changetype<Run>(backwards + <usize>line * offsetof<Run>())
    let at = plane + <usize>line * across
    for (let k: u32 = 0; k < count; k++, at += along) {
      const isStep = abs(f32.load(at + across) - f32.load(at - across)) >= MIN_STEP
      if (!isStep && first.sum == 0 && second.sum == 0) continue
      first.add(k, isStep && isOnBorder(at, across))
      second.add(k, isStep && isOnBorder(at, 0 - across))
    }
  }
}

/** Counts the pixels of a line that are on a border: those before each pixel, and all. */
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
 * How much of the pixels of a line on a border is what is behind it, 0 to 1: least squares between the pixels beside them.
 * A half, if none of them tells.
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
