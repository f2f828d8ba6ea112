import { Buffer } from 'node:buffer'
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import { concatenate } from '../../util/bytes.ts'
import type { Steps } from '../../util/steps.ts'
import type { ScanBudget } from '../budget.ts'
import { DECRYPTED_BYTE_MS } from '../work.ts'
import type { Dict, Value } from './syntax.ts'

/** What an empty password is filled up with. */
const PADDING = Buffer.from(
  '28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a',
  'hex',
)
const EMPTY = new Uint8Array(0)
/** Bytes decrypted at once. */
const PART_BYTES = 64 * 1024
const SALT = Buffer.from('sAlT')

/**
 * How a file is decrypted that opens without a password. `undefined` if it needs one, or another
 * kind of key.
 * @param fileId first part of the file's identifier
 */
export function openEncryption(
  resolve: Resolve,
  dict: Dict,
  fileId: Uint8Array,
): Decryption | undefined {
  const of = (name: string) => resolve(dict.get(name))
  const [version, revision] = [Number(of('V') ?? 0), Number(of('R') ?? 0)]
  if (of('Filter') !== 'Standard' || ![1, 2, 4, 5].includes(version)) return undefined
  const key = version === 5 ? longKey(of, revision) : shortKey(of, revision, fileId)
  if (!key) return undefined
  const methodOf = (name: string) => (version < 4 ? 'rc4' : filterMethod(resolve, dict, of(name)))
  const [streams, strings] = [methodOf('StmF'), methodOf('StrF')]
  const parts = function* (method: CipherMethod, id: ObjectId, data: Uint8Array) {
    const own = version === 5 || method === 'none' ? key : cipherKey(key, id, method)
    if (method === 'none') yield data
    else yield* method === 'rc4' ? rc4(own, data) : fromAes(own, data)
  }
  const isMetadataPlain = of('EncryptMetadata') === false
  return {
    *stream(id, entries, data, budget) {
      const type = resolve(entries.get('Type'))
      if (type === 'XRef' || (type === 'Metadata' && isMetadataPlain)) return data
      const named = ownFilter(resolve, entries)
      const method = named === undefined ? streams : filterMethod(resolve, dict, named)
      const decrypted: Uint8Array[] = []
      for (const part of parts(method, id, data)) {
        decrypted.push(part)
        budget.spend(part.length * DECRYPTED_BYTE_MS)
        if (budget.isTurnOver) yield
      }
      return concatenate(decrypted)
    },
    string: (id, data) => concatenate([...parts(strings, id, data)]),
  }
}

/** Decrypts strings and streams of an object (ISO 32000-2, 7.6). */
export interface Decryption {
  stream(id: ObjectId, dict: Dict, data: Uint8Array, budget: ScanBudget): Steps<Uint8Array>
  string(id: ObjectId, data: Uint8Array): Uint8Array
}

/** Number and generation. */
export type ObjectId = readonly [number, number]

/** A value, or what a reference leads to. */
type Resolve = (value: Value) => Value

type CipherMethod = 'none' | 'rc4' | 'aes'

/** The crypt filter that a stream names for itself, if any. */
function ownFilter(resolve: Resolve, entries: Dict): Value {
  const filters = resolve(entries.get('Filter'))
  const first = resolve(Array.isArray(filters) ? filters[0] : filters)
  if (first !== 'Crypt') return undefined
  const given = resolve(entries.get('DecodeParms'))
  const parameters = resolve(Array.isArray(given) ? given[0] : given)
  const name = parameters instanceof Map ? resolve(parameters.get('Name')) : undefined
  return name ?? 'Identity'
}

function filterMethod(resolve: Resolve, dict: Dict, name: Value): CipherMethod {
  const filters = resolve(dict.get('CF'))
  const filter =
    filters instanceof Map && typeof name === 'string' ? resolve(filters.get(name)) : undefined
  const method = filter instanceof Map ? resolve(filter.get('CFM')) : undefined
  if (method === 'V2') return 'rc4'
  return method === 'AESV2' || method === 'AESV3' ? 'aes' : 'none'
}

/** The key of versions up to 4, from MD5. */
function shortKey(
  of: (name: string) => Value,
  revision: number,
  id: Uint8Array,
): Uint8Array | undefined {
  const [owner, user] = [stringBytes(of('O')), stringBytes(of('U'))]
  const bits = Number(of('Length') ?? 40)
  const length = revision === 2 ? 5 : of('V') === 4 ? 16 : Math.trunc(bits / 8)
  if (owner.length < 32 || user.length < 16 || length < 5 || length > 16) return undefined
  const permissions = Buffer.alloc(4)
  permissions.writeInt32LE(Number(of('P') ?? 0) | 0)
  const isMetadataPlain = revision >= 4 && of('EncryptMetadata') === false
  const ending = isMetadataPlain ? Buffer.alloc(4, 255) : EMPTY
  let key = md5(PADDING, owner.subarray(0, 32), permissions, id, ending)
  if (revision > 2) for (let i = 0; i < 50; i++) key = md5(key.subarray(0, length))
  key = key.subarray(0, length)
  let check = revision === 2 ? shortRc4(key, PADDING) : md5(PADDING, id)
  // From revision 3 on, the check is encrypted with 20 keys.
  if (revision > 2)
    for (let i = 0; i < 20; i++)
      check = shortRc4(
        key.map((byte) => byte ^ i),
        check,
      )
  return Buffer.compare(check.subarray(0, 16), user.subarray(0, 16)) === 0 ? key : undefined
}

/** The key of version 5, from SHA-2. */
function longKey(of: (name: string) => Value, revision: number): Uint8Array | undefined {
  const [user, wrapped] = [stringBytes(of('U')), stringBytes(of('UE'))]
  if (user.length < 48 || wrapped.length < 32) return undefined
  const hash = revision === 5 ? (salt: Uint8Array) => sha(256, salt) : slowHash
  if (Buffer.compare(hash(user.subarray(32, 40)), user.subarray(0, 32)) !== 0) return undefined
  return decryptAes(hash(user.subarray(40, 48)), new Uint8Array(16), wrapped.subarray(0, 32))
}

/** Algorithm 2.B of ISO 32000-2, for an empty password. */
function slowHash(salt: Uint8Array): Uint8Array {
  let key = sha(256, salt)
  for (let round = 0; ; round++) {
    const cipher = createCipheriv('aes-128-cbc', key.subarray(0, 16), key.subarray(16, 32))
    cipher.setAutoPadding(false)
    const repeated = concatenate(Array.from({ length: 64 }, () => key))
    const encrypted = concatenate([cipher.update(repeated), cipher.final()])
    const remainder = encrypted.subarray(0, 16).reduce((sum, byte) => sum + byte, 0) % 3
    key = sha(([256, 384, 512] as const)[remainder] ?? 256, encrypted)
    if (round >= 63 && (encrypted.at(-1) ?? 0) <= round - 31) return key.subarray(0, 32)
  }
}

function cipherKey(key: Uint8Array, [number, generation]: ObjectId, method: CipherMethod) {
  const place = Buffer.alloc(5)
  place.writeUIntLE(number % 2 ** 24, 0, 3)
  place.writeUIntLE(generation % 2 ** 16, 3, 2)
  return md5(key, place, method === 'aes' ? SALT : EMPTY).subarray(0, Math.min(16, key.length + 5))
}

/** Decrypts a part of the data at a time. */
function* rc4(key: Uint8Array, data: Uint8Array): Generator<Uint8Array, void> {
  const state = Uint8Array.from({ length: 256 }, (_, i) => i)
  let [i, j] = [0, 0]
  for (; i < 256; i++) {
    const own = state[i] ?? 0
    j = (j + own + (key[i % key.length] ?? 0)) & 255
    state[i] = state[j] ?? 0
    state[j] = own
  }
  i = j = 0
  for (let start = 0; start < data.length; start += PART_BYTES) {
    yield data.slice(start, start + PART_BYTES).map((byte) => {
      i = (i + 1) & 255
      const own = state[i] ?? 0
      j = (j + own) & 255
      const other = state[j] ?? 0
      state[i] = other
      state[j] = own
      return byte ^ (state[(own + other) & 255] ?? 0)
    })
  }
}

function shortRc4(key: Uint8Array, data: Uint8Array): Uint8Array {
  return concatenate([...rc4(key, data)])
}

/** Data after an initialisation vector. What does not fill a block is left out, as is padding. */
function* fromAes(key: Uint8Array, data: Uint8Array): Generator<Uint8Array, void> {
  const length = Math.floor(data.length / 16) * 16
  if (length < 32) return
  const decipher = decipherOf(key, data.subarray(0, 16))
  for (let start = 16; start < length; start += PART_BYTES) {
    const part = decipher.update(data.subarray(start, Math.min(length, start + PART_BYTES)))
    const padding = start + PART_BYTES >= length ? (part.at(-1) ?? 0) : 0
    yield padding >= 1 && padding <= 16 ? part.subarray(0, -padding) : part
  }
}

function decryptAes(key: Uint8Array, vector: Uint8Array, data: Uint8Array): Uint8Array {
  return decipherOf(key, vector).update(data)
}

function decipherOf(key: Uint8Array, vector: Uint8Array) {
  const decipher = createDecipheriv(key.length === 32 ? 'aes-256-cbc' : 'aes-128-cbc', key, vector)
  return decipher.setAutoPadding(false)
}

function md5(...parts: Uint8Array[]): Uint8Array {
  const hash = createHash('md5')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

function sha(bits: 256 | 384 | 512, data: Uint8Array): Uint8Array {
  return createHash(`sha${bits}`).update(data).digest()
}

function stringBytes(value: Value): Uint8Array {
  return value instanceof Uint8Array ? value : EMPTY
}
