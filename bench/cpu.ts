import { readdirSync, readFileSync } from 'node:fs'

/** Milliseconds of CPU time that the threads of a process have taken, in the kernel too. Reads it from /proc: Linux only. */
export function cpuMsOf(pid: string): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  return threads.reduce((sum, thread) => sum + nanosecondsOf(pid, thread) / 1e6, 0)
}

/** A thread's first number in schedstat; none of one that has ended meanwhile. */
function nanosecondsOf(pid: string, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
  } catch {
    return 0
  }
}
