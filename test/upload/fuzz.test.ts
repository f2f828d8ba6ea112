// Requests that anybody may send, through the whole gate.

import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { beforeAll, describe, expect, it } from 'vitest'
import { modules } from '../../src/core/workerd.ts'
import { createApp } from '../../src/worker/app.ts'
import type { WorkerParts } from '../../src/worker/parts.ts'
import type { GateEvent } from '../../src/events/schema.ts'
import { readConfig } from '../../src/config/config.ts'
import { publishBank } from '../../src/list/publish.ts'
import { makeBody } from '../fuzz/bodies.ts'
import { randomEntries } from '../support/entries.ts'
import { randomFrom } from '../support/random.ts'
import { kvStore } from '../support/stores.ts'
import { recordIn } from '../support/event-recorder.ts'

const COUNT = 3000

beforeAll(async () => {
  await publishBank(kvStore(), randomEntries(100, 1), { bank: 'csam' })
})

describe('the gate', () => {
  it('answers whatever is sent, with one verdict each, and passes on only what it allowed, as it came', async () => {
    const arrived: Uint8Array[] = []
    let events: GateEvent[] = []
    const parts: WorkerParts = {
      config: readConfig({}),
      modules,
      store: kvStore(),
      origin: {
        forward: async (_, sent) => {
          arrived.push(new Uint8Array(await new Response(sent).arrayBuffer()))
          return new Response(null, { status: 201 })
        },
      },
      onEvent: (event) => recordIn(events)(event),
    }
    const gate = createApp(parts, [])
    const statuses = new Map<number, number>()
    for (let index = 0; index < COUNT; index++) {
      const { headers, body } = makeBody(randomFrom(77_000_003 + index))
      events = []
      arrived.length = 0
      const context = createExecutionContext()
      const request = new Request('https://files.example/', {
        method: 'POST',
        body: new Uint8Array(body),
        headers,
      })
      const { status } = await gate.fetch(request, {}, context)
      await waitOnExecutionContext(context)
      const [verdict, ...others] = events
      const isAllowed = verdict?.event === 'verdict' && verdict.action === 'allow'
      if (verdict?.event !== 'verdict' || others.length > 0 || ![201, 400, 413].includes(status)) {
        expect({ index, status, events }).toBeUndefined()
      }
      if (
        isAllowed !== arrived.length > 0 ||
        (arrived[0] && Buffer.compare(arrived[0], body) !== 0)
      ) {
        expect({ index, isAllowed, arrived }).toBeUndefined()
      }
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    expect(statuses.get(201)).toBeGreaterThan(COUNT / 10)
    expect(statuses.get(400)).toBeGreaterThan(COUNT / 10)
  }, 1_200_000)
})
