import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify, stripVTControlCharacters } from 'node:util'
import * as v from 'valibot'
import type * as wrangler from 'wrangler'
import { HashgateError } from '../util/errors.ts'
import { parseListKeys, SealedStore } from '../list/sealing.ts'
import { type KvNamespace, KvStore } from '../list/kv-store.ts'
import type { ListStore } from '../list/store.ts'
import { fileErrorText, isFileError, readText } from './file-errors.ts'
import { CloudflareApi, RemoteStore } from './remote-store.ts'

export interface OpenStore {
  store: ListStore
  close: () => Promise<void>
}

export interface StoreOptions {
  /** wrangler's configuration; its usual one if none is given. */
  config?: string
  /** A named environment in it. */
  env?: string
  /** Where wrangler keeps what is local; its usual place if none is given. */
  persistTo?: string
  binding?: string
}

/** Variable of the key that the list is sealed with: of the environment, or for what is local of .dev.vars. */
const KEY_VARIABLE = 'LIST_KEY'

/** Variable that names the account at Cloudflare. */
const ACCOUNT_VARIABLE = 'CLOUDFLARE_ACCOUNT_ID'

/** Binding of the KV namespace in wrangler's configuration, if no other is given. */
export const BINDING = 'HASH_LISTS'

/** What `wrangler auth token --json` prints, unless the login is a global API key. */
const LoginSchema = v.pipe(v.string(), v.parseJson(), v.object({ token: v.string() }))

/** Milliseconds that wrangler may take to renew its login. */
const MAX_LOGIN_MS = 60_000

/** wrangler is not there or said no, or its configuration lacks something. */
export class WranglerError extends HashgateError {
  readonly code = 'wrangler'
}

/** The namespace on this machine, as `wrangler dev` has it. */
export async function openLocalStore(options: StoreOptions): Promise<OpenStore> {
  const { binding } = findNamespace(await readWranglerConfig(options), options)
  const proxy = await openLocal<Record<string, unknown>>(options)
  try {
    const namespace = proxy.env[binding] as KvNamespace
    const key = proxy.env[KEY_VARIABLE] as string | undefined
    const keys = parseListKeys(process.env[KEY_VARIABLE] ?? key)
    tellOtherKey(key)
    return { store: new SealedStore(new KvStore(namespace), keys), close: () => proxy.dispose() }
  } catch (error) {
    await proxy.dispose()
    throw error
  }
}

/** Whether LIST_KEY is being changed. */
export function hasSeveralKeys(): boolean {
  return process.env[KEY_VARIABLE]?.includes(',') === true
}

/** Tells that `wrangler dev` will not be able to read what is sealed with the key of the environment. */
function tellOtherKey(key: string | undefined): void {
  const exported = process.env[KEY_VARIABLE]?.split(',')[0]?.trim()
  if (exported === undefined || key === undefined || key.includes(exported)) return
  console.error(
    `hashgate: using ${KEY_VARIABLE} of the environment; \`wrangler dev\` uses that of .dev.vars, which differs.` +
      ` To use that one here, too: unset ${KEY_VARIABLE}`,
  )
}

/** The bindings of wrangler's configuration on this machine. @throws {WranglerError} */
export async function openLocal<Env>(options: StoreOptions) {
  const { getPlatformProxy } = await importWrangler()
  await readWranglerConfig(options) // getPlatformProxy has errors of its own, and only warns of an unknown environment
  dropClassWarnings()
  return getPlatformProxy<Env>({
    ...(options.config !== undefined && { configPath: options.config }),
    ...(options.env !== undefined && { environment: options.env }),
    // wrangler's own --persist-to names the folder above the version.
    persist: options.persistTo === undefined ? true : { path: join(options.persistTo, 'v3') },
    remoteBindings: false,
  })
}

let isDropping = false

/**
 * workerd warns of each class of Durable Objects, since the Worker that has them does not run here. The commands do not use them, and
 * wrangler has no option that hides it.
 */
function dropClassWarnings(): void {
  if (isDropping) return
  isDropping = true
  const write = process.stderr.write.bind(process.stderr) as (...args: unknown[]) => boolean
  process.stderr.write = (text: unknown, ...rest: unknown[]) =>
    /no such Durable Object class is exported/.test(String(text)) || write(text, ...rest)
}

export async function importWrangler(): Promise<typeof wrangler> {
  process.env['WRANGLER_LOG'] ??= 'error' // what it says otherwise would stand among what the commands print
  try {
    return await import('wrangler')
  } catch (cause) {
    throw new WranglerError('wrangler is not installed: npm install --save-dev wrangler', { cause })
  }
}

/**
 * The namespace at Cloudflare that wrangler's configuration names, with CLOUDFLARE_API_TOKEN or wrangler's login.
 * @throws {WranglerError} there is nothing that tells the namespace, the account or the token
 * @throws {CloudflareError} the token cannot be used, or Cloudflare does not tell its accounts
 */
export async function openRemoteStore(options: StoreOptions): Promise<OpenStore> {
  const keys = parseListKeys(process.env[KEY_VARIABLE])
  const config = await readWranglerConfig(options)
  const namespace = findNamespaceId(config, options)
  const { api, account } = await openAccount(config)
  const store = new SealedStore(new RemoteStore(api, account, namespace), keys)
  return { store, close: async () => {} }
}

/**
 * Cloudflare's API, and the account that is meant.
 * @throws {WranglerError | CloudflareError} as `openRemoteStore` does
 */
export async function openAccount(
  config: wrangler.Unstable_Config,
): Promise<{ api: CloudflareApi; account: string }> {
  const api = new CloudflareApi({
    token: process.env['CLOUDFLARE_API_TOKEN'] || (await readLogin()),
    baseUrl: process.env['CLOUDFLARE_API_BASE_URL'] || undefined,
  })
  const account = process.env[ACCOUNT_VARIABLE] || config.account_id || (await findAccount(api))
  return { api, account }
}

/** wrangler's configuration. @throws {WranglerError} */
export async function readWranglerConfig({
  config,
  env,
}: StoreOptions): Promise<wrangler.Unstable_Config> {
  const { unstable_readConfig } = await importWrangler()
  if (config !== undefined) await checkIsConfig(config)
  const where = { ...(config !== undefined && { config }), ...(env !== undefined && { env }) }
  const read = tryRead(() => unstable_readConfig(where, { hideWarnings: true }))
  if (read.configPath === undefined)
    throw new WranglerError(
      'this folder has no wrangler.jsonc, wrangler.json or wrangler.toml; write one with `hashgate init`, or name another with --config',
    )
  // wrangler would take the settings outside of environments, and so another namespace.
  if (env !== undefined && !read.definedEnvironments?.includes(env))
    throw new WranglerError(
      `${read.configPath} has no environment ${env}; it has ${read.definedEnvironments?.join(', ') || 'none'}`,
    )
  return read
}

/** @throws {WranglerError} there is no such file, or none that wrangler takes for a configuration */
async function checkIsConfig(path: string): Promise<void> {
  if (!/\.(toml|jsonc?)$/.test(path))
    throw new WranglerError(`${path} must be a configuration of wrangler: .jsonc, .json or .toml`)
  try {
    await readText(path)
  } catch (cause) {
    if (!isFileError(cause)) throw cause
    throw new WranglerError(`wrangler's configuration cannot be read: ${fileErrorText(cause)}`, {
      cause,
    })
  }
}

function tryRead<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause)
    throw new WranglerError(
      `wrangler's configuration cannot be read: ${whereWrong(cause)}${problem}`,
      {
        cause,
      },
    )
  }
}

/** File and line of an error of wrangler's parser, before a colon. */
function whereWrong(error: unknown): string {
  const { file, line } = (error as { location?: { file?: string; line?: number } }).location ?? {}
  return file === undefined ? '' : `${file}, line ${line}: `
}

/** @throws {WranglerError} it has none with that binding */
function findNamespace(config: wrangler.Unstable_Config, { binding = BINDING }: StoreOptions) {
  const namespace = config.kv_namespaces.find((one) => one.binding === binding)
  if (namespace) return namespace
  const others = config.kv_namespaces.map((one) => `--binding ${one.binding}`)
  throw new WranglerError(
    `wrangler's configuration has no KV namespace with the binding ${binding}` +
      (others.length > 0 ? `; use ${others.join(' or ')}` : ''),
  )
}

/** @throws {WranglerError} nothing tells the id of the namespace */
export function findNamespaceId(config: wrangler.Unstable_Config, options: StoreOptions): string {
  const { id, binding } = findNamespace(config, options)
  if (id) return id
  throw new WranglerError(
    `wrangler's configuration has no id for the KV namespace with the binding ${binding};` +
      ' `npx wrangler kv namespace list` prints it',
  )
}

/** The token of `wrangler login`; wrangler renews it if that is due. */
export async function readLogin(): Promise<string> {
  // Without --json the token stands below a banner, or nowhere if WRANGLER_LOG hides that.
  const command = ['--no-install', 'wrangler', 'auth', 'token', '--json']
  const env = { ...process.env, WRANGLER_LOG: 'error' }
  let output: string
  try {
    output = (await promisify(execFile)('npx', command, { env, timeout: MAX_LOGIN_MS })).stdout
  } catch (error) {
    // Without a cause: that has all that was printed.
    const stderr = stripVTControlCharacters((error as { stderr?: string }).stderr ?? '').trim()
    throw new WranglerError(`wrangler auth token failed: ${stderr || 'npx could not start it'}`)
  }
  const login = v.safeParse(LoginSchema, output)
  if (login.success) return login.output.token
  throw new WranglerError('wrangler auth token has no token; set CLOUDFLARE_API_TOKEN')
}

/** The account of the token, if it has just one. */
async function findAccount(api: CloudflareApi): Promise<string> {
  const [account, ...others] = await api.accounts()
  if (account !== undefined && others.length === 0) return account
  throw new WranglerError(
    `Cloudflare tells ${account === undefined ? 'no account' : 'several accounts'} of the token;` +
      ` set ${ACCOUNT_VARIABLE}, or account_id in wrangler's configuration`,
  )
}
