import { Worker } from 'node:worker_threads'
import type { FuzzMessage, FuzzTask } from './worker.ts'

/** A file on which a decoder did what it must not. */
export interface FoundViolation {
  name: string
  problem: string
  file: Uint8Array
}

export interface FuzzReport {
  /** Files by format and outcome. */
  counts: Map<string, number>
  /** The file that took longest, in milliseconds for decoding it twice. */
  slowest: { ms: number; name: string; file: Uint8Array }
  violations: FoundViolation[]
}

/** A file that takes longer than this hangs. */
const HANG_MS = 60_000

/** Checks `count` files that follow from a seed, in threads of their own, so that one that hangs can be ended. */
export async function fuzz(count: number, seed: number, threads: number): Promise<FuzzReport> {
  const report: FuzzReport = {
    counts: new Map(),
    slowest: { ms: 0, name: '', file: new Uint8Array(0) },
    violations: [],
  }
  const share = Math.ceil(count / threads)
  const ranges = Array.from({ length: threads }, (_, i) => ({
    seed,
    first: i * share,
    end: Math.min(count, (i + 1) * share),
  }))
  await Promise.all(ranges.map((range) => runRange(range, report)))
  return report
}

/** Runs a range of files. After one that hangs, another thread goes on behind it. */
async function runRange(task: FuzzTask, report: FuzzReport): Promise<void> {
  for (let first = task.first; first < task.end;) {
    first = await runThread({ ...task, first }, report)
  }
}

/** Returns the number of the first file that was not checked. */
function runThread(task: FuzzTask, report: FuzzReport): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: task })
    let next = task.first
    const watch = () =>
      setTimeout(() => {
        const name = `seed ${task.seed}, number ${next}`
        report.violations.push({ name, problem: 'it hangs', file: new Uint8Array(0) })
        void worker.terminate()
        resolve(next + 1)
      }, HANG_MS)
    let timer = watch()
    worker.on('message', (message: FuzzMessage) => {
      clearTimeout(timer)
      next = message.next
      note(message, report)
      if (next < task.end) timer = watch()
      else resolve(next)
    })
    worker.on('error', reject)
  })
}

function note({ counts, slowest, violations }: FuzzMessage, report: FuzzReport): void {
  for (const [outcome, count] of counts) {
    report.counts.set(outcome, (report.counts.get(outcome) ?? 0) + count)
  }
  if (slowest.ms > report.slowest.ms) report.slowest = slowest
  report.violations.push(...violations)
}
