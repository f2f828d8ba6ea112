import { DatabaseSync } from 'node:sqlite'
import * as sqliteVec from 'sqlite-vec'
import { Index, MetricKind, ScalarKind } from 'usearch'
import { HASH_BYTES, type Hash256 } from '../../src/util/hash.ts'
import type { CoreModules } from '../../src/core/modules.ts'
import { hashesOf } from './lists.ts'
import { buildTables, loadSegments, searchAll, storeSegments, THRESHOLD } from './segments.ts'

/** Something that finds hashes near a needle and reports how many it found. Single-threaded. */
export interface Competitor {
  name: string
  find: (needle: Hash256) => number
}

/**
 * hashgate, by scanning and by table. Both compare first halves and leave the rest to a verifier.
 */
export async function hashgate(modules: CoreModules, hashes: Uint8Array): Promise<Competitor[]> {
  const stored = storeSegments(hashesOf(hashes))
  const scanned = (await loadSegments(modules, stored)).map(({ haystack }) => haystack)
  const withTables = await loadSegments(modules, stored)
  await buildTables(modules, stored, withTables)
  const tables = withTables.map(({ haystack }) => haystack)
  return [
    { name: 'hashgate, scan', find: (needle) => searchAll(scanned, [needle]).count },
    { name: 'hashgate, table', find: (needle) => searchAll(tables, [needle]).count },
  ]
}

/** The obvious loop. */
export function typeScript(hashes: Uint8Array): Competitor {
  const words = new Uint32Array(hashes.buffer, hashes.byteOffset, hashes.length / 4)
  const find = (needle: Hash256) => {
    const wanted = new Uint32Array(needle.slice().buffer)
    let found = 0
    for (let at = 0; at < words.length; at += 8) {
      let distance = 0
      for (let i = 0; i < 8; i++) distance += bitsSet((words[at + i] ?? 0) ^ (wanted[i] ?? 0))
      if (distance <= THRESHOLD) found++
    }
    return found
  }
  return { name: 'a TypeScript loop over Uint32Array', find }
}

function bitsSet(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** sqlite-vec: exact, native code, a table of bit vectors in memory. It returns the nearest 16. */
export function sqlite(hashes: Uint8Array): Competitor {
  const database = new DatabaseSync(':memory:', { allowExtension: true })
  sqliteVec.load(database)
  database.exec('CREATE VIRTUAL TABLE list USING vec0(hash bit[256]); BEGIN')
  const insert = database.prepare('INSERT INTO list(rowid, hash) VALUES (?, vec_bit(?))')
  hashesOf(hashes).forEach((hash, i) => insert.run(BigInt(i), hash))
  database.exec('COMMIT')
  const select = database.prepare(
    `SELECT rowid FROM list WHERE hash MATCH vec_bit(?) AND k = 16 AND distance <= ${THRESHOLD}`,
  )
  return { name: 'sqlite-vec', find: (needle) => select.all(needle).length }
}

/**
 * usearch: approximate, native code, a graph (HNSW) over bits with Hamming distances, with its
 * defaults written out.
 */
export function usearchGraph(hashes: Uint8Array): Competitor {
  const index = new Index({
    dimensions: HASH_BYTES * 8,
    metric: MetricKind.Hamming,
    quantization: ScalarKind.B1,
    connectivity: 16,
    expansion_add: 128,
    expansion_search: 64,
    multi: false,
  })
  const count = hashes.length / HASH_BYTES
  index.add(
    BigUint64Array.from({ length: count }, (_, i) => BigInt(i)),
    bitsOf(hashes),
    1,
  )
  const find = (needle: Hash256) => {
    const { distances } = index.search(bitsOf(needle), 16, 1)
    return distances.filter((distance) => distance <= THRESHOLD).length
  }
  return { name: 'usearch, approximate', find }
}

/** One byte per bit, as usearch expects them from JavaScript. */
function bitsOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(
    { length: bytes.length * 8 },
    (_, i) => ((bytes[i >> 3] ?? 0) >> (i & 7)) & 1,
  )
}
