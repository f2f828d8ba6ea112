/** Remembers what a service did not know, under names derived from hashes with a key. */
export interface Negatives {
  has(name: string): Promise<boolean>
  add(name: string, seconds: number): Promise<void>
}

interface NamedCache {
  match(url: string): Promise<Response | undefined>
  put(url: string, response: Response): Promise<void>
}

/** Most names that an isolate remembers itself. */
const MAX_NAMES = 4096

/**
 * Remembers in the isolate and in the cache of its data centre. What is lost is queried again.
 * @param openCache opens the cache; it may fail, as on a host without one
 */
export class CachedNegatives implements Negatives {
  readonly #openCache: () => Promise<NamedCache>
  readonly #now: () => number
  /** When each name expires, the oldest first. */
  readonly #names = new Map<string, number>()

  constructor(openCache: () => Promise<NamedCache>, now: () => number) {
    this.#openCache = openCache
    this.#now = now
  }

  async has(name: string): Promise<boolean> {
    const until = this.#names.get(name)
    if (until !== undefined && until > this.#now()) return true
    try {
      const found = await (await this.#openCache()).match(urlOf(name))
      await found?.body?.cancel()
      return found !== undefined
    } catch {
      return false
    }
  }

  async add(name: string, seconds: number): Promise<void> {
    if (seconds === 0) return
    this.#names.delete(name)
    this.#names.set(name, this.#now() + seconds * 1000)
    for (const oldest of this.#names.keys()) {
      if (this.#names.size <= MAX_NAMES) break
      this.#names.delete(oldest)
    }
    try {
      const headers = { 'cache-control': `max-age=${seconds}` }
      await (await this.#openCache()).put(urlOf(name), new Response('', { headers }))
    } catch {
      // It is queried again.
    }
  }
}

/** A reserved host (RFC 2606). */
function urlOf(name: string): string {
  return `https://hashgate.invalid/not-known/${name}`
}
