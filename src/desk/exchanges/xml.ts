import { parse, type TNode } from 'txml/txml'
import { BadAnswerError } from './errors.ts'

/**
 * The root of an XML answer. The parser accepts truncated XML, so the end tag is checked.
 * @throws {BadAnswerError} it is truncated, not XML, or something else, such as a maintenance page
 */
export function parseXml(text: string, root: string, what: string): TNode {
  if (!new RegExp(`(</(\\w+:)?${root}>|<(\\w+:)?${root}[^>]*/>)\\s*$`).test(text)) {
    throw new BadAnswerError(
      what,
      `does not end with </${root}>: it is truncated, or a different page`,
    )
  }
  let nodes: (TNode | string)[]
  try {
    nodes = parse(text, { decodeEntities: true })
  } catch {
    throw new BadAnswerError(what, 'is not XML')
  }
  const found = nodes.find((node): node is TNode => nameOf(node) === root)
  if (!found) throw new BadAnswerError(what, `has no <${root}>`)
  return found
}

export function childrenOf(node: TNode | undefined): TNode[] {
  return (node?.children ?? []).filter((child): child is TNode => typeof child === 'object')
}

export function childNamed(node: TNode | undefined, name: string): TNode | undefined {
  return childrenOf(node).find((child) => nameOf(child) === name)
}

export function textOf(node: TNode | undefined): string {
  return (node?.children ?? [])
    .filter((child) => typeof child === 'string')
    .join('')
    .trim()
}

export function attributesOf(node: TNode | undefined): Record<string, string> {
  const attributes: [string, unknown][] = Object.entries(node?.attributes ?? {})
  return Object.fromEntries(
    attributes.map(([name, value]) => [name, typeof value === 'string' ? value : '']),
  )
}

function nameOf(node: TNode | string): string {
  return typeof node === 'string' ? '' : node.tagName.replace(/^\w+:/, '')
}
