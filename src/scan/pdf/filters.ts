import { Buffer } from 'node:buffer'
import { ascii } from '../../util/ascii.ts'
import { byteTable } from '../../util/bytes.ts'
import { only, type Steps } from '../../util/steps.ts'
import { Inflater } from '../archive/inflate.ts'
import { mayBeZlib } from '../archive/zlib.ts'
import type { ScanBudget } from '../budget.ts'
import { decodeFax } from '../image/fax.ts'
import { inChunks, inflate, type Unpacked, unpackLzw, unpackRuns } from '../image/unpack.ts'
import type { UnscannableReason } from '../scanned.ts'
import { FAX_BYTE_MS, INFLATED_BYTE_MS, UNPACKED_BYTE_MS } from '../work.ts'
import type { PdfObjects, Stream } from './objects.ts'
import { unpredict } from './predictor.ts'
import type { Dict, Value } from './syntax.ts'

/** Names of filters, and their abbreviations in content streams. */
const NAMES = new Map(
  Object.entries({
    AHx: 'ASCIIHexDecode',
    A85: 'ASCII85Decode',
    LZW: 'LZWDecode',
    Fl: 'FlateDecode',
    RL: 'RunLengthDecode',
    CCF: 'CCITTFaxDecode',
    DCT: 'DCTDecode',
  }),
)

/** A predicted row costs as much as this many bytes. */
const ROW_COST = 16
/** Maximum filters of a stream. Writers use two. */
const MAX_FILTERS = 8
/** Maximum bytes that one filter passes to the next. */
const MAX_GATHERED_BYTES = 16 * 1024 * 1024
/** Bytes of zlib before and behind deflate. */
const [ZLIB_HEADER_BYTES, CHECKSUM_BYTES] = [2, 4]
/** Bytes of unfiltered data handed on at once. */
const CHUNK_BYTES = 64 * 1024
/** Most columns and rows of fax data. */
const MAX_FAX_SIDE = 65_535

/** Undoes the filters of a stream. */
export function* openStream(
  objects: PdfObjects,
  { dict, data, decrypt }: Stream,
  budget: ScanBudget,
): Steps<Filtered> {
  const filters = filtersOf(objects, dict)
  const parameters = valuesOf(objects, dict.get('DecodeParms') ?? dict.get('DP'))
  if (filters.length > MAX_FILTERS) return 'unsupported-encoding'
  if (!objects.takeData(data.length)) return 'over-limit'
  let bytes = decrypt ? yield* decrypt() : data
  for (const [i, filter] of filters.entries()) {
    const name = filterName(filter)
    const isLast = i === filters.length - 1
    if (name === 'DCTDecode' || name === 'JPXDecode') {
      const format = name === 'DCTDecode' ? 'jpeg' : 'jp2'
      return isLast ? { file: bytes, format, isRaw: i === 0 && !decrypt } : 'unsupported-encoding'
    }
    if (name === 'Crypt') continue // undone with the encryption of the file
    const given = parameters[i]
    const chunks = undo(objects, name, given instanceof Map ? given : new Map(), bytes, budget)
    if (!chunks || isLast) return chunks ? { chunks } : 'unsupported-encoding'
    const gathered = yield* gather(chunks, MAX_GATHERED_BYTES, budget)
    if (gathered === 'over-limit') return 'over-limit'
    bytes = gathered
  }
  return { chunks: inChunks(bytes) }
}

/** The outcome of a stream's filters: bytes as they are produced, or a file of another format. */
export type Filtered =
  | { chunks: Unpacked }
  | { file: Uint8Array; format: 'jpeg' | 'jp2'; isRaw: boolean }
  | UnscannableReason

/** What the text of a stream stands for, and the filters that it still has. */
export interface UnwrittenStream {
  bytes: Uint8Array
  filters: readonly string[]
}

const [ZERO, END] = [0x7a, 0x7e]
const WHITE_SPACE = '\0\t\n\f\r '
const HEX_DIGITS = '0123456789ABCDEFabcdef'
const BASE85_DIGITS = Array.from({ length: 85 }, (_, i) => String.fromCharCode(0x21 + i)).join('')
const IS_WHITE_SPACE = byteTable(WHITE_SPACE)

/** Filters that are written in text: what they read of it, and what ends it. */
const TEXT_FILTERS = new Map([
  ['ASCIIHexDecode', { isRead: byteTable(HEX_DIGITS + WHITE_SPACE), mark: '>' }],
  ['ASCII85Decode', { isRead: byteTable(`${BASE85_DIGITS}z${WHITE_SPACE}`), mark: '~>' }],
])

/** Whether a filter reads every character of its text. */
function isReadWhole(name: string, data: Uint8Array): boolean {
  const filter = TEXT_FILTERS.get(name)
  if (!filter) return false
  let at = name === 'ASCII85Decode' ? base85Start(data) : 0
  while (filter.isRead[data[at] ?? END] === 1) at++
  const rest = data.subarray(at).filter((byte) => IS_WHITE_SPACE[byte] === 0)
  return rest.length === 0 || ascii(rest.subarray(0, filter.mark.length + 1)) === filter.mark
}

/**
 * Undoes the first filter of a stream if that is written in text. `undefined` if it is not, or if
 * the text has anything else in it.
 */
export function* readWritten(
  objects: PdfObjects,
  { dict, data, decrypt }: Stream,
  budget: ScanBudget,
): Steps<UnwrittenStream | undefined> {
  const filters = filtersOf(objects, dict)
  const [first, ...others] = filters.map((filter) => filterName(filter))
  if (!first || !TEXT_FILTERS.has(first) || decrypt || filters.length > MAX_FILTERS)
    return undefined
  if (!objects.takeData(data.length) || !isReadWhole(first, data)) return undefined
  const chunks = undo(objects, first, new Map(), data, budget)
  const bytes = chunks && (yield* gather(chunks, MAX_GATHERED_BYTES, budget))
  return bytes && bytes !== 'over-limit' ? { bytes, filters: others } : undefined
}

/**
 * Number of bytes that zlib inflates to, if it goes from the first byte to the last; 0 if not.
 */
export function* inflatedBytes(data: Uint8Array, budget: ScanBudget): Steps<number> {
  if (!mayBeZlib(data)) return 0
  const inflater = new Inflater(budget, () => only(undefined))
  yield* inflater.push(data.subarray(ZLIB_HEADER_BYTES))
  const end = ZLIB_HEADER_BYTES + inflater.inBytes + CHECKSUM_BYTES
  return inflater.state === 'ended' && end >= data.length ? inflater.outBytes : 0
}

/** All bytes, unless there are too many. */
export function* gather(
  chunks: Unpacked,
  max: number,
  budget: ScanBudget,
): Steps<Buffer | 'over-limit'> {
  let bytes = Buffer.alloc(64 * 1024)
  let filled = 0
  for (;;) {
    const next = chunks.next()
    if (next.done) return next.value === 'over-limit' ? 'over-limit' : bytes.subarray(0, filled)
    const end = filled + next.value.length
    budget.spend(next.value.length * INFLATED_BYTE_MS)
    if (end > max || budget.isExhausted) return 'over-limit'
    if (end > bytes.length) {
      const larger = Buffer.alloc(Math.min(max, Math.max(end, bytes.length * 2)))
      larger.set(bytes.subarray(0, filled))
      bytes = larger
    }
    bytes.set(next.value, filled)
    filled = end
    if (budget.isTurnOver) yield
  }
}

function filtersOf(objects: PdfObjects, dict: Dict): Value[] {
  return valuesOf(objects, dict.get('Filter') ?? dict.get('F'))
}

function filterName(filter: Value): string {
  return typeof filter === 'string' ? (NAMES.get(filter) ?? filter) : ''
}

/** A single value, or those of an array. */
function valuesOf(objects: PdfObjects, value: Value): Value[] {
  const found = objects.resolve(value)
  if (Array.isArray(found)) return found.map((one) => objects.resolve(one))
  return found === undefined ? [] : [found]
}

function undo(
  objects: PdfObjects,
  name: string,
  parameters: Dict,
  data: Uint8Array,
  budget: ScanBudget,
): Unpacked | undefined {
  const number = (key: string, otherwise: number) => {
    const value = objects.resolve(parameters.get(key))
    return typeof value === 'number' ? value : otherwise
  }
  const flag = (key: string) => objects.resolve(parameters.get(key)) === true
  if (name === 'ASCIIHexDecode') return fromHex(data)
  if (name === 'ASCII85Decode') return fromBase85(data)
  if (name === 'RunLengthDecode') return unpackRuns(data)
  if (name === 'FlateDecode' || name === 'LZWDecode') {
    const early = number('EarlyChange', 1) === 0 ? 0 : 1
    const chunks =
      name === 'LZWDecode' ? charged(unpackLzw(data, early), budget) : inflate(data, budget)
    const predictor = number('Predictor', 1)
    const columns = number('Columns', 1)
    // A row has a cost beside that of its bytes.
    const cost = 1 + ROW_COST / Math.max(1, columns)
    return unpredict(predictor === 1 ? chunks : charged(chunks, budget, cost), {
      predictor,
      samples: number('Colors', 1),
      bits: number('BitsPerComponent', 8),
      columns,
    })
  }
  if (name !== 'CCITTFaxDecode') return undefined
  const k = number('K', 0)
  const form = {
    columns: Math.trunc(number('Columns', 1728)),
    rows: MAX_FAX_SIDE,
    coding: k < 0 ? 'group-4' : k === 0 ? 'one-dimensional' : 'two-dimensional',
    isAligned: flag('EncodedByteAlign'),
  } as const
  if (form.columns < 1 || form.columns > MAX_FAX_SIDE) return undefined
  budget.spend(data.length * FAX_BYTE_MS)
  const rows = decodeFax(form, data)
  // Fax data has 1 for black; PDF has 0.
  return flag('BlackIs1') ? rows : mapped(rows, (chunk) => chunk.map((byte) => ~byte))
}

function charged(chunks: Unpacked, budget: ScanBudget, cost = 1): Unpacked {
  return mapped(chunks, (chunk) => {
    budget.spend(chunk.length * UNPACKED_BYTE_MS * cost)
    return chunk
  })
}

function* mapped(chunks: Unpacked, change: (chunk: Uint8Array) => Uint8Array): Unpacked {
  for (;;) {
    const next = chunks.next()
    if (next.done) return next.value
    yield change(next.value)
  }
}

function* fromHex(data: Uint8Array): Unpacked {
  const out = new Uint8Array(CHUNK_BYTES)
  let [filled, digits, value] = [0, 0, 0]
  for (const byte of data) {
    if (byte === 0x3e) break
    const digit = Number.parseInt(String.fromCharCode(byte), 16)
    if (Number.isNaN(digit)) continue
    value = value * 16 + digit
    if (++digits % 2 === 1) continue
    out[filled++] = value
    value = 0
    if (filled < out.length) continue
    yield out
    filled = 0
  }
  if (digits % 2 === 1) out[filled++] = value * 16
  yield out.subarray(0, filled)
  return 'ended'
}

/** Index after the mark that may begin the data. */
function base85Start(data: Uint8Array): number {
  return data[0] === 0x3c && data[1] === END ? 2 : 0
}

function* fromBase85(data: Uint8Array): Unpacked {
  const out = new Uint8Array(CHUNK_BYTES)
  const view = new DataView(out.buffer)
  let [filled, count, value] = [0, 0, 0]
  for (let at = base85Start(data); at < data.length; at++) {
    const byte = data[at] ?? END
    if (byte === END) break
    if (byte === ZERO && count === 0) count = 5
    else if (byte < 0x21 || byte > 0x75) continue
    else {
      value = value * 85 + byte - 0x21
      count++
    }
    if (count < 5) continue
    view.setUint32(filled, value % 2 ** 32)
    filled += 4
    count = 0
    value = 0
    if (filled < out.length) continue
    yield out
    filled = 0
  }
  if (count > 1) {
    for (let i = count; i < 5; i++) value = value * 85 + 84
    view.setUint32(Math.min(filled, out.length - 4), value % 2 ** 32)
    filled += count - 1
  }
  yield out.subarray(0, filled)
  return 'ended'
}
