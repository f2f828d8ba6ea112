import { beforeEach, describe, expect, it } from 'vitest'
import { HMA_ROUTES } from '../../../src/doors/api/hma/routes.ts'
import { routesWith } from '../../../src/doors/api/routes.ts'
import { ticketRoute } from '../../../src/doors/tickets/grant.ts'
import { keyFor, setUpApi } from '../../support/api.ts'
import { publish } from '../../support/gate.ts'
import { ticketParts } from '../../support/tickets.ts'
import { readConfig } from '../../../src/config/config.ts'
import { Validator, type Schema } from '@cfworker/json-schema'

const ROUTES = routesWith([ticketRoute(undefined), ...HMA_ROUTES], '')

beforeEach(() => publish())

describe('the OpenAPI document', () => {
  it('has each route that is answered, and no other', async () => {
    const { call, readDocument } = setUpApi()
    const document = await readDocument()
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(described.toSorted()).toEqual(
      ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted(),
    )
    for (const path of Object.keys(document.paths)) {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        const scope = ROUTES.find((route) => route.path === path)?.scope ?? 'verdict'
        const { status } = await call(path, { method }, keyFor(scope))
        const isThere = described.includes(`${method} ${path}`)
        expect([method, path, status === 405]).toEqual([method, path, !isThere])
      }
    }
  })

  it('has examples that are as its schemas say', async () => {
    const { paths } = await setUpApi().readDocument()
    let count = 0
    for (const [path, operations] of Object.entries(paths)) {
      for (const { responses } of Object.values(operations)) {
        for (const [status, { content = {} }] of Object.entries(responses)) {
          for (const { schema, example } of Object.values(content)) {
            const { errors } = new Validator(schema as Schema, '2020-12').validate(example)
            expect({ path, status, errors }).toEqual({ path, status, errors: [] })
            count++
          }
        }
      }
    }
    expect(count).toBeGreaterThan(20)
  })

  it('has examples of requests that are answered', async () => {
    const { call, readDocument } = setUpApi({}, { tickets: ticketParts(readConfig({})) })
    const { paths } = await readDocument()
    let count = 0
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, { requestBody }] of Object.entries(operations)) {
        const example = requestBody?.content['application/json']?.example
        if (example === undefined) continue
        const scope = ROUTES.find((route) => route.path === path)?.scope ?? 'verdict'
        const headers = { 'content-type': 'application/json' }
        const body = JSON.stringify(example)
        const init = { method: method.toUpperCase(), headers, body }
        const { status } = await call(path, init, keyFor(scope))
        expect([path, status < 300]).toEqual([path, true])
        count++
      }
    }
    expect(count).toBe(3)
  })
})
