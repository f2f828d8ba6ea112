import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { replaceFile } from '../../scripts/replace-file.ts'

describe('replaceFile', () => {
  let folder: string
  const path = () => join(folder, 'image.wasm')

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hashgate-replace-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('makes a file, and leaves one with the same bytes alone', async () => {
    await replaceFile(path(), Buffer.from('old'))
    const before = await stat(path())
    await replaceFile(path(), Buffer.from('old'))
    const after = await stat(path())
    expect([after.ino, after.mtimeMs]).toEqual([before.ino, before.mtimeMs])
  })

  it('leaves the old bytes to whoever has them open, and nothing else behind', async () => {
    await writeFile(path(), 'old')
    const opened = await open(path())
    await replaceFile(path(), Buffer.from('new and longer'))
    expect(await opened.readFile('utf8')).toBe('old')
    await opened.close()
    expect(await readFile(path(), 'utf8')).toBe('new and longer')
    expect(await readdir(folder)).toEqual(['image.wasm'])
  })
})
