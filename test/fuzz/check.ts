import { isDeepStrictEqual } from 'node:util'
import { type CoreFormat } from '../../src/core/image.ts'
import { readModules } from '../../src/core/node.ts'
import { PROBE_SETS } from '../../src/scan/probes/sets.ts'
import { problemOf } from '../../src/scan/scanned.ts'
import { FileScanner, scanFile } from '../../src/scan/scanner.ts'
import { decodeChunks, type Decoded } from '../support/decode.ts'
import { below, type Random } from './choose.ts'
import type { FuzzedFormat } from './seeds.ts'

const modules = readModules()

/** Names of the statuses that may end a file. */
const OUTCOMES: Record<number, string> = {
  2: 'hash',
  [-1]: 'damaged',
  [-2]: 'truncated',
  [-3]: 'over-memory-budget',
  [-4]: 'over-limit',
  [-5]: 'unsupported-variant',
  [-6]: 'out-of-range',
}

/** Bytes of the guards behind allocations. */
const GUARD_BYTES = 64
const MAX_MEMORY_BYTES = 24_000_000
/** Of so many files, one is probed: that takes as long as all else. */
const PROBED_OF = 5

/** A file on which a decoder did what it must not. */
export class Violation extends Error {}

/**
 * Decodes a file twice, whole and in random chunks. Returns how it ended.
 * @throws {Violation} a trap, a write behind an allocation, too much memory, or two different outcomes
 */
export async function check(
  format: FuzzedFormat,
  file: Uint8Array,
  random: Random,
): Promise<string> {
  if (format === 'webp' || format === 'avif') {
    const scanned = await scanFile({ modules }, file)
    return scanned.coverage === 'unscannable' ? scanned.reason : 'hash'
  }
  if (format === 'tiff' || format === 'zip' || format === 'tar' || format === 'gzip')
    return checkScanner(file, random)
  const whole = run(format, file, () => file.length)
  const longest = 1 + below(file.length / 2 + 1, random)
  const chunks = run(format, file, () => 1 + below(longest, random))
  const outcome = OUTCOMES[whole.status]
  if (outcome === undefined) throw new Violation(`it ends with status ${whole.status}`)
  const hashes = (decoded: Decoded) => decoded.frames.map(({ hash }) => hash).join()
  if (chunks.status !== whole.status || hashes(chunks) !== hashes(whole)) {
    throw new Violation(`in chunks it ends with ${chunks.status}, whole with ${whole.status}`)
  }
  if (below(PROBED_OF, random) === 0) await checkProbes(file)
  return outcome
}

/** Scans a file with all probes: each gives a hash, whatever the picture. */
async function checkProbes(file: Uint8Array): Promise<void> {
  const scanned = await scanFile({ modules, probes: PROBE_SETS.wide }, file)
  if (scanned.coverage === 'unscannable') return
  for (const { hash, quality, weakBits, probe } of [
    ...scanned.needles,
    ...(scanned.widen?.() ?? []),
  ]) {
    const isWhole = hash.length === 32 && quality >= 0 && quality <= 100
    if (!isWhole || weakBits < 0 || weakBits > 256) throw new Violation(`${probe} has no hash`)
  }
}

/** Scans a file whole, and in random chunks: what is found in it is the same. */
async function checkScanner(file: Uint8Array, random: Random): Promise<string> {
  const whole = await scanFile({ modules }, file)
  const scanner = new FileScanner({ modules })
  const longest = 1 + below(file.length / 2 + 1, random)
  for (let at = 0; at < file.length;) {
    const end = at + 1 + below(longest, random)
    scanner.write(file.slice(at, end))
    at = end
  }
  const chunks = await scanner.end()
  if (!isDeepStrictEqual(whole, chunks)) throw new Violation('in chunks it is another file')
  return problemOf(whole) ?? 'scanned'
}

function run(format: CoreFormat, file: Uint8Array, nextCut: () => number): Decoded {
  let decoded: Decoded
  try {
    decoded = decodeChunks(format, file, nextCut, GUARD_BYTES)
  } catch (cause) {
    throw new Violation(`it traps: ${String(cause)}`, { cause })
  }
  if (!decoded.isIntact) throw new Violation('it writes behind an allocation')
  if (decoded.memoryBytes > MAX_MEMORY_BYTES) {
    throw new Violation(`it takes ${decoded.memoryBytes} bytes of memory`)
  }
  return decoded
}
