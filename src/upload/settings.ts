import * as v from 'valibot'
import type { BodyOptions } from '../body/types.ts'
import type { RouteSettings } from '../policy/routes.ts'
import type { Policy } from '../policy/schema.ts'
import type { ScanSettings } from '../scan/settings.ts'
import {
  choice,
  MAX_BODY_BYTES,
  listOf,
  MIB,
  oneOf,
  optionalGroup,
  wholeNumber,
} from '../util/settings.ts'

/** Fewest bytes with which a long upload can move at all. */
const LEAST_HELD_BYTES = MIB

const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'] as const

/** How uploads are taken in. */
export const UploadSettings = optionalGroup(
  {
    methods: v.optional(
      listOf(
        oneOf(METHODS),
        'Methods whose requests are judged. Unusual methods with a body are always judged.',
      ),
      ['POST', 'PUT', 'PATCH'],
    ),
    maxBodyBytes: v.optional(
      wholeNumber(
        1,
        MAX_BODY_BYTES,
        'Longest body of an upload, in bytes. Your Cloudflare plan has a limit of its own.',
      ),
      512 * MIB,
    ),
    maxBufferedBytes: v.optional(
      wholeNumber(
        1,
        64 * MIB,
        'Longest body that is held whole until its verdict, in bytes. Of a longer body, only its end and pictures up to this length are held.',
      ),
      16 * MIB,
    ),
    maxHeldBytes: v.optional(
      wholeNumber(
        1,
        100 * MIB,
        'Most bytes of bodies that one isolate holds at once, beside up to 64 MB of list.',
      ),
      32 * MIB,
    ),
    maxDecoders: v.optional(
      wholeNumber(
        1,
        16,
        'Most uploads that are decoded while they arrive, which takes 2 to 24 MB each. Others are decoded when they are complete.',
      ),
      3,
    ),
    maxWaitSeconds: v.optional(
      wholeNumber(1, 120, 'Seconds that an upload waits for memory before it gets 503.'),
      30,
    ),
    clientStallSeconds: v.optional(
      wholeNumber(1, 120, 'Seconds in which a client must send the next 64 KiB, or the rest.'),
      60,
    ),
    minBytesPerSecond: v.optional(
      wholeNumber(
        1,
        MIB,
        'Lowest average rate of a client, in bytes a second. It rises to 64 KiB while other uploads wait for memory.',
      ),
      8 * 1024,
    ),
    maxSeconds: v.optional(
      wholeNumber(60, 86_400, 'Seconds in which the longest body must arrive.'),
      3600,
    ),
    onUnknownLength: v.optional(
      choice(
        ['length-required', 'too-large'],
        'Answer to a body that gives no length and exceeds `maxBufferedBytes`: 411 or 413.',
      ),
      'length-required',
    ),
    onParts: v.optional(
      choice(
        ['allow', 'refuse'],
        'What to do with requests that carry a part of a file (a range, a part, a block) which hashgate does not assemble.',
      ),
      'allow',
    ),
  },
  'How uploads are received, and how much of an isolate they may use.',
)
export type UploadSettings = v.InferOutput<typeof UploadSettings>

/** Uploads that arrive in parts, and wait until they are complete. */
export const StagingSettings = optionalGroup(
  {
    hours: v.optional(
      wholeNumber(1, 720, 'Hours after which an incomplete upload is deleted.'),
      24,
    ),
  },
  'Uploads that arrive in parts, by tus or S3 multipart, and wait until they are complete.',
)
export type StagingSettings = v.InferOutput<typeof StagingSettings>

export interface PassSettings {
  upload: UploadSettings
  body: BodyOptions
  origin: { timeoutSeconds: number }
}

/** Which requests are judged, and how. */
export interface UploadsSettings extends PassSettings, RouteSettings {
  scan: ScanSettings
  policy: Policy
  body: BodyOptions
  upload: UploadSettings
}

/** Conflicts between settings of uploads. */
export function uploadProblems(
  { maxHeldBytes, maxBufferedBytes, maxBodyBytes }: UploadSettings,
  longestBodies: readonly number[],
): string[] {
  const longest = Math.max(maxBodyBytes, ...longestBodies)
  if (maxHeldBytes < maxBufferedBytes)
    return ['upload.maxHeldBytes must be at least upload.maxBufferedBytes']
  return longest > maxBufferedBytes && maxHeldBytes < LEAST_HELD_BYTES
    ? [
        `upload.maxHeldBytes must be at least ${LEAST_HELD_BYTES} for uploads longer than upload.maxBufferedBytes`,
      ]
    : []
}
