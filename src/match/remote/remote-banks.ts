import type { ScannedFile } from '../../scan/scanned.ts'
import { type Match, nearestMatches } from '../match.ts'
import type { RemoteBank, RemoteFailure } from './remote-bank.ts'
import type { LaterQuestions, Recheck } from './later.ts'

export class RemoteBanks {
  readonly #banks: readonly RemoteBank[]
  readonly #later: LaterQuestions

  constructor(banks: readonly RemoteBank[], later: LaterQuestions) {
    this.#banks = banks
    this.#later = later
  }

  get names(): string[] {
    return this.#banks.map(({ name }) => name)
  }

  /** What the services know about files: one call each, all at once. Never throws. */
  async ask(files: readonly ScannedFile[]): Promise<RemoteAnswers> {
    const answers = await Promise.all(this.#banks.map((bank) => bank.ask(files)))
    return {
      matches: files.map((_, i) =>
        nearestMatches(answers.flatMap(({ matches }) => matches[i] ?? [])),
      ),
      failures: answers.flatMap(({ failure }) => (failure ? [failure] : [])),
    }
  }

  /** Keeps what a bank gave no answer for, to ask again later. Never throws. */
  keepForLater(caseId: string, failure: RemoteFailure): Promise<void> {
    return this.#later.keep(caseId, failure)
  }

  /** Asks again about what is kept for later. Never throws. */
  async askAgain(): Promise<Recheck[]> {
    const rechecks: Recheck[] = []
    for (const bank of this.#banks) rechecks.push(...(await this.#later.askAgain(bank)))
    return rechecks
  }
}

/** What all remote banks know about some files. */
export interface RemoteAnswers {
  /** For each file, in order. */
  matches: Match[][]
  failures: RemoteFailure[]
}
