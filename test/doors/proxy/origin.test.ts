import { describe, expect, it } from 'vitest'
import { chooseOrigin } from '../../../src/doors/proxy/origin.ts'

const OWN_HOSTS = [
  'localhost:8787',
  '127.0.0.1:8787',
  '192.168.1.7:8787',
  '[::1]:8787',
  'hashgate.me.workers.dev',
]

describe('chooseOrigin', () => {
  it('does not let the Worker call itself where it has no origin', async () => {
    const origin = chooseOrigin({}, {})
    for (const host of OWN_HOSTS) {
      expect((await origin.forward(new Request(`http://${host}/x`))).status).toBe(502)
      const post = new Request(`http://${host}/`, { method: 'POST', body: 'x' })
      expect((await origin.forward(post)).status).toBe(502)
    }
  })

  it('says at / what is running where it has no origin, and nowhere else', async () => {
    for (const host of OWN_HOSTS) {
      const answer = await chooseOrigin({}, {}).forward(new Request(`http://${host}/`))
      expect(answer.status).toBe(200)
      expect(await answer.text()).toMatch(/^hashgate is running/)
    }
    const ORIGIN = { fetch: async () => new Response('of the origin') } as unknown as Fetcher
    const answer = await chooseOrigin({}, { ORIGIN }).forward(new Request('http://localhost/'))
    expect(await answer.text()).toBe('of the origin')
  })
})
