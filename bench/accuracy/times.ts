import { measure, ms, printTable } from '../measure.ts'
import { needlesOf, type SetName } from './needles.ts'
import { UNCHANGED, uploadsOf } from './tasks.ts'

/** Photographs to measure, spread over the corpus. */
const PHOTOGRAPHS = 24
const ROUNDS = 3

/** How long a file takes, unchanged and as a re-upload, by set. */
export async function printTimes(
  paths: readonly string[],
  sets: readonly SetName[],
): Promise<void> {
  const step = Math.max(1, Math.floor(paths.length / PHOTOGRAPHS))
  const some = paths.filter((_, i) => i % step === 0)
  const files = (await Promise.all(some.map(filesOf))).flat()
  const rows: string[][] = []
  for (const name of [UNCHANGED, 'JPEG q 90']) {
    const uploads = files.filter((upload) => upload.name === name).map(({ file }) => file)
    const contenders = sets.map((set) => ({
      name: set,
      run: async () => {
        for (const file of uploads) (await needlesOf(file, set)).widen?.()
      },
    }))
    const timings = await measure(contenders, ROUNDS)
    rows.push([name, ...timings.map(({ best }) => ms(best / uploads.length))])
  }
  console.log('### Time\n')
  console.log(
    `Milliseconds a file, decoding and all probes; means of ${some.length} photographs, the best of ${ROUNDS} rounds.\n`,
  )
  printTable(['upload', ...sets], rows)
}

async function filesOf(path: string): Promise<{ name: string; file: Uint8Array }[]> {
  const files: { name: string; file: Uint8Array }[] = []
  for await (const upload of uploadsOf(path, { seed: 1, transforms: /JPEG q 90$/ })) {
    files.push(upload)
  }
  return files
}
