import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { scene } from '../../test/support/scene.ts'

const [WIDTH, HEIGHT] = [800, 600]

/**
 * Writes pictures that resemble photographs, the same on every machine, for use without a corpus.
 */
export async function writeScenes(folder: string, count: number): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (let seed = 1; seed <= count; seed++) {
    const { data, ...raw } = scene(WIDTH, HEIGHT, 3, seed)
    await sharp(data, { raw })
      .jpeg({ quality: 92 })
      .toFile(join(folder, `scene-${seed}.jpg`))
  }
}
