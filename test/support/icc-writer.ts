/** An RGB profile by sRGB's primaries and one curve for all channels: 16-bit values of light, or one power. */
export function writeProfile(curve: readonly number[] | { power: number }): Buffer {
  const xyz = (x: number, y: number, z: number) => {
    const tag = Buffer.alloc(20)
    tag.write('XYZ ')
    ;[x, y, z].forEach((value, i) => tag.writeInt32BE(Math.round(value * 65536), 8 + 4 * i))
    return tag
  }
  const tags: [string, Buffer][] = [
    ['wtpt', xyz(0.9642, 1, 0.8249)],
    ['rXYZ', xyz(0.4361, 0.2225, 0.0139)],
    ['gXYZ', xyz(0.3851, 0.7169, 0.0971)],
    ['bXYZ', xyz(0.1431, 0.0606, 0.7141)],
    ...['rTRC', 'gTRC', 'bTRC'].map((name): [string, Buffer] => [name, curveTag(curve)]),
  ]
  const head = Buffer.alloc(132 + 12 * tags.length)
  let at = head.length
  tags.forEach(([name, tag], i) => {
    head.write(name, 132 + 12 * i)
    head.writeUInt32BE(at, 136 + 12 * i)
    head.writeUInt32BE(tag.length, 140 + 12 * i)
    at += tag.length
  })
  head.writeUInt32BE(at, 0)
  head.writeUInt32BE(0x04200000, 8)
  head.write('mntrRGB XYZ ', 12)
  head.write('acsp', 36)
  head.writeInt32BE(Math.round(0.9642 * 65536), 68)
  head.writeInt32BE(65536, 72)
  head.writeInt32BE(Math.round(0.8249 * 65536), 76)
  head.writeUInt32BE(tags.length, 128)
  return Buffer.concat([head, ...tags.map(([, tag]) => tag)])
}

function curveTag(curve: readonly number[] | { power: number }): Buffer {
  if ('power' in curve) {
    const tag = Buffer.alloc(16)
    tag.write('para')
    tag.writeInt32BE(Math.round(curve.power * 65536), 12)
    return tag
  }
  const tag = Buffer.alloc(12 + 2 * curve.length + (curve.length % 2) * 2)
  tag.write('curv')
  tag.writeUInt32BE(curve.length, 8)
  curve.forEach((value, i) => tag.writeUInt16BE(value, 12 + 2 * i))
  return tag
}
