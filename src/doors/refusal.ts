import { harmOf } from '../gate/verdict.ts'
import type { Texts, Translation } from '../policy/texts.ts'
import type { Passage } from '../upload/outcome.ts'
import { ENGLISH, type Reader } from './reader.ts'
import { RETRY_AFTER_SECONDS, statusOf } from './status.ts'

/** What an uploader reads about a refusal, in their language if the operator provides it. */
export function refusalOf(
  { outcome, caseId }: Passage & { isPassed: false },
  { textsFor }: RefusalDeps,
  reader: Pick<Reader, 'choose'>,
): Refusal {
  const { status, title: usual } = statusOf(outcome)
  const harm = outcome.reason === 'match' ? harmOf(outcome) : undefined
  const texts = (harm === undefined ? undefined : textsFor(harm)) ?? textsFor(String(status)) ?? {}
  const { type = 'about:blank', languages = {} } = texts
  const language = reader.choose(Object.keys(languages))
  const words: Partial<Translation> = languages[language] ?? texts
  const { title = usual, appealLabel } = words
  const detail = words.text?.replaceAll('{caseId}', caseId)
  const appeal = (words.appealUrl ?? texts.appealUrl)?.replaceAll('{caseId}', caseId)
  return {
    problem: {
      type,
      title,
      status,
      ...(detail !== undefined && { detail }),
      caseId,
      ...(appeal !== undefined && { appeal }),
    },
    language,
    appealLabel: appealLabel ?? (language === ENGLISH ? 'Appeal this decision' : appeal),
  }
}

export interface RefusalDeps {
  /** What the operator tells uploaders, by kind of harm or by status. */
  textsFor: (kind: string) => Texts | undefined
}

/**
 * Problem details (RFC 9457). All refusals with this status, kind of harm and language get the
 * same, except for the case id.
 */
export interface ProblemDetails {
  type: string
  title: string
  status: number
  detail?: string
  caseId: string
  /** Where the decision can be appealed. */
  appeal?: string
}

export interface Refusal {
  problem: ProblemDetails
  /** The language of all its texts, as a tag. */
  language: string
  /** Text of the appeal link on a page. */
  appealLabel: string | undefined
}

/** Headers of the answer, as a page or as JSON. */
export function refusalHeaders({ problem: { status }, language }: Refusal, url: string): Headers {
  const headers = new Headers({
    'content-language': language,
    'cache-control': 'no-store',
    vary: 'accept, accept-language',
  })
  if (status === 451) headers.set('link', `<${new URL('/', url).href}>; rel="blocked-by"`) // RFC 7725
  if (status === 503) headers.set('retry-after', String(RETRY_AFTER_SECONDS))
  return headers
}
