/**
 * The part of D1 that the desk uses. D1's own types belong to a Worker, and the command line has no
 * such types.
 */
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

/** Maximum bytes of a parameter. D1 allows 2,000,000 in production, and more locally. */
export const MAX_PARAMETER_BYTES = 1_900_000

/** Statements with their parameters, in order. */
export function statements(
  db: Database,
  ...parts: [sql: string, ...values: (string | number | null)[]][]
): Statement[] {
  return parts.map(([sql, ...values]) => {
    const statement = prepared(db, sql)
    return values.length === 0 ? statement : statement.bind(...values)
  })
}

/**
 * Statements by their text: on the command line, each call to D1 waits for a message to another
 * thread.
 */
const PREPARED = new WeakMap<Database, Map<string, Statement>>()

function prepared(db: Database, sql: string): Statement {
  const known = PREPARED.get(db) ?? new Map<string, Statement>()
  PREPARED.set(db, known)
  const statement = known.get(sql) ?? db.prepare(sql)
  known.set(sql, statement)
  return statement
}

/** Rows that a statement returns. Their type follows from its SQL, which nothing can check here. */
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

/** The first row that a statement returns. */
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
