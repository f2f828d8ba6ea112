import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { modules } from '../../src/core/workerd.ts'
import { ListMissingError, ListVanishedError, OlderManifestError } from '../../src/list/errors.ts'
import { writePinReset } from '../../src/list/pin-reset.ts'
import { publishBank } from '../../src/list/publish.ts'
import type { ListPin } from '../../src/match/list-pin.ts'
import { LiveList } from '../../src/match/live-list.ts'
import {
  NO_PIN,
  notePin,
  type PinNamespace,
  type PinState,
  PinUnavailableError,
  resetPin,
} from '../../src/match/pin.ts'
import { randomEntries } from '../support/entries.ts'
import { WatchedStore } from '../support/stores.ts'

const HOUR = 3_600_000

/** A pin with a clock of its own. */
function setUp() {
  const store = new WatchedStore()
  const clock = { ms: Date.now() }
  let state: PinState = NO_PIN
  const change = (made: { isAllowed: boolean; state: PinState }) => {
    state = made.state
    return made.isAllowed
  }
  const pin = {
    isGone: false,
    note: async (version: number) => {
      if (pin.isGone) throw new Error('Durable Object storage is not available')
      return change(notePin(state, version, clock.ms))
    },
    reset: async (reset: { version: number; at: number }) =>
      change(resetPin(state, reset, clock.ms)),
  }
  const pins: PinNamespace = { getByName: () => pin }
  /** The version that an isolate without a list takes. */
  const fresh = async () => {
    const list = new LiveList({
      modules,
      store: store.sealed,
      refreshSeconds: 60,
      maxAgeSeconds: 3600,
      onStale: 'use',
      maxEntries: 1000,
      maxTableEntries: 0,
      pins,
      onError: () => {},
    })
    return (await list.get(() => {})).manifest.version
  }
  const publish = (seed: number) => publishBank(store.sealed, randomEntries(5, seed), { bank: 'a' })
  /** What is stored now, to be put back later. */
  const copy = () => new Map(store.inner.values)
  const restore = (values: ReadonlyMap<string, Uint8Array<ArrayBuffer>>) => {
    store.inner.values.clear()
    for (const [key, value] of values) store.inner.values.set(key, value)
  }
  return { store, clock, pin, fresh, publish, copy, restore }
}

describe('a fresh isolate', () => {
  it('takes no version that was replaced long ago, and one that KV shows late', async () => {
    const { clock, fresh, publish, copy, restore } = setUp()
    await publish(1)
    expect(await fresh()).toBe(1)
    const old = copy()
    clock.ms += HOUR
    await publish(2)
    expect(await fresh()).toBe(2)
    const latest = copy()
    restore(old)
    expect(await fresh()).toBe(1)
    clock.ms += HOUR
    await expect(fresh()).rejects.toThrow(OlderManifestError)
    restore(latest)
    expect(await fresh()).toBe(2)
  })

  it('accepts a restored version, once an operator with the key says so, and reports it once', async () => {
    const { store, clock, fresh, publish, copy, restore } = setUp()
    await publish(1)
    const old = copy()
    await publish(2)
    await fresh()
    clock.ms += HOUR
    restore(old)
    await expect(fresh()).rejects.toThrow(OlderManifestError)
    await writePinReset(store.sealed, clock.ms)
    const replayed = copy()
    expect([await fresh(), await fresh()]).toEqual([1, 1])
    await publish(2)
    expect(await fresh()).toBe(2)
    clock.ms += HOUR
    restore(replayed)
    await expect(fresh()).rejects.toThrow(OlderManifestError)
  })

  it('tells a list that is gone from one that was never there', async () => {
    const { pin, clock, fresh, publish, copy, restore } = setUp()
    const empty = copy()
    await expect(fresh()).rejects.toThrow(ListMissingError)
    await publish(1)
    await fresh()
    const published = copy()
    restore(empty)
    await expect(fresh()).rejects.toThrow(ListMissingError) // KV may be late for a while
    clock.ms += HOUR
    await expect(fresh()).rejects.toThrow(ListVanishedError)
    pin.isGone = true
    await expect(fresh()).rejects.toThrow(PinUnavailableError)
    pin.isGone = false
    restore(published)
    expect(await fresh()).toBe(1)
  })

  it('takes none while the pin cannot be asked', async () => {
    const { pin, fresh, publish } = setUp()
    await publish(1)
    pin.isGone = true
    await expect(fresh()).rejects.toThrow(PinUnavailableError)
    pin.isGone = false
    expect(await fresh()).toBe(1)
  })
})

describe('a reset', () => {
  it('does not count for another version, after a day, or without a seal', async () => {
    const { store, clock, fresh, publish, copy, restore } = setUp()
    await publish(1)
    const old = copy()
    await publish(2)
    await fresh()
    clock.ms += HOUR
    await writePinReset(store.sealed, clock.ms)
    const forTwo = store.inner.values.get('pin-reset')!
    restore(old)
    store.inner.values.set('pin-reset', forTwo)
    await expect(fresh()).rejects.toThrow(OlderManifestError)
    await writePinReset(store.sealed, clock.ms - 25 * HOUR)
    await expect(fresh()).rejects.toThrow(OlderManifestError)
    store.inner.values.set(
      'pin-reset',
      new Uint8Array(new TextEncoder().encode('{"version":1,"at":9e15}')),
    )
    await expect(fresh()).rejects.toThrow('is not sealed')
    await store.sealed.put('pin-reset', new Uint8Array(Buffer.from('{"version":0,"at":1}')))
    await expect(fresh()).rejects.toThrow('is no reset of the pin')
  })
})

describe('ListPin', () => {
  it('keeps what it has seen', async () => {
    const { LIST_PIN } = env as unknown as { LIST_PIN: DurableObjectNamespace<ListPin> }
    const pin = LIST_PIN.getByName('of a test')
    expect(await pin.note(7)).toBe(true)
    const at = Date.now()
    expect(await pin.reset({ version: 3, at })).toBe(true)
    expect(await LIST_PIN.getByName('of a test').reset({ version: 3, at })).toBe(false)
  })
})
