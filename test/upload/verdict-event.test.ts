import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/util/bytes.ts'
import { formatHash } from '../../src/util/hash.ts'
import { modules } from '../../src/core/workerd.ts'
import type { GateEvent } from '../../src/events/schema.ts'
import { stampEvent } from '../../src/events/stamp.ts'
import { verdictEvent } from '../../src/upload/verdict-event.ts'
import type { JudgedFile } from '../../src/gate/verdict.ts'
import type { WeighedMatch } from '../../src/policy/banks.ts'
import { needlesOf, type ScannedFile } from '../../src/scan/scanned.ts'
import type { FileDigests } from '../../src/scan/digests.ts'
import { scanFile } from '../../src/scan/scanner.ts'
import { recordIn } from '../support/event-recorder.ts'
import { fixture } from '../support/fixtures.ts'

const MATCH: WeighedMatch = {
  bank: 'b',
  entry: 'e',
  labels: {},
  distance: 0,
  threshold: 31,
  tolerance: 0,
  action: 'block',
  harm: 'h',
  probe: 'identity',
}
const QUEUE_MESSAGE_BYTES = 128_000

/** The event of a blocked upload to some path, which is as the schema says. */
function eventOf(path: string, files: JudgedFile[]) {
  const request = new Request(`https://files.example${path}`, { method: 'PUT' })
  const known = { files, listVersion: 1, isComplete: true }
  const verdict = { action: 'block', reason: 'match', ...known } as const
  const happening = verdictEvent(crypto.randomUUID(), request, verdict, {
    afterLastByteMs: 1,
  })
  const events: GateEvent[] = []
  recordIn(events)(stampEvent(happening))
  return happening
}

function scannedAs(bytes: number): ScannedFile {
  return { coverage: 'scanned', format: 'jpeg', bytes, needles: [], isPartial: false }
}

describe('verdictEvent', () => {
  it('hides digests and hashes of what matches where the path has them, in either case', async () => {
    const scanned = await scanFile({ modules }, fixture('jpeg'))
    const { md5, sha256 } = scanned.digests as FileDigests
    const needles = needlesOf(scanned)
    const hash = formatHash(needles[0]!.hash)
    const path = `/${toHex(md5)}/sha256:${toHex(sha256).toUpperCase()}/%3A${hash}.jpg`
    expect(eventOf(path, [{ scanned, matches: [MATCH] }]).path).toBe('/-/sha256:-/%3A-.jpg')
    const unknown = [{ scanned, matches: [] }]
    expect(eventOf(path, unknown).path).toBe(path)
    const other = `/${'ab'.repeat(32)}`
    expect(eventOf(other, [{ scanned, matches: [MATCH] }]).path).toBe(other)
  })

  it('cuts off a path at 2048 characters, and not within a hash', async () => {
    expect(eventOf(`/${'a'.repeat(2047)}`, []).path).toHaveLength(2048)
    expect(eventOf(`/${'a'.repeat(16_000)}`, []).path).toHaveLength(2048)
    const scanned = await scanFile({ modules }, fixture('jpeg'))
    const path = `/${'x'.repeat(2000)}${toHex(scanned.digests!.sha256!)}`
    expect(eventOf(path, [{ scanned, matches: [MATCH] }]).path).toBe(`/${'x'.repeat(2000)}-`)
  })

  it('fits into a message of a queue, with what matches before what does not', () => {
    const name = '\u{1f4a5}'.repeat(5000)
    const matches = Array.from({ length: 16 }, () => ({
      ...MATCH,
      bank: name,
      harm: name,
      entry: name,
      labels: { source: name },
    }))
    const files = Array.from({ length: 300 }, (_, i) => ({
      scanned: scannedAs(i + 1),
      matches: i < 100 ? [] : matches,
    }))
    const event = eventOf(`/${'%F0'.repeat(9000)}`, files)
    expect(new TextEncoder().encode(JSON.stringify(event)).length).toBeLessThan(QUEUE_MESSAGE_BYTES)
    expect(event.files.length).toBeGreaterThan(1)
    expect(event.files[0]?.matches).toHaveLength(16)
    expect(event.files.length + (event.otherFiles ?? 0)).toBe(300)
  })

  it('keeps the order of files that fit', () => {
    const files = [0, 1, 2].map((i) => ({
      scanned: scannedAs(i + 1),
      matches: i === 1 ? [MATCH] : [],
    }))
    expect(eventOf('/', files).files.map(({ bytes }) => bytes)).toEqual([1, 2, 3])
  })
})
