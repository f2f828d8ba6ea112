import { Worker } from 'node:worker_threads'
import { addTally, emptyTally, type Tally } from './tally.ts'
import type { Setting, Task } from './tasks.ts'

/**
 * Runs tasks on several threads. Returns the sum of their counts, in whatever order they finish.
 */
export async function runTasks(
  tasks: readonly Task[],
  setting: Setting,
  threads: number,
): Promise<Tally> {
  const total = emptyTally()
  const open = tasks.values()
  await Promise.all(
    Array.from({ length: threads }, async () => {
      const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: setting })
      try {
        for (const task of open) addTally(total, await answerOf(worker, task))
      } finally {
        await worker.terminate()
      }
    }),
  )
  return total
}

function answerOf(worker: Worker, task: Task): Promise<Tally> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (tally: Tally) => {
      worker.off('error', reject)
      resolve(tally)
    })
    worker.postMessage(task)
  })
}
