import { Hono, type MiddlewareHandler } from 'hono'
import { cutOff } from './cut.ts'
import { fakeGraph } from './graph.ts'
import { fakeList } from './list.ts'
import { fakeNcmec } from './ncmec.ts'
import { FAKE_NAMES, FakeClock, type FakeName, FakeProvider, type Fault } from './state.ts'
import { fakeShield } from './shield.ts'
import { fakeStopncii } from './stopncii.ts'
import { fakeTcap } from './tcap.ts'

/** The exchange server, without records. Its clock runs, unless another is given. */
export function createExchangeServer(clock = new FakeClock(Date.now, 1)): ExchangeServer {
  const providers = Object.fromEntries(
    FAKE_NAMES.map((name) => [name, new FakeProvider(clock)]),
  ) as Record<FakeName, FakeProvider>
  const app = new Hono()
  const routes = {
    ncmec: fakeNcmec,
    stopncii: fakeStopncii,
    graph: fakeGraph,
    tcap: fakeTcap,
    list: fakeList,
    shield: fakeShield,
  }
  for (const name of FAKE_NAMES) {
    app.use(`/${name}/*`, withFaults(providers[name]))
    app.route(`/${name}`, routes[name](providers[name], clock))
  }
  control(app, { app, clock, providers })
  return { app, clock, providers }
}

/** All providers in one server, for trials and tests: stricter than the real ones, and with faults on demand. */
export interface ExchangeServer {
  app: Hono
  clock: FakeClock
  providers: Record<FakeName, FakeProvider>
}

/** Faults that need no provider's code: they replace its answer, or break it. */
function withFaults(provider: FakeProvider): MiddlewareHandler {
  return async (context, next) => {
    provider.requests++
    const status = provider.take('status')
    if (status) {
      const headers = status.retryAfter === undefined ? {} : { 'retry-after': status.retryAfter }
      return new Response(null, { status: status.status, headers })
    }
    if (provider.take('notice')) return context.html('<html><body>Back soon</body></html>')
    if (provider.take('kill-cursors')) provider.cursors.clear()
    const delay = provider.take('delay')
    if (delay) await new Promise((resolve) => setTimeout(resolve, delay.ms))
    const cut = provider.take('cut')
    const [fault] = provider.faults
    await next()
    if (cut) context.res = await cutOff(context.res, cut.at)
    if (context.req.method === 'GET') provider.drop(fault)
  }
}

/** Changes records, clock and faults from outside. */
function control(app: Hono, { clock, providers }: ExchangeServer): void {
  const of = (name: string): FakeProvider | undefined =>
    Object.hasOwn(providers, name) ? providers[name as FakeName] : undefined

  app.post('/_records/:name', async (context) => {
    const provider = of(context.req.param('name'))
    const { key, hashes, tier } = await context.req.json<{
      key: string
      hashes: { kind: string; value: string }[]
      tier?: string
    }>()
    provider?.put(key, hashes, tier)
    return context.body(null, provider ? 204 : 404)
  })
  app.delete('/_records/:name/:key', (context) => {
    const provider = of(context.req.param('name'))
    provider?.delete(context.req.param('key'))
    return context.body(null, provider ? 204 : 404)
  })
  app.post('/_fault/:name', async (context) => {
    const provider = of(context.req.param('name'))
    provider?.faults.push(await context.req.json<Fault>())
    return context.body(null, provider ? 204 : 404)
  })
  app.post('/_clock', async (context) => {
    const { advanceMs } = await context.req.json<{ advanceMs: number }>()
    clock.advance(advanceMs)
    return context.json({ now: new Date(clock.now()).toISOString() })
  })
}
