import { createHash } from 'node:crypto'
import { within } from '../../util/within.ts'
import type { HappeningOf } from '../../events/schema.ts'
import { DIGEST_KINDS } from '../../list/entry.ts'
import type { WeighedMatch } from '../../policy/banks.ts'
import type { FloodChoice } from '../../policy/schema.ts'
import { needlesOf, type ScannedFile } from '../../scan/scanned.ts'
import type { JudgedFile } from '../verdict.ts'
import {
  type FloodLimits,
  type FloodNote,
  type FloodState,
  NO_FLOOD,
  noteSighting,
  type Sighting,
} from './window.ts'

/** Most entries that an isolate counts for itself. */
const MAX_ENTRIES = 1000
/** Milliseconds in which a counter must answer: an upload waits for it. */
const MAX_WAIT_MS = 2000

/**
 * Reports an entry that matches more distinct uploads an hour than the bound. If the bank's policy
 * says so, the entry then only flags for a while, so that one bad entry does not block a thousand
 * innocent uploads. Files with the same bytes as an entry stay blocked.
 */
export class FloodBreaker {
  readonly #options: FloodOptions
  readonly #states = new Map<string, FloodState>()

  constructor(options: FloodOptions) {
    this.#options = options
  }

  /** Notes the matches of an upload from an address, and marks those whose entries are flooded. */
  async mark(files: readonly JudgedFile[], address: string): Promise<JudgedFile[]> {
    if (this.#options.limits.bound === 0) return [...files]
    return Promise.all(
      files.map(async ({ scanned, matches }) => ({
        scanned,
        matches: await Promise.all(
          matches.map((match) => this.#markMatch(scanned, match, address)),
        ),
      })),
    )
  }

  async #markMatch(
    scanned: ScannedFile,
    match: WeighedMatch,
    address: string,
  ): Promise<WeighedMatch> {
    if (match.isExempt || match.isReview) return match
    if (DIGEST_KINDS.some((kind) => kind === match.probe)) return match
    const name = counterName(match.bank, match.entry)
    const sighting = {
      upload: counterName(name, uploadKey(scanned)),
      network: address === '' ? '' : counterName(name, networkOf(address)),
      at: Date.now(),
    }
    const { isFlooded, hasBegun } = await this.#note(name, sighting)
    if (hasBegun) this.#report(match, sighting.at)
    return isFlooded && this.#options.choiceOf(match.bank) === 'flag'
      ? { ...match, isFlooded }
      : match
  }

  /** Counts across all isolates or, if that fails, in this one. */
  async #note(name: string, sighting: Sighting): Promise<FloodNote> {
    const { limits, counters } = this.#options
    if (!counters) return this.#noteHere(name, sighting)
    try {
      const noting = counters.getByName(name).note(sighting, limits)
      return await within(noting, MAX_WAIT_MS, () => new Error('the counter does not answer'))
    } catch {
      return this.#noteHere(name, sighting)
    }
  }

  #noteHere(name: string, sighting: Sighting): FloodNote {
    const before = this.#states.get(name) ?? NO_FLOOD
    const { state, ...note } = noteSighting(before, sighting, this.#options.limits)
    this.#states.delete(name)
    this.#states.set(name, state) // the last in the map is the latest
    const [oldest] = this.#states.keys()
    if (this.#states.size > MAX_ENTRIES && oldest !== undefined) this.#states.delete(oldest)
    return note
  }

  #report({ bank, entry }: WeighedMatch, at: number): void {
    const { limits, choiceOf, onFlood } = this.#options
    const until = new Date(at + limits.holdMs).toISOString()
    onFlood({ event: 'flood', bank, entry, action: choiceOf(bank), bound: limits.bound, until })
  }
}

/** Durable Objects of class FloodCounter, as they are used. */
export interface FloodNamespace {
  getByName(name: string): { note(sighting: Sighting, limits: FloodLimits): Promise<FloodNote> }
}

export interface FloodOptions {
  /** `bound` 0 sets no limit. */
  limits: FloodLimits
  /** Absent: each isolate counts for itself. */
  counters?: FloodNamespace
  choiceOf: (bank: string) => FloodChoice
  /** Called when an entry begins to match more uploads than it may. */
  onFlood: (event: HappeningOf<'flood'>) => void
}

/** Identifies a file by its content: its digest, or the hash of an image that has none. */
function uploadKey(scanned: ScannedFile): string {
  const hash = needlesOf(scanned)[0]?.hash
  return Buffer.from(scanned.digests?.sha256 ?? hash ?? []).toString('hex')
}

/** The network of an address: what one customer of a provider usually has, 24 bits of IPv4 or 48 of IPv6. */
export function networkOf(address: string): string {
  return address.includes(':')
    ? expandGroups(address).slice(0, 3).join(':')
    : address.split('.').slice(0, 3).join('.')
}

/** Groups of an IPv6 address, including those that `::` stands for. */
function expandGroups(address: string): string[] {
  const [head = '', tail] = address.toLowerCase().split('::')
  const first = head === '' ? [] : head.split(':')
  if (tail === undefined) return first
  const last = tail === '' ? [] : tail.split(':')
  const missing = Math.max(0, 8 - first.length - last.length)
  return [...first, ...Array.from({ length: missing }, () => '0'), ...last]
}

/** A name that reveals nothing about its parts to anyone who reads a counter's storage. */
function counterName(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}
