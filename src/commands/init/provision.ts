import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import * as v from 'valibot'
import type { CloudflareApi } from '../remote-store.ts'
import { readLogin } from '../stores.ts'
import { PRODUCTION_VARS } from './files.ts'
import type { Answers } from './options.ts'

/** What a deployment needs at Cloudflare, beside its KV namespace. */
export function stepsOf({ name, action, webhook, queue }: Answers): Step[] {
  const bucket = `${name}-quarantine`
  const quarantine: Step[] = [
    { what: 'bucket', args: ['r2', 'bucket', 'create', bucket] },
    {
      what: 'expiry of the bucket',
      args: [
        'r2',
        'bucket',
        'lifecycle',
        'add',
        bucket,
        'expire',
        '--expire-days',
        '31',
        '--force',
      ],
    },
  ]
  const purposes =
    webhook === undefined ? (queue === true ? ['events'] : []) : ['events', 'dead-events']
  const queues = purposes.map((purpose) => ({
    what: 'queue',
    args: ['queues', 'create', `${name}-${purpose}`],
  }))
  return [
    ...(action === 'quarantine' ? quarantine : []),
    ...queues,
    { what: 'secrets', args: ['secret', 'bulk', PRODUCTION_VARS] },
  ]
}

/** A step at Cloudflare: wrangler arguments. */
export interface Step {
  what: string
  args: readonly string[]
}

/** The command that creates the KV namespace by hand. */
export function namespaceStep({ name }: Answers): Step {
  return { what: 'KV namespace', args: ['kv', 'namespace', 'create', titleOf(name)] }
}

function titleOf(name: string): string {
  return `${name}-lists`
}

export function commandOf({ args }: Step): string {
  return `npx wrangler ${args.join(' ')}`
}

/** Whether there is a login or a token for Cloudflare. */
export async function isLoggedIn(): Promise<boolean> {
  if (process.env['CLOUDFLARE_API_TOKEN']) return true
  return readLogin().then(
    () => true,
    () => false,
  )
}

const NamespacesSchema = v.object({
  success: v.literal(true),
  result: v.array(v.object({ id: v.string(), title: v.string() })),
})
const NamespaceSchema = v.object({ success: v.literal(true), result: v.object({ id: v.string() }) })

/** Id of a deployment's KV namespace, which is created if missing. @throws {CloudflareError} */
export async function makeNamespace(
  api: CloudflareApi,
  account: string,
  { name }: Answers,
): Promise<string> {
  const path = `accounts/${encodeURIComponent(account)}/storage/kv/namespaces`
  const query = { per_page: '1000' }
  const { result } = await api.call(NamespacesSchema, 'GET', path, { query })
  const found = result.find(({ title }) => title === titleOf(name))
  if (found) return found.id
  const body = JSON.stringify({ title: titleOf(name) })
  return (await api.call(NamespaceSchema, 'POST', path, { body })).result.id
}

/**
 * Runs a step. Returns what went wrong, if anything. Something that exists already is not a
 * failure.
 */
export async function runStep({ args }: Step, cwd: string): Promise<string | undefined> {
  try {
    await promisify(execFile)(process.execPath, [wranglerPath(), ...args], { cwd })
    return undefined
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    const said = `${stdout}${stderr}`
    if (/already exists|already taken|already own/i.test(said)) return undefined
    return (
      said
        .trim()
        .split('\n')
        .find((line) => /error/i.test(line)) ?? 'wrangler failed'
    )
  }
}

/** Path of the installed wrangler's program. */
export function wranglerPath(): string {
  const manifest = createRequire(import.meta.url).resolve('wrangler/package.json')
  return join(dirname(manifest), 'bin/wrangler.js')
}
