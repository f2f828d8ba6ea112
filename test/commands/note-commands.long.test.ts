import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { listPush, listShow, type TargetOptions } from '../../src/commands/list-commands.ts'
import { BadNotesError, listExempt, listTexts } from '../../src/commands/note-commands.ts'
import { ListMissingError } from '../../src/list/errors.ts'

let folder: string
let where: TargetOptions
let out = ''

const path = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashgate-notes-'))
  where = { persistTo: folder }
  vi.stubEnv('LIST_KEY', 'ab'.repeat(32))
  vi.spyOn(console, 'log').mockImplementation((line) => void (out += `${line}\n`))
  await writeFile(path('list.csv'), `hash,id\n${'0f'.repeat(32)},7\n`)
})

afterAll(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

/** What a command prints. */
async function printed(command: Promise<boolean>): Promise<string> {
  out = ''
  expect(await command).toBe(true)
  return out
}

describe('hashgate list exempt and texts', () => {
  it('want a list: one without entries would let everything pass', async () => {
    await expect(listExempt(['csam/7'], where)).rejects.toThrow(ListMissingError)
    await printed(listPush(path('list.csv'), { ...where, bank: 'csam' }))
  })

  it('exempt entries, show them, and end the exemption', async () => {
    expect(await printed(listExempt(['csam/7', 'csam/8'], where))).toBe(
      'published version 2: 2 exempt\n',
    )
    expect(await printed(listExempt([], where))).toBe('csam/7\ncsam/8\n')
    await printed(listPush(path('list.csv'), { ...where, bank: 'csam' }))
    expect(await printed(listShow(where))).toContain('exempt: 2 entries')
    await printed(listExempt(['csam/7'], { ...where, remove: true }))
    expect(await printed(listExempt([], where))).toBe('csam/8\n')
    await expect(listExempt(['csam'], where)).rejects.toThrow(BadNotesError)
  })

  it('publish texts, and print them', async () => {
    const texts = { csam: { title: 'No.', appealUrl: 'https://a.example/{caseId}' } }
    await writeFile(path('texts.json'), JSON.stringify(texts))
    expect(await printed(listTexts(path('texts.json'), where))).toContain('texts for csam')
    expect(JSON.parse(await printed(listTexts(undefined, where)))).toEqual(texts)
    const example = fileURLToPath(new URL('../../examples/texts.json', import.meta.url))
    expect(await printed(listTexts(example, where))).toContain(
      'texts for 400, 408, 413, 415, 422, 451, 503',
    )
    expect(JSON.parse(await printed(listTexts(undefined, where)))).toMatchObject({
      451: { languages: { de: { title: 'Dieser Upload kann nicht angenommen werden.' } } },
    })
    await listTexts(path('texts.json'), where)
    expect(await printed(listShow(where))).toContain('texts for csam')
    expect(await printed(listExempt([], where))).toBe('csam/8\n')
  })

  it.each([
    ['{', 'must be JSON'],
    ['[]', 'must be a table of kinds of harm'],
    ['{"csam":{"titel":"No."}}', 'csam.titel is not a setting; did you mean title?'],
    ['{"csam":{"appealUrl":"http://a.example"}}', 'csam.appealUrl must be an https:// URL'],
    ['{"csam":{"languages":{"de":{"text":"x"}}}}', 'csam.languages.de.title'],
    ['{"csam":{"languages":{"German":{"title":"x"}}}}', 'must be a language tag'],
    ['{"csam":{"languages":{"de_AT":{"title":"x"}}}}', 'must be a language tag'],
  ])('refuse texts that are wrong, with their path: %s', async (json, message) => {
    await writeFile(path('bad.json'), json)
    await expect(listTexts(path('bad.json'), where)).rejects.toThrow(message)
  })
})
