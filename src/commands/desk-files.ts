/** The desk's wrangler configuration. */
export const DESK_CONFIG = 'wrangler.desk.toml'

/** The desk's Worker, for a folder without one. */
export const DESK_ENTRY = { name: 'desk.ts', text: "export { default } from 'hashgate/desk'\n" }

/** The desk's configuration, for a folder without one. */
export const DESK_TEMPLATE = `# The desk: reads hash lists from their sources, and publishes them to the gate.
#
#   npx wrangler d1 create hashgate-ledger                          # put its id below
#   npx wrangler queues create hashgate-sync
#   npx wrangler secret put DESK_KEY --config ${DESK_CONFIG}    # \`npx hashgate list key\` makes one
#   npx wrangler secret put LIST_KEY --config ${DESK_CONFIG}    # the gate's
#   npx wrangler secret put DESK_TOKEN --config ${DESK_CONFIG}  # 32 characters or more: opens /status
#   npx wrangler deploy --config ${DESK_CONFIG}

name = "hashgate-desk"
main = "${DESK_ENTRY.name}"
compatibility_date = "2026-10-20"
compatibility_flags = ["nodejs_compat"]

[triggers]
crons = ["*/5 * * * *"]

[limits]
cpu_ms = 300_000

# The gate's namespace: put its id here.
[[kv_namespaces]]
binding = "HASH_LISTS"

[[d1_databases]]
binding = "LEDGER"
database_name = "hashgate-ledger"

[[queues.producers]]
binding = "SYNC_QUEUE"
queue = "hashgate-sync"

# One source at a time: a run takes what an invocation may.
[[queues.consumers]]
queue = "hashgate-sync"
max_batch_size = 1
max_batch_timeout = 1
max_retries = 10
`
