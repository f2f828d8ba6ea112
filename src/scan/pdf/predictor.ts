import type { Unpacked } from '../image/unpack.ts'

/** How samples were predicted before they were compressed (ISO 32000-1, 7.4.4.4). */
export interface Prediction {
  /**
   * 1: not predicted; 2: from the previous sample, as in TIFF; 10 and above: by rows, as in PNG.
   */
  predictor: number
  samples: number
  bits: number
  columns: number
}

/** Bytes handed on at once. */
const OUTPUT_BYTES = 16 * 1024
const MAX_ROW_BYTES = 1024 * 1024

/**
 * Undoes a prediction. `undefined` if the form does not exist. The chunks it yields are changed
 * afterwards.
 */
export function unpredict(chunks: Unpacked, form: Prediction): Unpacked | undefined {
  const { predictor, samples, bits, columns } = form
  if (predictor === 1) return chunks
  const rowBytes = Math.ceil((samples * bits * columns) / 8)
  const isForm = samples >= 1 && columns >= 1 && [1, 2, 4, 8, 16].includes(bits)
  if (!isForm || !Number.isInteger(rowBytes) || rowBytes > MAX_ROW_BYTES) return undefined
  const pixelBytes = Math.max(1, (samples * bits) >> 3)
  if (predictor >= 10)
    return predictedRows(chunks, rowBytes + 1, (row, above) => {
      unfilter(row, above, pixelBytes)
      return row.subarray(1)
    })
  if (predictor !== 2 || bits < 8) return undefined
  return predictedRows(chunks, rowBytes, (row) => {
    if (bits === 8)
      for (let i = samples; i < rowBytes; i++) row[i] = byteAt(row, i) + byteAt(row, i - samples)
    else addWords(row, samples)
    return row
  })
}

/** Cuts bytes into rows and yields several at once. A partial row at the end is dropped. */
function* predictedRows(
  chunks: Unpacked,
  rowBytes: number,
  undo: (row: Uint8Array, above: Uint8Array) => Uint8Array,
): Unpacked {
  const out = new Uint8Array(Math.max(rowBytes, OUTPUT_BYTES))
  let row = new Uint8Array(rowBytes)
  let above = new Uint8Array(rowBytes)
  let [filled, given] = [0, 0]
  for (;;) {
    const next = chunks.next()
    if (next.done) {
      yield out.subarray(0, given)
      return next.value
    }
    for (let start = 0; start < next.value.length;) {
      const count = Math.min(rowBytes - filled, next.value.length - start)
      row.set(next.value.subarray(start, start + count), filled)
      start += count
      filled += count
      if (filled < rowBytes) break
      if (given + rowBytes > out.length) {
        yield out.subarray(0, given)
        given = 0
      }
      const plain = undo(row, above)
      out.set(plain, given)
      given += plain.length
      ;[row, above] = [above, row]
      filled = 0
    }
  }
}

/** PNG's filters (ISO/IEC 15948, 9.2). The first byte selects one. */
function unfilter(row: Uint8Array, above: Uint8Array, pixelBytes: number): void {
  const [filter] = row
  const first = 1 + pixelBytes
  if (filter === 1)
    for (let i = first; i < row.length; i++) row[i] = byteAt(row, i) + byteAt(row, i - pixelBytes)
  else if (filter === 2)
    for (let i = 1; i < row.length; i++) row[i] = byteAt(row, i) + byteAt(above, i)
  else if (filter === 3) {
    for (let i = 1; i < row.length; i++)
      row[i] =
        byteAt(row, i) + (((i < first ? 0 : byteAt(row, i - pixelBytes)) + byteAt(above, i)) >> 1)
  } else if (filter === 4) {
    for (let i = 1; i < row.length; i++) {
      const [left, corner] =
        i < first ? [0, 0] : [byteAt(row, i - pixelBytes), byteAt(above, i - pixelBytes)]
      row[i] = byteAt(row, i) + paeth(left, byteAt(above, i), corner)
    }
  }
}

function paeth(left: number, above: number, corner: number): number {
  const [a, b, c] = [
    Math.abs(above - corner),
    Math.abs(left - corner),
    Math.abs(left + above - 2 * corner),
  ]
  if (a <= b && a <= c) return left
  return b <= c ? above : corner
}

function addWords(row: Uint8Array, samples: number): void {
  for (let i = 2 * samples; i + 1 < row.length; i += 2) {
    const before = (byteAt(row, i - 2 * samples) << 8) + byteAt(row, i - 2 * samples + 1)
    const sum = before + (byteAt(row, i) << 8) + byteAt(row, i + 1)
    row[i] = sum >> 8
    row[i + 1] = sum
  }
}

function byteAt(row: Uint8Array, index: number): number {
  return row[index] ?? 0
}
