import { describe, it } from 'vitest'
import { expectSeenInBlocks, files } from './seen.ts'
import { WAYS } from './written.ts'

describe('a picture that is written in a text', () => {
  it.each(Object.entries(WAYS))('is seen wherever blocks of the text end: %s', async (_, write) => {
    const json = JSON.stringify({ id: 7, photo: write(files.jpeg), more: 'yes' })
    // WebP in one of them: most of what a text with it takes is the start of the library.
    for (const [blockBytes, file] of [
      [7, files.jpeg],
      [100, files.webp],
      [512, files.jpeg],
      [4096, files.jpeg],
    ] as const) {
      await expectSeenInBlocks(json, blockBytes)
      const form = `a=1&photo=${encodeURIComponent(write(file))}&b=2+3`
      await expectSeenInBlocks(form, blockBytes, true)
    }
  })

  it('is seen as numbers in the name of a field', async () => {
    const name = String(new URLSearchParams({ [JSON.stringify([...files.webp])]: '' }))
    for (const blockBytes of [7, 1024]) await expectSeenInBlocks(name, blockBytes, true)
  })
})
