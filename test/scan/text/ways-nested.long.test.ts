import { gzipSync } from 'node:zlib'
import { describe, it } from 'vitest'
import { writeZip } from '../../support/archive-writer.ts'
import { expectSeen, expectSeenInForm, expectSeenInText, files } from './seen.ts'
import { BINARY_WAYS, WAYS } from './written.ts'

describe('a picture that is written in a text', () => {
  it.each(Object.entries(WAYS).filter(([way]) => !BINARY_WAYS.has(way)))(
    'is seen in markup, in archives and UTF-16: %s',
    async (_, write) => {
      const written = write(files.jpeg)
        .replaceAll('&', '&amp;')
        .replaceAll('<', '&lt;')
        .replaceAll('"', '&quot;')
      const svg = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><image href="${written}"/></svg>`
      await expectSeen(svg)
      await expectSeen(gzipSync(svg))
      await expectSeen(writeZip([{ name: 'a.svg', content: Buffer.from(svg), method: 8 }]))
      await expectSeen(Buffer.from(`\ufeff${svg}`, 'utf16le'))
      const foreign = svg.replace('<image', `<!--${'\u5199'.repeat(700)}-->$&`)
      await expectSeen(Buffer.from(`\ufeff${foreign}`, 'utf16le'))
      await expectSeen(Buffer.from(foreign, 'utf16le').swap16())
    },
  )

  it.each(Object.entries(WAYS))(
    'is seen in a text in chunks, in a form as a whole: %s',
    async (_, write) => {
      await expectSeenInText(write, [1000])
      await expectSeenInForm(write, [Infinity])
    },
  )
})
