import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'

const JPEG_PART_BYTES = 65519

/** Puts a profile into a file as its format has it. */
export async function attachProfile(file: Buffer, profile: Uint8Array): Promise<Buffer> {
  const { format, width, height } = await sharp(file).metadata()
  if (format === 'jpeg') {
    const total = Math.max(1, Math.ceil(profile.length / JPEG_PART_BYTES))
    const parts = Array.from({ length: total }, (_, i) => {
      const part = profile.subarray(i * JPEG_PART_BYTES, (i + 1) * JPEG_PART_BYTES)
      const length = part.length + 16
      const head = Buffer.of(0xff, 0xe2, length >> 8, length & 255)
      return Buffer.concat([head, Buffer.from('ICC_PROFILE\0'), Buffer.of(i + 1, total), part])
    })
    return Buffer.concat([file.subarray(0, 2), ...parts, file.subarray(2)])
  }
  if (format === 'png') {
    const content = Buffer.concat([Buffer.from('x\0\0'), deflateSync(profile)])
    const chunk = Buffer.alloc(12 + content.length)
    chunk.writeUInt32BE(content.length, 0)
    chunk.write('iCCP', 4)
    content.copy(chunk, 8)
    chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4)
    return Buffer.concat([file.subarray(0, 33), chunk, file.subarray(33)])
  }
  const chunk = (type: string, content: Uint8Array) => {
    const header = Buffer.from(`${type}\0\0\0\0`)
    header.writeUInt32LE(content.length, 4)
    return Buffer.concat([header, content, new Uint8Array(content.length % 2)])
  }
  const size = [width - 1, 0, 0, height - 1, 0, 0]
  const flags = chunk('VP8X', Uint8Array.of(0x20, 0, 0, 0, ...size))
  const content = [Buffer.from('WEBP'), flags, chunk('ICCP', profile), file.subarray(12)]
  return chunk('RIFF', Buffer.concat(content))
}
