import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import { ENGLISH } from './reader.ts'
import type { Refusal } from './refusal.ts'

/** A self-contained page. Every text in it is escaped. */
export function refusalPage({ problem, language, appealLabel }: Refusal): string {
  const { title, detail, appeal, caseId } = problem
  const label = language === ENGLISH ? 'Case ' : ''
  const paragraphs = [
    detail !== undefined && html`<p>${detail}</p>`,
    appeal !== undefined && html`<p><a href="${appeal}">${appealLabel}</a></p>`,
    html`<p>${label}${caseId}</p>`,
  ].filter((paragraph) => paragraph !== false)
  const whole = html`<!doctype html>
    <html lang="${language}" dir="auto">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>${title}</title>
      <style>
        body {
          font:
            1rem/1.5 system-ui,
            sans-serif;
          max-width: 40rem;
          margin: 4rem auto;
          padding: 0 1rem;
        }
      </style>
      <h1>${title}</h1>
      ${paragraphs}
    </html>`
  return whole as HtmlEscapedString // a promise only if a part is one
}
