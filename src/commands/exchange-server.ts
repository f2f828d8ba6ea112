import { serve } from '@hono/node-server'
import { createExchangeServer } from '../desk/fake/server.ts'
import { seed } from '../desk/fake/seed.ts'
import { FAKE_GROUP, FAKE_SECRET, FAKE_TOKEN, FAKE_USER } from '../desk/fake/state.ts'

/**
 * `hashgate dev exchange`: fakes all providers on loopback, with the demo's pictures listed, until
 * interrupted.
 */
export async function devExchange({ port }: { port: number }): Promise<boolean> {
  const exchanges = createExchangeServer()
  seed(exchanges)
  const { app } = exchanges
  await new Promise<void>((resolve) => {
    const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, ({ port: bound }) => {
      const base = `http://127.0.0.1:${bound}`
      console.log(`exchange server at ${base}, until it is interrupted`)
      console.log(
        `  bases     ${base}/ncmec, ${base}/stopncii/v1, ${base}/tcap, ${base}/graph/v21.0`,
      )
      console.log(`  shield    ${base}/shield/v1/pdq/`)
      console.log(`  file      ${base}/list/list.csv, list.ndjson`)
      console.log(
        `  user      ${FAKE_USER}, secret ${FAKE_SECRET} (functions key: ${FAKE_SECRET}-f)`,
      )
      console.log(`  graph     group ${FAKE_GROUP}, token ${FAKE_TOKEN}`)
      console.log(
        `  control   POST /_records/NAME, DELETE /_records/NAME/KEY, POST /_fault/NAME, POST /_clock`,
      )
    })
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => server.close(() => resolve()))
    }
  })
  return true
}
