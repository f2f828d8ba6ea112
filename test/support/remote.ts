import { createExchangeServer } from '../../src/desk/fake/server.ts'
import { FAKE_SECRET, FAKE_USER } from '../../src/desk/fake/state.ts'
import { arachnid } from '../../src/match/remote/arachnid.ts'
import type { PinNamespace } from '../../src/match/pin.ts'
import { LaterQuestions } from '../../src/match/remote/later.ts'
import { CachedNegatives } from '../../src/match/remote/negatives.ts'
import { RemoteBank } from '../../src/match/remote/remote-bank.ts'
import { RemoteBanks } from '../../src/match/remote/remote-banks.ts'
import { tcap } from '../../src/match/remote/tcap.ts'
import { formatHash, type Hash256 } from '../../src/util/hash.ts'
import { fixture } from './fixtures.ts'
import { setUp } from './gate.ts'
import { flipBits } from './entries.ts'
import { kvStore } from './stores.ts'

const ORIGIN = 'http://127.0.0.1'

/** A gate that asks a service of the exchange server, whose clock and answers are in the test's hands. */
export function setUpRemote(
  options: {
    service?: 'arachnid' | 'tcap'
    onFailed?: 'allow' | 'refuse'
    deadlineMs?: number
    cacheSeconds?: number
    password?: string
    pins?: PinNamespace
  } = {},
  vars: object = {},
) {
  const { service: kind = 'arachnid', onFailed = 'refuse', deadlineMs = 5000 } = options
  const { cacheSeconds = 86_400, password = FAKE_SECRET } = options
  const server = createExchangeServer()
  const asked: unknown[] = []
  // It stands still, but for what a test adds: no pause is over because the machine is slow.
  const start = Date.now()
  let offset = 0
  const now = () => start + offset
  const fetch = async (request: Request) => {
    if (!request.url.includes('token-auth')) asked.push(await request.clone().json())
    return server.app.fetch(request)
  }
  const login = { username: FAKE_USER, password }
  const service =
    kind === 'arachnid'
      ? arachnid(fetch, FAKE_USER, password, `${ORIGIN}/shield/v1/pdq/`)
      : tcap(fetch, login, {
          url: `${ORIGIN}/tcap/hash-verification/api/v2?ideologies=all`,
          loginUrl: `${ORIGIN}/tcap/token-auth/tcap/`,
        })
  const store = kvStore()
  const cacheName = crypto.randomUUID()
  const negatives = () => new CachedNegatives(() => caches.open(cacheName), now)
  const limits = { threshold: 31, minQuality: 50, source: kind, name: kind }
  const bank = (memory = negatives()) =>
    new RemoteBank(
      { ...limits, service, onFailed, deadlineMs, cacheSeconds },
      { store, negatives: memory, now },
    )
  const banks = (memory = negatives()) =>
    new RemoteBanks([bank(memory)], new LaterQuestions(store, now))
  const remote = banks()
  const all = { remote: { banks: { [kind]: { service: kind, user: FAKE_USER } } }, ...vars }
  const gate = setUp(all, { remote, ...(options.pins && { pins: options.pins }) })
  const provider = server.providers[kind === 'arachnid' ? 'shield' : 'tcap']
  return {
    ...gate,
    provider,
    asked,
    remote,
    banks,
    advance: (ms: number) => (offset += ms),
    know: (hash: Hash256, tier: string, flips = 0) =>
      provider.put('1', [{ kind: 'pdq', value: formatHash(flipBits(hash, flips)) }], tier),
    upload: () => gate.send(fixture('jpeg')),
  }
}
