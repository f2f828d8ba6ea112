// Changes the code in one place at a time, and reports the changes that no test notices. Each is
// either a missing test or a change that makes no difference. Works only for modules whose tests
// run in Node; no file is modified.
//
//   npm run mutate -- src/gate/budget.ts --tests test/gate/budget.test.ts
//     FILE:LINE        only the changes that begin on a line, to try survivors again
//     --tests PATTERN  tests to run in Node, with mutate/workers.ts as a stand-in; those that fail without a change are left out
//     --seed N         selects which changes are tried: 1
//     --count N        how many: 50
//     --from N         continues at change N after the one before it hung: 0

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createVitest, type TestModule } from 'vitest/node'
import { randomFrom } from '../test/support/random.ts'
import { type Mutant, mutantsOf } from './mutate/mutants.ts'

const { values, positionals } = parseArgs({
  options: {
    tests: { type: 'string', multiple: true, default: [] },
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '50' },
    from: { type: 'string', default: '0' },
  },
  allowPositionals: true,
})

/** A test that loops forever because of a change cannot be stopped from here. */
const HANG_MS = 120_000

let current: Mutant | undefined
const vitest = await createVitest(
  'test',
  {
    config: false,
    watch: true,
    include: values.tests,
    pool: 'forks',
    maxWorkers: 1,
    reporters: [{}],
    testTimeout: 30_000,
    fsModuleCache: false,
    globalSetup: ['./test/setup/images.ts'],
  },
  {
    plugins: [
      {
        name: 'mutate',
        enforce: 'pre',
        resolveId: (id: string) => {
          if (id.endsWith('core/workerd.ts')) return '\0modules'
          return /^cloudflare:(workers|test)$/.test(id) ? STAND_IN : undefined
        },
        load(id: string) {
          if (id === '\0modules') return MODULES
          return current && id.split('?')[0] === resolve(current.file) ? apply(current) : undefined
        },
      },
    ],
  },
)

/** Node's modules in place of workerd's. */
const MODULES = `import { readModules } from '${resolve('src/core/node.ts')}'\nexport const modules = readModules()`

const STAND_IN = resolve('scripts/mutate/workers.ts')

function apply({ file, start, end, text }: Mutant): string {
  const code = readFileSync(file, 'utf8')
  return code.slice(0, start) + text + code.slice(end)
}

/** Runs the tests with a mutant, or without one. */
async function run(mutant: Mutant | undefined) {
  for (const file of [mutant?.file, current?.file]) if (file) vitest.invalidateFile(resolve(file))
  current = mutant
  const specifications = await vitest.globTestSpecifications()
  return vitest.runTestSpecifications(specifications, true)
}

/** Whether as many tests pass as without the mutant, and no test fails. */
async function survives(mutant: Mutant, expected: number): Promise<boolean> {
  const { testModules, unhandledErrors } = await run(mutant)
  if (unhandledErrors.length > 0 || testModules.some((module) => !module.ok())) return false
  // The shutdown of a run that stopped at its first failure may cancel the next one.
  return passedOf(testModules) === expected || survives(mutant, expected)
}

function passedOf(modules: readonly TestModule[]): number {
  return modules.flatMap((module) => [...module.children.allTests('passed')]).length
}

/** Leaves out the tests that fail without any change: they need more of workerd than Node has. */
function leaveOut(modules: readonly TestModule[]): void {
  const failed = modules.flatMap((module) => [...module.children.allTests('failed')])
  const names = failed.map(({ fullName }) => fullName.replaceAll(/[^\w >]/g, '\\$&'))
  for (const module of modules) console.log(`left out: ${module.relativeModuleId}`)
  for (const test of failed)
    console.log(`  ${test.fullName}: ${test.result().errors?.[0]?.message}`)
  for (const error of modules.flatMap((module) => module.errors())) throw error
  if (names.length === 0) return
  const pattern = new RegExp(`^(?!(${names.join('|').replaceAll(' > ', ' (> )?')})$)`)
  for (const project of vitest.projects) project.config.testNamePattern = pattern
}

function sample<T>(all: readonly T[], count: number): T[] {
  const random = randomFrom(Number(values.seed))
  return all
    .map((one) => ({ one, order: random() }))
    .toSorted((a, b) => a.order - b.order)
    .slice(0, count)
    .map(({ one }) => one)
}

function lineOf({ file, start }: Mutant): number {
  return readFileSync(file, 'utf8').slice(0, start).split('\n').length
}

function describe(mutant: Mutant): string {
  const { file, start, end, text } = mutant
  return `${file}:${lineOf(mutant)}: ${readFileSync(file, 'utf8').slice(start, end)}  ->  ${text}`
}

/** The changes of a file, or of one line of it. */
function mutantsAt(place: string): Mutant[] {
  const [file = '', line] = place.split(':')
  return mutantsOf(file).filter((mutant) => line === undefined || lineOf(mutant) === Number(line))
}

leaveOut((await run(undefined)).testModules.filter((one) => !one.ok()))
const expected = passedOf((await run(undefined)).testModules)
console.log(`${expected} tests pass without changes`)
for (const project of vitest.projects) project.config.bail = 1
const all = positionals.flatMap(mutantsAt)
const mutants = sample(all, Number(values.count))
let survived = 0
for (const [i, mutant] of mutants.entries()) {
  if (i < Number(values.from)) continue
  const watch = setTimeout(() => {
    console.log(
      `${i} hangs and counts as noticed: continue with --from ${i + 1}\n  ${describe(mutant)}`,
    )
    process.exit(2)
  }, HANG_MS)
  if (await survives(mutant, expected)) {
    survived++
    console.log(`${i} SURVIVED ${describe(mutant)}`)
  }
  clearTimeout(watch)
  if (i % 10 === 9) console.log(`${i + 1} of ${mutants.length} tried, ${survived} survived`)
}
console.log(`${mutants.length} of ${all.length} mutants from ${values.from}, ${survived} survived`)
process.exit(0)
