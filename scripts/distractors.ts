// Collects real pictures that are on no list, for the bench: up to 700 of each kind from Debian
// packages, in folders by kind and package. Copies are left out by their pixels. Requires apt.
//
//   node scripts/distractors.ts DIR
//   npm run bench -- false-matches --distractors DIR

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import sharp from 'sharp'
import { Copies } from '../bench/accuracy/copies.ts'
import { imagesIn } from '../bench/accuracy/files.ts'
import { digestOf, unpacked } from './debian-package.ts'

/**
 * Packages by the kind of most of their pictures, those with few first: what a package lacks of its
 * share, those after it may have.
 */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  photographs: [
    'gnome-backgrounds',
    'lomiri-wallpapers-16.04',
    'lomiri-wallpapers-20.04',
    'ukui-wallpapers',
    'mate-backgrounds',
    'plasma-workspace-wallpapers',
    'opencv-doc',
    'stellarium-data',
    'tuxpaint-stamps-default',
  ],
  'clip art': ['tuxpaint-data', 'pysiogame', 'openclipart-png'],
  'game art': [
    'frozen-bubble-data',
    'lincity-ng-data',
    'tuxmath-data',
    'freeciv-data',
    'pingus-data',
    'hedgewars-data',
    'freeorion-data',
    'endless-sky-data',
    'fillets-ng-data',
    'wesnoth-1.16-data',
  ],
  icons: [
    'gnome-icon-theme',
    'faenza-icon-theme',
    'mint-y-icons',
    'moka-icon-theme',
    'oxygen-icon-theme',
  ],
  screenshots: [
    'libgtk-3-doc',
    'kicad-doc-en',
    'gnome-user-docs',
    'wx3.2-doc',
    'gnucash-docs',
    'qtcreator-doc',
    'gimp-help-en',
  ],
  documents: ['debian-handbook', 'qtbase5-doc-html', 'lilypond-doc-html'],
  plots: ['octave-doc', 'python-astropy-doc', 'python-scipy-doc', 'python-sklearn-doc'],
  maps: ['grass-doc', 'kgeography-data', 'marble-data'],
  flags: ['iso-flags-png-320x240'],
  textures: [
    'bzflag-data',
    'extremetuxracer-data',
    'neverball-data',
    'colobot-common-textures',
    'megaglest-data',
  ],
}

/** Maximum pictures of a kind, and their minimum side in pixels. */
const [MOST, LEAST_SIDE] = [700, 96]

const [target] = process.argv.slice(2)
if (target === undefined) {
  console.error('distractors: name a target folder: node scripts/distractors.ts DIR')
  process.exit(2)
}
const copies = new Copies()
let total = 0
for (const [kind, names] of Object.entries(PACKAGES)) {
  let left = MOST
  for (const [i, name] of names.entries()) {
    try {
      const share = Math.ceil(left / (names.length - i))
      const count = await bring(name, join(target, kind, name), share)
      console.log(`${kind}: ${count} of ${name}`)
      left -= count
    } catch (error) {
      console.error(
        `${kind}: ${name} cannot be fetched: ${(error as Error).message.split('\n')[0]}`,
      )
    }
  }
  console.log(`${kind}: ${MOST - left}`)
  total += MOST - left
}
console.log(`${total} pictures in ${target}`)
if (total === 0) process.exitCode = 1

/**
 * Copies up to `most` pictures of a package: those with the smallest digests, so that the choice is
 * the same everywhere.
 */
function bring(name: string, folder: string, most: number): Promise<number> {
  return unpacked(name, async (content) => {
    const pictures = new Map<string, string>()
    for (const path of imagesIn(content)) pictures.set(await digestOf(path), path)
    await mkdir(folder, { recursive: true })
    let count = 0
    for (const [digest, path] of [...pictures].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (count === most) break
      if (!(await isLarge(path)) || !(await copies.isNew(path).catch(() => false))) continue
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
