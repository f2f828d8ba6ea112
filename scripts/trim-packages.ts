// Removes 150 MB of packages that nothing here uses: Node's headers for native add-ons, and binaryen's command line tools. npm
// runs it as part of `postprepare`.
//
//   node scripts/trim-packages.ts

import { glob, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const UNUSED = ['node/node_modules/node-*/include', 'binaryen/bin']

const cwd = fileURLToPath(new URL('../node_modules', import.meta.url))
for await (const folder of glob(UNUSED, { cwd })) {
  await rm(`${cwd}/${folder}`, { recursive: true })
}
