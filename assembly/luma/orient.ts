// A plane as it is displayed: turned and mirrored as an Exif orientation says (Exif 2.32, 4.6.4, tag 274).
//
//    1      2      3      4        5          6          7          8
//   ab     ba     dc     cd       ac         ca         db         bd
//   cd     dc     ba     ab       bd         db         ca         ac

/** Columns written at a time. */
const COLUMNS: u32 = 64

/** Writes the plane as displayed: rows x cols, or cols x rows if the orientation swaps them. */
export function orientPlane(
  plane: usize, // rows x cols of f32
  rows: u32,
  cols: u32,
  orientation: u32, // 1 to 8; anything else is taken as 1
  out: usize, // the same size
): void {
  const isKnown = orientation >= 1 && orientation <= 8
  const turn = isKnown ? orientation - 1 : 0
  // Of the displayed row and column: which is read backwards in the stored plane.
  const mirrorsX = turn == 1 || turn == 2 || turn == 6 || turn == 7
  const mirrorsY = turn == 2 || turn == 3 || turn == 5 || turn == 6
  const swaps = turn >= 4
  const outRows = swaps ? cols : rows
  const outCols = swaps ? rows : cols
  const stride = <isize>cols * 4
  const alongX: isize = mirrorsX ? -4 : 4 // to the next pixel of the stored row
  const alongY = mirrorsY ? -stride : stride // to the next stored row
  const stepX = swaps ? alongY : alongX
  const stepY = swaps ? alongX : alongY
  const first =
    <isize>plane + (mirrorsX ? stride - 4 : 0) + (mirrorsY ? stride * (<isize>rows - 1) : 0)
  // Some columns at a time: the cache lines of that many stored rows stay in the first cache until
  // their other pixels are needed.
  for (let left: u32 = 0; left < outCols; left += COLUMNS) {
    const right = min(left + COLUMNS, outCols)
    for (let y: u32 = 0; y < outRows; y++) {
      let from = first + stepY * <isize>y + stepX * <isize>left
      let to = out + ((<usize>(y * outCols + left)) << 2)
      for (let x = left; x < right; x++, to += 4, from += stepX) f32.store(to, f32.load(from))
    }
  }
}
