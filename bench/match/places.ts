import { type Contender, measure } from '../measure.ts'
import { type BenchModules, prepareCase, type Spec } from './cases.ts'
import type { BenchWorkers } from './workerd.ts'

/** Where cases are measured. Results are cached. */
export interface Place {
  name: 'Node' | 'workerd'
  measure(spec: Spec): Promise<Measured>
}

export interface Measured {
  /** Milliseconds of a call, by contender. */
  times: number[]
  facts: Record<string, number>
}

const MAX_ROUNDS = 41
const MIN_ROUNDS = 5
/** Milliseconds that the rounds of a case may take, estimated from the first. */
const CASE_MS = 2000

export function inNode(modules: BenchModules): Place {
  return remembering('Node', async (spec) => {
    const { contenders, facts } = await prepareCase(modules, spec)
    const timings = await measure(contenders, await roundsFor(contenders))
    return { times: timings.map(({ median }) => median), facts }
  })
}

async function roundsFor(contenders: readonly Contender[]): Promise<number> {
  const start = performance.now()
  for (const { run } of contenders) await run()
  const rounds = Math.round(CASE_MS / (performance.now() - start))
  return Math.min(MAX_ROUNDS, Math.max(MIN_ROUNDS, rounds))
}

/** Measured requests, after one that is not measured, and the milliseconds that each runs for. */
const REQUESTS = 5
const REQUEST_MS = 400

/**
 * workerd's clock has whole milliseconds, so a request lets the contenders take turns for a while
 * and takes means. The result is the median over requests.
 */
export function inWorkerd(workers: BenchWorkers): Place & { clockShare: () => number } {
  const spans = { inside: 0, outside: 0 }
  const place = remembering('workerd', async (spec) => {
    const { answer } = await workers.ask(0, '/prepare', spec)
    await workers.ask(0, '/run', { ms: REQUEST_MS })
    const runs: number[][] = []
    for (let i = 0; i < REQUESTS; i++) {
      const { elapsed: empty } = await workers.ask(0, '/')
      const { answer: run, elapsed } = await workers.ask(0, '/run', { ms: REQUEST_MS })
      const { means, rounds } = run as { means: number[]; rounds: number }
      spans.inside += means.reduce((sum, mean) => sum + mean * rounds, 0)
      spans.outside += elapsed - empty
      runs.push(means)
    }
    const times = runs[0]?.map((_, i) => medianOf(runs.map((run) => run[i] ?? 0))) ?? []
    return { times, facts: answer as Measured['facts'] }
  })
  return { ...place, clockShare: () => spans.inside / spans.outside }
}

function remembering(name: Place['name'], run: Place['measure']): Place {
  const known = new Map<string, Promise<Measured>>()
  return {
    name,
    measure: (spec) => {
      const key = JSON.stringify(spec)
      const measured = known.get(key) ?? run(spec)
      known.set(key, measured)
      return measured
    },
  }
}

/** The middle value. */
export function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}
