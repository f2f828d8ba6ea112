import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { settingsInEffect } from '../../src/config/config.ts'

/** Secrets, which are not printed, and read where they are used. */
const SECRETS = [
  ...['API_KEYS', 'LIST_KEY', 'S3_CLIENT_KEYS', 'S3_ORIGIN_KEY'],
  ...['TICKET_KEY', 'WEBHOOK_SECRET'],
]

describe("the README's table of settings", () => {
  it('has each setting once, and no other', async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
    const [, table = ''] = /\| variable \|.*\n\|[- |]*\n((?:\|.*\n)*)/.exec(readme) ?? []
    const names = [...table.matchAll(/^\| `(\w+)`( \(secret\))? \|/gm)].map(([, name]) => name)
    expect(table.trim().split('\n')).toHaveLength(names.length)
    const settings = settingsInEffect({}).map(({ name }) => name)
    expect(new Set(names)).toEqual(new Set([...settings, ...SECRETS]))
    expect(names).toHaveLength(settings.length + SECRETS.length)
  })
})
