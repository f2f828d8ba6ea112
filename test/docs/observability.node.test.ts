// Queries of docs/observability.md and of its dashboard, held to what the Worker writes.

import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { analyticsSink } from '../../src/events/analytics.ts'
import type { GateEvent } from '../../src/events/schema.ts'

const docs = new URL('../../docs/', import.meta.url)
const read = (name: string) => readFile(new URL(name, docs), 'utf8')

const queries = [...(await read('observability.md')).matchAll(/```sql\n(.*?)```/gs)].map(
  ([, sql = '']) => sql.trim(),
)

/** Columns of a data point that the sink writes. */
function columns(): Set<string> {
  const found = new Set(['timestamp', '_sample_interval'])
  const writeDataPoint = ({ indexes, blobs, doubles }: AnalyticsEngineDataPoint = {}) => {
    for (const [name, values] of Object.entries({ index: indexes, blob: blobs, double: doubles }))
      values?.forEach((_, i) => found.add(`${name}${i + 1}`))
  }
  const event = { event: 'verdict', action: 'allow', reason: 'no-match', files: [] } as unknown
  analyticsSink({ writeDataPoint })(event as GateEvent)
  return found
}

describe('docs/observability.md', () => {
  it('has queries over columns that the Worker writes', () => {
    expect(queries.length).toBeGreaterThan(4)
    const known = columns()
    for (const query of queries)
      for (const [name] of query.matchAll(/\b(?:blob|double|index)\d+\b/g))
        expect(known, query).toContain(name)
  })

  it('asks for actions and reasons that the schema of events has', async () => {
    const schema = await read('schema/events-v1.json')
    for (const query of queries)
      for (const [, list = ''] of query.matchAll(/blob[12] (?:=|!=|IN) \(?((?:'[\w-]+'(?:, )?)+)/g))
        for (const [, value] of list.matchAll(/'([\w-]+)'/g)) expect(schema).toContain(`"${value}"`)
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
