// The desk in workerd: a request is one run, like a queue message in a deployment.

import { runSource } from '../src/desk/desk.ts'
import type { Database, Statement } from '../src/desk/ledger/database.ts'
import { Ledger } from '../src/desk/ledger/ledger.ts'
import { readDeskSettings } from '../src/desk/settings.ts'
import { EntryGuard } from '../src/list/entry-guard.ts'
import { type KvNamespace, KvStore } from '../src/list/kv-store.ts'
import { parseListKeys, SealedStore } from '../src/list/sealing.ts'

interface Bindings {
  LEDGER: Database
  HASH_LISTS: KvNamespace
  LIST_KEY: string
  DESK_KEY: string
  DESK: string
  NCMEC_PASSWORD: string
}

/** What a run did. */
export interface RunAnswer {
  isComplete: boolean
  rowsWritten: number
  error?: string
}

/** Counts the rows that D1 reports as written. */
class CountedDatabase implements Database {
  written = 0
  readonly #inner: Database

  constructor(inner: Database) {
    this.#inner = inner
  }

  prepare(sql: string): Statement {
    return this.#inner.prepare(sql)
  }

  async batch(statements: Statement[]): Promise<{ results: unknown[] }[]> {
    const results = await this.#inner.batch(statements)
    for (const { meta } of results as { meta?: { rows_written?: number } }[]) {
      this.written += meta?.rows_written ?? 0
    }
    return results
  }
}

export default {
  async fetch(request: Request, env: Bindings): Promise<Response> {
    const { now } = (await request.json()) as { now: number }
    const db = new CountedDatabase(env.LEDGER)
    const { sync, publication, error } = await runSource(
      {
        settings: readDeskSettings(env),
        ledger: await Ledger.open(db, env.DESK_KEY),
        store: new SealedStore(new KvStore(env.HASH_LISTS), parseListKeys(env.LIST_KEY)),
        guard: new EntryGuard(new Uint8Array(0)), // the guard is for pictures, and these are digests
        env,
        world: { fetch: (asked) => fetch(asked), now: () => now, sleep: async () => {} },
        report: () => {},
      },
      'ncmec',
    )
    const answer: RunAnswer = {
      isComplete: sync.state === 'complete' && publication?.isComplete === true,
      rowsWritten: db.written,
      ...(error && { error: error.message }),
    }
    return Response.json(answer)
  },
}
