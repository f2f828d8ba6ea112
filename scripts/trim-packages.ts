// Removes 160 MB of packages that nothing here uses: Node's headers for native add-ons, binaryen's
// command line tools, and builds of libheif without a WebAssembly file. npm runs it as part of
// `postprepare`.
//
//   node scripts/trim-packages.ts

import { glob, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const UNUSED = [
  'node/node_modules/node-*/include',
  'binaryen/bin',
  'libheif-js/libheif/libheif.js',
  'libheif-js/libheif-wasm/libheif-bundle.*',
]

const cwd = fileURLToPath(new URL('../node_modules', import.meta.url))
for await (const folder of glob(UNUSED, { cwd })) {
  await rm(`${cwd}/${folder}`, { recursive: true })
}
