import { describe, it } from 'vitest'
import { expectSeenInBlocks, files } from './seen.ts'
import { WAYS } from './written.ts'

describe('a picture that is written in a text', () => {
  it.each(Object.entries(WAYS))('is seen wherever blocks of the text end: %s', async (_, write) => {
    const json = JSON.stringify({ id: 7, photo: write(files.jpeg), more: 'yes' })
    const form = `a=1&photo=${encodeURIComponent(write(files.webp))}&b=2+3`
    for (const blockBytes of [7, 100, 512, 4096]) {
      await expectSeenInBlocks(json, blockBytes)
      await expectSeenInBlocks(form, blockBytes, true)
    }
  })

  it('is seen as numbers in the name of a field', async () => {
    const name = String(new URLSearchParams({ [JSON.stringify([...files.webp])]: '' }))
    for (const blockBytes of [7, 1024]) await expectSeenInBlocks(name, blockBytes, true)
  })
})
