// Runs one report.
//
//   npm run bench              PDQ by stages, whole files compared with a JavaScript perceptual hash
//   npm run bench -- decode    from files to hashes compared with libvips and @jsquash, growth with size, differences of luma
//   npm run bench -- gate      uploads through the Worker, compared with Node servers that do the same job
//   npm run bench -- worst     uploads designed to cost: CPU time of each
//   npm run bench -- cost      CPU time of uploads, and what a million cost at Cloudflare
//   npm run bench -- accuracy  recall after transforms, false matches; options in bench/accuracy.ts
//   npm run bench -- entries   entries of ordinary pictures: what they match by mistake, before and after they are lowered
//   npm run bench -- false-matches   uploads that match an unrelated entry, by the size of the list
//   npm run bench -- screens   renders the screenshots for accuracy, if there is a Chromium
//   npm run bench -- limited   patterns, low quality and blank pictures: what finds them, and what they match by mistake
//   npm run bench -- match     lists: needles, digests, memory, cold start, compared with other libraries; in Node and in workerd
//   npm run bench -- counts    steps of the core, bytes, reads of KV, rows; and the state of the bars on times. CI asserts the counts
//   npm run bench -- sync      records through the exchange server into the desk's ledger: speed, rows written, price
//   npm run bench -- probes    what probes for evasion cost: for a file, by family, against a list of a million

import { cpus } from 'node:os'

const REPORTS: Record<string, (args: readonly string[]) => Promise<void>> = {
  worst: async () => (await import('./worst.ts')).benchWorst(),
  cost: async () => (await import('./cost.ts')).benchCost(),
  accuracy: async (args) => (await import('./accuracy.ts')).benchAccuracy(args),
  screens: async (args) => (await import('./screens.ts')).renderScreens(args),
  limited: async (args) => (await import('./limited.ts')).benchLimited(args),
  entries: async (args) => (await import('./entries.ts')).benchEntries(args),
  'false-matches': async (args) => (await import('./false-matches.ts')).benchFalseMatches(args),
  hash: async () => (await import('./hash.ts')).benchHash(),
  decode: async () => (await import('./decode.ts')).benchDecode(),
  gate: async () => (await import('./gate.ts')).benchGate(),
  match: async () => (await import('./match.ts')).benchMatch(),
  counts: async (args) => (await import('./counts.ts')).benchCounts(args),
  sync: async (args) => (await import('./sync.ts')).benchSync(args),
  probes: async () => (await import('./probes.ts')).benchProbes(),
}

const name = process.argv[2] ?? 'hash'
const report = REPORTS[name]
if (!report) {
  console.error(`bench: no report ${name}; there are ${Object.keys(REPORTS).join(', ')}`)
  process.exit(2)
}
console.log(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}\n`)
await report(process.argv.slice(3))
