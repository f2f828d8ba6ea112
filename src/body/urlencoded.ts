import type { NamedText } from './types.ts'

/** The values of an `application/x-www-form-urlencoded` body. */
export function* textsOfUrlencoded(body: string): Generator<NamedText> {
  for (const [name, value] of new URLSearchParams(body)) {
    // A plus sign that was not escaped comes out as a space, and is taken back by who knows that it is base64.
    yield { name, text: value.replaceAll(' ', '+') }
  }
}
