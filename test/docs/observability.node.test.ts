// Queries of docs/observability.md and of its dashboard, held to what the Worker writes.

import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'

const docs = new URL('../../docs/', import.meta.url)
const read = (name: string) => readFile(new URL(name, docs), 'utf8')

const queries = [...(await read('observability.md')).matchAll(/```sql\n(.*?)```/gs)].map(
  ([, sql = '']) => sql.trim(),
)

/** Columns that docs/events.md says the Worker writes; test/events/sinks.test.ts holds the Worker to them. */
async function columns(): Promise<Set<string>> {
  const table = (await read('events.md')).match(/^\| `(?:index|blob|double)\d.*$/gm) ?? []
  return new Set(table.flatMap((row) => row.match(/\b(?:blob|double|index)\d+\b/g) ?? []))
}

describe('docs/observability.md', () => {
  it('has queries over columns that the Worker writes', async () => {
    expect(queries.length).toBeGreaterThan(4)
    const known = await columns()
    for (const query of queries)
      for (const [name] of query.matchAll(/\b(?:blob|double|index)\d+\b/g))
        expect(known, `in ${query}`).toContain(name)
  })

  it('asks for actions and reasons that the schema of events has', async () => {
    const schema = await read('schema/events-v1.json')
    const lists = queries.flatMap((query) => [
      ...query.matchAll(/blob[12] (?:=|!=|IN) \(?((?:'[\w-]+'(?:, )?)+)/g),
    ])
    const values = lists.flatMap(([, list = '']) => [...list.matchAll(/'([\w-]+)'/g)])
    expect(values.length).toBeGreaterThan(4)
    for (const [, value] of values) expect(schema).toContain(`"${value}"`)
  })

  it('names the dataset of wrangler.toml', async () => {
    const config = await read('../wrangler.toml')
    expect(config).toContain('dataset = "hashgate_verdicts"')
    for (const query of queries) expect(query).toContain('FROM hashgate_verdicts')
  })

  it('has a dashboard of the same queries', async () => {
    const { panels } = JSON.parse(await read('observability/grafana.json')) as {
      panels: { title: string; targets: { rawSql: string }[] }[]
    }
    expect(panels.map(({ targets }) => targets[0]?.rawSql)).toEqual(queries)
  })
})
