import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { outline, scanChunks } from '../../support/scan-chunks.ts'
import { picture } from '../../support/sharp-images.ts'

// Archives of other programs, where they are installed.

const folder = mkdtempSync(join(tmpdir(), 'hashgate-'))

beforeAll(async () => {
  mkdirSync(join(folder, 'in', 'deep'), { recursive: true })
  writeFileSync(join(folder, 'in', 'a.jpg'), await picture(300, 200).jpeg().toBuffer())
  writeFileSync(join(folder, 'in', 'deep', 'b.png'), await picture(90, 70).png().toBuffer())
  writeFileSync(join(folder, 'in', 'text'), 'A text.\n'.repeat(999))
  writeFileSync(join(folder, 'in', 'empty'), '')
})

afterAll(() => rmSync(folder, { recursive: true }))

function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0
}

/** Has a shell make an archive in the folder. Returns what is found in it, in any order. */
async function outlineOf(command: string): Promise<string[]> {
  rmSync(join(folder, 'out'), { force: true })
  execFileSync('sh', ['-c', command], { cwd: folder })
  const [archive = '', ...inner] = outline(
    await scanChunks(readFileSync(join(folder, 'out')), 1000),
  )
  return [archive, ...inner.toSorted()]
}

function inside(container: string): string[] {
  return ['jpeg 1 needles', 'png 1 needles', 'unknown unknown-format'].map(
    (file) => `${container}: ${file}`,
  )
}

const PYTHON = `
import os, sys, zipfile
files = [os.path.join(path, name) for path, _, names in os.walk('in') for name in names]
class Pipe:
    def __init__(self): self.file = open('out', 'wb')
    def write(self, data): return self.file.write(data)
    def flush(self): self.file.flush()
target = Pipe() if sys.argv[2] == 'pipe' else 'out'
with zipfile.ZipFile(target, 'w', int(sys.argv[1])) as archive:
    for file in files: archive.write(file)
`

describe('archives of other programs', () => {
  it
    .skipIf(!isInstalled('zip'))
    .each(['zip -qr', 'zip -qr0', 'zip -qr9 -fz', 'zip -qr -fd', 'zip -qr -z </dev/null'])(
    'are scanned: %s',
    async (command) => {
      const lines = await outlineOf(`${command} out.zip in && mv out.zip out`)
      expect(lines).toEqual(['upload: zip 0 needles', ...inside('zip')])
    },
  )

  it.skipIf(!isInstalled('zip'))('are scanned: zip into a pipe', async () => {
    expect(await outlineOf('zip -qr - in | cat > out')).toEqual([
      'upload: zip 0 needles',
      ...inside('zip'),
    ])
  })

  it.skipIf(!isInstalled('zip'))('are unscannable: zip -e', async () => {
    const lines = await outlineOf('zip -qreDP secret out.zip in && mv out.zip out')
    expect(lines).toEqual(['upload: zip encrypted-entry 4'])
  })

  it.skipIf(!isInstalled('tar')).each(['v7', 'ustar', 'gnu', 'pax'])(
    'are scanned: tar --format=%s',
    async (format) => {
      const tar = `tar --format=${format} -cf out in`
      expect(await outlineOf(tar)).toEqual(['upload: tar 0 needles', ...inside('tar')])
      expect(await outlineOf(`${tar} && gzip -c out > z && mv z out`)).toEqual([
        'upload: gzip 0 needles',
        'gzip: tar 0 needles',
        ...inside('tar'),
      ])
    },
  )

  it.skipIf(!isInstalled('python3')).each([
    ['stored', 0, 'file'],
    ['deflated', 8, 'file'],
    ['deflated', 8, 'pipe'],
  ])('are scanned: python zipfile, %s (%i) to a %s', async (_, method, target) => {
    writeFileSync(join(folder, 'make.py'), PYTHON)
    const lines = await outlineOf(`python3 make.py ${method} ${target}`)
    expect(lines).toEqual(['upload: zip 0 needles', ...inside('zip')])
  })

  it.skipIf(!isInstalled('python3')).each([12, 14])(
    'are unscannable: python zipfile, method %i',
    async (method) => {
      writeFileSync(join(folder, 'make.py'), PYTHON)
      expect((await outlineOf(`python3 make.py ${method} file`))[0]).toMatch(
        /^upload: zip unsupported-entry/,
      )
    },
  )
})
