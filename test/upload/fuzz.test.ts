// Requests that anybody may send, through the whole gate.

import { beforeAll, describe, expect, it } from 'vitest'
import { publishBank } from '../../src/list/publish.ts'
import { makeBody } from '../fuzz/bodies.ts'
import { randomEntries } from '../support/entries.ts'
import { randomFrom } from '../support/random.ts'
import { kvStore } from '../support/stores.ts'
import { setUp } from '../support/gate.ts'

const COUNT = 1200

beforeAll(async () => {
  await publishBank(kvStore(), randomEntries(100, 1), { bank: 'csam' })
})

describe('the gate', () => {
  it('answers whatever is sent, with one verdict each, and passes on only what it allowed, as it came', async () => {
    const { send, forwarded, events } = setUp()
    const statuses = new Map<number, number>()
    for (let index = 0; index < COUNT; index++) {
      const { headers, body } = makeBody(randomFrom(77_000_003 + index))
      events.length = 0
      forwarded.length = 0
      const { status } = await send(new Uint8Array(body), { headers }, 'https://files.example/')
      const [verdict, ...others] = events
      const isAllowed = verdict?.event === 'verdict' && verdict.action === 'allow'
      if (verdict?.event !== 'verdict' || others.length > 0 || ![201, 400, 413].includes(status)) {
        expect({ index, status, events }).toBeUndefined()
      }
      if (
        isAllowed !== forwarded.length > 0 ||
        (forwarded[0]?.body && Buffer.compare(forwarded[0].body, body) !== 0)
      ) {
        expect({ index, isAllowed, forwarded }).toBeUndefined()
      }
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    expect(statuses.get(201)).toBeGreaterThan(COUNT / 10)
    expect(statuses.get(400)).toBeGreaterThan(COUNT / 10)
  }, 1_200_000)
})
