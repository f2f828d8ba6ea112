import { DurableObject } from 'cloudflare:workers'
import { modules } from '../core/workerd.ts'
import { type Bank, type Manifest, nextManifest } from '../list/manifest.ts'
import { parseListKeys, SealedStore } from '../list/sealing.ts'
import { KvStore } from '../list/kv-store.ts'
import { BankIndex, IndexReleasedError } from './bank-index.ts'
import type { MatchResult, Query } from './match.ts'
import { isReplacement, ReplacementFailedError, replaceIndex } from './replace.ts'
import type { Shard } from './sharded-index.ts'

/**
 * A Durable Object that holds a range of a list that is too large for one isolate. It holds the version of the last query and
 * the one before, since isolates switch to a new version one after another. But if more than a quarter of a version is new, it
 * replaces the other. Until all isolates have switched, the object then switches with each query.
 */
export class ListShard extends DurableObject<ShardBindings> implements Shard {
  readonly #store = new SealedStore(
    new KvStore(this.env.HASH_LISTS),
    parseListKeys(this.env.LIST_KEY),
  )
  #current: LoadedRange | undefined
  #previous: LoadedRange | undefined
  #last: Promise<unknown> = Promise.resolve()

  /**
   * Loads a range before it is queried.
   * @throws {ValueMissingError | ValueDamagedError} the range loaded before stays
   */
  async prepare(banks: Bank[]): Promise<void> {
    await this.#indexOf(banks)
  }

  async match(banks: Bank[], queries: readonly Query[]): Promise<MatchResult[]> {
    for (;;) {
      const index = await this.#indexOf(banks)
      try {
        return await index.match(queries)
      } catch (error) {
        if (!(error instanceof IndexReleasedError)) throw error // the next index is queried
      }
    }
  }

  /** The index of a range. One range is loaded at a time. */
  #indexOf(banks: Bank[]): Promise<BankIndex> {
    const name = JSON.stringify(banks)
    const found = this.#find(name)
    if (found) return Promise.resolve(found)
    const loading = this.#last.then(() => this.#find(name) ?? this.#load(name, banks))
    this.#last = loading.catch(() => undefined)
    return loading
  }

  #find(name: string): BankIndex | undefined {
    return [this.#current, this.#previous].find((range) => range?.name === name)?.index
  }

  async #load(name: string, banks: Bank[]): Promise<BankIndex> {
    const old = this.#current
    const manifest = nextManifest(0, banks)
    if (old && isReplacement(old.index, manifest)) {
      this.#previous = undefined
      return this.#replace(old, name, manifest)
    }
    const kept = old?.index.segments ?? []
    const index = await BankIndex.load(modules, this.#store, manifest, { kept })
    this.#previous = old
    this.#current = { name, index }
    return index
  }

  async #replace(old: LoadedRange, name: string, manifest: Manifest): Promise<BankIndex> {
    try {
      const index = await replaceIndex(modules, this.#store, old.index, manifest, {
        from: this.#store,
        onGive: () => (this.#current = undefined),
      })
      this.#current = { name, index }
      return index
    } catch (error) {
      if (!(error instanceof ReplacementFailedError)) throw error
      this.#current = { name: old.name, index: error.restored }
      throw error.cause
    }
  }
}

/** Bindings that a shard needs: those of the Worker. */
export interface ShardBindings {
  HASH_LISTS: KVNamespace
  LIST_KEY?: string
}

/** A range of the list, by the banks and segments in it. */
interface LoadedRange {
  name: string
  index: BankIndex
}
