import { type Schema, Validator } from '@cfworker/json-schema'
import { expect } from 'vitest'
import { generateApiKey, type Scope } from '../../src/doors/api/keys.ts'
import type { WorkerParts } from '../../src/worker/parts.ts'
import { answerOf, setUp } from './gate.ts'

/** A document of OpenAPI, as far as tests look into it. */
export interface OpenApi {
  paths: Record<string, Record<string, Operation>>
}

interface Operation {
  responses: Record<string, { content?: Record<string, { schema?: Schema; example?: unknown }> }>
  requestBody?: { content: Record<string, { example?: unknown }> }
}

const callers = new Map<Scope, ReturnType<typeof generateApiKey>>()
for (const scope of ['verdict', 'lookup', 'tickets', 'health'] as const) {
  callers.set(scope, generateApiKey(`${scope}-caller`, new Set([scope])))
}

/** A key for one thing. */
export function keyFor(scope: Scope): string {
  return callers.get(scope)!.key
}

/** The secret API_KEYS that has them. */
export const API_KEYS = [...callers.values()].map(({ line }) => line).join('\n')

/**
 * A gate with an API, for these keys and others. Each answer of the API is held against its OpenAPI document, which is read from the same gate.
 */
export function setUpApi(
  { API_KEYS: others = '', ...vars }: { API_KEYS?: string; [name: string]: unknown } = {},
  parts: Partial<WorkerParts> = {},
) {
  const gate = setUp({ API_KEYS: `${API_KEYS}\n${others}`, ...vars }, parts)
  const fetch = (path: string, init: RequestInit) =>
    answerOf(gate.gate, new Request(`https://api.example${path}`, init), {})
  const call = async (path: string, init: RequestInit = {}, key?: string) => {
    const headers = new Headers(init.headers)
    if (key !== undefined) headers.set('authorization', `Bearer ${key}`)
    const response = await fetch(path, { ...init, headers })
    const text = await response.clone().text()
    const document = await readDocument()
    const { pathname } = new URL(`https://api.example${path}`)
    const method = (init.method ?? 'GET').toLowerCase()
    checkAnswer(document.paths[pathname]?.[method], response, text, `${method} ${pathname}`)
    return response
  }
  const readDocument = async () => {
    const init = { headers: { authorization: `Bearer ${keyFor('verdict')}` } }
    return (await (await fetch('/v1/openapi.json', init)).json()) as OpenApi
  }
  return { ...gate, call, readDocument }
}

function checkAnswer(
  operation: Operation | undefined,
  response: Response,
  text: string,
  where: string,
): void {
  if (!operation) return // a method that is not there
  const described = operation.responses[String(response.status)]
  expect(described, `${where}: ${response.status} is described`).toBeDefined()
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';')
  const content = described?.content?.[type]
  expect(content, `${where}: ${type} is described for ${response.status}`).toBeDefined()
  const value: unknown = type.endsWith('json') ? JSON.parse(text) : text
  const { valid, errors } = new Validator(content?.schema ?? false, '2020-12').validate(value)
  expect({ valid, errors }, `${where}: ${text}`).toEqual({ valid: true, errors: [] })
}
