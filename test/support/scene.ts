import { randomFrom } from './random.ts'

/** Pixels of an image: `channels` bytes each, row-major. */
export interface Raw {
  width: number
  height: number
  channels: 1 | 2 | 3 | 4
  data: Uint8Array<ArrayBuffer>
}

/**
 * A picture that is something like a photograph: soft shapes of several sizes, some edges, a little noise. The same seed
 * gives the same picture at any size. The last of 2 or 4 channels is alpha, which falls off towards the corners.
 */
export function scene(width: number, height: number, channels: Raw['channels'], seed: number): Raw {
  const random = randomFrom(seed)
  const waves = Array.from({ length: 12 }, () => ({
    x: (random() - 0.5) * 30,
    y: (random() - 0.5) * 30,
    phase: random() * 2 * Math.PI,
    strength: random() * 18,
    tint: [random(), random(), random()],
  }))
  const discs = Array.from({ length: 24 }, () => ({
    x: random(),
    y: random(),
    radius: 0.04 + random() * 0.14,
    colour: [40 + random() * 170, 40 + random() * 170, 40 + random() * 170],
  }))
  const colours = channels >= 3 ? 3 : 1
  const heights = new Float64Array(waves.length)
  const data = new Uint8Array(width * height * channels)
  let at = 0
  for (let row = 0; row < height; row++) {
    for (let col = 0; col < width; col++) {
      const [x, y] = [(col + 0.5) / width, (row + 0.5) / height]
      const disc = discs.find((d) => isWithin(d.x - x, d.y - y, d.radius))
      for (const [i, wave] of waves.entries()) {
        heights[i] = Math.sin(x * wave.x + y * wave.y + wave.phase) * wave.strength
      }
      for (let c = 0; c < colours; c++) {
        let value = disc ? (disc.colour[c] ?? 0) : 128
        for (const [i, { tint }] of waves.entries()) value += (heights[i] ?? 0) * (tint[c] ?? 0)
        data[at++] = Math.max(0, Math.min(255, Math.round(value + random() * 8 - 4)))
      }
      if (channels % 2 === 0)
        data[at++] = Math.round(255 * Math.min(1, 2 - 2.4 * Math.hypot(x - 0.5, y - 0.5)))
    }
  }
  return { width, height, channels, data }
}

/** Whether a point lies within a radius. `Math.hypot` decides only where squares may be rounded wrongly: it takes long. */
function isWithin(x: number, y: number, radius: number): boolean {
  const excess = x * x + y * y - radius * radius
  return Math.abs(excess) > 1e-12 ? excess < 0 : Math.hypot(x, y) < radius
}
