import { describe, expect, it } from 'vitest'
import { MalformedBodyError } from '../../src/body/errors.ts'
import { AMBIGUOUS, type ClientForm, CLIENTS, HONEST } from '../support/client-forms.ts'
import { fixture } from '../support/fixtures.ts'
import { readFiles } from '../support/read-body.ts'

const PHOTO = Buffer.from(fixture('jpeg'))
const clients = Object.entries(CLIENTS)

/** Whether the photo is told as a file, and the text as a text; or the form is refused. */
function look({ type, body }: ClientForm, size = Infinity): 'read' | 'refused' | 'missed' {
  try {
    const told = readFiles(body, { 'content-type': type }, { size }).filter(({ isRaw }) => !isRaw)
    const isTold = told.some(({ isText, bytes }) => !isText && bytes.equals(PHOTO))
    return isTold && told.some(({ isText, text }) => isText && text === 'hello') ? 'read' : 'missed'
  } catch (error) {
    if (error instanceof MalformedBodyError) return 'refused'
    throw error
  }
}

describe('a form of a client', () => {
  it.each(clients)('is read, not refused, whatever its chunks are: %s', (_, client) => {
    const form = HONEST['as it is']!(client, PHOTO)
    for (const size of [Infinity, 4096, 7]) expect(look(form, size)).toBe('read')
  })

  it.each(Object.entries(HONEST))('is read with an oddity: %s', (_, oddity) => {
    const seen = clients.map(([name, client]) => [name, look(oddity(client, PHOTO))])
    expect(seen).toEqual(clients.map(([name]) => [name, 'read']))
  })

  it.each(Object.entries(AMBIGUOUS))(
    'is refused if parsers read it differently: %s',
    (_, oddity) => {
      const seen = clients.map(([name, client]) => [name, look(oddity(client, PHOTO))])
      expect(seen).toEqual(clients.map(([name]) => [name, 'refused']))
    },
  )
})
