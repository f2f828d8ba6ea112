// A plane as it is displayed: turned and mirrored as an Exif orientation says (Exif 2.32, 4.6.4, tag 274).
//
//    1      2      3      4        5          6          7          8
//   ab     ba     dc     cd       ac         ca         db         bd
//   cd     dc     ba     ab       bd         db         ca         ac

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
  let to = out
  for (let y: u32 = 0; y < outRows; y++) {
    for (let x: u32 = 0; x < outCols; x++, to += 4) {
      const storedX = swaps ? y : x
      const storedY = swaps ? x : y
      const fromX = mirrorsX ? cols - 1 - storedX : storedX
      const fromY = mirrorsY ? rows - 1 - storedY : storedY
      f32.store(to, f32.load(plane + ((<usize>(fromY * cols + fromX)) << 2)))
    }
  }
}
