import type { Context } from 'hono'
import { accepts } from 'hono/accepts'
import { detectFromHeader } from 'hono/language'

/** The language of texts that name none. */
export const ENGLISH = 'en'

/** The reader of an answer, as the request describes it. */
export interface Reader {
  /** Whether a browser shows it to a person. */
  isPage: boolean
  /** The language among these that the reader prefers; English if there is none. */
  choose: (languages: readonly string[]) => string
}

/** Options that Hono's language detector requires. Only the header is read here. */
const BY_HEADER = {
  order: ['header' as const],
  lookupFromHeaderKey: 'accept-language',
  lookupQueryString: '',
  lookupCookie: '',
  lookupFromPathIndex: 0,
  caches: false as const,
  ignoreCase: true,
  fallbackLanguage: ENGLISH,
}

/** The reader of the answer to a request. Call it before anything replaces the request. */
export function readerOf(c: Context): Reader {
  return {
    isPage: isPagePost(c),
    choose: (languages) => {
      const supportedLanguages = [ENGLISH, ...languages]
      return detectFromHeader(c, { ...BY_HEADER, supportedLanguages }) ?? ENGLISH
    },
  }
}

/** Whether a browser has posted a form, and will show the answer to a person. */
function isPagePost(c: Context): boolean {
  const type = c.req.header('content-type') ?? ''
  if (!/^\s*(multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(type)) return false
  const supports = ['application/problem+json', 'application/json', 'text/html']
  const chosen = accepts(c, { header: 'Accept', supports, default: 'application/problem+json' })
  return chosen === 'text/html'
}
