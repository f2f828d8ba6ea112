import { EmptyListError, ListMissingError } from '../list/errors.ts'
import { readManifest } from '../list/manifest.ts'
import { publishBank } from '../list/publish.ts'
import { rekey } from '../list/rekey.ts'
import { readListFile } from './read-list.ts'
import { openLocalStore, openRemoteStore, type OpenStore } from './stores.ts'

/** Which namespace a command is about. */
export interface TargetOptions {
  local?: true
  remote?: true
  config?: string
  persistTo?: string
}

function openStore(options: TargetOptions): Promise<OpenStore> | OpenStore {
  return options.remote ? openRemoteStore(options) : openLocalStore(options)
}

/** `hashgate list push` */
export async function listPush(
  file: string,
  options: TargetOptions & {
    bank: string
    threshold?: number
    skipBad?: true
    allowEmpty?: true
  },
): Promise<boolean> {
  // The list is read to its end before anything is written: a bad line changes nothing.
  const entries = await readListFile(file, options)
  if (entries.length === 0 && !options.allowEmpty) throw new EmptyListError()
  const { store, close } = await openStore(options)
  try {
    const { bank, threshold } = options
    const manifest = await publishBank(store, entries, {
      bank,
      ...(threshold !== undefined && { threshold }),
      onProgress: (written, total) =>
        showProgress(`writing ${written} of ${total} values`, written === total),
    })
    const where = options.remote ? 'at Cloudflare' : 'on this machine'
    console.log(
      `published version ${manifest.version} ${where}: bank ${bank} has ${count(entries.length)}`,
    )
    return true
  } finally {
    await close()
  }
}

/** `hashgate list show` */
export async function listShow(options: TargetOptions): Promise<boolean> {
  const { store, close } = await openStore(options)
  try {
    const { version, publishedAt, banks } = await readManifest(store)
    console.log(`version ${version}, published ${publishedAt} (${age(publishedAt)} ago)`)
    for (const { id, threshold, minQuality, segments } of banks) {
      const entries = segments.reduce((sum, segment) => sum + segment.count, 0)
      const packed = `${segments.length} ${segments.length === 1 ? 'segment' : 'segments'}`
      console.log(
        `bank ${id}: ${count(entries)} in ${packed}, threshold ${threshold}, quality at least ${minQuality}`,
      )
    }
    return true
  } catch (error) {
    if (!(error instanceof ListMissingError)) throw error
    console.error(
      'hashgate: no hash list has been published here; `hashgate list push` publishes one',
    )
    return false
  } finally {
    await close()
  }
}

/** `hashgate list rekey` */
export async function listRekey(options: TargetOptions): Promise<boolean> {
  const { store, close } = await openStore(options)
  try {
    const { version } = await rekey(store, (done, total) =>
      showProgress(`sealing ${done} of ${total} segments`, done === total),
    )
    console.log(`published version ${version}, sealed with the first key of LIST_KEY`)
    return true
  } finally {
    await close()
  }
}

function count(entries: number): string {
  return `${entries.toLocaleString('en')} ${entries === 1 ? 'entry' : 'entries'}`
}

/** Time since an ISO 8601 time, in its largest unit. */
function age(since: string): string {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(since)) / 1000))
  const units: [string, number][] = [
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
    ['second', 1],
  ]
  const [name, size] = units.find(([, unit]) => seconds >= unit) ?? ['second', 1]
  const number = Math.floor(seconds / size)
  return `${number} ${name}${number === 1 ? '' : 's'}`
}

/** Progress on the terminal, in one line that is written over; nothing where standard error is no terminal. */
function showProgress(text: string, isLast: boolean): void {
  if (!process.stderr.isTTY) return
  process.stderr.write(`\r${text}${isLast ? '\n' : ''}`)
}
