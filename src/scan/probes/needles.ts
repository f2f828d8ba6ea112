import { DIHEDRAL_NAMES, distance } from '../../util/hash.ts'
import type { Frame, Tones } from '../../core/image.ts'
import { Plane, type QualifiedHash } from '../../core/plane.ts'
import type { ScanBudget } from '../budget.ts'
import type { ScanContext } from '../context.ts'
import type { HashedImage, ImageSize } from '../image/outcome.ts'
import type { Probed } from './families.ts'
import { complementOf, probeViews } from './probe.ts'
import { hasViews, isWide, PROBE_SETS, type ProbeFamily, type ProbeSet } from './sets.ts'
import { DIHEDRAL_OF_ORIENTATION } from './view.ts'
import type { Needle, Probe } from '../scanned.ts'
import { PROBE_MS } from '../work.ts'

/** Once an image has this many needles, about five frames' worth, further frames are not probed. */
const MAX_PROBED_NEEDLES = 200

/** Readings of the same picture differ by at most this many bits, less what rounding adds. */
const SAME_READING_BITS = 6

/**
 * Added to a bank's threshold for silhouettes: round icons and squares lie near each other, as
 * patterns do.
 */
const SILHOUETTE_TOLERANCE = -15

/** Collects the needles of an image from its frames. */
export class Needles {
  readonly found: Needle[] = []
  /** Makes the needles of the wide set, if it is enabled. */
  widen: (() => Needle[]) | undefined
  /** Whether a limit left probes out. */
  isPartial = false
  frames = 0
  readonly #context: ScanContext
  readonly #budget: ScanBudget
  readonly #probes: ProbeSet

  constructor(context: ScanContext, budget: ScanBudget) {
    this.#context = context
    this.#budget = budget
    this.#probes = context.probes ?? PROBE_SETS['as-is']
  }

  /** The outcome of the image, once all of it has been read. */
  outcome({ width, height }: ImageSize, isPartial = false): HashedImage {
    const { found: needles, widen } = this
    const whole = { width, height, needles, isPartial: isPartial || this.isPartial }
    return { coverage: 'scanned', ...whole, ...(widen && { widen }) }
  }

  wants(family: ProbeFamily): boolean {
    return this.#probes.has(family)
  }

  /** Adds the next frame of the image. */
  addFrame(shown: ShownFrame): void {
    const { frame, orientation } = shown
    const number = this.frames++
    if (number > 0 && !this.wants('frames')) return
    // Before the plane, which reuses the memory of these.
    const picked = this.wants('nth-pixel') ? frame.picked() : undefined
    const plane = hasViews(this.#probes) ? frame.plane('stored') : undefined
    const identity = plane ? plane.identity() : frame.stored()
    if (!identity) return
    this.add('identity', identity, number)
    this.add('nth-pixel', picked, number)
    if (this.wants('over-white')) this.add('over-white', frame.overWhite(1), number)
    if (this.wants('complement')) this.add('complement', complementOf(identity), number)
    if (orientation !== 1) this.addDisplayed(frame, orientation, number)
    this.#addReadings(shown, number)
    if (this.#context.withDihedral) this.#addDihedral(frame, number)
    if (hasViews(this.#probes)) this.#addViews(shown, plane, number)
  }

  addDisplayed(frame: Frame, orientation: number, number: number): void {
    if (!this.wants('displayed')) return
    this.add('displayed', frame.displayed(orientation), number)
    if (!this.wants('over-white')) return
    this.add('displayed-over-white', frame.overWhite(orientation), number)
  }

  /**
   * Adds what programs show that put transparent pixels over black, show alpha alone, or read a
   * file differently.
   */
  #addReadings({ frame, orientation, tones }: ShownFrame, number: number): void {
    const orientations = orientation === 1 || !this.wants('displayed') ? [1] : [1, orientation]
    if (this.wants('over-black')) {
      for (const one of orientations) this.#addIfFar('over-black', frame.overBlack(one), number)
    }
    if (this.wants('toned') && tones) {
      for (const one of orientations) this.#addIfFar('toned', frame.toned(tones, one), number)
      for (const background of [255, 0])
        this.#addIfFar('toned', frame.toned(tones, 1, background), number)
    }
    if (this.wants('alpha')) {
      for (const { hash, isSilhouette } of frame.alpha(orientations)) {
        this.#addIfFar('alpha', hash, number, isSilhouette ? SILHOUETTE_TOLERANCE : 0)
      }
    }
    if (this.wants('other-reading')) {
      for (const one of orientations)
        this.#addIfFar('other-reading', frame.otherReading(one), number)
    }
  }

  /**
   * Adds a hash and its complement, unless an earlier needle is within the distance that readings
   * differ by.
   */
  #addIfFar(probe: Probe, hash: QualifiedHash | undefined, frame: number, tolerance = 0): void {
    if (!hash) return
    const isNear = (other: QualifiedHash) =>
      other.quality >= hash.quality && distance(other.hash, hash.hash) <= SAME_READING_BITS
    if (this.found.some((needle) => needle.frame === frame && isNear(needle))) return
    this.add(probe, hash, frame, tolerance)
    if (this.wants('complement')) this.add('complement', complementOf(hash), frame, tolerance)
  }

  add(probe: Probe, hash: QualifiedHash | undefined, frame: number, tolerance = 0): void {
    if (hash) this.found.push({ probe, ...hash, tolerance, frame })
  }

  #addDihedral(frame: Frame, number: number): void {
    const variants = frame.dihedral()
    for (const probe of DIHEDRAL_NAMES) {
      if (probe !== 'original') this.add(probe, variants?.[probe], number)
    }
  }

  /**
   * Adds what the frame may have been made from; for later frames of an animation, only while there
   * are few needles.
   */
  #addViews(shown: ShownFrame, plane: Plane | undefined, number: number): void {
    const isWithin = !this.#budget.isSpent('probes') && !this.#budget.isScarce
    if (!plane || !isWithin || this.found.length > MAX_PROBED_NEEDLES) {
      this.isPartial = true
      return
    }
    const { aspect, frame, orientation } = shown
    const displayed = DIHEDRAL_OF_ORIENTATION[orientation] ?? 0
    const first = { plane, aspect, displayed }
    this.#probe(first, number)
    if (number === 0 && isWide(this.#probes)) this.#keepForWide(first)
    const white = frame.plane('over-white')
    if (white) this.#probe({ plane: white, aspect, displayed }, number)
  }

  #probe(probed: Probed, number: number): void {
    const needles = probeViews(probed, 'first', this.#probes, number)
    this.#budget.take('probes', needles.length)
    this.#budget.spend(needles.length * PROBE_MS)
    this.found.push(...needles)
  }

  #keepForWide({ plane, ...shown }: Probed): void {
    if (!this.#budget.take('keptPlanes')) {
      this.isPartial = true
      return
    }
    const kept = plane.keep()
    this.widen = () =>
      Plane.restore(this.#context.modules.image, kept, (restored) =>
        probeViews({ plane: restored, ...shown }, 'wide', this.#probes, 0),
      ) ?? []
  }
}

/** A frame, and how it is displayed. */
export interface ShownFrame {
  frame: Frame
  /** Exif orientation, 1 to 8. */
  orientation: number
  /** Width of the image over its height. */
  aspect: number
  /** What programs show, if that is not what is stored. */
  tones?: Tones
}
