/**
 * Cuts bytes into `rows` rows and passes them on as samples of a byte each. A row is valid until
 * the next.
 */
export function rowsFrom(
  form: RowForm,
  rows: number,
  onRow: (row: Uint8Array, y: number) => void,
): ByteSink {
  const stored = new Uint8Array(rowBytesOf(form))
  const shown = form.bits === 8 ? stored : new Uint8Array(form.width * form.samples)
  let filled = 0
  let y = 0
  return (bytes) => {
    let at = 0
    while (at < bytes.length && y < rows) {
      const count = Math.min(stored.length - filled, bytes.length - at)
      stored.set(bytes.subarray(at, at + count), filled)
      at += count
      filled += count
      if (filled < stored.length) break
      filled = 0
      toBytes(form, stored, shown)
      onRow(shown, y++)
    }
    return y < rows
  }
}

/** Takes bytes as they arrive. Returns whether it wants more. */
export type ByteSink = (bytes: Uint8Array) => boolean

/** How a segment's samples are laid out in its bytes. */
export interface RowForm {
  /** Pixels. */
  width: number
  /** Samples per pixel in this segment. */
  samples: number
  bits: number
  isDifferenced: boolean
  isLittle: boolean
  /** Whether narrow values are colour indices rather than fractions of 255. */
  isIndexed: boolean
}

/** Bytes of a stored row: each row begins on a byte boundary. */
export function rowBytesOf({ width, samples, bits }: RowForm): number {
  return Math.ceil((width * samples * bits) / 8)
}

function toBytes(form: RowForm, stored: Uint8Array, shown: Uint8Array): void {
  if (form.bits === 16) fromWords(form, stored, shown)
  else if (form.bits < 8) fromBits(form, stored, shown)
  else if (form.isDifferenced) {
    for (let i = form.samples; i < stored.length; i++)
      stored[i] = (stored[i] ?? 0) + (stored[i - form.samples] ?? 0)
  }
}

function fromWords(
  { samples, isDifferenced, isLittle }: RowForm,
  stored: Uint8Array,
  shown: Uint8Array,
) {
  const [high, low] = isLittle ? [1, 0] : [0, 1]
  const sums = new Uint16Array(samples)
  for (let i = 0; i < shown.length; i++) {
    const value = ((stored[2 * i + high] ?? 0) << 8) | (stored[2 * i + low] ?? 0)
    const sample = i % samples
    if (isDifferenced) sums[sample] = (sums[sample] ?? 0) + value
    shown[i] = (isDifferenced ? (sums[sample] ?? 0) : value) >> 8
  }
}

function fromBits({ bits, isIndexed }: RowForm, stored: Uint8Array, shown: Uint8Array): void {
  const most = (1 << bits) - 1
  const scale = isIndexed ? 1 : 255 / most
  for (let i = 0; i < shown.length; i++) {
    const bit = i * bits
    shown[i] = (((stored[bit >> 3] ?? 0) >> (8 - bits - (bit & 7))) & most) * scale
  }
}
