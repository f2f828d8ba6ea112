import { createHash } from 'node:crypto'
import { ValueDamagedError } from '../../src/list/errors.ts'
import type { Bytes, ListStore } from '../../src/list/store.ts'

/** A write, or with no value a deletion. */
interface Write {
  at: number
  value: Bytes | undefined
}

/** What a store does to one who uses it. */
export interface Behaviour {
  /** Awaited before each operation: lets others go first. */
  turn: (operation: string) => Promise<unknown>
  /** 0 to 1, anew each time: what is decided by chance. */
  random: () => number
  /** Share of reads that fail, find nothing, or find a spoiled value. */
  faults: number
  /** Writes after which the user crashes. */
  writesLeft: number
}

/** The user of a store is gone: nothing it does takes effect any more. */
export class CrashError extends Error {}

const DIGEST_BYTES = 8

/**
 * Workers KV as a model: a write is seen somewhere between at once and a minute later, by each read anew; so is a deletion,
 * and listings are as late. Values carry a digest, in the place of a seal.
 */
export class EventualKv {
  readonly #writes = new Map<string, Write[]>()
  readonly #now: () => number
  /** Told each write of the manifest, after it. */
  onManifest: (value: Bytes) => void = () => {}

  static readonly DELAY_MS = 60_000

  constructor(now: () => number) {
    this.#now = now
  }

  /** The latest value of a key, as nobody may see it yet. */
  latest(key: string): Bytes | undefined {
    const value = this.#writes.get(key)?.at(-1)?.value
    return value && open(key, value)
  }

  write(key: string, value: Bytes | undefined): void {
    const writes = this.#writes.get(key) ?? []
    writes.push({ at: this.#now(), value })
    this.#writes.set(key, writes)
    if (key === 'manifest' && value) this.onManifest(open(key, value))
  }

  /** One of the values that a key may seem to have. */
  seen(key: string, random: number): Bytes | undefined {
    const writes = this.#writes.get(key) ?? []
    const settled = writes.findLastIndex(({ at }) => at <= this.#now() - EventualKv.DELAY_MS)
    const candidates: (Bytes | undefined)[] = writes.slice(Math.max(0, settled)).map((w) => w.value)
    if (settled < 0) candidates.unshift(undefined)
    return candidates[Math.floor(random * candidates.length)]
  }

  get keys(): string[] {
    return [...this.#writes.keys()]
  }

  /** The store as one user has it. */
  for(behaviour: Behaviour): ListStore {
    return new EventualStore(this, behaviour)
  }
}

class EventualStore implements ListStore {
  readonly #kv: EventualKv
  readonly #behaviour: Behaviour

  constructor(kv: EventualKv, behaviour: Behaviour) {
    this.#kv = kv
    this.#behaviour = behaviour
  }

  async get(key: string): Promise<Bytes | undefined> {
    await this.#behaviour.turn(`get ${key.slice(0, 12)}`)
    const { random, faults } = this.#behaviour
    const value = this.#kv.seen(key, random())
    if (random() >= faults) return value && open(key, value)
    switch (Math.floor(random() * 4)) {
      case 0:
        throw new Error('KV GET failed: 500')
      case 1:
        return undefined
      case 2:
        return value && open(key, value.slice(0, value.length * random()))
      default:
        return value && open(key, flipped(value, random()))
    }
  }

  async put(key: string, value: Bytes): Promise<void> {
    await this.#behaviour.turn(`put ${key.slice(0, 12)}`)
    if (this.#behaviour.writesLeft-- <= 0) throw new CrashError('crashed')
    this.#kv.write(key, seal(key, value))
  }

  async putAll(values: ReadonlyMap<string, Bytes>): Promise<void> {
    for (const [key, value] of values) await this.put(key, value)
  }

  async list(prefix: string): Promise<string[]> {
    await this.#behaviour.turn(`list ${prefix.slice(0, 12)}`)
    const keys = this.#kv.keys.filter((key) => key.startsWith(prefix))
    return keys.filter((key) => this.#kv.seen(key, this.#behaviour.random()))
  }

  async deleteAll(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      await this.#behaviour.turn(`delete ${key.slice(0, 12)}`)
      if (this.#behaviour.writesLeft-- <= 0) throw new CrashError('crashed')
      this.#kv.write(key, undefined)
    }
  }

  async nameOf(content: Bytes): Promise<string> {
    return createHash('sha256').update(content).digest('hex')
  }
}

function digestOf(key: string, value: Uint8Array): Uint8Array {
  return createHash('sha256').update(key).update(value).digest().subarray(0, DIGEST_BYTES)
}

function seal(key: string, value: Bytes): Bytes {
  return new Uint8Array([...digestOf(key, value), ...value])
}

function open(key: string, sealed: Bytes): Bytes {
  const value = sealed.slice(DIGEST_BYTES)
  const digest = digestOf(key, value)
  if (sealed.length >= DIGEST_BYTES && digest.every((byte, i) => byte === sealed[i])) return value
  throw new ValueDamagedError(key, 'is not what was stored')
}

function flipped(value: Bytes, where: number): Bytes {
  const copy = value.slice()
  const at = Math.floor(where * copy.length)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}
