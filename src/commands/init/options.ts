import * as v from 'valibot'
import { PRESET_NAMES } from '../../config/presets.ts'
import { BANK_NAME } from '../../list/manifest.ts'
import { isRecipient, RECIPIENT_WORDS } from '../../quarantine/recipients.ts'
import { HashgateError } from '../../util/errors.ts'

/** Answers that are missing or contradict each other. */
export class InitError extends HashgateError {
  readonly code = 'init'
}

const ROUTE = /^(\*\.?)?[\w-]+(\.[\w-]+)+(:\d+)?\/.*$/
const ZONE = /^[\w-]+(\.[\w-]+)+$/

function matching(pattern: RegExp, words: string) {
  return v.pipe(v.string(), v.regex(pattern, words))
}

const HttpsUrl = (words: string) =>
  v.pipe(
    v.string(),
    v.check((url) => URL.canParse(url) && new URL(url).protocol === 'https:', words),
  )

/** What `hashgate init` must know about a deployment. */
export const AnswersSchema = v.object({
  name: matching(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and hyphens'),
  origin: v.optional(
    v.pipe(
      v.string(),
      v.check(
        (url) => /^https?:\/\/[^/]+\/?$/.test(url) && URL.canParse(url),
        'must be a URL without a path, such as https://origin.example.com',
      ),
    ),
  ),
  route: v.optional(matching(ROUTE, 'must be a host and a path, such as files.example.com/*')),
  zone: v.optional(matching(ZONE, 'must be a domain, such as example.com')),
  preset: v.picklist(PRESET_NAMES, `must be one of ${PRESET_NAMES.join(', ')}`),
  mode: v.picklist(['shadow', 'enforce'], 'must be shadow or enforce'),
  bank: matching(BANK_NAME, 'must be lower-case letters, digits, dots, hyphens'),
  action: v.picklist(['block', 'quarantine', 'flag'], 'must be block, quarantine or flag'),
  recipient: v.optional(v.pipe(v.string(), v.check(isRecipient, RECIPIENT_WORDS))),
  service: v.optional(v.picklist(['arachnid', 'tcap'], 'must be arachnid or tcap')),
  user: v.optional(v.string()),
  webhook: v.optional(HttpsUrl('must be an https URL')),
  /** Whether events go to a queue that another program reads. A webhook always has one. */
  queue: v.optional(v.boolean('must be yes or no')),
  heic: v.picklist(['no', 'images', 'libheif'], 'must be no, images or libheif'),
  format: v.picklist(['jsonc', 'toml'], 'must be jsonc or toml'),
})

export type Answers = v.InferOutput<typeof AnswersSchema>

/** @throws {InitError} names each invalid option; missing ones may still be asked for */
export function checkGiven(given: Record<string, unknown>): void {
  parseAnswers(v.partial(AnswersSchema), given)
}

/** @throws {InitError} names each invalid answer by its option */
export function checkAnswers(given: Record<string, unknown>): Answers {
  const answers = parseAnswers(AnswersSchema, given)
  if (answers.route !== undefined && answers.zone === undefined)
    throw new InitError('--route needs --zone, the domain at Cloudflare that the route is in')
  if (answers.zone !== undefined && answers.route === undefined)
    throw new InitError('--zone needs --route, such as --route "files.example.com/*"')
  if (answers.service !== undefined && !answers.user)
    throw new InitError('--service needs --user, the user name that the service gave you')
  if (answers.action === 'quarantine' && answers.recipient === undefined)
    throw new InitError(
      '--action quarantine needs --recipient; make one with `hashgate quarantine keygen --out identity.txt`',
    )
  return answers
}

function parseAnswers<S extends v.GenericSchema>(schema: S, given: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, given)
  if (result.success) return result.output
  const problems = result.issues.map((issue) => `--${v.getDotPath(issue) ?? ''} ${issue.message}`)
  throw new InitError(problems.join('; '))
}
