/** A page to be written: its tags, and its segments as they are stored. */
export interface TiffPage {
  /** Values by tag. Those of 65,536 and more are written as LONG, others as SHORT; bytes as UNDEFINED. */
  tags: Record<number, number[] | Uint8Array>
  segments: Uint8Array[]
  isTiled?: boolean
}

/** Writes a TIFF file, or a BigTIFF one, in either byte order. */
export function writeTiff(pages: TiffPage[], isLittle = true, isBig = false): Uint8Array {
  const parts: Uint8Array[] = []
  let length = 0
  const add = (bytes: Uint8Array) => {
    const at = length
    parts.push(bytes, new Uint8Array(bytes.length % 2))
    length += bytes.length + (bytes.length % 2)
    return at
  }
  const number = (value: number, size: number) => {
    const bytes = new Uint8Array(8)
    const view = new DataView(bytes.buffer)
    if (isLittle) view.setBigUint64(0, BigInt(value), true)
    else view.setBigUint64(0, BigInt(value) << BigInt(64 - size * 8))
    return bytes.subarray(0, size)
  }
  const offsetBytes = isBig ? 8 : 4
  const mark = Buffer.from(isLittle ? 'II' : 'MM')
  const header = isBig ? [mark, number(43, 2), number(8, 2), number(0, 2)] : [mark, number(42, 2)]
  add(Buffer.concat([...header, new Uint8Array(offsetBytes)]))
  let link = { part: 0, at: length - offsetBytes }
  for (const { tags, segments, isTiled = false } of pages) {
    const all: TiffPage['tags'] = {
      [isTiled ? 324 : 273]: segments.map(add),
      [isTiled ? 325 : 279]: segments.map((segment) => segment.length),
      ...tags,
    }
    const entries = Object.entries(all).map(([tag, values]) => {
      const isBytes = values instanceof Uint8Array
      const size = isBytes ? 1 : values.some((value) => value > 65_535) ? 4 : 2
      const type = { 1: 7, 2: 3, 4: 4 }[size] ?? 4
      const data = Buffer.concat([...values].map((value) => number(value, size)))
      const inline = Buffer.concat([data, new Uint8Array(offsetBytes)]).subarray(0, offsetBytes)
      const value = data.length > offsetBytes ? number(add(data), offsetBytes) : inline
      return [number(Number(tag), 2), number(type, 2), number(values.length, offsetBytes), value]
    })
    const count = number(entries.length, isBig ? 8 : 2)
    const at = add(Buffer.concat([count, ...entries.flat(), new Uint8Array(offsetBytes)]))
    parts[link.part]?.set(number(at, offsetBytes), link.at)
    link = { part: parts.length - 2, at: (parts.at(-2)?.length ?? 0) - offsetBytes }
  }
  return Buffer.concat(parts)
}
