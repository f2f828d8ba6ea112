import type { UnscannableReason } from '../../scanned.ts'
import type { FaxForm } from '../fax.ts'
import { readProfile } from '../icc.ts'
import type { PageHead } from '../pages.ts'
import type { Directory } from './directory.ts'

/** TIFF compressions that are decoded. */
export const COMPRESSIONS = {
  1: 'none',
  2: 'fax',
  3: 'fax',
  4: 'fax',
  5: 'lzw',
  7: 'jpeg',
  8: 'deflate',
  32946: 'deflate',
  32773: 'packbits',
} as const
export type Compression = (typeof COMPRESSIONS)[keyof typeof COMPRESSIONS]

const COLOURS: Record<number, { colours: Colours; samples: number }> = {
  0: { colours: 'white-is-zero', samples: 1 },
  1: { colours: 'grey', samples: 1 },
  2: { colours: 'rgb', samples: 3 },
  3: { colours: 'palette', samples: 1 },
  5: { colours: 'inks', samples: 4 },
  6: { colours: 'ycc', samples: 3 },
  8: { colours: 'lab', samples: 3 },
}

/** Tags of one number that say what a page shows. */
const NUMBERS = [256, 257, 259, 262, 266, 274, 277, 278, 284, 317, 322, 323]

/** Maximum segments of a page: strips of one row each, or 16 x 16 tiles of a few megapixels. */
export const MAX_SEGMENTS = 65_536
const MAX_SIDE = 65_535
/** Maximum samples per pixel: colours and a few more. */
const MAX_SAMPLES = 8

/** Reads a directory's page, or why it cannot be decoded. */
export function readPage(directory: Directory): Page | UnscannableReason {
  const [width, height] = [directory.number(256, 0), directory.number(257, 0)]
  if (!isSide(width) || !isSide(height)) return 'damaged'
  const compression = (COMPRESSIONS as Record<number, Compression>)[directory.number(259, 1)]
  const photometric = directory.number(262, 1)
  const colours = COLOURS[photometric]
  const samples = directory.number(277, 1)
  const bits = directory.numbers(258, MAX_SAMPLES)
  if (!compression || !colours || samples > MAX_SAMPLES) return 'unsupported-variant'
  if (samples < colours.samples) return 'damaged'
  const isTiled = directory.has(322) || !directory.has(273)
  const segmentWidth = isTiled ? directory.number(322, 0) : width
  const segmentHeight = isTiled
    ? directory.number(323, 0)
    : Math.min(directory.number(278, height), height)
  if (!isSide(segmentWidth) || !isSide(segmentHeight)) return 'damaged'
  const orientation = directory.number(274, 1)
  const [offsets, byteCounts] = isTiled && directory.has(324) ? [324, 325] : [273, 279]
  const profile = directory.bytes(34675)
  const page: UndisputedPage = {
    width,
    height,
    bits: bits[0] ?? 1,
    samples,
    colourSamples: colours.samples,
    colours: colours.colours,
    compression,
    fax: faxOf(directory),
    isReversed: directory.number(266, 1) === 2,
    isDifferenced: isPredicted(compression) && directory.number(317, 1) === 2,
    isPremultiplied: directory.numbers(338, 1)[0] === 1,
    isPlanar: directory.number(284, 1) === 2 && samples > 1,
    isLittle: directory.isLittle,
    segmentWidth,
    segmentHeight,
    isTiled,
    offsets: directory.numbers(offsets, MAX_SEGMENTS),
    byteCounts: directory.numbers(byteCounts, MAX_SEGMENTS),
    palette: colours.colours === 'palette' ? paletteOf(directory, bits[0] ?? 1) : [],
    jpegTables: directory.bytes(347),
    orientation: orientation >= 1 && orientation <= 8 ? orientation : 1,
    space: profile && readProfile(profile),
  }
  if (!isSupported(page, directory, bits)) return 'unsupported-variant'
  return { ...page, isDisputed: isDisputed(page, directory) }
}

/** What the samples of a pixel are. `grey`: 0 is black. */
export type Colours = 'grey' | 'white-is-zero' | 'rgb' | 'palette' | 'inks' | 'ycc' | 'lab'

type UndisputedPage = Omit<Page, 'isDisputed'>

/** A strip is a segment as wide as the page; a tile is any other. */
export interface Page extends PageHead {
  bits: number
  /** Samples per pixel, and how many of them are colours; those after them are alpha. */
  samples: number
  colourSamples: number
  /** Whether programs display it differently: see `isDisputed`. */
  isDisputed: boolean
  colours: Colours
  compression: Compression
  /** How fax data is coded, if that is the compression. */
  fax: Pick<FaxForm, 'coding' | 'isAligned'>
  /** Whether the lowest bit of a byte is the first. */
  isReversed: boolean
  isDifferenced: boolean
  isPremultiplied: boolean
  /** Whether each sample has segments of its own. */
  isPlanar: boolean
  isLittle: boolean
  segmentWidth: number
  segmentHeight: number
  isTiled: boolean
  offsets: number[]
  byteCounts: number[]
  palette: number[]
  jpegTables: Uint8Array | undefined
}

/**
 * Whether programs display a page differently:
 *
 * - Some treat an undeclared sample as alpha, others ignore it.
 * - Some use the first of a repeated tag, others the last. Pillow ignores what follows a tag whose
 *   values are missing, takes the first of several numbers, takes strips where others take tiles,
 *   and shows segments that are too many over the first ones.
 * - If grey and alpha have separate segments, libvips reads those of grey as pairs of both.
 * - Pillow shows a negative if white is zero and samples have 16 bits, and stripes if these have
 *   separate segments.
 * - Others apply a profile of inks.
 * - Without a photometric tag, some take white as zero. A and b of L*a*b* have signs, whatever the
 *   file says.
 */
function isDisputed(page: UndisputedPage, directory: Directory): boolean {
  const { samples, colourSamples, isPlanar, offsets } = page
  const { across, down, planes } = segmentsOfPage(page)
  const declared = colourSamples + directory.numbers(338, MAX_SAMPLES).length
  const isWide = page.bits === 16
  const [meaning] = directory.numbers(262, 1)
  return (
    samples > declared ||
    directory.hasRepeats ||
    directory.lacksValues ||
    directory.areUnclear(NUMBERS) ||
    (directory.has(273) && directory.has(324)) ||
    offsets.length > across * down * planes ||
    (isPlanar && (samples === 2 || isWide)) ||
    (page.colours === 'inks' && directory.bytes(34675) !== undefined) ||
    meaning === undefined ||
    (meaning === 0 && isWide) ||
    (meaning === 8 && directory.numbers(339, 2)[1] === 1)
  )
}

/** Segments next to each other, below each other, and for samples of their own. */
export function segmentsOfPage(page: UndisputedPage): {
  across: number
  down: number
  planes: number
} {
  return {
    across: Math.ceil(page.width / page.segmentWidth),
    down: Math.ceil(page.height / page.segmentHeight),
    planes: page.isPlanar ? page.samples : 1,
  }
}

function isSupported(page: UndisputedPage, directory: Directory, bits: number[]): boolean {
  const { compression, colours, isPlanar } = page
  if (colours === 'palette' && page.palette.length < 3 * 2 ** page.bits) return false
  const extra = directory.numbers(338, MAX_SAMPLES).length
  if (extra > page.samples - page.colourSamples) return false // then the file does not say what a sample is
  const isEven = bits.every((one) => one === page.bits)
  const isWhole = directory
    .numbers(339, MAX_SAMPLES)
    .every((format) => format === 1 || (format === 2 && colours === 'lab'))
  if (!isEven || !isWhole) return false
  if (compression === 'fax') return page.bits === 1 && page.samples === 1 && isTwoTone(colours)
  if (compression === 'jpeg')
    return (
      page.bits === 8 &&
      !isPlanar &&
      !['inks', 'palette', 'lab'].includes(colours) &&
      page.samples === page.colourSamples
    )
  // With subsampling, chroma is interleaved with luma.
  if (colours === 'ycc' && directory.numbers(530, 2).some((share) => share !== 1)) return false
  if (colours === 'ycc' && directory.numbers(530, 2).length < 2) return false
  const predictor = directory.number(317, 1)
  if (isPredicted(compression) && predictor !== 1 && (predictor !== 2 || page.bits < 8))
    return false
  if (page.bits < 8 && page.samples > 1) return false
  return [1, 2, 4, 8, 16].includes(page.bits) && (colours !== 'palette' || page.bits <= 8)
}

/**
 * Whether rows may be stored as differences: for other compressions, programs ignore a predictor.
 */
function isPredicted(compression: Compression): boolean {
  return compression === 'lzw' || compression === 'deflate'
}

/**
 * T.4 with byte-aligned rows; T.4 according to its options; T.6. Uncompressed mode within fax data
 * is rare.
 */
function faxOf(directory: Directory): Page['fax'] {
  const compression = directory.number(259, 1)
  if (compression === 4) return { coding: 'group-4', isAligned: false }
  if (compression === 2) return { coding: 'one-dimensional', isAligned: true }
  const isFlat = (directory.number(292, 0) & 1) === 0
  return { coding: isFlat ? 'one-dimensional' : 'two-dimensional', isAligned: false }
}

function isTwoTone(colours: Colours): boolean {
  return colours === 'grey' || colours === 'white-is-zero' || colours === 'palette'
}

/** Bytes of red, then green, then blue. Some writers use only 8 of the 16 bits. */
function paletteOf(directory: Directory, bits: number): number[] {
  const values = directory.numbers(320, 3 * 2 ** Math.min(bits, 8))
  return values.some((value) => value > 255) ? values.map((value) => value >> 8) : values
}

function isSide(side: number): boolean {
  return side >= 1 && side <= MAX_SIDE
}
