import { gate } from 'hashgate'
import { Hono } from 'hono'

type Env = { Bindings: { LISTS: KVNamespace; LIST_KEY: string; FILES: R2Bucket } }

const app = new Hono<Env>()

app.use('/files/*', gate<Env>({ hashLists: (env) => env.LISTS, listKey: (env) => env.LIST_KEY }))

app.put('/files/:name', async (c) => {
  await c.env.FILES.put(c.req.param('name'), await c.req.arrayBuffer())
  return c.text('stored', 201)
})

export default app
