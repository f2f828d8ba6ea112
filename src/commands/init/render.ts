import type { Section } from './sections.ts'
import { isTable } from '../../util/json.ts'

/** wrangler.jsonc, with a comment above each key. */
export function renderJsonc(sections: readonly Section[]): string {
  const blocks = sections.map(({ comment: what, key, value }) => {
    const text = JSON.stringify(value, null, 2).replaceAll('\n', '\n  ')
    return `${what && `  // ${what}\n`}  ${JSON.stringify(key)}: ${text}`
  })
  return `{\n${blocks.join(',\n')}\n}\n`
}

/** wrangler.toml. Plain keys come first, since a table takes every key after it. */
export function renderToml(sections: readonly Section[]): string {
  const plain = sections.filter(({ value }) => !isTable(value) && !isTables(value))
  const others = sections.filter((section) => !plain.includes(section))
  return [
    plain
      .map((section) => comment(section) + `${section.key} = ${inline(section.value)}\n`)
      .join(''),
    ...others.map(renderBlock),
  ].join('\n')
}

/** A section that can go at the end of any wrangler.toml. */
export function renderBlock(section: Section): string {
  const { key, value } = section
  return (
    comment(section) + (isTables(value) ? tablesText(key, value) : tableText(key, value as object))
  )
}

/** Whether a section can go after others. */
export function isBlock({ value }: Section): boolean {
  return isTable(value) || isTables(value)
}

function comment({ comment: text }: Section): string {
  return text && `# ${text}\n`
}

function tablesText(name: string, tables: readonly object[]): string {
  return tables.map((table) => `[[${name}]]\n${tomlLines(table)}`).join('\n')
}

/** A table, and the named tables within it. */
function tableText(name: string, table: object): string {
  const entries = Object.entries(table)
  const own = entries.filter(([, value]) => !isTable(value) && !isTables(value))
  const head = own.length > 0 ? [`[${name}]\n${tomlLines(Object.fromEntries(own))}`] : []
  const inner = entries.flatMap(([key, value]) => {
    const path = `${name}.${bare(key)}`
    if (isTables(value)) return [tablesText(path, value)]
    return isTable(value) ? [tableText(path, value)] : []
  })
  return [...head, ...inner].join('\n')
}

function tomlLines(table: object): string {
  return Object.entries(table)
    .map(([key, value]) => `${bare(key)} = ${inline(value)}\n`)
    .join('')
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (!isTable(value)) return JSON.stringify(value) // a JSON string is a TOML string
  const pairs = Object.entries(value).map(([key, inner]) => `${bare(key)} = ${inline(inner)}`)
  return `{ ${pairs.join(', ')} }`
}

function bare(key: string): string {
  return /^[\w-]+$/.test(key) ? key : JSON.stringify(key)
}

function isTables(value: unknown): value is object[] {
  return Array.isArray(value) && value.length > 0 && value.every(isTable)
}
