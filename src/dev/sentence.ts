import type { Verdict } from '../gate/verdict.ts'
import { allFiles, problemOf, type ScannedFile } from '../scan/scanned.ts'
import type { WeighedMatch } from '../policy/banks.ts'
import { FAMILIES, FAMILY_OF, REASONS } from './meanings.ts'

const DIGESTS: ReadonlySet<string> = new Set(['md5', 'sha1', 'sha256'])

/** The verdict in one sentence, followed by remarks. */
export function sentencesOf(verdict: Verdict, file: ScannedFile, nearest?: Near): string[] {
  const match = verdict.files.flatMap(({ matches }) => matches).find(({ isExempt }) => !isExempt)
  switch (verdict.action) {
    case 'block':
      return [`Blocked: ${foundAs(match)}`, ...remarks(match)]
    case 'quarantine':
      return [
        `Quarantined: ${foundAs(match)}`,
        'The upload is refused like a block, and a sealed copy is kept.',
      ]
    case 'flag':
      return [
        `Flagged: ${foundAs(match)}`,
        'The upload passes, and people review it.',
        ...remarks(match),
      ]
    case 'refuse':
      return [`Refused: ${problemText(verdict.reason, file)}`]
    case 'allow':
      return verdict.reason === 'no-match'
        ? [`Allowed: ${nearText(nearest)}`]
        : [
            `Allowed, but not judged: ${problemText(verdict.reason, file)}`,
            'Policy decides whether such uploads pass.',
          ]
  }
}

/** A nearby entry, whether or not it matches. */
type Near = Pick<WeighedMatch, 'bank' | 'entry' | 'distance'>

function foundAs(match: WeighedMatch | undefined): string {
  if (!match) return 'something known was found.'
  const { distance, bank, entry, probe, threshold } = match
  if (DIGESTS.has(probe))
    return `the file is identical to entry ${entry} in bank ${bank}, by its ${probe.toUpperCase()}.`
  const family = FAMILY_OF[probe as keyof typeof FAMILY_OF]
  const how = family === 'as it is' ? 'found as it is' : `found ${family} (${probe})`
  return `${bits(distance)} from entry ${entry} in bank ${bank}, ${how}; threshold ${threshold}.`
}

function remarks(match: WeighedMatch | undefined): string[] {
  const said = [
    match?.isReview && 'It lies in the review band of its bank.',
    match?.isFlooded && 'Its entry matches so many uploads that it is probably wrong.',
    match?.limited === 'blank' && 'Both pictures are blank, so the match says nothing.',
    match?.limited === 'pattern' && 'It is a pattern, so only very near entries match.',
    match?.limited === 'entry' &&
      'Other pictures are near its entry, so only very near pictures match.',
    match?.limited === 'low-quality' && 'Its quality is low, so only very near entries match.',
  ]
  return said.filter((text) => typeof text === 'string')
}

function nearText(nearest: Near | undefined): string {
  if (!nearest) return 'nothing on the list is near.'
  const { distance, entry, bank } = nearest
  return `nothing on the list matches. The nearest entry, ${entry} in bank ${bank}, is ${bits(distance)} away.`
}

function problemText(reason: Verdict['reason'], file: ScannedFile): string {
  if (reason === 'failed') return 'the list could not be read.'
  const problem = allFiles(file)
    .map(problemOf)
    .find((one) => one !== undefined)
  return problem
    ? `hashgate cannot read it, because ${REASONS[problem]}.`
    : 'programs could read it in different ways.'
}

function bits(distance: number): string {
  return `${distance} ${distance === 1 ? 'bit' : 'bits'}`
}

/** Hashes by family, in the order in which the page shows them. */
export function familiesOf<N extends { probe: keyof typeof FAMILY_OF }>(needles: readonly N[]) {
  return Object.entries(FAMILIES).flatMap(([name, meaning]) => {
    const some = needles.filter(({ probe }) => FAMILY_OF[probe] === name)
    return some.length > 0 ? [{ name, meaning, needles: some }] : []
  })
}
