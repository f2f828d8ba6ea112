import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { Comparison, type Entry } from './compare.ts'
import { drawDistractor } from './distractors.ts'
import { needlesOf, type SetName } from './needles.ts'
import { readSource } from './pixels.ts'
import { seeded } from './seeded.ts'
import { emptyTally, type Tally } from './tally.ts'
import { BARS } from './bars.ts'
import { TRANSFORMS } from './transforms.ts'

/** What all tasks of a run share. */
export interface Setting {
  entries: Entry[]
  probes: SetName
  seed: number
  transforms: RegExp
  /** Whether to measure only the transforms that have a bar. */
  assert?: boolean
}

/** A part of the work, done by one thread. */
export type Task =
  | { kind: 'transforms'; path: string; entry: number }
  | { kind: 'drawn'; of: string; part: { first: number; count: number } }
  | { kind: 'files'; source: string; paths: string[] }

export const UNCHANGED = 'unchanged'

export async function runTask(task: Task, setting: Setting): Promise<Tally> {
  const tally = emptyTally()
  const comparison = new Comparison(setting.entries, tally)
  const ask = (file: Uint8Array) => needlesOf(file, setting.probes)
  switch (task.kind) {
    case 'transforms':
      for await (const { name, file } of uploadsOf(task.path, setting)) {
        comparison.addTransformed(name, task.entry, await ask(file))
      }
      break
    case 'drawn':
      for (let i = task.part.first; i < task.part.first + task.part.count; i++) {
        const file = await drawDistractor(task.of, i, setting.seed)
        comparison.addDistractor(task.of, await ask(file))
      }
      break
    case 'files':
      for (const path of task.paths) {
        comparison.addDistractor(task.source, await ask(await readFile(path)))
      }
      break
  }
  return tally
}

/** The files that a picture is uploaded as: unchanged, and transformed. */
export async function* uploadsOf(
  path: string,
  { seed, transforms, assert }: Pick<Setting, 'seed' | 'transforms' | 'assert'>,
): AsyncGenerator<{ name: string; file: Uint8Array }> {
  const original = await readFile(path)
  const image = await readSource(basename(path), original)
  yield { name: UNCHANGED, file: original }
  for (const transform of TRANSFORMS) {
    const { family, name } = transform
    if (!transforms.test(`${family}: ${name}`)) continue
    if (assert && !BARS.some((bar) => bar.isOf(transform))) continue
    const file = await transform.apply(image, seeded(seed, image.name, name))
    if (file) yield { name, file }
  }
}
