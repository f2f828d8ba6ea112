// What an uploader can tell from an answer: the action, and nothing of what was found or how nearly.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readModules } from '../../../src/core/node.ts'
import { scanFile } from '../../../src/scan/scanner.ts'
import { flipBits } from '../../support/entries.ts'
import { type GateHarness, startGateWith } from '../../support/gate-harness.ts'
import { OriginServer } from '../../support/origin-server.ts'
import { picture } from '../../support/sharp-images.ts'
import { sendUpload } from '../../support/upload-client.ts'
import { needlesOf } from '../../../src/scan/scanned.ts'

/** Bits between each picture and its entry. */
const DISTANCES = [0, 1, 16, 30, 31, 32, 33, 40, 60]

let origin: OriginServer
let worker: GateHarness
let pictures: Buffer[]

beforeAll(async () => {
  origin = await OriginServer.start()
  pictures = await Promise.all(
    [...DISTANCES, -1].map((_, i) =>
      picture(320, 240, 3, 100 + i)
        .jpeg()
        .toBuffer(),
    ),
  )
  const modules = readModules()
  const entries = await Promise.all(
    DISTANCES.map(async (bits, i) => {
      const [needle] = needlesOf(await scanFile({ modules }, pictures[i]!))
      const hash = flipBits(needle!.hash, bits)
      return { kind: 'pdq' as const, hash, id: `entry-${bits}`, labels: { source: 'a secret' } }
    }),
  )
  worker = await startGateWith({ ORIGIN_URL: origin.url }, entries)
})

afterAll(async () => {
  await worker.close()
  await origin.stop()
})

/** Everything that an uploader gets, but for the case id, whose length is always the same. */
async function answerTo(file: Uint8Array) {
  const { status, headers, body } = await sendUpload(new URL('/files', worker.url), file)
  const { date: _, ...others } = headers
  return { status, headers: others, body: body.replace(/[0-9a-f-]{36}/, 'case') }
}

describe('the answer to an upload', () => {
  it('is the same for all matches, and the same for all others, however near', async () => {
    const answers = []
    for (const file of pictures) answers.push(await answerTo(file))
    const isMatch = DISTANCES.map((bits) => bits <= 31)
    expect(answers.map(({ status }) => status === 451)).toEqual([...isMatch, false])
    const [matched, ...others] = answers.filter(({ status }) => status === 451)
    for (const other of others) expect(other).toEqual(matched)
    const [passed, ...more] = answers.filter(({ status }) => status !== 451)
    for (const other of more) expect(other).toEqual(passed)
  })

  it('has no word of the list in it', async () => {
    for (const file of pictures) {
      const told = JSON.stringify(await answerTo(file))
      for (const word of ['entry', 'secret', 'csam', 'distance', 'threshold', 'hash']) {
        expect(told).not.toContain(word)
      }
    }
  })
})
