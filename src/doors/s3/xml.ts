import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import { parse, type TNode } from 'txml'
import type { ChosenPart, StagedPart } from '../../upload/staging/staged-upload.ts'

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'

/** Reads the parts and ETags that complete an upload; `undefined` if they are malformed. */
export function parseCompletion(xml: string): ChosenPart[] | undefined {
  let nodes: (TNode | string)[]
  try {
    nodes = parse(xml, { decodeEntities: true })
  } catch {
    return undefined // not XML, or nested too deeply
  }
  const parts = childrenNamed({ children: nodes }, 'CompleteMultipartUpload').flatMap((node) =>
    childrenNamed(node, 'Part'),
  )
  const chosen = parts.map(parsePart)
  return chosen.length > 0 && chosen.every((part) => part !== undefined) ? chosen : undefined
}

function parsePart(part: TNode): ChosenPart | undefined {
  const number = childText(part, 'PartNumber')
  const md5 = childText(part, 'ETag').replace(/^"(.*)"$/, '$1')
  return /^\d{1,5}$/.test(number) ? { number: Number(number), md5 } : undefined
}

function childrenNamed({ children }: Pick<TNode, 'children'>, name: string): TNode[] {
  return children.filter((node): node is TNode => Object(node).tagName === name)
}

function childText(node: TNode, name: string): string {
  const texts = childrenNamed(node, name).flatMap(({ children }) => children)
  return texts
    .filter((text) => typeof text === 'string')
    .join('')
    .trim()
}

/** An S3 answer. The text of its elements is escaped. */
export function xmlAnswer(
  status: number,
  name: string,
  elements: Record<string, string>,
  parts: readonly StagedPart[] = [],
): Response {
  const root = name === 'Error' ? '<Error>' : `<${name} xmlns="${NAMESPACE}">`
  const lists = parts.map(({ number, md5, bytes }) => {
    const part = { PartNumber: String(number), ETag: `"${md5}"`, Size: String(bytes) }
    return `<Part>${textsToXml(part)}</Part>`
  })
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n${root}${textsToXml(elements)}${lists.join('')}</${name}>`
  return new Response(xml, {
    status,
    headers: { 'content-type': 'application/xml', 'cache-control': 'no-store' },
  })
}

function textsToXml(elements: Record<string, string>): string {
  return Object.entries(elements)
    .map(([name, text]) => `<${name}>${escaped(text)}</${name}>`)
    .join('')
}

function escaped(text: string): string {
  return (html`${text}` as HtmlEscapedString).toString() // a promise only if a part is one
}
