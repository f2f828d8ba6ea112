import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashgate-config-'))
})

afterAll(() => rm(folder, { recursive: true }))

async function config(vars: string, ...args: string[]) {
  const file = join(folder, 'wrangler.toml')
  const head = 'name = "gate"\nmain = "worker.ts"\ncompatibility_date = "2026-10-20"\n'
  await writeFile(file, head + vars)
  return new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const command = ['dist/cli.js', 'config', '--config', file, ...args]
    execFile(process.execPath, command, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    )
  })
}

describe('hashgate config', () => {
  it('prints what is set, and the defaults of what is not', async () => {
    const { code, out } = await config('[vars]\nMAX_FILES = 7\nPROBES = "plain"\n')
    expect(code).toBe(0)
    expect(out).toMatch(/^MAX_FILES +7$/m)
    expect(out).toMatch(/^PROBES +none$/m)
    expect(out).toMatch(/^ON_FAILED +refuse \(default\)$/m)
  })

  it('prints a policy with its defaults, as JSON if that is wanted', async () => {
    const vars =
      '[vars.POLICY.banks.csam]\nharm = "csam"\n[[vars.POLICY.routes]]\npaths = ["/a/*"]\nmode = "shadow"\n'
    const { out } = await config(vars, '--json')
    expect(JSON.parse(out)).toMatchObject({
      POLICY: {
        mode: 'enforce',
        banks: { csam: { harm: 'csam', action: 'block', enabled: true } },
        routes: [{ paths: ['/a/*'], mode: 'shadow' }],
      },
    })
  })

  it('tells what is wrong, where, and what is allowed', async () => {
    const { code, out, err } = await config('[vars.POLICY.banks.csam]\naction = "blokc"\n')
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain('POLICY.banks.csam.action must be block or quarantine or flag')
  })
})
