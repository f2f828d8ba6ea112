import { parseArgs } from 'node:util'
import { SETS, type SetName } from './needles.ts'
import { CORPUS } from './files.ts'

export type Split = 'tune' | 'held-out' | 'all'

export interface Options {
  /** Folders of the photographs to transform. */
  corpus: string[]
  /** Folders of other photographs whose hashes are also on the list. */
  entries: string[]
  /** Folders of pictures that are on no list. */
  distractors: string[]
  /** Distractors to generate, of each kind. */
  generated: number
  seed: number
  /** The largest set of probes to query. */
  probes: SetName
  split: Split
  /** Photographs to take, spread over the corpus. */
  take: number
  /** Transforms to measure: those whose family or name matches. */
  transforms: RegExp
  threads: number
  /** Pictures to generate in place of photographs; 0 for none. */
  scenes: number
  /** Whether a missed bar or a false match is a failure. */
  assert: boolean
  /** Where to write the plots; nowhere if absent. */
  plots: string | undefined
}

/**
 * Parses the arguments of `npm run bench -- accuracy`. Throws a TypeError or RangeError that says
 * what is wrong.
 */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      corpus: { type: 'string', multiple: true, default: [CORPUS] },
      entries: { type: 'string', multiple: true, default: [] },
      distractors: { type: 'string', multiple: true, default: [] },
      generated: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      probes: { type: 'string', default: 'wide' },
      split: { type: 'string', default: 'all' },
      take: { type: 'string', default: String(Number.MAX_SAFE_INTEGER) },
      transforms: { type: 'string', default: '' },
      threads: { type: 'string', default: '2' },
      scenes: { type: 'string', default: '0' },
      assert: { type: 'boolean', default: false },
      plots: { type: 'string' },
    },
  })
  return {
    ...values,
    generated: whole('generated', values.generated, 0),
    seed: whole('seed', values.seed, 0),
    probes: oneOf('probes', values.probes, SETS),
    split: oneOf('split', values.split, ['tune', 'held-out', 'all']),
    take: whole('take', values.take, 1),
    scenes: whole('scenes', values.scenes, 0),
    transforms: new RegExp(values.transforms),
    threads: whole('threads', values.threads, 1),
    plots: values.plots,
  }
}

/** Picks `count` things, as far apart as possible. */
export function spread<T>(things: readonly T[], count: number): T[] {
  if (things.length <= count) return [...things]
  return things.filter(
    (_, i) =>
      Math.floor((i * count) / things.length) !== Math.floor(((i - 1) * count) / things.length),
  )
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < least || text.trim() === '') {
    throw new RangeError(`--${name} must be a whole number from ${least}, not ${text}`)
  }
  return value
}

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text)
  if (found === undefined) throw new RangeError(`--${name} must be ${allowed.join(', ')}`)
  return found
}
