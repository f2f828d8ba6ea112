import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readWranglerConfig } from '../../src/commands/stores.ts'

/** Lines of TOML that are commented out. */
const COMMENTED = /^# (?=\[|\w+ = )/

async function read(toml: string) {
  const folder = await mkdtemp(join(tmpdir(), 'hashgate-toml-'))
  try {
    await writeFile(join(folder, 'wrangler.toml'), toml)
    return await readWranglerConfig({ config: join(folder, 'wrangler.toml') })
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe('wrangler.toml', () => {
  it('can be read with all of its blocks uncommented', async () => {
    const lines = (await readFile('wrangler.toml', 'utf8')).split('\n')
    const config = await read(lines.map((line) => line.replace(COMMENTED, '')).join('\n'))
    const classes = config.durable_objects.bindings.map(({ class_name }) => class_name)
    expect(classes.toSorted()).toEqual([
      'FloodCounter',
      'ListPin',
      'ListShard',
      'StagedUpload',
      'TicketUse',
    ])
    expect(config.migrations.flatMap(({ new_sqlite_classes }) => new_sqlite_classes ?? [])).toEqual(
      expect.arrayContaining(classes),
    )
    expect(config.r2_buckets.map(({ binding }) => binding)).toContain('QUARANTINE')
    expect(config.triggers.crons).toHaveLength(1)
  })
})
