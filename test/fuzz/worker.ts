// A thread of the fuzzer: checks a range of files, and tells after each few what came of them.

import { parentPort, workerData } from 'node:worker_threads'
import { randomFrom } from '../support/random.ts'
import { check, Violation } from './check.ts'
import type { FuzzReport } from './fuzz.ts'
import { mutate } from './mutate.ts'
import { pick, type Random } from './choose.ts'
import { encodedSeeds, type FuzzedFormat, generate } from './seeds.ts'

export interface FuzzTask {
  seed: number
  /** Numbers of the first file, and of the one behind the last. */
  first: number
  end: number
}

export interface FuzzMessage extends FuzzReport {
  /** Number of the first file that is not checked yet. */
  next: number
}

/** Library decoders take longer, and are other people's code: fewer of their files. */
const FORMATS: FuzzedFormat[] = [
  ...Array.from({ length: 6 }, () => ['jpeg', 'png', 'gif', 'bmp'] as const).flat(),
  'webp',
  'avif',
  ...Array.from({ length: 2 }, () => ['zip', 'tar', 'gzip', 'tiff'] as const).flat(),
]

/** Milliseconds between messages. */
const TELL_EVERY_MS = 200

const { seed, first, end } = workerData as FuzzTask
const seeds = await encodedSeeds()
let message = emptyMessage(first)
let told = performance.now()
for (let index = first; index < end; index++) {
  await checkFile(index)
  message.next = index + 1
  if (performance.now() - told < TELL_EVERY_MS && index + 1 < end) continue
  parentPort?.postMessage(message)
  message = emptyMessage(index + 1)
  told = performance.now()
}

function emptyMessage(next: number): FuzzMessage {
  const slowest = { ms: 0, name: '', file: new Uint8Array(0) }
  return { next, counts: new Map(), slowest, violations: [] }
}

async function checkFile(index: number): Promise<void> {
  const random = randomFrom(seed * 1_000_003 + index)
  const format = pick(FORMATS, random)
  const name = `${format} of seed ${seed}, number ${index}`
  const file = makeFile(format, seeds[format], random)
  const start = performance.now()
  const outcome = await outcomeOf(format, file, random)
  const ms = performance.now() - start
  if (ms > message.slowest.ms) message.slowest = { ms, name, file }
  if (outcome instanceof Violation) {
    message.violations.push({ name, problem: outcome.message, file })
  } else {
    const key = `${format} ${outcome}`
    message.counts.set(key, (message.counts.get(key) ?? 0) + 1)
  }
}

function makeFile(
  format: FuzzedFormat,
  encoded: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  random() // seeds that follow each other begin alike
  const fresh = () => generate(format, random) ?? pick(encoded, random)
  const base = () => (encoded.length === 0 || random() < 0.5 ? fresh() : pick(encoded, random))
  const file = base()
  return random() < 0.1 ? file : mutate(file, base(), format, random)
}

async function outcomeOf(
  format: FuzzedFormat,
  file: Uint8Array,
  random: Random,
): Promise<string | Violation> {
  try {
    return await check(format, file, random)
  } catch (error) {
    if (error instanceof Violation) return error
    throw error
  }
}
