import sharp, { type Sharp } from 'sharp'
import { describe, expect, it } from 'vitest'
import { distance } from '../../../src/util/hash.ts'
import { sureDistance } from '../../../src/core/haystack.ts'
import { readModules } from '../../../src/core/node.ts'
import {
  FAMILY_NAMES,
  parseProbeSet,
  PROBE_SETS,
  type ProbeFamily,
  type ProbeSet,
  SET_NAMES,
} from '../../../src/scan/probes/sets.ts'
import { type Needle, type ScannedContent, smallestSetOf } from '../../../src/scan/scanned.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { writeZip } from '../../support/archive-writer.ts'
import { addExif, writeExif } from '../../support/exif-writer.ts'
import { writeGif } from '../../support/gif-writer.ts'
import { picture as draw, FAST_PNG } from '../../support/sharp-images.ts'

const modules = readModules()
const THRESHOLD = 31

const written = new WeakMap<Sharp, Promise<Uint8Array>>()

/** A picture as a file. Each is written once, since that takes longer than to scan it. */
function fileOf(image: Sharp): Promise<Uint8Array> {
  const file = written.get(image) ?? image.clone().png(FAST_PNG).toBuffer()
  written.set(image, file)
  return file
}

async function scanned(file: Sharp | Uint8Array, probes: ProbeSet): Promise<ScannedContent> {
  const bytes = file instanceof Uint8Array ? file : await fileOf(file)
  const result = await scanFile({ modules, probes, digestKinds: [] }, bytes)
  if (result.coverage !== 'scanned') throw new Error(result.reason)
  return result
}

const pictures = new Map<string, Sharp>()

/** The picture of a size and a seed, the same object each time. */
function picture(width: number, height: number, channels: 3 | 4, seed: number): Sharp {
  const key = [width, height, channels, seed].join()
  const image = pictures.get(key) ?? draw(width, height, channels, seed)
  pictures.set(key, image)
  return image
}

/** All needles of a picture: those of the first stage, then those of the wide one. */
async function needlesOf(file: Sharp | Uint8Array, probes: ProbeSet): Promise<Needle[]> {
  const { needles, widen } = await scanned(file, probes)
  return [...needles, ...(widen?.() ?? [])]
}

const entries = new WeakMap<Sharp, Promise<Needle[]>>()

/** The needle of a picture that is known. Each is scanned once. */
async function entryOf(known: Sharp): Promise<Needle> {
  const needles = entries.get(known) ?? needlesOf(known, PROBE_SETS.plain)
  entries.set(known, needles)
  return (await needles)[0]!
}

/** How many bits a picture's nearest needle has to spare, and its probe. */
async function nearest(known: Sharp, upload: Sharp | Uint8Array, probes: ProbeSet) {
  const entry = await entryOf(known)
  const found = (await needlesOf(upload, probes)).map(({ hash, sure, probe, tolerance }) => ({
    probe,
    over:
      (sure ? sureDistance(hash, sure, entry.hash) : distance(hash, entry.hash)) -
      tolerance -
      THRESHOLD,
  }))
  return found.toSorted((a, b) => a.over - b.over)[0]!
}

const [WIDTH, HEIGHT] = [640, 480]
const SEEDS = [21, 22, 23] as const

/** A change, and the family that sees through it. */
type Change = [what: string, family: ProbeFamily, change: (image: Sharp) => Sharp | Promise<Sharp>]

/** A crop that takes so many pixels off each side. */
function crop(
  image: Sharp,
  sides: { left?: number; top?: number; right?: number; bottom?: number },
) {
  const { left = 0, top = 0, right = 0, bottom = 0 } = sides
  return image.extract({ left, top, width: WIDTH - left - right, height: HEIGHT - top - bottom })
}

const evenly = (margin: number) => ({ top: margin, bottom: margin, left: margin, right: margin })

/** A picture over another one, whose size the result has. */
async function placed(image: Sharp, left: number, top: number, below: Sharp): Promise<Sharp> {
  const input = await image.png(FAST_PNG).toBuffer()
  return sharp(await below.composite([{ input, left, top }]).png(FAST_PNG).toBuffer())
}

function page(width: number, height: number, background: string): Sharp {
  return sharp({ create: { width, height, channels: 3, background } })
}

const text = (width: number, height: number) =>
  Buffer.from(
    `<svg width="${width}" height="${height}"><text x="20" y="${height * 0.65}" font-size="${height / 2}">When it is Monday again</text></svg>`,
  )

const CHANGES: Change[] = [
  ['mirrored', 'mirrors', (image) => image.flop()],
  ['upside down', 'mirrors', (image) => image.flip().flop()],
  ['turned right', 'mirrors', (image) => image.rotate(90)],
  ['inverted', 'complement', (image) => image.negate({ alpha: false })],
  ...['black', 'white', '#d02060'].map((background): Change => [
    `with a ${background} border`,
    'bars',
    (image) => image.extend({ top: 24, bottom: 24, left: 32, right: 32, background }),
  ]),
  ['with one bar', 'bars', (image) => image.extend({ right: 60, background: 'black' })],
  ['letterboxed', 'bars', (image) => image.extend({ top: 90, bottom: 90, background: 'black' })],
  ['pillarboxed', 'bars', (image) => image.extend({ left: 99, right: 99, background: 'white' })],
  ['cropped by 5 %', 'crops', (image) => crop(image, { left: 16, top: 12, right: 16, bottom: 12 })],
  ['cropped by 6 %', 'crops', (image) => crop(image, { left: 19, top: 14, right: 19, bottom: 14 })],
  ['cropped on one side', 'shifts', (image) => crop(image, { left: 30 })],
  ['cropped in a corner', 'shifts', (image) => crop(image, { right: 26, bottom: 19 })],
  ['cropped by 5 % in a corner', 'shifts', (image) => crop(image, { left: 32, top: 24 })],
  ['cropped by 5 % on one side', 'shifts', (image) => crop(image, { right: 32 })],
  ['turned by 2 degrees', 'turns', (image) => image.rotate(2, { background: 'black' })],
]

/** Something drawn over a picture. */
function drawn(image: Sharp, shapes: string): Sharp {
  const svg = `<svg width="${WIDTH}" height="${HEIGHT}">${shapes}</svg>`
  return image.composite([{ input: Buffer.from(svg) }])
}

/** White strokes with a black outline, above a height: a line of text, whatever the fonts. */
function strokes(y: number): string {
  const path = `M40 ${y}${'l24 -60l24 60'.repeat(11)}`
  return [
    ['black', 24],
    ['white', 12],
  ]
    .map(
      ([ink, width]) => `<path d="${path}" fill="none" stroke="${ink}" stroke-width="${width}"/>`,
    )
    .join('')
}

const WIDE_CHANGES: Change[] = [
  [
    'covered by a bar',
    'covers',
    (image) => drawn(image, '<rect x="100" y="140" width="290" height="34"/>'),
  ],
  [
    'covered by a face',
    'covers',
    (image) =>
      drawn(
        image,
        '<circle cx="330" cy="230" r="70" fill="#fc2"/><path d="M300 210h12v12h-12zM348 210h12v12h-12zM290 250h80l-40 30z"/>',
      ),
  ],
  [
    'covered by text with an outline',
    'covers',
    (image) => drawn(image, strokes(90) + strokes(450)),
  ],
  [
    'cropped by 18 %',
    'larger-crops',
    (image) => crop(image, { left: 57, top: 43, right: 57, bottom: 43 }),
  ],
  ['cropped on one side by 10 %', 'larger-shifts', (image) => crop(image, { left: 64 })],
  [
    'mirrored and cropped on one side',
    'mirrored-shifts',
    (image) => crop(image.flop(), { left: 32 }),
  ],
  ['mirrored and inverted', 'inverted-mirrors', (image) => image.flop().negate({ alpha: false })],
  [
    'turned right and inverted',
    'inverted-mirrors',
    (image) => image.rotate(90).negate({ alpha: false }),
  ],
  ['cropped to 4:5', 'aspects', (image) => crop(image, { left: 128, right: 128 })],
  ['cropped to 16:9', 'aspects', (image) => crop(image, { top: 60, bottom: 60 })],
  ['turned by 5 degrees', 'larger-turns', (image) => image.rotate(-5, { background: 'white' })],
  [
    'mirrored and cropped',
    'mirrored-crops',
    (image) => crop(image.flop(), { left: 16, top: 12, right: 16, bottom: 12 }),
  ],
  [
    'mirrored, with a caption',
    'mirrored-bars',
    async (image) =>
      page(WIDTH, HEIGHT + 90, 'white').composite([
        { input: text(WIDTH, 90), left: 0, top: 0 },
        { input: Buffer.from(await fileOf(image.flop())), left: 0, top: 90 },
      ]),
  ],
]

/** The change as a file of its own: libvips does not do all steps in the order that they are asked for. */
async function changed(image: Sharp, change: Change[2]): Promise<Sharp> {
  const before = sharp(await fileOf(image))
  return sharp(await (await change(before)).png(FAST_PNG).toBuffer())
}

describe('the default set', () => {
  it.each(CHANGES)('sees a picture that was %s', async (_, family, change) => {
    for (const seed of SEEDS) {
      const known = picture(WIDTH, HEIGHT, 3, seed)
      const upload = await changed(known, change)
      const plain = await nearest(known, upload, PROBE_SETS.plain)
      const alone = new Set([family])
      expect((await nearest(known, upload, alone)).over).toBeLessThanOrEqual(0)
      expect((await nearest(known, upload, PROBE_SETS.default)).over).toBeLessThanOrEqual(0)
      expect(plain.over).toBeGreaterThan(0)
    }
  })

  it('sees a picture with a caption above or below', async () => {
    for (const [place, background] of [
      [{ top: 90 }, 'white'],
      [{ bottom: 90 }, 'black'],
    ] as const) {
      const known = picture(WIDTH, HEIGHT, 3, 24)
      const extended = sharp(
        await known
          .clone()
          .extend({ ...place, background })
          .png(FAST_PNG)
          .toBuffer(),
      )
      const words = sharp(text(WIDTH, 90))
      const input = await (background === 'black' ? words.negate({ alpha: false }) : words)
        .png(FAST_PNG)
        .toBuffer()
      const top = 'top' in place ? 0 : HEIGHT
      const upload = sharp(
        await extended
          .composite([{ input, left: 0, top }])
          .png(FAST_PNG)
          .toBuffer(),
      )
      expect((await nearest(known, upload, PROBE_SETS.plain)).over).toBeGreaterThan(0)
      const { over, probe } = await nearest(known, upload, PROBE_SETS.default)
      expect({ isFound: over <= 0, probe }).toEqual({ isFound: true, probe: 'bars' })
    }
  })

  it('sees a picture between bars of its own, blurred', async () => {
    const known = picture(WIDTH, HEIGHT, 3, 25)
    const behind = known.clone().resize(1100, HEIGHT, { fit: 'fill' }).blur(20)
    const upload = await placed(known.clone(), 230, 0, sharp(await behind.png(FAST_PNG).toBuffer()))
    expect((await nearest(known, upload, PROBE_SETS.plain)).over).toBeGreaterThan(0)
    const { over, probe } = await nearest(known, upload, PROBE_SETS.default)
    expect({ isFound: over <= 0, probe }).toEqual({ isFound: true, probe: 'edges' })
  })

  it('sees a picture under a logo', async () => {
    const bits: number[] = []
    for (const seed of SEEDS) {
      const known = picture(WIDTH, HEIGHT, 3, seed)
      const logo = page(100, 76, 'white')
      const upload = await placed(logo, WIDTH - 110, HEIGHT - 86, known.clone())
      const { over } = await nearest(known, upload, new Set(['corners']))
      expect(over).toBeLessThan((await nearest(known, upload, PROBE_SETS.plain)).over)
      bits.push(over)
    }
    expect(Math.min(...bits)).toBeLessThanOrEqual(0)
  })

  it('sees a mirrored picture that Exif turns, as it is displayed', async () => {
    const known = picture(WIDTH, HEIGHT, 3, 26)
    const turned = await known
      .clone()
      .extend({ top: 30, bottom: 30, background: 'black' })
      .png(FAST_PNG)
      .toBuffer()
    const stored = await sharp(turned).rotate(270).jpeg().toBuffer()
    const upload = addExif(stored, writeExif(6))
    const { over, probe } = await nearest(known, upload, PROBE_SETS.default)
    expect({ isFound: over <= 0, probe }).toEqual({ isFound: true, probe: 'bars' })
  })

  it('sees what has a border, and lies over white', async () => {
    const known = picture(WIDTH, HEIGHT, 3, 27)
    const margin = { top: 40, bottom: 40, left: 40, right: 40 }
    const upload = known
      .clone()
      .ensureAlpha()
      .extend({ ...margin, background: '#00000000' })
    const { over } = await nearest(known, upload, new Set<ProbeFamily>(['over-white', 'bars']))
    expect(over).toBeLessThanOrEqual(0)
  })
})

describe('the wide set', () => {
  it.each(WIDE_CHANGES)('sees a picture that was %s', async (_, family, change) => {
    let found = 0
    for (const seed of SEEDS) {
      const known = picture(WIDTH, HEIGHT, 3, seed)
      const upload = await changed(known, change)
      expect((await nearest(known, upload, PROBE_SETS.default)).over).toBeGreaterThan(0)
      const { over, probe } = await nearest(known, upload, PROBE_SETS.wide)
      if (over <= 0) found++
      if (over <= 0) expect(probe).toBe(family)
    }
    expect(found).toBeGreaterThanOrEqual(2)
  })

  it('sees a picture on a page, and in a collage', async () => {
    const known = picture(WIDTH, HEIGHT, 3, 28)
    const blank = page(1000, 1300, '#f2f2f2').composite([
      { input: text(900, 80), left: 30, top: 900 },
    ])
    const onPage = await placed(known.clone(), 60, 240, sharp(await blank.png(FAST_PNG).toBuffer()))
    const other = await picture(WIDTH, HEIGHT, 3, 29).png(FAST_PNG).toBuffer()
    const beside = page(WIDTH * 2, HEIGHT, 'black').composite([
      { input: other, left: WIDTH, top: 0 },
    ])
    const collage = await placed(known.clone(), 0, 0, sharp(await beside.png(FAST_PNG).toBuffer()))
    expect((await nearest(known, onPage, new Set(['pages']))).over).toBeLessThanOrEqual(0)
    expect((await nearest(known, collage, new Set(['pieces']))).over).toBeLessThanOrEqual(0)
    expect((await nearest(known, collage, PROBE_SETS.plain)).over).toBeGreaterThan(0)
  })

  it('sees a picture with round corners, small in a screenshot, and stored turned', async () => {
    for (const seed of SEEDS) {
      const known = picture(WIDTH, HEIGHT, 3, seed)
      const mask = Buffer.from(
        `<svg width="${WIDTH}" height="${HEIGHT}"><rect width="${WIDTH}" height="${HEIGHT}" rx="44"/></svg>`,
      )
      const round = sharp(
        await known
          .clone()
          .ensureAlpha()
          .composite([{ input: mask, blend: 'dest-in' }])
          .png(FAST_PNG)
          .toBuffer(),
      )
      const shot = await placed(round, 60, 700, page(1080, 2280, '#e6ebf2'))
      const upright = await nearest(known, shot, new Set(['pages']))
      expect(upright.over).toBeLessThanOrEqual(0)
      const turned = await shot.clone().rotate(270).jpeg().toBuffer()
      const oriented = addExif(turned, writeExif(6))
      const displayed = await nearest(known, oriented, new Set<ProbeFamily>(['displayed', 'pages']))
      expect(displayed.over).toBeLessThanOrEqual(0)
    }
  })

  it('is made only when it is asked for, and the same each time', async () => {
    const image = picture(WIDTH, HEIGHT, 3, 30)
    expect((await scanned(image, PROBE_SETS.default)).widen).toBeUndefined()
    const { needles, widen } = await scanned(image, PROBE_SETS.wide)
    expect(needles.map(({ probe }) => probe)).not.toContain('pieces')
    expect(widen!().map(({ probe }) => probe)).toContain('pieces')
    expect(widen!()).toEqual(widen!())
  })
})

describe('sets', () => {
  it('have the needles of those before them, and more', async () => {
    const image = picture(WIDTH, HEIGHT, 4, 31)
    const bySet = await Promise.all(SET_NAMES.map((name) => needlesOf(image, PROBE_SETS[name])))
    expect(bySet.map(({ length }) => length)).toEqual(
      bySet.map(({ length }) => length).toSorted((a, b) => a - b),
    )
    for (const [i, needles] of bySet.entries()) {
      const sets = new Set(needles.map(smallestSetOf))
      expect([...sets].every((set) => SET_NAMES.indexOf(set) <= i)).toBe(true)
    }
    expect(bySet[0]).toHaveLength(1)
  })

  it('make at most 43 needles for a photograph without bars', async () => {
    for (const seed of SEEDS) {
      const needles = await needlesOf(picture(WIDTH, HEIGHT, 3, seed), PROBE_SETS.default)
      expect(needles.length).toBeLessThanOrEqual(43)
      expect(needles[0]).toMatchObject({ probe: 'identity', tolerance: 0, frame: 0 })
    }
  })

  it('can do without any family', async () => {
    const photograph = await picture(320, 240, 3, 32).jpeg().toBuffer()
    const framed = picture(320, 240, 3, 33)
      .clone()
      .extend({ ...evenly(20), background: 'black' })
    const files = [
      picture(320, 240, 4, 32),
      addExif(photograph, writeExif(6, await picture(160, 120, 3, 34).jpeg().toBuffer())),
      sharp(await fileOf(framed)).extend({ ...evenly(60), background: 'white' }),
      picture(1280, 720, 3, 37),
    ]
    const probesOf = async (file: Sharp | Uint8Array, set: ProbeSet) =>
      new Set<string>((await needlesOf(file, set)).map(({ probe }) => probe))
    const left = new Set(FAMILY_NAMES)
    for (const file of files) {
      const all = await probesOf(file, PROBE_SETS.wide)
      for (const family of [...left].filter((one) => all.has(one))) {
        left.delete(family)
        const without = await probesOf(file, parseProbeSet(`wide -${family}`)!)
        expect(without).not.toContain(family)
        expect(without).toContain('identity')
      }
    }
    // Frames are no probes of their own, and the others need files that decoders read differently.
    expect([...left]).toEqual(['other-reading', 'toned', 'frames'])
  })

  it.each([
    ['default', PROBE_SETS.default.size],
    ['plain', 0],
    ['default, -turns', PROBE_SETS.default.size - 1],
    ['default -turns -turns', PROBE_SETS.default.size - 1],
    ['plain +mirrors,+bars', 2],
    ['wide', FAMILY_NAMES.length],
  ])('are read: %s', (words, size) => {
    expect(parseProbeSet(words)?.size).toBe(size)
  })

  it.each([
    '',
    'all',
    'turns',
    'default turns',
    'default, -identity',
    'default, -',
    'toString',
    'default +constructor',
  ])('are refused: %j', (words) => {
    expect(parseProbeSet(words)).toBeUndefined()
  })
})

describe('limits of probes', () => {
  it('frames behind the first five or so are asked about as they are', async () => {
    const frames = Array.from({ length: 20 }, (_, seed) => ({
      width: 64,
      height: 64,
      pixel: (x: number, y: number) =>
        Math.round(
          64 +
            30 * (Math.sin(x / (3 + (seed % 5)) + seed) + Math.cos(y / (2 + (seed % 7)) + x / 20)),
        ),
    }))
    const palette = Array.from({ length: 128 }, (_, i) => [2 * i, 2 * i, 2 * i])
    const gif = writeGif({ width: 64, height: 64, palette, frames })
    const { needles, isPartial } = await scanned(gif, PROBE_SETS.default)
    expect(isPartial).toBe(true)
    expect(needles.length).toBeLessThan(400)
    const identities = needles.filter(({ probe }) => probe === 'identity')
    expect(identities).toHaveLength(20)
    const probed = new Set(
      needles.filter(({ probe }) => probe === 'turns').map(({ frame }) => frame),
    )
    expect(probed.size).toBeGreaterThanOrEqual(5)
    expect(probed.size).toBeLessThan(10)
  })

  it('pictures over the budget of an upload are asked about as they are', async () => {
    const files = await Promise.all(
      SEEDS.map(async (seed) => ({
        name: `${seed}.png`,
        content: await picture(200, 150, 3, seed).png(FAST_PNG).toBuffer(),
      })),
    )
    const limits = { probes: 50, keptPlanes: 1 }
    const probes = PROBE_SETS.wide
    const archive = await scanFile({ modules, probes, limits }, writeZip(files))
    const images = archive.inner!.filter((file) => file.coverage === 'scanned')
    expect(images.map(({ isPartial }) => isPartial)).toEqual([false, true, true])
    expect(images.map(({ widen }) => widen !== undefined)).toEqual([true, false, false])
    const [, second, third] = images.map(({ needles }) => needles.map(({ probe }) => probe))
    expect(second).toContain('turns')
    expect(third).toEqual(['identity', 'complement'])
  })

  it('a picture of the least size has its needles, and none a hash of nothing', async () => {
    for (const [width, height] of [
      [5, 5],
      [5, 900],
      [900, 5],
      [31, 33],
    ] as const) {
      const needles = await needlesOf(picture(width, height, 3, 33), PROBE_SETS.wide)
      expect(needles.length).toBeGreaterThan(20)
      expect(needles.every(({ hash }) => hash.some((byte) => byte !== 0))).toBe(true)
    }
  })
})
