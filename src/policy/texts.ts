import * as v from 'valibot'
import { BANK_NAME } from '../list/manifest.ts'
import { described, group, optional, tableOf } from '../util/settings.ts'

/** A text that the operator writes. */
export const shortText = (max: number, description?: string) => {
  const Text = v.pipe(
    v.string('must be text'),
    v.minLength(1, 'must not be empty'),
    v.maxLength(max, `must have at most ${max} characters`),
  )
  return description === undefined ? Text : described(Text, description)
}

const httpsUrl = (description: string) =>
  v.pipe(
    v.string('must be an https:// URL'),
    v.url('must be an https:// URL'),
    v.startsWith('https://', 'must be an https:// URL'),
    v.description(description),
  )

const NAME_WORDS =
  'must have 1 to 64 lower-case letters, digits, dots, hyphens and underscores, and begin with a letter or digit'
/** The name of a bank, or of a kind of harm. */
export const Name = v.pipe(v.string(NAME_WORDS), v.regex(BANK_NAME, NAME_WORDS))

const LANGUAGE_WORDS = 'must be a language tag, such as de or pt-BR'
const Language = v.pipe(
  v.string(LANGUAGE_WORDS),
  v.regex(/^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{1,8})*$/, LANGUAGE_WORDS),
)

const TITLE = 'The title that a refused uploader reads.'
/** What may follow the title, in any language. */
const afterTitle = {
  text: v.exactOptional(
    shortText(2000, 'The text below the title. `{caseId}` in it becomes the case id.'),
  ),
  appealUrl: v.exactOptional(httpsUrl('Where to appeal. `{caseId}` in it becomes the case id.')),
  appealLabel: v.exactOptional(shortText(100, 'What the link to the appeal says on a page.')),
}

/** What speakers of another language read. A title is required, so that no answer has two languages. */
const TranslationSchema = group({
  title: shortText(200, TITLE),
  ...afterTitle,
})

/** What uploaders read when an upload is refused for one reason. */
const ReasonSchema = group({
  type: v.exactOptional(httpsUrl('A URL that names the problem (RFC 9457).')),
  title: v.exactOptional(shortText(200, TITLE)),
  ...afterTitle,
  languages: optional(
    tableOf(Language, TranslationSchema, 'languages'),
    'The same texts in other languages, by tag, such as `de` or `pt-BR`. The texts outside of `languages` are English.',
  ),
})

/** What refused uploaders read, by kind of harm, or by the status of the answer. */
export const TextsSchema = tableOf(Name, ReasonSchema, 'kinds of harm or statuses')

/** What an operator tells uploaders. */
export type Texts = v.InferOutput<typeof ReasonSchema>
/** What an uploader reads in one language. */
export type Translation = v.InferOutput<typeof TranslationSchema>
