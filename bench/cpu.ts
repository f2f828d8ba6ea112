import { readdirSync, readFileSync } from 'node:fs'

/**
 * Milliseconds of CPU time of a process's threads, including the kernel. Reads /proc: Linux only.
 */
export function cpuMsOf(pid: string): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  return threads.reduce((sum, thread) => sum + nanosecondsOf(pid, thread) / 1e6, 0)
}

/** A thread's first number in schedstat; 0 if the thread has ended meanwhile. */
function nanosecondsOf(pid: string, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
  } catch {
    return 0
  }
}
