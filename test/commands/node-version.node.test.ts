import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'

/** Makes Node give itself out as another version. */
const disguise = (version: string) =>
  `--import=data:text/javascript,Object.defineProperty(process.versions,'node',{value:'${version}'})`

const run = (version: string) =>
  new Promise<{ code: number; err: string }>((resolve) => {
    const args = [disguise(version), 'dist/cli.js', '--version']
    execFile(process.execPath, args, (error, _, err) =>
      resolve({ code: Number(error?.code ?? 0), err }),
    )
  })

describe('the command under an older Node', () => {
  it('says which version it needs, and ends', async () => {
    expect(await run('23.11.1')).toEqual({
      code: 1,
      err: expect.stringMatching(/^hashgate needs Node 24 or newer; this is 23\.11\.1 \(.+\)\n$/),
    })
    expect(await run('24.0.0')).toEqual({ code: 0, err: '' })
  })

  it('checks it before anything is linked that an older Node does not have', async () => {
    const text = await readFile('src/cli.ts', 'utf8')
    const linked = [...text.matchAll(/^import\b[^'"]*['"]([^'"]+)/gm)].map(([, path]) => path)
    expect(linked).toEqual(['./commands/node-version.ts'])
    expect(await readFile('src/commands/node-version.ts', 'utf8')).not.toMatch(/^import/m)
  })
})
