// Collects photographs that no constant of the probes was tuned on, for the held-out tables of
// docs/accuracy.md: animals, monuments, musicians and paintings from a Debian package of games,
// stored as WebP in Qt resource files. Requires apt.
//
//   node scripts/held-out.ts DIR
//   npm run bench -- accuracy --corpus DIR

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { digestOf, unpacked } from './debian-package.ts'

const PACKAGE = 'gcompris-qt-data'
/** Resource files with photographs and paintings: the others contain drawings. */
const RESOURCES =
  /^(erase|details|explore_(monuments|farm_animals|world_animals|world_music))\.rcc$/
/** Minimum side, in pixels. */
const LEAST_SIDE = 300

const [target] = process.argv.slice(2)
if (target === undefined) {
  console.error('held-out: name a target folder: node scripts/held-out.ts DIR')
  process.exit(2)
}
await mkdir(target, { recursive: true })
const total = await unpacked(PACKAGE, (folder) => bring(folder, target))
console.log(`${total} photographs in ${target}`)
if (total === 0) process.exitCode = 1

async function bring(folder: string, to: string): Promise<number> {
  let count = 0
  const names = await readdir(folder, { recursive: true })
  for (const name of names.filter((one) => RESOURCES.test(one.split('/').at(-1) ?? ''))) {
    for (const picture of webPicturesIn(await readFile(join(folder, name)))) {
      if (!(await isPhotograph(picture))) continue
      await writeFile(join(to, `${(await digestOf(picture)).slice(0, 16)}.webp`), picture)
      count++
    }
  }
  return count
}

/** WebP files within a file, found by their containers: RIFF, its length, WEBP. */
function webPicturesIn(bytes: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (let at = bytes.indexOf('RIFF'); at >= 0; at = bytes.indexOf('RIFF', at + 4)) {
    if (bytes.toString('latin1', at + 8, at + 12) !== 'WEBP') continue
    found.push(bytes.subarray(at, at + 8 + bytes.readUInt32LE(at + 4)))
  }
  return found
}

async function isPhotograph(picture: Buffer): Promise<boolean> {
  const { width, height, hasAlpha } = await sharp(picture)
    .metadata()
    .catch(() => ({ width: 0, height: 0, hasAlpha: true }))
  return !hasAlpha && Math.min(width, height) >= LEAST_SIDE
}
