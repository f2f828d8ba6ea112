// Collects real pictures that are on no list, for the bench: up to 700 of each kind from Debian
// packages, in folders by kind and package. Copies are left out by their pixels. Requires apt.
//
//   node scripts/distractors.ts DIR [KIND ...]   all kinds, or those named
//   npm run bench -- false-matches --distractors DIR

import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import sharp from 'sharp'
import { Copies } from '../bench/accuracy/copies.ts'
import { imagesIn } from '../bench/accuracy/files.ts'
import { digestOf, unpacked } from './debian-package.ts'

/**
 * Photographs by their paths. We looked at them: the rest of these packages is mostly drawn. The
 * packages with few come first, as below.
 */
const PHOTOGRAPHS: Readonly<Record<string, RegExp>> = {
  'lomiri-wallpapers-20.04': /Kleiber/,
  'forensics-samples-files': /\/IMG[-_0-9]/,
  'python3-skimage': /\/(astronaut|camera|chelsea|coffee|coins|grass|motorcycle_left|rocket)\./,
  'mate-backgrounds': /\/nature\//,
  'plasma-workspace-wallpapers':
    /\/(BytheWater|ColdRipple|ColorfulCups|DarkestHour|EveningGlow|FallenLeaf|Grey|Kite|OneStandsOut|Path|Volna|summer_1am)\/contents\/images/,
  'lomiri-wallpapers-16.04': /backgrounds\/(?!analogpattern|umang)/,
  'kalzium-data': /\/toolpics\//,
  'gnome-control-center-data': /\/faces\/.*\.jpg$/,
  scratch:
    /\/Backgrounds\/.*\/(?!party-room|room\d|spotlight-stage|school2|woods-and-bench)[^/]+\.jpg$/,
  'cimg-doc': /\/postcard(?!37|52|55|66|71|80)\d+\.jpg$/,
  'opencv-doc':
    /\/examples\/(alphamat\/input_images|data|hfs\/data|text)\/(?!HappyFish|WindowsLogo|ellipses|pca_test1|starry_night|text_)[^/]+\.jpg$/,
  'endless-sky-data': /\/land\/(?!earthrise|space)/,
}

/**
 * Packages by the kind of most of their pictures, those with few first: what a package lacks of its
 * share, those after it may have.
 */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  photographs: Object.keys(PHOTOGRAPHS),
  // What of these packages is no photograph: those are copies by now.
  wallpapers: [
    'lomiri-wallpapers-20.04',
    'lomiri-wallpapers-16.04',
    'ukui-wallpapers',
    'gnome-backgrounds',
    'mate-backgrounds',
    'plasma-workspace-wallpapers',
  ],
  // Stamps, and galaxies on black.
  'cut-outs': ['tuxpaint-stamps-default', 'stellarium-data'],
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
  documents: ['lilypond-doc-html', 'debian-handbook', 'qtbase5-doc-html', 'opencv-doc'],
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

const [target, ...named] = process.argv.slice(2)
if (target === undefined) {
  console.error('distractors: name a target folder: node scripts/distractors.ts DIR [KIND ...]')
  process.exit(2)
}
const unknown = named.find((kind) => !(kind in PACKAGES))
if (unknown !== undefined) {
  console.error(`distractors: no kind ${unknown}; there are ${Object.keys(PACKAGES).join(', ')}`)
  process.exit(2)
}
const kinds = named.length > 0 ? named : Object.keys(PACKAGES)
const copies = new Copies()
for (const kind of Object.keys(PACKAGES).filter((one) => !kinds.includes(one))) {
  const folder = join(target, kind)
  for (const path of existsSync(folder) ? imagesIn(folder) : []) {
    await copies.isNew(path).catch(() => false)
  }
}
let total = 0
for (const kind of kinds) {
  const names = PACKAGES[kind] ?? []
  let left = MOST
  for (const [i, name] of names.entries()) {
    try {
      const share = Math.ceil(left / (names.length - i))
      const only = kind === 'photographs' ? PHOTOGRAPHS[name] : undefined
      const count = await bring(name, join(target, kind, name), share, only)
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
function bring(name: string, folder: string, most: number, only = /^/): Promise<number> {
  return unpacked(name, async (content) => {
    const pictures = new Map<string, string>()
    const paths = imagesIn(content).filter((path) => only.test(path.slice(content.length)))
    for (const path of paths) pictures.set(await digestOf(path), path)
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
