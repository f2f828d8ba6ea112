// Fuzzes what is read of request bodies: forms, JSON, encodings.
//
//   npm run fuzz:bodies -- [--count 200000] [--seed 1]

import { parseArgs } from 'node:util'
import { fuzzBodies } from './bodies.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
  },
})
const begun = performance.now()
const { counts, violations } = fuzzBodies(Number(values.count), Number(values.seed))
for (const [outcome, count] of counts) console.log(`${String(count).padStart(8)}  ${outcome}`)
console.log(
  `${values.count} bodies in ${((performance.now() - begun) / 1000).toFixed(0)} s, each read twice`,
)
console.log(`violations: ${violations.length}`)
for (const violation of violations.slice(0, 20)) console.log(`  ${violation}`)
process.exit(violations.length > 0 ? 1 : 0)
