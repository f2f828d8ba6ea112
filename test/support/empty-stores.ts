// Test files in workerd share a runtime, since each start of one takes a second. What one has stored is gone before the next.

import { reset } from 'cloudflare:test'

await reset()
