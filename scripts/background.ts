// Makes the background that entries are compared with when they are published: needles of everyday
// pictures, drawn from a seed. Rerun it when probes change, and commit the result: every publisher
// must lower the same entries.
//
//   node scripts/background.ts

import { fileURLToPath } from 'node:url'
import { BACKGROUND_KINDS, drawDistractor } from '../bench/accuracy/distractors.ts'
import { readModules } from '../src/core/node.ts'
import { DEFAULT_BANK_POLICY } from '../src/list/manifest.ts'
import { capOf } from '../src/match/thresholds.ts'
import { PROBE_SETS } from '../src/scan/probes/sets.ts'
import { scanFile } from '../src/scan/scanner.ts'
import { toHex } from '../src/util/bytes.ts'
import { replaceFile } from './replace-file.ts'
import { needlesOf } from '../src/scan/scanned.ts'

const FILE = fileURLToPath(new URL('../assets/background.bin', import.meta.url))
/** Pictures of each kind. */
const PICTURES = 80
const SEED = 21

const context = { modules: readModules(), digestKinds: [], probes: PROBE_SETS.default }
const { minQuality } = DEFAULT_BANK_POLICY

/** Needles of a picture that may match, in hex. */
async function hashesOf(file: Uint8Array): Promise<string[]> {
  const needles = needlesOf(await scanFile(context, file))
  return needles.filter((needle) => capOf(needle, minQuality)).map(({ hash }) => toHex(hash))
}

const hashes = new Set<string>()
for (const kind of BACKGROUND_KINDS) {
  for (let i = 0; i < PICTURES; i++) {
    for (const hash of await hashesOf(await drawDistractor(kind, i, SEED))) hashes.add(hash)
  }
  console.log(`${kind}: ${hashes.size.toLocaleString('en')} so far`)
}
await replaceFile(FILE, Buffer.from([...hashes].join(''), 'hex'))
console.log(`assets/background.bin: ${hashes.size.toLocaleString('en')} needles`)
