import { FIRST_FAMILIES, WIDE_FAMILIES } from './families.ts'

/** Families of probes that are not views of a plane. */
const OTHER_FAMILIES = [
  /** As the image's Exif orientation displays it. */
  'displayed',
  /** Over white, if it is not opaque. */
  'over-white',
  /** Over black, if it is not opaque. */
  'over-black',
  /** Its alpha, as grey, if it is not opaque. */
  'alpha',
  /** As other decoders read it if arithmetic overflows. */
  'other-reading',
  /** As programs with colour management show it, if that moves luma much. */
  'toned',
  /** The thumbnail in its Exif block. */
  'thumbnail',
  /** Frames of an animation after the first. */
  'frames',
  /** Every n-th pixel, as the reference program picks them. */
  'nth-pixel',
  /** With black and white swapped. */
  'complement',
] as const

export type FirstFamily = keyof typeof FIRST_FAMILIES
export type WideFamily = keyof typeof WIDE_FAMILIES
/** A named family of probes that can be switched on and off. The identity is always queried. */
export type ProbeFamily = FirstFamily | WideFamily | (typeof OTHER_FAMILIES)[number]

export type ProbeSet = ReadonlySet<ProbeFamily>

export const FIRST_NAMES = Object.keys(FIRST_FAMILIES) as FirstFamily[]
export const WIDE_NAMES = Object.keys(WIDE_FAMILIES) as WideFamily[]
export const FAMILY_NAMES: readonly ProbeFamily[] = [
  ...OTHER_FAMILIES,
  ...FIRST_NAMES,
  ...WIDE_NAMES,
]

/** Whether a set has families of views. */
export function hasViews(set: ProbeSet): boolean {
  return FIRST_NAMES.some((name) => set.has(name)) || isWide(set)
}

/** Whether a set has families for uploads that nothing matched before. */
export function isWide(set: ProbeSet): boolean {
  return WIDE_NAMES.some((name) => set.has(name))
}

export const PROBE_SETS = {
  /** The identity alone: plain PDQ. */
  plain: new Set<ProbeFamily>(),
  /** What the file shows, in every way that programs read it. */
  'as-is': new Set<ProbeFamily>([
    ...['displayed', 'over-white', 'over-black', 'alpha', 'other-reading', 'toned'],
    ...['thumbnail', 'frames', 'nth-pixel'],
  ] as const),
  default: new Set<ProbeFamily>([...OTHER_FAMILIES, ...FIRST_NAMES]),
  wide: new Set<ProbeFamily>(FAMILY_NAMES),
} as const satisfies Record<string, ProbeSet>

export type SetName = keyof typeof PROBE_SETS

/** Names of the sets. Each contains the families of those before it. */
export const SET_NAMES = Object.keys(PROBE_SETS) as SetName[]

/**
 * Reads a set: its name, then perhaps families to add or leave out, as in `default, -turns,
 * +pages`. `undefined` if it is invalid.
 */
export function parseProbeSet(text: string): ProbeSet | undefined {
  const [name = '', ...changes] = text.split(/[\s,]+/).filter((word) => word !== '')
  if (!Object.hasOwn(PROBE_SETS, name)) return undefined
  const families = new Set<ProbeFamily>(PROBE_SETS[name as SetName])
  for (const change of changes) {
    const family = FAMILY_NAMES.find((one) => one === change.slice(1))
    if (!family || !/^[+-]/.test(change)) return undefined
    if (change.startsWith('+')) families.add(family)
    else families.delete(family)
  }
  return families
}

/** The allowed values, in words. */
export const PROBE_SET_WORDS = `must be ${SET_NAMES.join(', ')}, and perhaps families to add or leave out (default, -turns), of ${FAMILY_NAMES.join(', ')}`
