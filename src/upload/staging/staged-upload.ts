import { DurableObject } from 'cloudflare:workers'
import { folderOf } from './folder.ts'

/** Bindings that a staged upload needs: those of the Worker. */
export interface StagedUploadBindings {
  STAGING: R2Bucket
}

/** What is said of an upload when it is begun. */
export interface UploadFacts {
  /** Path and query of the request that the origin gets when the upload is whole. */
  target: string
  /** Headers of that request. */
  headers: Record<string, string>
  /** Length of the whole upload, if it is known at the start: parts then follow one another, and the last one completes it. */
  length?: number
  /** Whose it is, if only one client may go on with it. */
  owner?: string
}

/** A part that lies in the bucket. Its object may be longer: only `bytes` of it count. */
export interface StagedPart {
  number: number
  key: string
  bytes: number
  /** In hex digits; empty where nobody asks for it. */
  md5: string
}

/**
 * `open`: takes parts. `finishing`: whole, and judged. `done`: the origin has it. `refused`, `expired`, `ended` by the client:
 * its parts are deleted.
 */
export type UploadPhase = 'open' | 'finishing' | 'done' | 'refused' | 'expired' | 'ended'

/** What the request that completed an upload was answered. */
export interface FirstAnswer {
  status: number
  headers: Record<string, string>
  body: string
}

export interface UploadState {
  phase: UploadPhase
  facts: UploadFacts
  /** Bytes of all its parts. */
  offset: number
  /** Milliseconds since 1970 at which its parts are deleted if it is not whole. */
  expiresAt: number
  /** Counts how often it was tried to finish it. */
  attempt: number
  /** Until when the last attempt counts as going on, in milliseconds since 1970. */
  leasedUntil: number
  /** Given again if the client did not hear it. */
  answer?: FirstAnswer
}

/** Bounds of an upload whose length is not told beforehand. */
export interface PartLimits {
  maxBytes: number
  maxParts: number
}

/** What a client names to complete an upload with. */
export interface ChosenPart {
  number: number
  md5: string
}

export type PartProblem = 'not-open' | 'too-large' | 'too-many'
export type ChoiceProblem = 'not-open' | 'invalid-part' | 'invalid-order' | 'too-small'

/** How long nobody hears of an attempt to finish before it counts as lost. */
const LEASE_MS = 150_000
/** How long it is remembered at least what became of an upload, and until late parts of it are deleted. */
const MEMORY_MS = 3_600_000
/** Objects that R2 deletes at once. */
const MAX_DELETED = 1000

const STATE = 'state'
/** By name: the version after this one may add others, and both run during an upgrade. */
const COLUMNS = 'number, key, bytes, md5'
type PartRow = { [name in keyof StagedPart]: StagedPart[name] }

/**
 * One upload that comes in parts: the only one who knows how far it is. Parts are put into the bucket first, under names of their
 * own, and count once they are recorded here; a part that never is gets deleted with the rest.
 */
export class StagedUpload extends DurableObject<StagedUploadBindings> {
  readonly #sql = this.ctx.storage.sql

  async begin(facts: UploadFacts, expiresAt: number): Promise<UploadState> {
    this.#sql.exec(
      'CREATE TABLE parts (number INTEGER PRIMARY KEY, key TEXT, bytes INTEGER, md5 TEXT)',
    )
    const isWhole = facts.length === 0
    const state = this.#set({
      phase: isWhole ? 'finishing' : 'open',
      facts,
      offset: 0,
      expiresAt,
      attempt: isWhole ? 1 : 0,
      leasedUntil: isWhole ? Date.now() + LEASE_MS : 0,
    })
    await this.ctx.storage.setAlarm(expiresAt)
    return state
  }

  /** How it stands; `undefined` if it was never begun, or is forgotten. */
  async look(): Promise<UploadState | undefined> {
    return this.#state()
  }

  async parts(): Promise<StagedPart[]> {
    return this.#parts()
  }

  /**
   * Takes parts that follow what is there, or take the place of the last one and follow it, if nothing came in between. The part
   * that completes the upload begins an attempt to finish it. Returns how it stands then, or `undefined` if they were not taken.
   * @param at the offset that they were sent for
   */
  async append(at: number, parts: StagedPart[]): Promise<UploadState | undefined> {
    const state = this.#state()
    if (state?.phase !== 'open' || state.offset !== at) return undefined
    this.#replace(parts)
    state.offset = this.#bytes()
    return state.offset === state.facts.length ? this.#beginAttempt(state) : this.#set(state)
  }

  /** Takes a part of an upload whose parts come in any order. Returns why not. */
  async put(part: StagedPart, limits: PartLimits): Promise<PartProblem | undefined> {
    const state = this.#state()
    if (state?.phase !== 'open') return 'not-open'
    const others = this.#parts().filter(({ number }) => number !== part.number)
    const bytes = others.reduce((sum, other) => sum + other.bytes, part.bytes)
    if (bytes > limits.maxBytes) return 'too-large'
    if (others.length >= limits.maxParts) return 'too-many'
    this.#replace([part])
    this.#set({ ...state, offset: bytes })
    return undefined
  }

  /** Begins an attempt to finish an upload of the parts that are chosen; others are dropped. */
  async complete(
    chosen: ChosenPart[],
    minBytes: number,
  ): Promise<UploadState | { problem: ChoiceProblem }> {
    const state = this.#state()
    if (state?.phase !== 'open') return { problem: 'not-open' }
    const parts = new Map(this.#parts().map((part) => [part.number, part]))
    if (chosen.some(({ number }, i) => i > 0 && number <= (chosen[i - 1]?.number ?? 0)))
      return { problem: 'invalid-order' }
    if (chosen.length === 0 || chosen.some(({ number, md5 }) => parts.get(number)?.md5 !== md5))
      return { problem: 'invalid-part' }
    const isSmall = ({ number }: ChosenPart) => (parts.get(number)?.bytes ?? 0) < minBytes
    if (chosen.slice(0, -1).some(isSmall)) return { problem: 'too-small' }
    const kept = new Set(chosen.map(({ number }) => number))
    this.#drop([...parts.values()].filter(({ number }) => !kept.has(number)))
    return this.#beginAttempt({ ...state, offset: this.#bytes() })
  }

  /** Records a sign of life of an attempt. Returns whether it may go on: another may have begun, or the upload have expired. */
  async renew(attempt: number): Promise<boolean> {
    const state = this.#state()
    if (state?.phase !== 'finishing' || state.attempt !== attempt) return false
    this.#set({ ...state, leasedUntil: Date.now() + LEASE_MS })
    return true
  }

  /** Tells what became of an attempt: `open` for one that may be repeated. */
  async settle(attempt: number, phase: 'done' | 'refused' | 'open'): Promise<void> {
    const state = this.#state()
    if (state?.phase !== 'finishing' || state.attempt !== attempt) return
    if (phase === 'open') this.#reopen(state)
    else await this.#close(state, phase)
  }

  /** Remembers what was answered when it was over. */
  async remember(answer: FirstAnswer): Promise<void> {
    const state = this.#state()
    if (state?.phase === 'done' || state?.phase === 'refused') this.#set({ ...state, answer })
  }

  /** Ends an upload that is not whole. Returns whether it was one. */
  async end(): Promise<boolean> {
    const state = this.#state()
    if (state?.phase !== 'open') return false
    await this.#close(state, 'ended')
    return true
  }

  override async alarm(): Promise<void> {
    const state = this.#state()
    if (state?.phase === 'finishing') {
      await this.ctx.storage.setAlarm(state.leasedUntil + 1000)
    } else if (state?.phase === 'open') {
      await this.#close(state, 'expired')
    } else {
      await this.#deleteObjects()
      await this.ctx.storage.deleteAll()
    }
  }

  /** The state; an attempt that was lost is over. */
  #state(): UploadState | undefined {
    const state = this.ctx.storage.kv.get<UploadState>(STATE)
    return state?.phase === 'finishing' && state.leasedUntil < Date.now()
      ? this.#reopen(state)
      : state
  }

  #set(state: UploadState): UploadState {
    this.ctx.storage.kv.put(STATE, state)
    return state
  }

  #beginAttempt(state: UploadState): UploadState {
    const leasedUntil = Date.now() + LEASE_MS
    return this.#set({ ...state, phase: 'finishing', attempt: state.attempt + 1, leasedUntil })
  }

  /**
   * An upload whose length was told beforehand is whole once it is as long, which clients ask for: so the last byte is given up,
   * and they send it again.
   */
  #reopen(state: UploadState): UploadState {
    const last = this.#parts().at(-1)
    if (state.facts.length !== undefined && last) {
      if (last.bytes > 1) this.#replace([{ ...last, bytes: last.bytes - 1 }])
      else this.#drop([last])
    }
    return this.#set({ ...state, phase: 'open', offset: this.#bytes() })
  }

  async #close(state: UploadState, phase: UploadPhase): Promise<void> {
    this.#sql.exec('DELETE FROM parts')
    this.#set({ ...state, phase, facts: { ...state.facts, headers: {} } })
    await this.ctx.storage.setAlarm(Math.max(state.expiresAt, Date.now() + MEMORY_MS))
    await this.#deleteObjects()
  }

  async #deleteObjects(): Promise<void> {
    const prefix = folderOf(this.ctx.id.toString())
    for (;;) {
      const { objects } = await this.env.STAGING.list({ prefix, limit: MAX_DELETED })
      if (objects.length === 0) return
      await this.env.STAGING.delete(objects.map(({ key }) => key))
    }
  }

  #parts(): StagedPart[] {
    return this.#sql.exec<PartRow>(`SELECT ${COLUMNS} FROM parts ORDER BY number`).toArray()
  }

  #bytes(): number {
    return this.#parts().reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Puts parts in the place of those with their numbers, whose objects nobody needs any more. */
  #replace(parts: readonly StagedPart[]): void {
    const keys = new Set(parts.map(({ key }) => key))
    const numbers = new Set(parts.map(({ number }) => number))
    this.#drop(this.#parts().filter(({ number, key }) => numbers.has(number) && !keys.has(key)))
    for (const { number, key, bytes, md5 } of parts) {
      const insert = `INSERT OR REPLACE INTO parts (${COLUMNS}) VALUES (?, ?, ?, ?)`
      this.#sql.exec(insert, number, key, bytes, md5)
    }
  }

  #drop(parts: readonly StagedPart[]): void {
    if (parts.length === 0) return
    for (const { number } of parts) this.#sql.exec('DELETE FROM parts WHERE number = ?', number)
    const keys = parts.map(({ key }) => key)
    for (let at = 0; at < keys.length; at += MAX_DELETED) {
      this.ctx.waitUntil(this.env.STAGING.delete(keys.slice(at, at + MAX_DELETED)))
    }
  }
}
