import { beforeEach, describe, expect, it } from 'vitest'
import { modules } from '../../src/core/workerd.ts'
import { publishBank } from '../../src/list/publish.ts'
import { FileDigester } from '../../src/scan/digests.ts'
import { scanFile } from '../../src/scan/scanner.ts'
import {
  writeGzip,
  writeTar,
  writeZip,
  type ZipFile,
  type ZipOptions,
} from '../support/archive-writer.ts'
import { fixture } from '../support/fixtures.ts'
import { randomBytes } from '../support/random.ts'
import { kvNamespace, kvStore } from '../support/stores.ts'
import { needlesOf } from '../../src/scan/scanned.ts'
import { setUp } from '../support/gate.ts'

const known = fixture('jpeg')
const unrelated = fixture('otherJpeg')
const knownText = randomBytes(3000, 9)
const text = new TextEncoder().encode('<document/>'.repeat(99))

/** Uploads a body. Returns the status, and the verdict's event. */
async function upload(body: Uint8Array, vars: object = {}) {
  const { send, verdicts } = setUp(vars)
  const { status } = await send(new Uint8Array(body))
  return { status, event: verdicts()[0] }
}

function zip(files: Record<string, Uint8Array>, options?: ZipOptions): Uint8Array {
  return writeZip(
    Object.entries(files).map(([name, content]): ZipFile => ({ name, content })),
    options,
  )
}

beforeEach(async () => {
  const { keys } = await kvNamespace().list()
  await Promise.all(keys.map(({ name }) => kvNamespace().delete(name)))
  const hash = needlesOf(await scanFile({ modules }, known))[0]!.hash
  const digester = FileDigester.ofAllKinds()
  digester.update(knownText)
  await publishBank(
    kvStore(),
    [
      { kind: 'pdq', hash, id: 'image', labels: {} },
      { kind: 'sha256', hash: digester.digest().sha256, id: 'file', labels: {} },
    ],
    { bank: 'csam' },
  )
})

describe('an upload with files inside', () => {
  it.each<[string, () => Uint8Array, string]>([
    ['a ZIP archive', () => zip({ 'a.txt': text, 'b.txt': known }), 'zip'],
    ['a document', () => zip({ 'word/document.xml': text, 'word/media/1': known }), 'zip'],
    ['a TAR archive', () => writeTar([{ name: 'a', content: known }]), 'tar'],
    ['gzip', () => writeGzip(known), 'gzip'],
    [
      'an archive in archives',
      () => writeGzip(writeTar([{ name: 'a', content: zip({ known }) }])),
      'zip',
    ],
    ['a PDF', () => concat(new TextEncoder().encode('%PDF-1.7 stream\n'), known), 'pdf'],
    ['a file of unknown kind', () => concat(randomBytes(5000, 1), known), 'embedded'],
    ['another image', () => concat(unrelated, known), 'embedded'],
    ['an archive behind an image', () => concat(unrelated, zip({ known })), 'zip'],
  ])('is refused with a known image in %s', async (_, body, within) => {
    const { status, event } = await upload(body())
    expect(status).toBe(451)
    const file = event?.files.find(({ matches }) => matches)
    expect(file).toMatchObject({ within, matches: [{ entry: 'image', distance: 0 }] })
  })

  it('is refused with a file in it that is known byte for byte', async () => {
    const { status, event } = await upload(zip({ 'a.dat': knownText }))
    expect(status).toBe(451)
    expect(event?.files.at(-1)).toMatchObject({
      within: 'zip',
      reason: 'unknown-format',
      matches: [{ entry: 'file', probe: 'sha256' }],
    })
  })

  it('is allowed with texts beside its images, which the event only counts', async () => {
    const body = zip({ 'a.xml': text, 'b.xml': text, 'c.jpg': unrelated })
    const { status, event } = await upload(body, { policy: { onUnscannable: 'refuse' } })
    expect(status).toBe(201)
    expect(event).toMatchObject({ reason: 'no-match', otherFiles: 2 })
    expect(event?.files).toMatchObject([
      { coverage: 'scanned', format: 'zip', bytes: body.length },
      { within: 'zip', coverage: 'scanned', format: 'jpeg', bytes: unrelated.length },
    ])
    expect(JSON.stringify(event)).not.toMatch(/\.xml|\.jpg/)
  })

  it('is unscannable with an entry that cannot be read, and a match all the same', async () => {
    const files = [
      { name: 'a', content: text, flags: 1 },
      { name: 'b', content: unrelated },
    ]
    const { status, event } = await upload(writeZip(files), { policy: { onUnscannable: 'refuse' } })
    expect(status).toBe(422)
    expect(event?.files[0]).toMatchObject({ reason: 'encrypted-entry', unscannableEntries: 1 })
    expect((await upload(writeZip([...files, { name: 'c', content: known }]))).status).toBe(451)
  })

  it('is refused as malformed if programs could read different files out of it', async () => {
    const body = zip({ a: text }, { end: { entries: 2 } })
    for (const file of [body, zip({ body }), concat(unrelated, body)]) {
      const { status, event } = await upload(file)
      expect(status).toBe(400)
      expect(event).toMatchObject({ action: 'refuse', reason: 'malformed' })
    }
  })

  it('has an event of bounded length, with matches first', async () => {
    const tiff = new TextEncoder().encode('II*\0')
    const files = Array.from({ length: 300 }, (_, i) => ({ name: `${i}`, content: tiff }))
    const { event } = await upload(writeZip([...files, { name: 'z', content: knownText }]))
    expect(event?.files).toHaveLength(200)
    expect(event?.otherFiles).toBe(102)
    expect(event?.files[0]).toMatchObject({ matches: [{ entry: 'file' }] })
  })
})

function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]))
}
