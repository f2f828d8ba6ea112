// Sends each case of a folder through the deployed form of the Worker to an origin that keeps
// everything, and prints what became of it. A case is a folder with `body` and `head.json` (method,
// path, headers). Exits with 1 unless all got 451.
//
//   npm run evasion -- DIR                  the listed picture is that of DIR/../../corpus/photos/opencv-baboon.jpg
//   npm run evasion -- DIR --hash HEX       a PDQ hash of your own

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { parseHash } from '../src/util/hash.ts'
import { startGateWith } from '../test/support/gate-harness.ts'
import { OriginServer } from '../test/support/origin-server.ts'
import { sendUpload } from '../test/support/upload-client.ts'

interface Head {
  method: string
  path: string
  headers: Record<string, string>
}

interface Row {
  case: string
  became: '451' | 'unscannable' | 'refused' | 'arrived'
  status: number
  reason: string
}

const LISTED = 'opencv-baboon.jpg'

const { values, positionals } = parseArgs({
  options: { hash: { type: 'string' } },
  allowPositionals: true,
})
const [folder] = positionals
if (folder === undefined || positionals.length > 1) {
  console.error('evasion: name one folder of cases')
  process.exit(2)
}
const hash = parseHash(values.hash ?? listedHash(folder))
if (!hash) {
  console.error('evasion: --hash must be 64 hex digits')
  process.exit(2)
}

const origin = await OriginServer.start()
const entry = { kind: 'pdq' as const, hash, id: 'listed', labels: {} }
const gate = await startGateWith({ ORIGIN_URL: origin.url }, [entry])
try {
  const rows: Row[] = []
  for (const name of casesIn(folder)) rows.push(await runCase(name, join(folder, name)))
  console.table(rows)
  const passed = rows.filter(({ became }) => became !== '451')
  console.log(`${rows.length - passed.length} of ${rows.length} got 451`)
  process.exitCode = passed.length === 0 ? 0 : 1
} finally {
  await gate.close()
  await origin.stop()
}

function listedHash(cases: string): string {
  const path = resolve(cases, '../../corpus/photos/expected.csv')
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  return lines.find((line) => line.endsWith(`,${LISTED}`))?.split(',')[0] ?? ''
}

function casesIn(path: string): string[] {
  return readdirSync(path)
    .filter((name) => existsSync(join(path, name, 'head.json')))
    .toSorted()
}

async function runCase(name: string, path: string): Promise<Row> {
  const head = JSON.parse(readFileSync(join(path, 'head.json'), 'utf8')) as Head
  const body = readFileSync(join(path, 'body'))
  const { method, headers } = head
  origin.clear()
  gate.log.length = 0
  const { status } = await sendUpload(new URL(head.path, gate.url), body, { method, headers })
  const hasArrived = origin.received.some((received) => received.body.length > 0)
  const reason = reasonOf(gate.log)
  return { case: name, became: outcomeOf(status, reason, hasArrived), status, reason }
}

/** What the Worker's event says about the upload. */
function reasonOf(log: readonly string[]): string {
  for (const line of log) {
    try {
      const event = JSON.parse(line) as { event?: string; action: string; reason: string }
      if (event.event === 'verdict') return `${event.action}: ${event.reason}`
    } catch {
      // Not an event.
    }
  }
  return 'no event'
}

function outcomeOf(status: number, reason: string, hasArrived: boolean): Row['became'] {
  if (status === 451 && !hasArrived) return '451'
  if (!hasArrived) return 'refused'
  return reason.endsWith('unscannable') ? 'unscannable' : 'arrived'
}
