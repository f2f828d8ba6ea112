/** What is used of D1. Its own types are those of a Worker, and the command line has none. */
export interface Database {
  prepare(sql: string): Statement
  /** Runs statements as one transaction. */
  batch(statements: Statement[]): Promise<{ results: unknown[] }[]>
}

export interface Statement {
  bind(...values: (string | number | null)[]): Statement
  all(): Promise<{ results: unknown[] }>
  first(): Promise<unknown>
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

/** Rows that a statement gives. What they are follows from its SQL, which nothing can check here. */
export async function rowsOf<Row>(
  db: Database,
  sql: string,
  ...values: (string | number | null)[]
): Promise<Row[]> {
  return (
    await db
      .prepare(sql)
      .bind(...values)
      .all()
  ).results as Row[]
}

/** The first row that a statement gives. */
export async function rowOf<Row>(
  db: Database,
  sql: string,
  ...values: (string | number | null)[]
): Promise<Row | undefined> {
  return (
    ((await db
      .prepare(sql)
      .bind(...values)
      .first()) as Row | null) ?? undefined
  )
}
