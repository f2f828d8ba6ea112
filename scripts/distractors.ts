// Collects real pictures that are on no list, for the bench: up to 500 from each of several Debian
// packages, in folders by kind and package. Requires apt.
//
//   node scripts/distractors.ts DIR
//   npm run bench -- false-matches --distractors DIR

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import sharp from 'sharp'
import { imagesIn } from '../bench/accuracy/files.ts'
import { digestOf, unpacked } from './debian-package.ts'

/** Packages by the kind of most of their pictures. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'clip art': ['openclipart-png'],
  'game art': ['wesnoth-1.16-data', 'freeciv-data', 'pingus-data', 'fillets-ng-data'],
  icons: ['oxygen-icon-theme'],
  screenshots: ['gimp-help-en'],
  plots: ['gnuplot-doc', 'octave-doc'],
  maps: ['marble-data'],
  photographs: [
    'tuxpaint-stamps-default',
    'plasma-workspace-wallpapers',
    'gnome-backgrounds',
    'mate-backgrounds',
  ],
}

/** Maximum pictures from a package, and their minimum side in pixels. */
const [MOST, LEAST_SIDE] = [500, 96]

const [target] = process.argv.slice(2)
if (target === undefined) {
  console.error('distractors: name a target folder: node scripts/distractors.ts DIR')
  process.exit(2)
}
let total = 0
for (const [kind, names] of Object.entries(PACKAGES)) {
  for (const name of names) {
    try {
      const count = await bring(name, join(target, kind, name))
      console.log(`${kind}: ${count} of ${name}`)
      total += count
    } catch (error) {
      console.error(
        `${kind}: ${name} cannot be fetched: ${(error as Error).message.split('\n')[0]}`,
      )
    }
  }
}
console.log(`${total} pictures in ${target}`)
if (total === 0) process.exitCode = 1

/**
 * Copies pictures of a package: those with the smallest digests, so that the choice is the same
 * everywhere.
 */
function bring(name: string, folder: string): Promise<number> {
  return unpacked(name, async (content) => {
    const pictures = new Map<string, string>()
    for (const path of imagesIn(content)) pictures.set(await digestOf(path), path)
    await mkdir(folder, { recursive: true })
    let count = 0
    for (const [digest, path] of [...pictures].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (count === MOST) break
      if (!(await isLarge(path))) continue
      await writeFile(join(folder, `${digest.slice(0, 16)}${extname(path)}`), await readFile(path))
      count++
    }
    return count
  })
}

async function isLarge(path: string): Promise<boolean> {
  const { width, height } = await sharp(path)
    .metadata()
    .catch(() => ({ width: 0, height: 0 }))
  return Math.min(width, height) >= LEAST_SIDE
}
