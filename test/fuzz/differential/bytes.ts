/** A file with bytes at a place. */
export function insert(file: Uint8Array, at: number, bytes: ArrayLike<number>): Uint8Array {
  return splice(file, at, 0, bytes)
}

/** A file with other bytes instead of so many at a place. */
export function splice(
  file: Uint8Array,
  at: number,
  count: number,
  bytes: ArrayLike<number>,
): Uint8Array {
  const middle = Uint8Array.from(bytes)
  return new Uint8Array(Buffer.concat([file.subarray(0, at), middle, file.subarray(at + count)]))
}

/** A copy with one byte changed; the file itself if it is not so long. */
export function withByte(file: Uint8Array, at: number, value: number): Uint8Array {
  if (at < 0 || at >= file.length) return file
  const copy = file.slice()
  copy[at] = value
  return copy
}

export function viewOf(file: Uint8Array): DataView {
  return new DataView(file.buffer, file.byteOffset, file.byteLength)
}
