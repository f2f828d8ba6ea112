import { DurableObject } from 'cloudflare:workers'
import { folderOf } from './folder.ts'

/** Milliseconds without a sign of life after which an attempt to finish counts as lost. */
const LEASE_MS = 150_000
/** Least milliseconds for which an upload's end is remembered. Then late parts are deleted. */
const MEMORY_MS = 3_600_000
/** Milliseconds to wait for an upload's answer while nothing changes, and between checks. */
const ANSWER_MS = 10_000
const LOOK_MS = 100
/** Most objects that R2 deletes at once. */
const MAX_DELETED = 1000

const STATE = 'state'
/** By name: the next version may add columns, and both versions run during an upgrade. */
const COLUMNS = 'number, key, bytes, md5'

/**
 * One upload that arrives in parts. Only this object knows how far it is. Parts are put into the
 * bucket first, under unique names, and count once they are recorded here. A part that never is
 * gets deleted with the rest.
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

  /** The state; `undefined` if it never began, or is forgotten. */
  async look(): Promise<UploadState | undefined> {
    return this.#state()
  }

  async parts(): Promise<StagedPart[]> {
    return this.#parts()
  }

  /**
   * Takes parts that follow the earlier ones, or that replace the last one and follow it, if
   * nothing came in between. The part that completes the upload begins an attempt to finish it.
   * Returns the new state, or `undefined` if the parts were not taken.
   * @param at the offset that they were sent for
   * @param ending SHA-256, in hex digits, of their body so far, if the body completes the upload
   */
  async append(at: number, parts: StagedPart[], ending?: string): Promise<UploadState | undefined> {
    const state = this.#state()
    if (state?.phase !== 'open' || state.offset !== at) return undefined
    this.#replace(parts)
    const next = { ...state, ending, offset: this.#bytes() }
    return next.offset === next.facts.length ? this.#beginAttempt(next) : this.#set(next)
  }

  /** Takes a part of an upload whose parts arrive in any order. Returns the problem, if any. */
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

  /** Begins an attempt to finish an upload from the chosen parts. Others are dropped. */
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

  /**
   * Records a sign of life of an attempt. Returns whether it may go on: another may have begun, or
   * the upload may have expired.
   */
  async renew(attempt: number): Promise<boolean> {
    const state = this.#state()
    if (state?.phase !== 'finishing' || state.attempt !== attempt) return false
    this.#set({ ...state, leasedUntil: Date.now() + LEASE_MS })
    return true
  }

  /** Records what became of an attempt: `open` if it may be repeated. */
  async settle(attempt: number, phase: 'done' | 'refused' | 'open'): Promise<void> {
    const state = this.#state()
    if (state?.phase !== 'finishing' || state.attempt !== attempt) return
    if (phase === 'open') this.#reopen(state)
    else await this.#close(state, phase)
  }

  /** Remembers the final answer. */
  async remember(answer: FirstAnswer): Promise<void> {
    const state = this.#state()
    if (state?.phase === 'done' || state?.phase === 'refused') this.#set({ ...state, answer })
  }

  /**
   * Waits while other requests send the rest of an upload or an attempt runs, and then for the
   * answer. Returns the state then, or once nothing has changed for ANSWER_MS.
   */
  async settled(): Promise<UploadState | undefined> {
    let seen = -1
    for (let waited = 0; ; waited += LOOK_MS) {
      const state = this.#state()
      if (!state || state.answer || isOverWithoutAnswer(state)) return state
      if (state.phase === 'finishing' || state.offset !== seen) waited = 0
      if (waited >= ANSWER_MS) return state
      seen = state.offset
      await scheduler.wait(LOOK_MS)
    }
  }

  /** Ends an incomplete upload. Returns whether it was one. */
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

  /** The state. An attempt that was lost has ended. */
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
   * An upload of known length is complete once it has that many bytes, and clients ask how many it
   * has. So the last byte is given up, and they send it again.
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

  /** Replaces the parts with these numbers, and deletes the objects of the old ones. */
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

/** Bindings that a staged upload needs: those of the Worker. */
export interface StagedUploadBindings {
  STAGING: R2Bucket
}

/** What is known about an upload when it begins. */
export interface UploadFacts {
  /** Path and query of the request that the origin gets when the upload is complete. */
  target: string
  /** Headers of that request. */
  headers: Record<string, string>
  /**
   * Length of the whole upload, if known from the start. Parts then follow one another, and the
   * last one completes it.
   */
  length?: number
  /** Its owner, if only one client may continue it. */
  owner?: string
}

/** A part in the bucket. Its object may be longer: only `bytes` of it count. */
export interface StagedPart {
  number: number
  key: string
  bytes: number
  /** In hex digits; empty where it is not needed. */
  md5: string
}

/**
 * `open`: takes parts. `finishing`: complete, and being judged. `done`: the origin has it.
 * `refused`, `expired`, `ended` by the client: its parts are deleted.
 */
export type UploadPhase = 'open' | 'finishing' | 'done' | 'refused' | 'expired' | 'ended'

/** The answer to the request that completed an upload. */
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
  /** When its parts are deleted unless it is complete, in milliseconds since 1970. */
  expiresAt: number
  /** Number of attempts to finish it. */
  attempt: number
  /** When the last attempt counts as lost, in milliseconds since 1970. */
  leasedUntil: number
  /** SHA-256, in hex digits, of the body that completed the upload, if its length was stated. */
  ending?: string | undefined
  /** Sent again if the client did not receive it. */
  answer?: FirstAnswer
}

/** Limits of an upload without a stated length. */
export interface PartLimits {
  maxBytes: number
  maxParts: number
}

/** A part that a client names to complete an upload. */
export interface ChosenPart {
  number: number
  md5: string
}

export type PartProblem = 'not-open' | 'too-large' | 'too-many'
export type ChoiceProblem = 'not-open' | 'invalid-part' | 'invalid-order' | 'too-small'

type PartRow = { [name in keyof StagedPart]: StagedPart[name] }

/** Whether no answer will come: the attempt failed, or there was none. */
function isOverWithoutAnswer({ phase, attempt }: UploadState): boolean {
  return phase === 'expired' || phase === 'ended' || (phase === 'open' && attempt > 0)
}
