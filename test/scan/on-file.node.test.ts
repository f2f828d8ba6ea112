import { expect, it } from 'vitest'
import { readModules } from '../../src/core/node.ts'
import { allFiles, type ScannedFile } from '../../src/scan/scanned.ts'
import { FileScanner } from '../../src/scan/scanner.ts'
import { writeZip } from '../support/archive-writer.ts'
import { picture } from '../support/sharp-images.ts'

const modules = readModules()

it('reports each file as it is complete, and what is within it before itself', async () => {
  const [png, jpeg] = await Promise.all([
    picture(200, 150, 3, 4).png().toBuffer(),
    picture(200, 150, 3, 5).jpeg().toBuffer(),
  ])
  const inner = writeZip([{ name: 'b.jpg', content: jpeg }])
  const zip = writeZip([
    { name: 'a.png', content: png },
    { name: 'b.zip', content: inner },
    { name: 'c.txt', content: Buffer.alloc(100_000, 'a text ') },
  ])
  const reported: { file: ScannedFile; after: number }[] = []
  let written = 0
  const scanner = new FileScanner({
    modules,
    onFile: (file) => reported.push({ file, after: written }),
  })
  for (let at = 0; at < zip.length; at += 1000) {
    const chunk = zip.slice(at, at + 1000)
    written += chunk.length
    scanner.write(chunk)
  }
  const whole = await scanner.end()
  expect(reported.map(({ file }) => file.format)).toEqual(['png', 'jpeg', 'zip', undefined, 'zip'])
  for (const { after } of reported.slice(0, 3)) expect(after).toBeLessThan(zip.length)
  expect(new Set(reported.map(({ file }) => file))).toEqual(new Set(allFiles(whole)))
})
