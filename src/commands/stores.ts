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

/** Variable with the key that seals the list: from the environment, or locally from .dev.vars. */
const KEY_VARIABLE = 'LIST_KEY'

/** Variable that names the account at Cloudflare. */
const ACCOUNT_VARIABLE = 'CLOUDFLARE_ACCOUNT_ID'

/** Default binding of the KV namespace in wrangler's configuration. */
export const BINDING = 'HASH_LISTS'

/** Output of `wrangler auth token --json`, unless the login is a global API key. */
const LoginSchema = v.pipe(v.string(), v.parseJson(), v.object({ token: v.string() }))

/** Milliseconds allowed for wrangler to renew its login. */
const MAX_LOGIN_MS = 60_000

/** The local namespace, as `wrangler dev` has it. */
export async function openLocalStore(options: StoreOptions): Promise<OpenStore> {
  const { binding } = findNamespace(await readWranglerConfig(options), options)
  const proxy = await openLocal<Record<string, unknown>>(options)
  try {
    const namespace = proxy.env[binding] as KvNamespace
    const key = proxy.env[KEY_VARIABLE] as string | undefined
    const keys = parseListKeys(process.env[KEY_VARIABLE] ?? key)
    warnOfOtherKey(key)
    return { store: new SealedStore(new KvStore(namespace), keys), close: () => proxy.dispose() }
  } catch (error) {
    await proxy.dispose()
    throw error
  }
}

export interface OpenStore {
  store: ListStore
  close: () => Promise<void>
}

export interface StoreOptions {
  /** wrangler's configuration; its usual file by default. */
  config?: string
  /** A named environment in it. */
  env?: string
  /** Where wrangler keeps local data; its usual place by default. */
  persistTo?: string
  binding?: string
}

/** wrangler is missing or failed, or its configuration lacks something. */
export class WranglerError extends HashgateError {
  readonly code = 'wrangler'
}

/** Uses something that was opened, and closes it. */
export async function closing<Opened extends { close: () => Promise<void> }, T>(
  opened: Opened,
  use: (opened: Opened) => T | Promise<T>,
): Promise<T> {
  try {
    return await use(opened)
  } finally {
    await opened.close()
  }
}

/** Whether a change of LIST_KEY is under way. */
export function hasSeveralKeys(): boolean {
  return process.env[KEY_VARIABLE]?.includes(',') === true
}

/** Warns that `wrangler dev` cannot read what is sealed with the environment's key. */
function warnOfOtherKey(key: string | undefined): void {
  const exported = process.env[KEY_VARIABLE]?.split(',')[0]?.trim()
  if (exported === undefined || key === undefined || key.includes(exported)) return
  console.error(
    `hashgate: using ${KEY_VARIABLE} of the environment; \`wrangler dev\` uses that of .dev.vars, which differs.` +
      ` To use that one here, too: unset ${KEY_VARIABLE}`,
  )
}

/** The local bindings of wrangler's configuration. @throws {WranglerError} */
export async function openLocal<Env>(options: StoreOptions) {
  const { getPlatformProxy } = await importWrangler()
  await readWranglerConfig(options) // getPlatformProxy reports errors differently, and only warns about an unknown environment
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
 * Drops workerd's warnings about Durable Object classes: the Worker that defines them does not run
 * here. The commands do not use them, and wrangler has no option to hide the warnings.
 */
function dropClassWarnings(): void {
  if (isDropping) return
  isDropping = true
  const write = process.stderr.write.bind(process.stderr) as (...args: unknown[]) => boolean
  process.stderr.write = (text: unknown, ...rest: unknown[]) =>
    /no such Durable Object class is exported/.test(String(text)) || write(text, ...rest)
}

export async function importWrangler(): Promise<typeof wrangler> {
  process.env['WRANGLER_LOG'] ??= 'error' // its other messages would mix with the commands' output
  try {
    return await import('wrangler')
  } catch (cause) {
    throw new WranglerError('wrangler is not installed: npm install --save-dev wrangler', { cause })
  }
}

/**
 * The namespace at Cloudflare named in wrangler's configuration, through CLOUDFLARE_API_TOKEN or
 * wrangler's login.
 * @throws {WranglerError} the namespace, the account or the token is unknown
 * @throws {CloudflareError} the token is unusable, or Cloudflare does not list its accounts
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
 * Cloudflare's API, and the account to use.
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
  // wrangler would fall back to the top-level settings, and so to another namespace.
  if (env !== undefined && !read.definedEnvironments?.includes(env))
    throw new WranglerError(
      `${read.configPath} has no environment ${env}; it has ${read.definedEnvironments?.join(', ') || 'none'}`,
    )
  return read
}

/** @throws {WranglerError} the file is missing, or wrangler would not read it as a configuration */
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

/** File and line of a wrangler parser error, followed by a colon. */
function whereWrong(error: unknown): string {
  const { file, line } = (error as { location?: { file?: string; line?: number } }).location ?? {}
  return file === undefined ? '' : `${file}, line ${line}: `
}

/** @throws {WranglerError} the configuration has no such binding */
function findNamespace(config: wrangler.Unstable_Config, { binding = BINDING }: StoreOptions) {
  const namespace = config.kv_namespaces.find((one) => one.binding === binding)
  if (namespace) return namespace
  const others = config.kv_namespaces.map((one) => `--binding ${one.binding}`)
  throw new WranglerError(
    `wrangler's configuration has no KV namespace with the binding ${binding}` +
      (others.length > 0 ? `; use ${others.join(' or ')}` : ''),
  )
}

/** @throws {WranglerError} the namespace's id is missing */
function findNamespaceId(config: wrangler.Unstable_Config, options: StoreOptions): string {
  const { id, binding } = findNamespace(config, options)
  if (id) return id
  throw new WranglerError(
    `wrangler's configuration has no id for the KV namespace with the binding ${binding};` +
      ' `npx wrangler kv namespace list` prints it',
  )
}

/** The token of `wrangler login`, which wrangler renews if necessary. */
export async function readLogin(): Promise<string> {
  // Without --json the token follows a banner, or is missing if WRANGLER_LOG hides it.
  const command = ['--no-install', 'wrangler', 'auth', 'token', '--json']
  const env = { ...process.env, WRANGLER_LOG: 'error' }
  let output: string
  try {
    output = (await promisify(execFile)('npx', command, { env, timeout: MAX_LOGIN_MS })).stdout
  } catch (error) {
    // No cause: it would contain everything that was printed.
    const stderr = stripVTControlCharacters((error as { stderr?: string }).stderr ?? '').trim()
    throw new WranglerError(`wrangler auth token failed: ${stderr || 'npx could not start it'}`)
  }
  const login = v.safeParse(LoginSchema, output)
  if (login.success) return login.output.token
  throw new WranglerError('wrangler auth token has no token; set CLOUDFLARE_API_TOKEN')
}

/** The token's account, if it has exactly one. */
async function findAccount(api: CloudflareApi): Promise<string> {
  const [account, ...others] = await api.accounts()
  if (account !== undefined && others.length === 0) return account
  throw new WranglerError(
    `Cloudflare lists ${account === undefined ? 'no account' : 'several accounts'} for the token;` +
      ` set ${ACCOUNT_VARIABLE}, or account_id in wrangler's configuration`,
  )
}
