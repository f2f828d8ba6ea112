import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DESK_TEMPLATE } from '../../src/commands/desk-files.ts'
import { exchangeAdd, settingsFrom } from '../../src/commands/exchange-add.ts'
import { readRaw } from '../../src/commands/init/wrangler-file.ts'
import { progressText } from '../../src/commands/progress.ts'
import { askAll } from '../../src/commands/questions.ts'
import { EXCHANGE_KINDS } from '../../src/desk/exchanges/catalog.ts'
import { GUIDES } from '../../src/desk/guide.ts'
import { readDeskSettings } from '../../src/desk/settings.ts'

let folder: string
let config: string
let out = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashgate-add-'))
  config = join(folder, 'wrangler.desk.toml')
  out = ''
  vi.spyOn(console, 'log').mockImplementation((line) => void (out += `${line}\n`))
})

afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true })
})

const ncmec = {
  bank: 'csam',
  set: { base: 'industry-test', user: 'us', tiers: 'A1, A2', minFeedback: '2' },
  everyMinutes: '30',
  yes: true,
} as const

const settingsOf = async (path: string) =>
  readDeskSettings((await readRaw(path))['vars'] as object).exchanges

describe('exchange add', () => {
  it('writes the settings of a source, which the desk reads, and tells its secrets', async () => {
    await exchangeAdd('ncmec', { ...ncmec, config })
    expect(await settingsOf(config)).toMatchObject({
      ncmec: {
        kind: 'ncmec',
        bank: 'csam',
        everyMinutes: 30,
        maxAgeHours: 26,
        tiers: ['A1', 'A2'],
        minFeedback: 2,
      },
    })
    expect(out).toContain('wrangler secret put NCMEC_PASSWORD')
    expect(out).toContain('Ask the provider for:')
    expect(out).toContain('[vars.HASHGATE.policy.banks.csam]')
    expect(await readFile(join(folder, 'desk.ts'), 'utf8')).toContain('hashgate/desk')
  })

  it('adds to a configuration, keeps all that it has, and takes no name twice', async () => {
    const before = `# mine\n${DESK_TEMPLATE}`
    await writeFile(config, before)
    await exchangeAdd('ncmec', { ...ncmec, config })
    const once = await readFile(config, 'utf8')
    expect(once.startsWith(before)).toBe(true)
    expect(existsSync(join(folder, 'desk.ts'))).toBe(false)
    await expect(exchangeAdd('ncmec', { ...ncmec, config })).rejects.toThrow(
      'has a source ncmec already',
    )
    expect(await readFile(config, 'utf8')).toBe(once)
    const set = { url: 'https://a.example.org/x', format: 'lines', 'auth.type': 'bearer' }
    const partner = { ...set, 'auth.secret': 'PARTNER_TOKEN' }
    await exchangeAdd('https', { name: 'partner', bank: 'other', set: partner, yes: true, config })
    expect(Object.keys(await settingsOf(config))).toEqual(['ncmec', 'partner'])
    expect(out).toContain('wrangler secret put PARTNER_TOKEN')
  })

  it('writes into JSON with comments, and into a named environment', async () => {
    const jsonc = join(folder, 'wrangler.jsonc')
    await writeFile(jsonc, '{\n  // mine\n  "name": "desk"\n}\n')
    await exchangeAdd('ncmec', { ...ncmec, config: jsonc })
    expect(await readFile(jsonc, 'utf8')).toContain('// mine')
    expect(Object.keys(await settingsOf(jsonc))).toEqual(['ncmec'])
    await exchangeAdd('ncmec', { ...ncmec, config, env: 'staging' })
    const { env } = (await readRaw(config)) as { env: { staging: { vars: object } } }
    expect(Object.keys(readDeskSettings(env.staging.vars).exchanges)).toEqual(['ncmec'])
  })

  it('leaves settings in JSON text to the operator', async () => {
    const before = `${DESK_TEMPLATE}\n[vars]\nDESK = "{}"\n`
    await writeFile(config, before)
    await exchangeAdd('ncmec', { ...ncmec, config })
    expect(out).toContain('by hand')
    expect(out).toContain('[vars.DESK.exchanges.ncmec]')
    expect(await readFile(config, 'utf8')).toBe(before)
  })

  it('writes nothing in a dry run, and shows it', async () => {
    await exchangeAdd('stopncii', { bank: 'ncii', dryRun: true, config })
    expect(existsSync(config)).toBe(false)
    expect(out).toContain('[vars.DESK.exchanges.stopncii]')
    expect(out).toContain('action = "flag"')
    out = ''
    await exchangeAdd('stopncii', { bank: 'ncii', dryRun: true, json: true, config })
    expect(JSON.parse(out)).toMatchObject({
      exchange: 'stopncii',
      dryRun: true,
      ask: expect.arrayContaining([expect.stringContaining('keys of the partner API')]),
      settings: { kind: 'stopncii', bank: 'ncii' },
      secrets: { STOPNCII_FUNCTIONS_KEY: expect.any(String) },
      policy: { banks: { ncii: { action: 'flag' } } },
    })
  })

  it('names what is missing or wrong, and writes nothing', async () => {
    const without = exchangeAdd('ncmec', { bank: 'csam', yes: true, config })
    await expect(without).rejects.toThrow('ncmec.base must be set')
    const set = { ...ncmec.set, usr: 'us' }
    await expect(exchangeAdd('ncmec', { ...ncmec, set, config })).rejects.toThrow(
      'did you mean user',
    )
    await expect(exchangeAdd('ncmec', { ...ncmec, threshold: '900', config })).rejects.toThrow(
      'threshold',
    )
    await expect(exchangeAdd(undefined, { yes: true, config })).rejects.toThrow('expected a kind')
    expect(existsSync(config)).toBe(false)
  })
})

describe('a person who is asked', () => {
  /** Types one line for each question, by what the question is about. */
  async function typed(kind: (typeof EXCHANGE_KINDS)[number], lines: Record<string, string>) {
    const [input, output] = [new PassThrough(), new PassThrough()]
    const { questions } = GUIDES[kind]
    output.on('data', (chunk: Buffer) => {
      const asked = questions.find(({ text }) => chunk.toString().startsWith(text))
      input.write(`${lines[asked?.name ?? ''] ?? ''}\n`)
    })
    return settingsFrom({ kind, bank: 'b', ...(await askAll(questions, {}, { input, output })) })
  }

  const ANSWERS: Record<(typeof EXCHANGE_KINDS)[number], Record<string, string>> = {
    https: { url: 'https://a.example.org/x.csv', 'auth.type': 'basic', 'auth.user': 'us' },
    ncmec: { user: 'us', tiers: 'A1' },
    stopncii: { regions: 'UK, IE' },
    tcap: { user: 'us' },
    threatexchange: { group: '123' },
    vics: { categories: '1=A, 2=B' },
  }

  it.each(EXCHANGE_KINDS)('gets settings of %s that the desk reads', async (kind) => {
    const settings = await typed(kind, ANSWERS[kind])
    const { exchanges } = readDeskSettings({ DESK: { exchanges: { it: settings } } })
    expect(exchanges['it']?.kind).toBe(kind)
  })

  it('is not asked for what follows from other answers', async () => {
    expect(await typed('https', ANSWERS.https)).toEqual({
      kind: 'https',
      bank: 'b',
      url: 'https://a.example.org/x.csv',
      format: 'csv',
      auth: { type: 'basic', user: 'us', secret: 'LIST_PASSWORD' },
      mode: 'replace',
    })
  })
})

describe('progress', () => {
  it('is a bar if the number of records is known', () => {
    expect(progressText(0, 2000)).toBe('[------------------------] 0 % of 2,000 records')
    expect(progressText(1000, 2000)).toBe('[############------------] 50 % of 2,000 records')
    expect(progressText(2000, 2000)).toBe('[########################] 100 % of 2,000 records')
  })

  it('is a count if the total is unknown or too small', () => {
    expect(progressText(1500, 0)).toBe('1,500 records')
    expect(progressText(1500, 1000)).toBe('1,500 records')
  })
})
