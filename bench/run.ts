// What is measured, with competitors, in one run.
//
//   npm run bench              PDQ by stages, the scan of a list, whole files beside a JavaScript perceptual hash
//   npm run bench -- decode    files to hashes beside libvips and @jsquash, growth with size, differences of luma

import { cpus } from 'node:os'
import { benchDecode } from './decode.ts'
import { benchHash } from './hash.ts'

const REPORTS: Record<string, () => Promise<void>> = { hash: benchHash, decode: benchDecode }

const name = process.argv[2] ?? 'hash'
const report = REPORTS[name]
if (!report) {
  console.error(`bench: no report ${name}; there are ${Object.keys(REPORTS).join(', ')}`)
  process.exit(2)
}
console.log(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}\n`)
await report()
