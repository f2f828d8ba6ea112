import { readFileSync } from 'node:fs'
import { parseSync } from 'vite'

/** One change of one file. */
export interface Mutant {
  file: string
  start: number
  end: number
  text: string
}

interface Node {
  type: string
  start: number
  end: number
  [key: string]: unknown
}

/** Replacements of operators: the nearest neighbour, or the opposite. */
const OPERATORS: Record<string, string> = {
  ...{ '<': '<=', '<=': '<', '>': '>=', '>=': '>', '===': '!==', '!==': '===' },
  ...{ '&&': '||', '||': '&&', '??': '&&', '+': '-', '-': '+', '*': '/', '/': '*', '%': '*' },
  ...{ '<<': '>>', '>>': '<<', '>>>': '<<', '&': '|', '|': '&', '^': '&' },
}

/**
 * All changes of a file to try: operators, conditions, numbers, booleans, and removed statements.
 */
export function mutantsOf(file: string): Mutant[] {
  const code = readFileSync(file, 'utf8')
  const mutants: Mutant[] = []
  const add = (start: number, end: number, text: string) => mutants.push({ file, start, end, text })
  visit(parseSync(file, code).program as unknown as Node, (node) => {
    const { type, start, end } = node
    const own = code.slice(start, end)
    if (type === 'BinaryExpression' || type === 'LogicalExpression') {
      const [left, right, operator] = [node['left'], node['right'], node['operator']] as [
        Node,
        Node,
        string,
      ]
      const other = OPERATORS[operator]
      if (other)
        add(
          start,
          end,
          `(${code.slice(left.start, left.end)}) ${other} (${code.slice(right.start, right.end)})`,
        )
    } else if (type === 'IfStatement' || type === 'ConditionalExpression') {
      const test = node['test'] as Node
      add(test.start, test.end, `!(${code.slice(test.start, test.end)})`)
    } else if (type === 'Literal' && typeof node['value'] === 'number') {
      add(start, end, `(${own} + 1)`)
    } else if (type === 'Literal' && typeof node['value'] === 'boolean') {
      add(start, end, String(!node['value']))
    } else if (type === 'ExpressionStatement' || type === 'ThrowStatement') {
      if (!own.startsWith('super(')) add(start, end, ';')
    }
  })
  return mutants
}

function visit(node: Node, see: (node: Node) => void): void {
  if (
    node.type.startsWith('TS') &&
    node.type !== 'TSNonNullExpression' &&
    node.type !== 'TSAsExpression'
  )
    return
  see(node)
  for (const value of Object.values(node)) {
    const children = Array.isArray(value) ? value : [value]
    for (const child of children) if (isNode(child)) visit(child, see)
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}
