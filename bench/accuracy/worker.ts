import { parentPort, workerData } from 'node:worker_threads'
import sharp from 'sharp'
import { runTask, type Setting, type Task } from './tasks.ts'

sharp.concurrency(1) // the threads are the pool's

parentPort?.on('message', (task: Task) => {
  void answer(task)
})

/** A rejection ends the thread, and the pool notices. */
async function answer(task: Task): Promise<void> {
  parentPort?.postMessage(await runTask(task, workerData as Setting))
}
