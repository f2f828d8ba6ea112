// Lists: needles by scanning and by table, digests, memory, growth, cold start; in Node and in
// workerd, and compared with other libraries for Node.

import { readModules } from '../src/core/node.ts'
import { Bars } from './bars.ts'
import { pictureHashes } from './inputs.ts'
import { COLD_ISOLATES, showColdStart } from './match/cold-start.ts'
import { showContest } from './match/contest.ts'
import { showGrowth } from './match/growth.ts'
import { inNode, inWorkerd } from './match/places.ts'
import { MILLION, showDigests, showMemory, showScan, showTables } from './match/tables.ts'
import { startWorkers } from './match/workerd.ts'
import { printTable } from './measure.ts'
import { compileReader } from './read-memory.ts'

/** The report of `npm run bench -- match`. */
export async function benchMatch(): Promise<void> {
  const core = readModules()
  const reader = await compileReader()
  const bases = pictureHashes()
  const bars = new Bars()
  const workers = await startWorkers(reader, COLD_ISOLATES.length + 1)
  try {
    const node = inNode({ core, reader: new WebAssembly.Module(reader) })
    const workerd = inWorkerd(workers)
    const places = [node, workerd]
    await showScan(places, bars)
    await showTables(places, bars, bases)
    if (bases.length === 0)
      console.log('Without a corpus there is no list of copies of pictures.\n')
    await showDigests(places, bars)
    await showMemory(node)
    await showGrowth(node)
    await showColdStart(workers, bars, MILLION)
    await showContest(core)
    const share = (100 * workerd.clockShare()).toFixed(0)
    console.log(`workerd’s clock shows ${share} % of the time that Node measures.\n`)
  } finally {
    await workers.stop()
  }
  console.log('### Bars\n')
  printTable(['what', 'value', 'bar', ''], [...bars.rows])
}
