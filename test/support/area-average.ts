// The slow twin of assembly/luma/reducer.ts.

/** The area averages of a picture over a grid of cells; row-major, as the picture. */
export function areaAverage(
  luma: Float32Array,
  [width, height]: readonly [number, number],
  [cols, rows]: readonly [number, number] = [512, 512],
): Float32Array {
  const narrow = averageLines(luma, width, height, cols)
  return transpose(averageLines(transpose(narrow, cols, height), height, cols, rows), rows, cols)
}

/** Averages each of `lines` lines of `length` values over `cells` cells of equal length. */
function averageLines(
  values: Float32Array,
  length: number,
  lines: number,
  cells: number,
): Float32Array {
  const out = new Float32Array(lines * cells)
  for (let line = 0; line < lines; line++) {
    for (let cell = 0; cell < cells; cell++) {
      const [start, end] = [(cell * length) / cells, ((cell + 1) * length) / cells]
      let sum = 0
      for (let i = Math.floor(start); i < end; i++) {
        sum += (values[line * length + i] ?? 0) * (Math.min(i + 1, end) - Math.max(i, start))
      }
      out[line * cells + cell] = sum / (end - start)
    }
  }
  return out
}

function transpose(values: Float32Array, cols: number, rows: number): Float32Array {
  const out = new Float32Array(values.length)
  for (let i = 0; i < out.length; i++) {
    out[i] = values[(i % rows) * cols + Math.floor(i / rows)] ?? 0
  }
  return out
}
