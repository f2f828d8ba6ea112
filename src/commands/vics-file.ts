import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Exchange, ExchangePage } from '../desk/exchanges/exchange.ts'
import { noRecords, skip } from '../desk/exchanges/normalise.ts'
import type { VicsSettings } from '../desk/exchanges/vics.ts'
import { BadListError } from '../list/errors.ts'
import { decodeText } from '../list/text/decode.ts'
import { looksLikeJson, type JsonRecord, readJson } from '../list/text/json.ts'
import { kindNamed } from '../list/text/kinds.ts'

const PAGE_RECORDS = 1000

/** A Project VIC or CAID file as a source. It is streamed, since such files have gigabytes. */
export class VicsFile implements Exchange<VicsCheckpoint> {
  readonly #path: string
  readonly #settings: VicsSettings
  readonly #now: () => number

  constructor(path: string, settings: VicsSettings, now: () => number) {
    this.#path = path
    this.#settings = settings
    this.#now = now
  }

  async whoAmI() {
    return { name: this.#path, can: ['read'] }
  }

  async *pages(
    from: VicsCheckpoint | undefined,
  ): AsyncGenerator<ExchangePage<VicsCheckpoint>, void> {
    const { size, mtimeMs } = await stat(this.#path)
    const file = `${size} ${mtimeMs}`
    const done = from?.file === file && !from.isRead ? from.records : 0
    let startsOver = this.#settings.mode === 'replace' && done === 0
    let records = 0
    let page = new VicsPage(this.#settings, this.#now())
    const bytes = createReadStream(this.#path)
    // Estimated from what was read so far: the file does not state its number of records.
    const expected = () =>
      bytes.bytesRead > 0 ? Math.round((records * size) / bytes.bytesRead) : undefined
    for await (const record of this.#records(bytes)) {
      if (++records <= done) continue
      page.add(record)
      if (page.size < PAGE_RECORDS) continue
      yield {
        ...page.content,
        checkpoint: { file, records, isRead: false },
        isComplete: false,
        startsOver,
        expected: expected(),
      }
      startsOver = false
      page = new VicsPage(this.#settings, this.#now())
    }
    yield {
      ...page.content,
      checkpoint: { file, records, isRead: true },
      isComplete: true,
      startsOver,
    }
  }

  /** @throws {BadListError} it is not JSON, or it is truncated */
  async *#records(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<JsonRecord> {
    const { head, rest } = await decodeText(bytes)
    if (!looksLikeJson(head)) throw new BadListError('the file is not Project VIC JSON')
    yield* readJson(head, rest)
  }
}

/** How far a file has been read. */
interface VicsCheckpoint {
  /** Identifies this file: its size and modification time. */
  file: string
  records: number
  isRead: boolean
}

/** Collects records for a page. */
class VicsPage {
  size = 0
  readonly content = noRecords()
  readonly #settings: VicsSettings
  readonly #updated: number

  constructor(settings: VicsSettings, updated: number) {
    this.#settings = settings
    this.#updated = updated
  }

  add({ names, cells }: JsonRecord): void {
    const { upserts, skipped } = this.content
    this.size++
    const valueOf = (name: string) => cells[names.indexOf(name)] ?? ''
    const tier = this.#settings.categories[valueOf('Category')]
    if (tier === undefined) return skip(skipped, 'record: its category is not imported')
    const hashes = names.flatMap((name, i) => {
      const kind = kindNamed(name)
      return kind === undefined ? [] : [{ kind, value: cells[i] ?? '' }]
    })
    const id = valueOf('MediaID')
    const key = id || valueOf('MD5').toLowerCase()
    if (key === '') return skip(skipped, 'record: has neither a MediaID nor an MD5')
    const labels = { series: valueOf('Series') }
    upserts.push({ key, ...(id && { id }), hashes, labels, tier, updated: this.#updated })
  }
}
