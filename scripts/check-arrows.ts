// Checks the imports in src/, types included: only along the arrows of docs/architecture.md, and
// never in a cycle.
//
//   npm run check:arrows

import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Allowed imports, from the top down. Everything may import itself and util/. */
const ARROWS: Record<string, string> = {
  'worker.ts': 'worker objects.ts',
  'features.ts': 'worker events list',
  'dev.ts': 'worker objects.ts dev gate scan match list core',
  'heic.ts': 'scan',
  'library.ts': 'config doors upload gate quarantine events scan match list core',
  'desk.ts': 'desk',
  'quarantine.ts': 'quarantine events',
  'remote.ts': 'library.ts config upload events match list',
  'objects.ts': 'doors upload gate match',
  'cli.ts': 'commands',
  worker: 'config doors upload gate policy quarantine events scan match list core',
  // The operators' Worker is a bundle of its own. Only commands/ imports it, and no part of the
  // gate.
  desk: 'list events',
  commands: 'desk config doors policy quarantine scan match list core',
  config: 'doors upload gate policy quarantine events body scan match',
  doors: 'upload gate policy body scan match list events',
  upload: 'gate policy quarantine events body scan match list core',
  gate: 'policy events scan match list core',
  quarantine: 'events',
  policy: 'match scan list',
  body: 'scan',
  match: 'scan list core',
  pdq: 'scan core',
  scan: 'list core',
  list: 'core',
  core: '',
  events: '',
  dev: 'gate policy scan core',
  util: '',
}

/** Rooms that must not know about HTTP. */
const WITHOUT_HTTP = new Set(['gate', 'policy'])

const STATIC_IMPORT = /^(?:import|export)\b[^'"(]*?['"](\.[^'"]+)['"]/gms
const DYNAMIC_IMPORT = /\bimport\(\s*['"](\.[^'"]+)['"]/g

const ROOT = fileURLToPath(new URL('../src/', import.meta.url))
const names = await readdir(ROOT, { recursive: true })
const imports = new Map<string, string[]>()
const problems: string[] = []

for (const file of names.filter((name) => name.endsWith('.ts'))) {
  const text = await readFile(join(ROOT, file), 'utf8')
  const paths = [...text.matchAll(STATIC_IMPORT), ...text.matchAll(DYNAMIC_IMPORT)]
  const found = paths.map(([, path = '']) => normalize(join(dirname(file), path)))
  imports.set(file, found)
  const allowed = new Set([roomOf(file), 'util', ...(ARROWS[roomOf(file)] ?? '').split(' ')])
  const others = found.filter((path) => !path.startsWith('..') && !allowed.has(roomOf(path)))
  problems.push(...others.map((path) => `${file} imports ${path}, which no arrow allows`))
  if (!(roomOf(file) in ARROWS)) problems.push(`${roomOf(file)} has no arrows`)
  if (WITHOUT_HTTP.has(roomOf(file)) && /\b(Request|Response)\b/.test(text))
    problems.push(`${file} uses requests or responses`)
}
const isBelow = new Map(Object.keys(ARROWS).map((room) => [room, ARROWS[room]?.split(' ') ?? []]))
for (const graph of [imports, isBelow]) problems.push(...circlesIn(graph))

for (const problem of problems) console.error(problem)
console.log(`src/: ${imports.size} files in ${Object.keys(ARROWS).length} rooms`)
if (problems.length > 0) process.exitCode = 1

/** A folder of src/, or a file directly in it. */
function roomOf(path: string): string {
  return path.split('/')[0] ?? ''
}

/** Import paths that lead back to their start, each once. */
function circlesIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const circles: string[] = []
  const done = new Set<string>()
  const walk = (node: string, way: readonly string[]) => {
    if (way.includes(node))
      circles.push(`import cycle: ${[...way.slice(way.indexOf(node)), node].join(' → ')}`)
    else if (!done.has(node)) for (const next of graph.get(node) ?? []) walk(next, [...way, node])
    done.add(node)
  }
  for (const node of graph.keys()) walk(node, [])
  return circles
}
