/** Bytes as characters of the same codes. (The platform's 'latin1' decoder is windows-1252, and changes 0x80 to 0x9f.) */
export function ascii(bytes: Uint8Array): string {
  // A spread takes four times as long.
  return String.fromCharCode.apply(null, bytes as unknown as number[])
}
