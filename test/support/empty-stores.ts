// Test files in workerd share a runtime, since each start of one takes a second. What one has stored is gone before the next.

import { reset } from 'cloudflare:test'
import { env } from 'cloudflare:workers'

const { HASH_LISTS } = env as unknown as { HASH_LISTS: KVNamespace }

await reset()
// On a busy machine, it sometimes leaves values behind.
for (;;) {
  const { keys } = await HASH_LISTS.list()
  if (keys.length === 0) break
  await Promise.all(keys.map(({ name }) => HASH_LISTS.delete(name)))
}
