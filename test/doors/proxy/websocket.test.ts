// Over a WebSocket files can be sent that nobody looks at: where uploads are judged, asking for one is unscannable.

import { beforeAll, describe, expect, it } from 'vitest'
import { fixture } from '../../support/fixtures.ts'
import { hashOf, publish, setUp } from '../../support/gate.ts'

const known = fixture('jpeg')
const unrelated = fixture('otherJpeg')

beforeAll(async () => publish(await hashOf(known)))

const upgrade = { method: 'GET', headers: { upgrade: 'WebSocket', connection: 'Upgrade' } }
const file = { coverage: 'unscannable', reason: 'websocket' }

describe('a request for a WebSocket', () => {
  it('passes with an event that says so', async () => {
    const { send, forwarded, verdicts } = setUp()
    expect((await send(null, upgrade)).status).toBe(201)
    expect(forwarded[0]?.request.headers.get('upgrade')).toBe('WebSocket')
    expect(verdicts()).toMatchObject([
      { action: 'allow', reason: 'unscannable', method: 'GET', files: [file] },
    ])
  })

  it.each(['WEBSOCKET', 'h2c, websocket', 'websocket/13', 'h2c,websocket'])(
    'is recognised however the header is written: %s',
    async (value) => {
      const { send, verdicts } = setUp({ policy: { onUnscannable: 'refuse' } })
      expect((await send(null, { method: 'GET', headers: { upgrade: value } })).status).toBe(422)
      expect(verdicts()).toMatchObject([{ reason: 'unscannable', files: [file] }])
    },
  )

  it('is refused where what is unscannable is', async () => {
    const { send, forwarded, verdicts } = setUp({ policy: { onUnscannable: 'refuse' } })
    expect((await send(null, upgrade)).status).toBe(422)
    expect(forwarded).toEqual([])
    expect(verdicts()).toMatchObject([{ action: 'refuse', reason: 'unscannable', files: [file] }])
  })

  it.each(['POST', 'PUT', 'DELETE'])('is judged by its body, too: %s', async (method) => {
    const { send, forwarded, verdicts } = setUp()
    const { headers } = upgrade
    expect((await send(known, { method, headers })).status).toBe(451)
    expect(forwarded).toEqual([])
    expect((await send(unrelated, { method, headers })).status).toBe(201)
    expect(verdicts()).toMatchObject([{ reason: 'match' }, { reason: 'unscannable' }])
  })

  it('is refused where few formats are accepted', async () => {
    const { send, verdicts } = setUp({ policy: { routes: [{ accept: ['jpeg'] }] } })
    expect((await send(null, upgrade)).status).toBe(415)
    expect(verdicts()).toMatchObject([{ action: 'refuse', reason: 'unaccepted-format' }])
  })

  it('is for the route that a POST would be for', async () => {
    const routes = [
      { paths: ['/open'], gated: false },
      { paths: ['/shadow'], mode: 'shadow', onUnscannable: 'refuse' },
      { paths: ['/strict'], methods: ['POST'], onUnscannable: 'refuse' },
    ]
    const { send, verdicts } = setUp({ policy: { routes } })
    const statusOf = async (path: string) =>
      (await send(null, upgrade, `https://files.example${path}`)).status
    expect(await statusOf('/open')).toBe(201)
    expect(verdicts()).toEqual([])
    expect(await statusOf('/shadow')).toBe(201)
    expect(verdicts()).toMatchObject([{ isShadow: true, action: 'refuse' }])
    expect(await statusOf('/strict')).toBe(422)
    expect(await statusOf('/strict/..%2fopen')).toBe(400)
  })

  it('passes unseen where no POST is judged', async () => {
    const { send, events } = setUp({ upload: { methods: ['PUT'] } })
    expect((await send(null, upgrade)).status).toBe(201)
    expect(events).toEqual([])
  })
})
