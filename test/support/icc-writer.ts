/** 16-bit values of light, or one power. */
export type Curve = readonly number[] | { power: number }

/** Light of red, green and blue at full value. */
export type Lights = readonly [readonly number[], readonly number[], readonly number[]]

const SRGB_LIGHTS: Lights = [
  [0.4361, 0.2225, 0.0139],
  [0.3851, 0.7169, 0.0971],
  [0.1431, 0.0606, 0.7141],
]

/** An RGB profile with one curve for all channels, or one for each; and code points beside them. */
export function writeProfile(
  curves: Curve | readonly [Curve, Curve, Curve],
  lights: Lights = SRGB_LIGHTS,
  codePoints?: readonly number[],
): Buffer {
  const each = isThree(curves) ? curves : [curves, curves, curves]
  return writeTags('RGB XYZ ', [
    ...lights.map((light, i): Tag => [`${'rgb'[i]}XYZ`, xyz(light)]),
    ...each.map((curve, i): Tag => [`${'rgb'[i]}TRC`, curveTag(curve)]),
    ...pointsTag(codePoints),
  ])
}

function pointsTag(codePoints: readonly number[] | undefined): Tag[] {
  return codePoints
    ? [['cicp', Buffer.concat([Buffer.from('cicp\0\0\0\0'), Buffer.from(codePoints)])]]
    : []
}

/** Kinds of tables. */
export type TableType = 'mft1' | 'mft2' | 'mAB '

/**
 * A profile that shows each node of a grid as a grey.
 * @param channels 1 for grey, 3 for RGB
 * @param side nodes along each channel
 * @param lightness of a node, by its channels of 0 to 1: 0 to 1
 */
export function writeTableProfile(
  type: TableType,
  channels: 1 | 3,
  side: number,
  lightness: (node: readonly number[]) => number,
): Buffer {
  const nodes = [...Array(side ** channels).keys()].map((node) =>
    Array.from({ length: channels }, (_, i) => {
      return (Math.floor(node / side ** (channels - 1 - i)) % side) / (side - 1)
    }),
  )
  const bytes = type === 'mft1' ? 1 : 2
  const number = (value: number) => {
    const out = Buffer.alloc(bytes)
    if (bytes === 1) out.writeUInt8(Math.round(value * 255))
    else out.writeUInt16BE(Math.round(value * 65535))
    return out
  }
  // In tables of the old kind, 0xff00 is white, and 0x8000 no colour.
  const white = type === 'mft2' ? 65280 / 65535 : 1
  const none = type === 'mft2' ? 32768 / 65535 : 128 / 255
  const grid = Buffer.concat(
    nodes.flatMap((node) => [number(lightness(node) * white), number(none), number(none)]),
  )
  const head = Buffer.alloc(32)
  head.write(type)
  head.set([channels, 3, type === 'mAB ' ? 0 : side], 8)
  const table = type === 'mAB ' ? stages(head, grid, channels, side) : lut(head, grid, number)
  return writeTags(channels === 1 ? 'GRAYLab ' : 'RGB Lab ', [['A2B0', table]])
}

function lut(head: Buffer, grid: Buffer, number: (value: number) => Buffer): Buffer {
  const isWide = head.toString('latin1', 0, 4) === 'mft2'
  const ramp = Buffer.concat(Array.from({ length: 256 }, (_, i) => number(i / 255)))
  const matrix = Buffer.alloc(36)
  for (const i of [0, 4, 8]) matrix.writeInt32BE(65536, 4 * i)
  const entries = isWide ? Buffer.of(1, 0, 1, 0) : Buffer.alloc(0)
  const inputs = Array.from({ length: head[8] ?? 0 }, () => ramp)
  return Buffer.concat([head.subarray(0, 12), matrix, entries, ...inputs, grid, ramp, ramp, ramp])
}

function stages(head: Buffer, grid: Buffer, channels: number, side: number): Buffer {
  const linear = Buffer.alloc(12)
  linear.write('curv')
  const first = Buffer.concat(Array.from({ length: channels }, () => linear))
  const last = Buffer.concat([linear, linear, linear])
  const gridHead = Buffer.alloc(20)
  gridHead.fill(side, 0, channels)
  gridHead[16] = 2
  const lastAt = head.length + first.length
  head.writeUInt32BE(lastAt, 12)
  head.writeUInt32BE(lastAt + last.length, 24)
  head.writeUInt32BE(head.length, 28)
  return Buffer.concat([head, first, last, gridHead, grid])
}

type Tag = [string, Buffer]

/** A profile of a display: its own space and the one it leads to, and its tags. */
function writeTags(spaces: string, own: readonly Tag[]): Buffer {
  const tags = [['wtpt', xyz([0.9642, 1, 0.8249])] satisfies Tag, ...own].map(
    ([name, tag]): Tag => [name, Buffer.concat([tag, Buffer.alloc((4 - (tag.length % 4)) % 4)])],
  )
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
  head.write(`mntr${spaces}`, 12)
  head.write('acsp', 36)
  head.writeInt32BE(Math.round(0.9642 * 65536), 68)
  head.writeInt32BE(65536, 72)
  head.writeInt32BE(Math.round(0.8249 * 65536), 76)
  head.writeUInt32BE(tags.length, 128)
  return Buffer.concat([head, ...tags.map(([, tag]) => tag)])
}

function xyz(light: readonly number[]): Buffer {
  const tag = Buffer.alloc(20)
  tag.write('XYZ ')
  light.forEach((value, i) => tag.writeInt32BE(Math.round(value * 65536), 8 + 4 * i))
  return tag
}

function isThree(
  curves: Curve | readonly [Curve, Curve, Curve],
): curves is readonly [Curve, Curve, Curve] {
  return 'length' in curves && typeof curves[0] !== 'number'
}

function curveTag(curve: Curve): Buffer {
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
