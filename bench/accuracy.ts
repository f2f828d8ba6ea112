// Measures how many pictures are found after what people do to them, and how near unrelated ones
// come.
//
//   npm run bench -- accuracy                     200 transforms of the photographs of shared/corpus
//     --corpus DIR       other photographs, folders read recursively; may be repeated, as may the next two
//     --entries DIR      photographs that are on the list, too, but are not transformed
//     --distractors DIR  pictures that are on no list, beside the generated ones
//     --generated N      generated distractors of each kind: 100
//     --seed N           of all random choices: 1
//     --probes SET       plain, default or wide, with those before it: wide
//     --split HALF       of the corpus: tune or held-out, by a hash of the file's name: all
//     --take N           N photographs, spread over the corpus: all
//     --transforms WORDS those whose family and name match a regular expression
//     --threads N        2
//     --scenes N         generated pictures in place of photographs, the same on every machine
//     --assert           exits with 1 if a bar is missed, or an unrelated picture matches
//     --plots DIR        writes accuracy-recall.svg and accuracy-thresholds.svg

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { CLEAR_QUALITY, type Entry } from './accuracy/compare.ts'
import { KINDS } from './accuracy/distractors.ts'
import { imagesIn, isOf } from './accuracy/files.ts'
import { needlesOf, THRESHOLD } from './accuracy/needles.ts'
import { type Options, readOptions, type Split, spread } from './accuracy/options.ts'
import { plotRecall, plotThresholds } from './accuracy/plots.ts'
import { printPatterns } from './accuracy/patterns.ts'
import { runTasks } from './accuracy/pool.ts'
import {
  printBars,
  printFalseMatches,
  printProbes,
  printRecall,
  setsTo,
} from './accuracy/report.ts'
import { writeScenes } from './accuracy/scenes.ts'
import type { Task } from './accuracy/tasks.ts'
import { printTimes } from './accuracy/times.ts'

/** The report of `npm run bench -- accuracy`. */
export async function benchAccuracy(args: readonly string[]): Promise<void> {
  const options = readOptions(args)
  if (options.scenes === 0) return report(args, options)
  const folder = await mkdtemp(join(tmpdir(), 'hashgate-bench-'))
  try {
    await writeScenes(folder, options.scenes)
    await report(args, { ...options, corpus: [folder] })
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function report(args: readonly string[], options: Options): Promise<void> {
  const photographs = spread(await listed(options.corpus, options.split), options.take)
  const others = await listed(options.entries, 'all')
  const entries = [...photographs, ...others].map(({ entry }) => entry)
  console.log(`## Accuracy: ${['npm run bench -- accuracy', ...args].join(' ')}\n`)
  printCounts(entries, photographs.length, options)
  const tasks: Task[] = [
    ...photographs.map(({ path }, entry): Task => ({ kind: 'transforms', path, entry })),
    ...drawnTasks(options.generated),
    ...options.distractors.flatMap(fileTasks),
  ]
  const tally = await runTasks(tasks, { ...options, entries }, options.threads)
  const sets = setsTo(options.probes)
  const missed = printBars(tally, sets)
  printRecall(`Recall, of quality ${CLEAR_QUALITY} and more`, tally.own, sets)
  printRecall(`Recall, of quality under ${CLEAR_QUALITY}`, tally.ownUnclear, sets)
  const falseMatches = printFalseMatches(tally, sets)
  printProbes(tally)
  if (options.assert) {
    for (const bar of missed) console.error(`bench: bar missed: ${bar}`)
    if (falseMatches > 0) console.error(`bench: ${falseMatches} false matches`)
    if (photographs.length === 0) console.error('bench: there are no photographs')
    const isMet = missed.length === 0 && falseMatches === 0 && photographs.length > 0
    process.exitCode = isMet ? 0 : 1
    return
  }
  await printPatterns(
    photographs.map(({ path }) => path),
    options,
  )
  await printTimes(
    photographs.map(({ path }) => path),
    sets,
  )
  if (options.plots === undefined) return
  await writeFile(join(options.plots, 'accuracy-recall.svg'), plotRecall(tally, sets))
  await writeFile(join(options.plots, 'accuracy-thresholds.svg'), plotThresholds(tally, sets))
}

/** Photographs whose hash says enough to match at a bank's threshold: `npm run bench -- limited` measures the others. */
async function listed(
  folders: readonly string[],
  split: Split,
): Promise<{ path: string; entry: Entry }[]> {
  const found: { path: string; entry: Entry }[] = []
  for (const path of folders.flatMap(imagesIn).filter((image) => isOf(split, image))) {
    const { needles } = await needlesOf(await readFile(path), 'plain')
    const [identity] = needles
    if (identity?.threshold !== THRESHOLD) continue
    found.push({ path, entry: { ...identity, name: basename(path) } })
  }
  return found
}

function printCounts(entries: readonly Entry[], photographs: number, options: Options): void {
  const clear = entries.slice(0, photographs).filter(({ quality }) => quality >= CLEAR_QUALITY)
  console.log(
    `${photographs} photographs (split: ${options.split}) with a quality of at least 50, without patterns, ${clear.length} of at least ${CLEAR_QUALITY};`,
  )
  console.log(`${entries.length} entries on the list; seed ${options.seed}.\n`)
}

/** Small enough that all threads end at about the same time. */
const PART = 50

function drawnTasks(each: number): Task[] {
  return KINDS.flatMap((of) => partsOf(each).map((part): Task => ({ kind: 'drawn', of, part })))
}

function fileTasks(folder: string): Task[] {
  const paths = imagesIn(folder)
  return partsOf(paths.length).map(({ first, count }) => ({
    kind: 'files',
    source: basename(folder),
    paths: paths.slice(first, first + count),
  }))
}

function partsOf(total: number): { first: number; count: number }[] {
  return Array.from({ length: Math.ceil(total / PART) }, (_, i) => ({
    first: i * PART,
    count: Math.min(PART, total - i * PART),
  }))
}
