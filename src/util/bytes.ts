const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Bytes as lower-case hex digits. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX[byte]
  return text
}

/** Reads `count` bytes of hex digits, upper or lower case. `undefined` if the text is anything else. */
export function parseHex(text: string, count: number): Uint8Array<ArrayBuffer> | undefined {
  if (text.length !== 2 * count || !/^[0-9a-f]*$/i.test(text)) return undefined
  const bytes = new Uint8Array(count)
  for (let i = 0; i < count; i++) bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

/** Whether bytes are the same. Not in constant time. */
export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** Whether bytes begin with others, all of them. */
export function beginsWith(bytes: Uint8Array, others: Uint8Array): boolean {
  return bytes.length >= others.length && others.every((byte, i) => byte === bytes[i])
}

/** A text in UTF-8. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text))
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** All parts as one. A single part is not copied. */
export function asOne(parts: readonly Uint8Array[]): Uint8Array {
  const [only, ...others] = parts
  return only && others.length === 0 ? only : concatenate(parts)
}

/** A table of bytes that has 1 at each of these characters. */
export function byteTable(characters: string): Uint8Array {
  const table = new Uint8Array(256)
  for (const character of characters) table[character.charCodeAt(0)] = 1
  return table
}

/** A view of the same bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
