// A thread that hashes files for `npm run bench -- false-matches`.

import { readFile } from 'node:fs/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { readModules } from '../src/core/node.ts'
import { PROBE_SETS, type SetName } from '../src/scan/probes/sets.ts'
import type { Needle } from '../src/scan/scanned.ts'
import { scanFile } from '../src/scan/scanner.ts'

const { probes } = workerData as { probes: SetName }
const context = { modules: readModules(), digestKinds: [], probes: PROBE_SETS[probes] }

parentPort?.on('message', (path: string) => {
  void needlesOf(path).then((needles) => parentPort?.postMessage(needles))
})

/** All needles of a file, as if nothing had matched; none if it cannot be scanned. */
async function needlesOf(path: string): Promise<Needle[]> {
  const scanned = await scanFile(context, await readFile(path)).catch(() => undefined)
  if (scanned?.coverage !== 'scanned') return []
  const needles = [...scanned.needles, ...(scanned.widen?.() ?? [])]
  return needles.map((needle) => Object.assign({}, needle, { hash: needle.hash.slice() }))
}
