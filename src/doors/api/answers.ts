import * as v from 'valibot'
import { described, optional } from '../../util/settings.ts'

/** A match. It names the entry, and never reveals its hash. */
const MatchAnswer = v.strictObject({
  bank: v.string(),
  harm: described(v.string(), 'Kind of harm.'),
  action: described(v.picklist(['block', 'quarantine', 'flag']), "Its bank's action."),
  entry: described(v.string(), 'Id of the entry in its bank.'),
  source: v.optional(v.string()),
  distance: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(0),
    v.maxValue(256),
    v.description('Bits between the entry and the nearest hash of the file; 0 for a digest.'),
  ),
  threshold: v.pipe(v.number(), v.integer(), v.description('Largest distance that matches.')),
  margin: v.pipe(v.number(), v.integer(), v.description('threshold - distance.')),
  probe: described(
    v.string(),
    'How the hash that matched was derived from the image, or the kind of digest.',
  ),
  limited: optional(
    v.picklist(['pattern', 'low-quality', 'blank', 'entry']),
    'Why only very near hashes match: the hash, or that of the entry, says little about the picture.',
  ),
  isFlooded: optional(
    v.boolean(),
    'Whether the entry only flags, because it matches so many uploads that it is probably wrong.',
  ),
  isReview: optional(v.boolean(), "Whether it lies in the bank's review band."),
  isExempt: optional(
    v.boolean(),
    'Whether its entry is exempt, so that the match changes nothing.',
  ),
})

const FileAnswer = v.strictObject({
  within: optional(v.string(), 'What the file was found in, if it was not uploaded itself.'),
  coverage: v.picklist(['scanned', 'unscannable']),
  reason: optional(v.string(), 'Why it could not be scanned.'),
  format: v.optional(v.string()),
  width: v.optional(v.number()),
  height: v.optional(v.number()),
  bytes: v.optional(v.number()),
  unscannableEntries: v.optional(v.number()),
  quality: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100))),
  limited: optional(
    v.picklist(['pattern', 'low-quality', 'blank']),
    'Why only very near entries match: its hash says little about the picture.',
  ),
  limitedTo: optional(v.number(), 'Largest distance at which it matches, if limited.'),
  isPatterned: v.optional(v.boolean()),
  isPartial: v.optional(v.boolean()),
  matches: v.optional(v.array(MatchAnswer)),
})

const CaseId = v.pipe(v.string(), v.uuid(), v.description('Identifies the verdict in the log.'))
const ListVersion = v.optional(v.pipe(v.number(), v.integer()))

/** `allow`, `flag`, `quarantine` and `block` are what the gate does with such an upload. */
const verdictEntries = {
  caseId: CaseId,
  verdict: v.picklist(['allow', 'flag', 'quarantine', 'block']),
  reason: v.picklist(['no-match', 'match', 'unscannable', 'failed']),
  listVersion: ListVersion,
}

export const VerdictAnswer = v.strictObject({
  ...verdictEntries,
  files: described(v.array(FileAnswer), 'Files of the upload, and what was found within them.'),
  otherFiles: optional(v.number(), 'Number of files that are left out here.'),
})

const HashAnswer = v.strictObject({
  kind: v.picklist(['pdq', 'md5', 'sha1', 'sha256']),
  limited: FileAnswer.entries.limited,
  limitedTo: FileAnswer.entries.limitedTo,
  matches: v.array(MatchAnswer),
})

export const HashesAnswer = v.strictObject({
  ...verdictEntries,
  hashes: described(v.array(HashAnswer), 'In the order of the request.'),
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
  errors: optional(
    v.array(v.strictObject({ path: v.string(), message: v.string() })),
    'What is wrong with the request, and where.',
  ),
})

export type Problem = v.InferOutput<typeof ProblemAnswer>

/** An error in HMA's form. */
export const MessageAnswer = v.strictObject({ message: v.string() })
