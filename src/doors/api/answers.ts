import * as v from 'valibot'
import { described } from '../../util/settings.ts'

/** What matched. It names the list's entry, and never tells its hash. */
export const MatchAnswer = v.strictObject({
  bank: v.string(),
  harm: described(v.string(), 'Kind of harm.'),
  action: described(v.picklist(['block', 'quarantine', 'flag']), 'What it leads to by its bank.'),
  entry: described(v.string(), 'Names the entry in the list.'),
  source: v.optional(v.string()),
  distance: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(0),
    v.maxValue(256),
    v.description('Bits between the entry and what was nearest to it; 0 for a digest.'),
  ),
  threshold: v.pipe(v.number(), v.integer(), v.description('Largest distance that matches.')),
  margin: v.pipe(v.number(), v.integer(), v.description('Bits between them.')),
  probe: described(
    v.string(),
    'How what matched was derived from the image, or the kind of digest.',
  ),
  limited: v.optional(
    described(
      v.picklist(['pattern', 'low-quality', 'blank', 'entry']),
      'Why it matches only what is very near: its hash says little, or that of its entry does.',
    ),
  ),
  isFlooded: v.optional(
    described(v.boolean(), 'Whether the entry only flags, since it matches too much to be right.'),
  ),
  isReview: v.optional(described(v.boolean(), "Whether it lies in the bank's review band.")),
  isExempt: v.optional(
    described(v.boolean(), 'Whether its entry is exempt, so that it changes nothing.'),
  ),
})

export const FileAnswer = v.strictObject({
  within: v.optional(
    described(v.string(), 'What the file was found in, if it is not itself uploaded.'),
  ),
  coverage: v.picklist(['scanned', 'unscannable']),
  reason: v.optional(described(v.string(), 'Why it could not be looked at.')),
  format: v.optional(v.string()),
  width: v.optional(v.number()),
  height: v.optional(v.number()),
  bytes: v.optional(v.number()),
  unscannableEntries: v.optional(v.number()),
  quality: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100))),
  limited: v.optional(
    described(
      v.picklist(['pattern', 'low-quality', 'blank']),
      'Why it matches only what is very near: its hash says little.',
    ),
  ),
  limitedTo: v.optional(described(v.number(), 'Largest distance at which it matches, if limited.')),
  isPatterned: v.optional(v.boolean()),
  isPartial: v.optional(v.boolean()),
  matches: v.optional(v.array(MatchAnswer)),
})

const CaseId = v.pipe(v.string(), v.uuid(), v.description('Names the verdict in the log.'))
const ListVersion = v.optional(v.pipe(v.number(), v.integer()))

/** What was asked about: files or hashes; `allow`, `flag`, `quarantine` and `block` are what the gate does with an upload. */
const verdictEntries = {
  caseId: CaseId,
  verdict: v.picklist(['allow', 'flag', 'quarantine', 'block']),
  reason: v.picklist(['no-match', 'match', 'unscannable', 'failed']),
  listVersion: ListVersion,
}

export const VerdictAnswer = v.strictObject({
  ...verdictEntries,
  files: described(v.array(FileAnswer), 'Files of the upload, and what was found within them.'),
  otherFiles: v.optional(described(v.number(), 'Files that are left out here.')),
})

const HashAnswer = v.strictObject({
  kind: v.picklist(['pdq', 'md5', 'sha1', 'sha256']),
  limited: FileAnswer.entries.limited,
  limitedTo: FileAnswer.entries.limitedTo,
  matches: v.array(MatchAnswer),
})

export const HashesAnswer = v.strictObject({
  ...verdictEntries,
  hashes: described(v.array(HashAnswer), 'In the order that they were asked in.'),
})

/** Problem details (RFC 9457). */
export const ProblemAnswer = v.strictObject({
  type: v.literal('about:blank'),
  title: v.string(),
  status: v.pipe(v.number(), v.integer()),
  detail: v.optional(v.string()),
  caseId: v.optional(CaseId),
  verdict: v.optional(v.literal('refuse')),
  reason: v.optional(v.string()),
  listVersion: ListVersion,
  files: v.optional(v.array(FileAnswer)),
  otherFiles: v.optional(v.number()),
  hashes: v.optional(v.array(HashAnswer)),
  errors: v.optional(
    described(
      v.array(v.strictObject({ path: v.string(), message: v.string() })),
      'What is wrong with the request, and where.',
    ),
  ),
})

export type Problem = v.InferOutput<typeof ProblemAnswer>

/** How HMA tells errors. */
export const MessageAnswer = v.strictObject({ message: v.string() })
