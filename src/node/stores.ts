import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type * as wrangler from 'wrangler'
import { HashgateError } from '../errors.ts'
import { parseListKeys, SealedStore } from '../list/sealing.ts'
import {
  type Bytes,
  type KvNamespace,
  KvStore,
  type ListStore,
  type ValueStore,
} from '../list/store.ts'

/** A store that is open until `close`. */
export interface OpenStore {
  store: ListStore
  close: () => Promise<void>
}

export interface StoreOptions {
  /** wrangler's configuration; its usual one if none is given. */
  config?: string
  /** Where wrangler keeps what is local; its usual place if none is given. */
  persistTo?: string
}

/** Variable of the key that the list is sealed with: of the environment, or for what is local of .dev.vars. */
const KEY_VARIABLE = 'LIST_KEY'

/** Binding of the KV namespace in wrangler's configuration. */
const BINDING = 'HASH_LISTS'

/** wrangler is not there, or said no. */
export class WranglerError extends HashgateError {
  readonly code = 'wrangler'
}

/** The namespace on this machine, as `wrangler dev` has it. */
export async function openLocalStore(options: StoreOptions): Promise<OpenStore> {
  process.env['WRANGLER_LOG'] ??= 'error' // what it says otherwise would stand among what the commands print
  const { getPlatformProxy } = await importWrangler()
  const proxy = await getPlatformProxy<{ HASH_LISTS?: KvNamespace; LIST_KEY?: string }>({
    ...(options.config !== undefined && { configPath: options.config }),
    // wrangler's own --persist-to names the folder above the version.
    persist: options.persistTo === undefined ? true : { path: join(options.persistTo, 'v3') },
    remoteBindings: false,
  })
  const namespace = proxy.env[BINDING]
  if (!namespace) {
    await proxy.dispose()
    throw new WranglerError(
      `wrangler's configuration has no KV namespace with the binding ${BINDING}`,
    )
  }
  try {
    const keys = parseListKeys(process.env[KEY_VARIABLE] ?? proxy.env[KEY_VARIABLE])
    return { store: new SealedStore(new KvStore(namespace), keys), close: () => proxy.dispose() }
  } catch (error) {
    await proxy.dispose()
    throw error
  }
}

async function importWrangler(): Promise<typeof wrangler> {
  try {
    return await import('wrangler')
  } catch (cause) {
    throw new WranglerError('wrangler is not installed: npm install --save-dev wrangler', { cause })
  }
}

/** The namespace at Cloudflare, by wrangler: with its configuration, and its login or CLOUDFLARE_API_TOKEN. */
export function openRemoteStore(options: StoreOptions): OpenStore {
  const keys = parseListKeys(process.env[KEY_VARIABLE])
  return { store: new SealedStore(new RemoteStore(options), keys), close: async () => {} }
}

/** Bytes of values that one call of wrangler is given; as base64 they stay under the 100 MB that Cloudflare takes. */
const MAX_BATCH_BYTES = 50_000_000

class RemoteStore implements ValueStore {
  readonly #options: StoreOptions

  constructor(options: StoreOptions) {
    this.#options = options
  }

  async get(key: string): Promise<Bytes | undefined> {
    try {
      return await this.#kv(['key', 'get', key])
    } catch (error) {
      if (error instanceof WranglerError && /\b404\b|not found/i.test(error.message))
        return undefined
      throw error
    }
  }

  async put(key: string, value: Bytes): Promise<void> {
    await this.putAll(new Map([[key, value]]))
  }

  async putAll(
    values: ReadonlyMap<string, Bytes>,
    onWritten?: (count: number) => void,
  ): Promise<void> {
    let written = 0
    for (const batch of batches(values)) {
      await this.#putBatch(batch)
      written += batch.length
      onWritten?.(written)
    }
  }

  async #putBatch(batch: readonly [string, Bytes][]): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'hashgate-'))
    try {
      const file = join(folder, 'values.json')
      const pairs = batch.map(([key, value]) => ({
        key,
        value: Buffer.from(value).toString('base64'),
        base64: true,
      }))
      await writeFile(file, JSON.stringify(pairs), { mode: 0o600 })
      await this.#kv(['bulk', 'put', file])
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  async #kv(args: readonly string[]): Promise<Bytes> {
    const config = this.#options.config === undefined ? [] : ['--config', this.#options.config]
    const command = ['wrangler', 'kv', ...args, '--binding', BINDING, '--remote', ...config]
    try {
      const { stdout } = await promisify(execFile)('npx', ['--no-install', ...command], {
        encoding: 'buffer',
        maxBuffer: 64 * 1024 * 1024,
      })
      return new Uint8Array(stdout)
    } catch (cause) {
      const stderr = (cause as { stderr?: Buffer }).stderr?.toString() ?? String(cause)
      throw new WranglerError(`${command.slice(0, 4).join(' ')} failed: ${stderr.trim()}`, {
        cause,
      })
    }
  }
}

function* batches(values: ReadonlyMap<string, Bytes>): Generator<[string, Bytes][]> {
  let batch: [string, Bytes][] = []
  let bytes = 0
  for (const pair of values) {
    if (batch.length > 0 && bytes + pair[1].length > MAX_BATCH_BYTES) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(pair)
    bytes += pair[1].length
  }
  if (batch.length > 0) yield batch
}
