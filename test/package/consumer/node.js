import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { report } from './report.js'

const files = await Promise.all(process.argv.slice(2).map((path) => readFile(path)))
console.log(JSON.stringify(await report(files)))
