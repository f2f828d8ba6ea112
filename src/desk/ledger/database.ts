/** What is used of D1. Its own types are those of a Worker, and the command line has none. */
export interface Database {
  prepare(sql: string): Statement
  /** Runs statements as one transaction. */
  batch<T = unknown>(statements: Statement[]): Promise<{ results: T[] }[]>
}

export interface Statement {
  bind(...values: (string | number | null)[]): Statement
  all<T = unknown>(): Promise<{ results: T[] }>
  first<T = unknown>(): Promise<T | null>
  run(): Promise<unknown>
}

/** Bytes of a parameter at most. D1 allows 2,000,000 in production, and more locally. */
export const MAX_PARAMETER_BYTES = 1_900_000

/** Statements with their parameters, one behind the other. */
export function statements(
  db: Database,
  ...parts: [sql: string, ...values: (string | number | null)[]][]
): Statement[] {
  return parts.map(([sql, ...values]) => db.prepare(sql).bind(...values))
}
