import { describe, expect, it } from 'vitest'
import {
  isJsonType,
  isOddCharset,
  isUrlencodedType,
  textKindOf,
} from '../../src/body/content-type.ts'
import { readFiles } from '../support/read-body.ts'

describe('what is known of a body beforehand', () => {
  const body = { isText: false, isBody: true, text: undefined }
  const raw = { isText: true, isRaw: true }

  it.each([
    [{}, [body]],
    [{ 'content-type': 'image/jpeg' }, [body]],
    [{ 'content-type': 'text/plain' }, [{ ...body, text: 'text' }]],
    [{ 'content-type': 'application/json' }, [{ ...body, isText: true, text: 'text' }]],
    [
      { 'content-type': 'application/x-www-form-urlencoded' },
      [{ ...body, isText: true, text: 'urlencoded' }],
    ],
    [{ 'content-encoding': 'gzip' }, [body, raw]],
    [{ 'content-encoding': 'br', 'content-type': 'text/plain' }, [raw]],
  ])('is told for %j', (headers, infos) => {
    expect(readFiles('', headers).map(({ info }) => info)).toEqual(infos)
  })

  it.each([
    ['text/plain; charset=utf-7', ['unsupported-encoding']],
    ['application/json; charset=cp037', ['unsupported-encoding']],
    ['text/plain; charset=utf-8', []],
    ['text/plain', []],
    ['image/jpeg; charset=utf-7', []],
  ])('is that a text is in a charset that is not read, or nothing: %j', (type, expected) => {
    const reasons: string[] = []
    readFiles('', { 'content-type': type }, { onUnreadable: (reason) => reasons.push(reason) })
    expect(reasons).toEqual(expected)
  })
})

describe('a Content-Type', () => {
  it.each([
    ['application/json', 'text'],
    ['application/vnd.api+json; charset=utf-8', 'text'],
    ['application/x-ndjson', 'text'],
    ['text/json5', 'text'],
    ['text/plain', 'text'],
    ['message/rfc822', 'text'],
    ['image/svg+xml', 'text'],
    ['application/graphql', 'text'],
    ['application/x-www-form-urlencoded', 'urlencoded'],
    ['text/x-www-form-urlencoded; x', 'urlencoded'],
    ['application/octet-stream', undefined],
    ['image/jpeg', undefined],
    ['application/jsonish', undefined],
    ['', undefined],
  ])('%j is of the kind %s', (type, kind) => {
    expect(textKindOf(type)).toBe(kind)
  })

  it('is that of JSON, of a form, or of neither', () => {
    const json = ['application/json', 'TEXT/JSON', 'application/json-seq', 'application/a+json ;x']
    const others = ['application/jsonx', 'application/x-json', 'x application/json', 'text/plain']
    expect([...json, ...others].map(isJsonType)).toEqual([
      ...json.map(() => true),
      ...others.map(() => false),
    ])
    expect(isUrlencodedType('application/x-www-form-urlencoded')).toBe(true)
    expect(isUrlencodedType('application/json')).toBe(false)
  })

  it.each([
    ['text/plain', false],
    ['text/plain; charset=utf-8', false],
    ['text/plain; charset="ISO-8859-1"', false],
    ['text/plain; charset=utf-16le', false],
    ['text/plain; charset=Shift_JIS', false],
    ['text/plain; charset=utf-7', true],
    ["text/plain; charset*='utf-7'", true],
    ['text/plain; charset=cp037', true],
    ['text/plain; charset=utf-8-x', true],
  ])('has a charset that is not read: %j %s', (type, isOdd) => {
    expect(isOddCharset(type)).toBe(isOdd)
  })
})
