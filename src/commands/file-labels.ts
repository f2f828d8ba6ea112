import { CsvError, parse } from 'csv-parse'
import { HashgateError } from '../util/errors.ts'
import { readText } from './file-errors.ts'

/** An invalid line in a file of labels. */
export class BadLabelError extends HashgateError {
  readonly code = 'bad-label'

  constructor(line: number, problem: string) {
    super(`line ${line} of the labels: ${problem}`)
  }
}

const WORDS = new Map([
  ['yes', true],
  ['no', false],
])

/**
 * Reads which files of a folder are known and should therefore match: CSV with the columns `file`,
 * a path in the folder, and `known`, yes or no.
 * @param files the folder's files
 * @throws {BadLabelError}
 */
export async function readLabels(
  path: string,
  files: ReadonlySet<string>,
): Promise<Map<string, boolean>> {
  const labels = new Map<string, boolean>()
  const text = await readText(path)
  const parser = parse(text, { bom: true, columns: true, info: true, trim: true })
  try {
    for await (const row of parser) {
      const { record, info } = row as { record: Record<string, string>; info: { lines: number } }
      const { file, known } = record
      if (file === undefined || known === undefined) {
        throw new BadLabelError(1, 'must name the columns file and known')
      }
      const isKnown = WORDS.get(known)
      if (isKnown === undefined) throw new BadLabelError(info.lines, 'known must be yes or no')
      if (!files.has(file)) throw new BadLabelError(info.lines, `the folder has no file ${file}`)
      if (labels.has(file)) throw new BadLabelError(info.lines, `names ${file} again`)
      labels.set(file, isKnown)
    }
  } catch (error) {
    if (error instanceof CsvError) throw new BadLabelError(parser.info.lines, 'is not CSV')
    throw error
  }
  return labels
}
