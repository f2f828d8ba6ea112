import { Hono } from 'hono'
import { basicAuth } from 'hono/basic-auth'
import { FAKE_SECRET, FAKE_USER, type FakeProvider } from './state.ts'

/** A list as a file: `/list.csv` and `/list.ndjson`, with basic authentication and an ETag. */
export function fakeList(provider: FakeProvider): Hono {
  const app = new Hono()
  app.use(basicAuth({ username: FAKE_USER, password: FAKE_SECRET }))
  app.get('/:file{list\\.(csv|ndjson)}', async (context) => {
    const rows = provider
      .live()
      .flatMap(({ key, hashes, tier }) =>
        hashes.map(({ kind, value }) => ({ id: `${key}-${kind}`, hash: value, kind, tier })),
      )
    if (provider.take('reorder')) rows.reverse()
    if (provider.take('repeat')) rows.push(...rows.slice(0, 5))
    const isCsv = context.req.param('file').endsWith('.csv')
    const lines = isCsv
      ? [
          'id,hash,kind,tier',
          ...rows.map(({ id, hash, kind, tier }) => [id, hash, kind, tier].join(',')),
        ]
      : rows.map((row) => JSON.stringify(row))
    const text = lines.map((line) => `${line}\n`).join('')
    const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
    const etag = `"${btoa(String.fromCharCode(...new Uint8Array(digest)))}"`
    if (context.req.header('if-none-match') === etag) return context.body(null, 304)
    return context.body(text, 200, {
      etag,
      'content-type': isCsv ? 'text/csv' : 'application/x-ndjson',
    })
  })
  return app
}
