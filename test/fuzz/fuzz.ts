import { randomFrom } from '../support/random.ts'
import { check, Violation } from './check.ts'
import { mutate } from './mutate.ts'
import { encodedSeeds, type FuzzedFormat, generate, pick, type Random } from './seeds.ts'

/** Library decoders take longer, and are other people's code: fewer of their files. */
const FORMATS: FuzzedFormat[] = [
  ...Array.from({ length: 6 }, () => ['jpeg', 'png', 'gif', 'bmp'] as const).flat(),
  'webp',
  'avif',
]

export interface FuzzReport {
  /** Files by format and outcome. */
  counts: Map<string, number>
  /** The file that took longest, in milliseconds for decoding it twice. */
  slowest: { ms: number; name: string; file: Uint8Array }
  violations: { name: string; problem: string; file: Uint8Array }[]
}

/** Checks `count` files that follow from a seed. */
export async function fuzz(
  count: number,
  seed: number,
  onFile: (index: number) => void = () => {},
): Promise<FuzzReport> {
  const seeds = await encodedSeeds()
  const report: FuzzReport = {
    counts: new Map(),
    slowest: { ms: 0, name: '', file: new Uint8Array(0) },
    violations: [],
  }
  for (let index = 0; index < count; index++) {
    const random = randomFrom(seed * 1_000_003 + index)
    const format = pick(FORMATS, random)
    const name = `${format} of seed ${seed}, number ${index}`
    const file = makeFile(format, seeds[format], random)
    const start = performance.now()
    const outcome = await outcomeOf(format, file, random)
    const ms = performance.now() - start
    if (ms > report.slowest.ms) report.slowest = { ms, name, file }
    if (outcome instanceof Violation) {
      report.violations.push({ name, problem: outcome.message, file })
    } else {
      const key = `${format} ${outcome}`
      report.counts.set(key, (report.counts.get(key) ?? 0) + 1)
    }
    onFile(index)
  }
  return report
}

function makeFile(format: FuzzedFormat, seeds: readonly Uint8Array[], random: Random): Uint8Array {
  random() // seeds that follow each other begin alike
  const fresh = () => generate(format, random) ?? pick(seeds, random)
  const base = () => (seeds.length === 0 || random() < 0.5 ? fresh() : pick(seeds, random))
  const file = base()
  return random() < 0.1 ? file : mutate(file, base(), format, random)
}

async function outcomeOf(
  format: FuzzedFormat,
  file: Uint8Array,
  random: Random,
): Promise<string | Violation> {
  try {
    return await check(format, file, random)
  } catch (error) {
    if (error instanceof Violation) return error
    throw error
  }
}
