import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Bytes, MemoryStore, type ValueStore } from '../../src/list/store.ts'
import { Faults } from './faults.ts'

/**
 * What a store does instead of answering: first what only few reads may get, last what keeps a
 * reader from further reads.
 */
const FAULTS = ['older', 'other', 'damaged', 'cut', 'missing', 'error', 'slow', 'silent'] as const

/** Milliseconds of a late answer's delay. */
const LATE_MS = 3000
/** Old versions of a value that are kept for later answers. */
const MAX_OLD = 50

/** A value store that Workers read over HTTP, and that answers late, wrongly or not at all. */
export class FaultyStore {
  readonly values = new MemoryStore()
  readonly faults: Faults<(typeof FAULTS)[number]>
  readonly #old = new Map<string, Bytes[]>()
  readonly #random: () => number
  readonly #server: Server

  private constructor(random: () => number) {
    this.#random = random
    this.faults = new Faults(FAULTS, random)
    this.#server = createServer((request, response) => {
      const key = decodeURIComponent((request.url ?? '').slice(1))
      void this.#answer(key, response).catch(() => response.destroy())
    })
  }

  static async start(random: () => number): Promise<FaultyStore> {
    const store = new FaultyStore(random)
    await new Promise<void>((resolve) => store.#server.listen(0, '127.0.0.1', resolve))
    return store
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  /** The store as publishers see it: writes are remembered, so that they can be replayed. */
  get writer(): ValueStore {
    const { values } = this
    return {
      get: (key) => values.get(key),
      list: (prefix) => values.list(prefix),
      deleteAll: (keys) => values.deleteAll(keys),
      put: (key, value) => this.#put(key, value),
      putAll: async (all) => {
        for (const [key, value] of all) await this.#put(key, value)
      },
    }
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #put(key: string, value: Bytes): Promise<void> {
    const before = await this.values.get(key)
    if (before) this.#old.set(key, [...(this.#old.get(key) ?? []), before].slice(-MAX_OLD))
    await this.values.put(key, value)
  }

  async #answer(key: string, response: ServerResponse): Promise<void> {
    const value = await this.values.get(key)
    const old = this.#old.get(key)
    const fault = this.faults.pick((kind) => (kind === 'older' ? old : value) !== undefined)
    if (fault) this.faults.note(fault)
    switch (fault) {
      case 'silent':
        return
      case 'error':
        return void response.writeHead(500).end()
      case 'missing':
        return send(response, undefined)
      case 'cut':
        return send(response, value?.slice(0, value.length * this.#random()))
      case 'damaged':
        return send(response, value && flipped(value, this.#random()))
      case 'other':
        return send(response, this.#pick([...this.values.values.values()]))
      case 'older':
        return send(response, this.#pick(old ?? []))
      case 'slow':
        await new Promise((resolve) => setTimeout(resolve, LATE_MS))
        return send(response, value)
      case undefined:
        return send(response, value)
    }
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.#random() * from.length)]
  }
}

function send(response: ServerResponse, value: Uint8Array | undefined): void {
  if (value) response.end(value)
  else response.writeHead(404).end()
}

function flipped(value: Bytes, where: number): Bytes {
  const copy = value.slice()
  const at = Math.floor(where * copy.length)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}
