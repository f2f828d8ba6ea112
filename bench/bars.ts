// The project's targets beside recall and false matches (bench/accuracy/bars.ts): counts, which CI
// asserts; and times, which it only prints as last measured, since a busy machine shifts them by
// more than they mean.

/** A value with an upper or a lower limit. */
export interface Bar {
  what: string
  most?: number
  least?: number
}

/** A bar on a time, or on a ratio of times. */
export interface TimedBar extends Bar {
  /** Report of `npm run bench` that measures it. */
  report: string
  /** Its value on an otherwise idle machine: two cores of an AMD EPYC (Zen 4). */
  measured: number
  /** Why it is missed, if it is. */
  because?: string
}

const FASTER_READING =
  'this processor reads memory faster than the one for which the bar was set, and the scan also computes on what it reads'
const NEAR_ENTRIES =
  'each needle of a table visits a few thousand places in 60 MB, and waits for memory at each; here 64 entries are near each needle, too'
const SKIPPING =
  'entropy decoding takes two thirds of the time, and each code waits for the one before it'
const OPENING =
  'besides reading, AES decrypts the values, memory is touched for the first time, and the manifest must come first'
const COLD =
  'it takes 7 to 9 ms by turns with sharp and 6.5 alone: after sharp’s turn nothing is in the caches'
const INFLATING =
  'inflating takes most of the time; other runs took 0.36, since jsquash’s time varies with the machine'
const ONE_THREAD =
  'an isolate is one thread, and these servers use both cores; other runs had 2.3 to 3, and 1 to 1.4'

const NODE_PDQ = 'uploads, 8 connections, ratio to Node: Hono, sharp, PDQ in TypeScript'
const NODE_PHASH = 'uploads, 8 connections, ratio to Node: Hono, sharp-phash (64 bits)'
const UNGATED = 'added by the gate to a request that is not gated, ms'

const FAMILIES = '40 needles, families of 64 within 12 bits'
const COPIES = '40 needles, copies of real hashes, 0 to 10 bits flipped'
const SHARED = '40 needles, 100,000 share their first 16 bits'

function timed(
  report: string,
  what: string,
  most: number,
  measured: number,
  because?: string,
): TimedBar {
  return { report, what, most, measured, ...(because !== undefined && { because }) }
}

/** A bar for Node and for workerd. The reason applies to the one that misses it. */
function match(
  what: string,
  most: number,
  inNode: number,
  inWorkerd: number,
  because?: string,
): TimedBar[] {
  const bar = (place: string, measured: number) =>
    timed('match', `${what}, ${place}`, most, measured, measured > most ? because : undefined)
  return [bar('Node', inNode), bar('workerd', inWorkerd)]
}

/** All bars on times. */
export const TIMED_BARS: readonly TimedBar[] = [
  { report: 'gate', what: NODE_PDQ, least: 2.5, measured: 2.33, because: ONE_THREAD },
  { report: 'gate', what: NODE_PHASH, least: 1, measured: 0.93, because: ONE_THREAD },
  timed('gate', UNGATED, 0.2, 0.043),
  ...match('one needle, 1 million, ratio to reading', 2.5, 2.06, 1.58),
  ...match('one needle, 3 million, ratio to reading', 1.3, 1.81, 1.28, FASTER_READING),
  ...match('40 needles, random, unrelated, ms', 3.5, 1.35, 2.79),
  ...match(`${FAMILIES}, unrelated, ms`, 3.5, 1.58, 2.14),
  ...match(`${FAMILIES}, near, ms`, 3.5, 2.69, 3.71, NEAR_ENTRIES),
  ...match(`${COPIES}, other pictures, ms`, 3.5, 1.1, 2),
  ...match(`${SHARED}, unrelated, ms`, 3.5, 1.4, 2.86),
  ...match('a digest, 3 million, µs', 2, 0.6, 0.48),
  timed('match', 'cold start, ratio to reading', 2, 2.37, OPENING),
  timed('decode', 'JPEG 12 MP, baseline, ratio to sharp', 0.45, 0.55, SKIPPING),
  timed('decode', 'JPEG 12 MP, baseline, ratio to jsquash', 0.2, 0.16),
  timed('decode', 'JPEG 1.6 MP, ratio to sharp', 0.25, 0.254, COLD),
  timed('decode', 'JPEG 1.6 MP, ratio to jsquash', 0.5, 0.34),
  timed('decode', 'JPEG 12 MP, progressive, ratio to sharp', 0.6, 0.62, SKIPPING),
  timed('decode', 'PNG 12 MP, ratio to sharp', 0.8, 0.75),
  timed('decode', 'PNG 12 MP, ratio to jsquash', 0.4, 0.45, INFLATING),
  timed('decode', 'JPEG 12 MP, default probes, ratio to sharp', 0.75, 0.58),
  timed('decode', 'JPEG 1.6 MP, default probes, ratio to sharp', 0.32, 0.33, COLD),
  timed('probes', 'added by the default set, JPEG 2 MP, ms', 4, 1.86),
  timed('probes', 'added by the default set, JPEG 1.6 MP, ms', 4, 1.68),
  timed('probes', 'added by the default set, JPEG 0.3 MP, ms', 4, 1.89),
  timed('probes', 'added by the wide set, JPEG 2 MP, ms', 15, 10.54),
  timed('probes', 'added by the wide set, JPEG 1.6 MP, ms', 15, 9.58),
  timed('probes', 'added by the wide set, JPEG 0.3 MP, ms', 15, 9.55),
  timed('probes', 'default set to decoding a 2-megapixel photograph', 1, 0.27),
  timed('probes', 'needles of the default set against a million, ms', 4, 1.16),
  timed('probes', 'needles of the wide stage against a million, ms', 10, 3.57),
]

/** Whether a value meets its bar. */
export function isMet({ most = Infinity, least = -Infinity }: Bar, value: number): boolean {
  return value <= most && value >= least
}

/** How a value compares with its bar, as a cell. */
export function standing(bar: Bar & { because?: string }, value: number): string {
  if (isMet(bar, value)) return 'met'
  return bar.because === undefined ? 'MISSED' : `missed, because ${bar.because}`
}

/** A bar as a cell. */
export function limitOf({ most, least }: Bar): string {
  return most === undefined ? `at least ${least}` : String(most)
}

/** The bars that a run measures, and whether they are met. */
export class Bars {
  readonly #rows: string[][] = []

  /** A value as a cell: with its bar, by name in `TIMED_BARS`, and whether it is met. */
  check(what: string, value: number, digits = 2): string {
    const bar = TIMED_BARS.find((one) => one.what === what)
    if (!bar) throw new Error(`there is no bar for ${what}`)
    const cell = value.toFixed(digits)
    this.#rows.push([what, cell, limitOf(bar), standing(bar, value)])
    const side = bar.most === undefined ? 'under' : 'over'
    return `${cell} (${isMet(bar, value) ? 'bar' : `${side} the bar`} ${bar.most ?? bar.least})`
  }

  /** All bars that were checked, as rows of a table. */
  get rows(): readonly string[][] {
    return this.#rows
  }
}
