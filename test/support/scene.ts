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
  const tints = Float64Array.from({ length: 3 * waves.length }, (_, i) => {
    return waves[Math.floor(i / 3)]!.tint[i % 3]!
  })
  // The sine of a sum is made of those of its terms, which are the same down a column and along a row: taking one for each point
  // would take most of the time.
  const ofColumns = Float64Array.from({ length: 2 * width * waves.length }, (_, i) => {
    const { x, phase } = waves[(i >> 1) % waves.length]!
    const angle = ((Math.floor(i / 2 / waves.length) + 0.5) / width) * x + phase
    return i % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
  })
  const ofRow = new Float64Array(2 * waves.length)
  const data = new Uint8Array(width * height * channels)
  let at = 0
  for (let row = 0; row < height; row++) {
    const y = (row + 0.5) / height
    for (const [i, wave] of waves.entries()) {
      ofRow[2 * i] = Math.cos(y * wave.y) * wave.strength
      ofRow[2 * i + 1] = Math.sin(y * wave.y) * wave.strength
    }
    const near = discs.filter((disc) => Math.abs(disc.y - y) < disc.radius + 1e-6)
    for (let col = 0; col < width; col++) {
      const x = (col + 0.5) / width
      const disc = near.find((d) => isWithin(d.x - x, d.y - y, d.radius))
      let [red, green, blue] = [0, 0, 0]
      for (let i = 0, from = col * ofRow.length; i < ofRow.length; i += 2) {
        const wave = ofColumns[from + i]! * ofRow[i]! + ofColumns[from + i + 1]! * ofRow[i + 1]!
        const tint = (i >> 1) * 3
        red += wave * tints[tint]!
        green += wave * tints[tint + 1]!
        blue += wave * tints[tint + 2]!
      }
      for (let c = 0; c < colours; c++) {
        const wave = c === 0 ? red : c === 1 ? green : blue
        const value = (disc ? disc.colour[c]! : 128) + wave + random() * 8 - 4
        data[at++] = Math.max(0, Math.min(255, Math.round(value)))
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
