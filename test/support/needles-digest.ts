import { createHash } from 'node:crypto'
import { readModules } from '../../src/core/node.ts'
import { PROBE_SETS } from '../../src/scan/probes/sets.ts'
import { scanFile } from '../../src/scan/scanner.ts'
import { toHex } from '../../src/util/bytes.ts'
import { writeBmp } from './bmp-writer.ts'
import { scene } from './scene.ts'

/** Sizes of the pictures: one has a service's aspect, which a family of probes waits for. */
const SIZES = [
  { width: 320, height: 240 },
  { width: 240, height: 300 },
]

/**
 * SHA-256 of all needles of some made-up pictures. It changes when probes change, and is the same
 * on every machine.
 */
export async function needlesDigest(): Promise<string> {
  const digest = createHash('sha256')
  const context = { modules: readModules(), digestKinds: [], probes: PROBE_SETS.wide }
  for (const [seed, { width, height }] of SIZES.entries()) {
    const { data } = scene(width, height, 3, seed)
    const pixel = (x: number, y: number) => {
      const [red = 0, green = 0, blue = 0] = data.subarray((y * width + x) * 3)
      return (red << 16) | (green << 8) | blue
    }
    const scanned = await scanFile(context, writeBmp({ width, height, bits: 24, pixel }))
    if (scanned.coverage !== 'scanned') throw new Error('a made-up picture cannot be scanned')
    for (const { probe, hash, sure } of [...scanned.needles, ...(scanned.widen?.() ?? [])]) {
      digest.update(`${probe} ${toHex(hash)} ${sure ? toHex(sure) : ''}\n`)
    }
  }
  return digest.digest('hex')
}
