// Checks that the deployed bundle stays small: all modules together, compressed, as Cloudflare
// counts them.
//
//   npm run bundle

import { readdir, readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'

const FOLDER = new URL('../build/worker/', import.meta.url)
/** Every isolate reads the whole bundle when it starts. */
const MAX_BYTES = 1.5 * 2 ** 20

const names = await readdir(FOLDER)
const modules = names.filter((name) => /\.(js|wasm)$/.test(name))
let bytes = 0
for (const name of modules) bytes += gzipSync(await readFile(new URL(name, FOLDER))).length
const kib = (value: number) => `${(value / 1024).toFixed(0)} KiB`
console.log(`bundle: ${kib(bytes)} compressed, at most ${kib(MAX_BYTES)} allowed`)
if (bytes > MAX_BYTES) process.exitCode = 1
