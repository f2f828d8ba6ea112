import { readBankEntries } from '../list/bank-entries.ts'
import { EmptyListError, ListMissingError } from '../list/errors.ts'
import { keptVersions, readableVersions } from '../list/history.ts'
import { type Bank, liveCount, readManifest, type SegmentRef } from '../list/manifest.ts'
import { publishBank } from '../list/publish.ts'
import { writePinReset } from '../list/pin-reset.ts'
import { rekey } from '../list/rekey.ts'
import { rollBack } from '../list/rollback.ts'
import { verifyList } from '../list/verify.ts'
import { count } from './count.ts'
import { entryGuard, printLowered } from './entry-guard.ts'
import { endProgress, showProgress } from './progress.ts'
import { describeKinds, readListFile, type ReadOptions } from './read-list.ts'
import type { ListStore } from '../list/store.ts'
import {
  closing,
  hasSeveralKeys,
  openLocalStore,
  openRemoteStore,
  type StoreOptions,
} from './stores.ts'

export async function listPush(
  file: string,
  options: TargetOptions &
    ReadOptions & {
      bank: string
      threshold?: number
      allowEmpty?: true
      allowLarge?: true
      rewrite?: true
    },
): Promise<boolean> {
  // Read the whole list before writing anything: a bad line changes nothing.
  const list = await readListFile(file, options)
  const { entries } = list
  if (entries.length === 0 && !options.allowEmpty) throw new EmptyListError()
  return withStore(options, async (store) => {
    const { bank, threshold } = options
    const published = await publishBank(store, entries, {
      bank,
      rewrite: options.rewrite === true,
      allowLarge: options.allowLarge === true,
      guard: entryGuard(),
      ...(threshold !== undefined && { threshold }),
      onProgress: (written) => showProgress(`${count(written, 'value')} written`, false),
    })
    endProgress()
    if (entries.length > 0) console.log(`read ${describeKinds(list)} from ${file}`)
    const { manifest, added, removed, kept, foundWritten, deleted, lowered } = published
    const where = options.remote ? 'at Cloudflare' : 'on this machine'
    console.log(
      `published version ${manifest.version} ${where}: bank ${bank} has ${count(entries.length)}` +
        ` (added ${added}, removed ${removed}, kept ${kept})`,
    )
    printLowered(lowered)
    if (foundWritten > 0) {
      console.log(
        `${count(foundWritten, 'value')} already existed, from an earlier push or version`,
      )
    }
    if (deleted > 0) console.log(`deleted ${count(deleted, 'value')} that no reader needs any more`)
    return true
  })
}

/** The namespace that a command works on. */
export interface TargetOptions extends StoreOptions {
  local?: true
  remote?: true
}

/** Runs a command on its namespace. */
export async function withStore<T>(
  options: TargetOptions,
  use: (store: ListStore) => T | Promise<T>,
): Promise<T> {
  const open = options.remote ? openRemoteStore : openLocalStore
  return closing(await open(options), ({ store }) => use(store))
}

export async function listShow(options: TargetOptions): Promise<boolean> {
  try {
    await withStore(options, showList)
    return true
  } catch (error) {
    if (!(error instanceof ListMissingError)) throw error
    console.error(
      'hashgate: no hash list has been published here; `hashgate list push` publishes one',
    )
    return false
  }
}

async function showList(store: ListStore): Promise<void> {
  const { version, publishedAt, banks, exempt = [], texts = {} } = await readManifest(store)
  console.log(`version ${version}, published ${publishedAt} (${age(publishedAt)} ago)`)
  for (const bank of banks) console.log(describeBank(bank))
  if (exempt.length > 0) console.log(`exempt: ${count(exempt.length)}`)
  if (Object.keys(texts).length > 0) console.log(`texts for ${Object.keys(texts).join(', ')}`)
  await showEarlier(store, version)
}

/** Prints the versions that `list rollback` can return to. */
async function showEarlier(store: ListStore, version: number): Promise<void> {
  const kept = (await keptVersions(store)).filter((other) => other < version)
  const readable = (await readableVersions(store)).filter((other) => other < version)
  if (readable.length > 0) console.log(`earlier versions that are kept: ${readable.join(', ')}`)
  const others = kept.filter((other) => !readable.includes(other))
  if (others.length > 0) {
    console.log(`kept, but sealed with a key that is not in LIST_KEY: ${others.join(', ')}`)
  }
}

function describeBank({ id, threshold, minQuality, segments }: Bank): string {
  const live = (kind: SegmentRef['kind']) =>
    segments
      .filter((segment) => segment.kind === kind)
      .reduce((sum, segment) => sum + liveCount(segment), 0)
  return (
    `bank ${id}: ${count(live('pdq'), 'perceptual hash')} and ${count(live('exact'), 'digest')} ` +
    `in ${count(segments.length, 'segment')}, threshold ${threshold}, quality at least ${minQuality}`
  )
}

/** `hashgate list verify`. Returns whether the list is intact. */
export async function listVerify(options: TargetOptions): Promise<boolean> {
  return withStore(options, async (store) => {
    const { manifest, entries, values, problems } = await verifyList(store, (done, total) =>
      showProgress(`read ${done} of ${count(total, 'segment')}`, done === total),
    )
    for (const problem of problems) console.error(`hashgate: ${problem}`)
    if (problems.length > 0) {
      console.error('hashgate: repair a bank with `list push --rewrite`')
      return false
    }
    console.log(
      `version ${manifest.version} is intact: ${count(entries)} in ${count(values, 'value')}`,
    )
    return true
  })
}

/** `hashgate list doctor`: says which entries match only very similar pictures, and why. */
export async function listDoctor(options: TargetOptions): Promise<boolean> {
  return withStore(options, async (store) => {
    const manifest = await readManifest(store)
    let isAsPublished = true
    for (const { id: bank } of manifest.banks) {
      const entries = await readBankEntries(store, manifest, bank)
      const pdq = entries.filter(({ kind }) => kind === 'pdq')
      const found = pdq.map((entry) => ({ entry, lowered: entryGuard().capOf(entry.hash) }))
      const lowered = found.flatMap(({ entry: { id }, lowered: cap }) =>
        cap ? [{ id, ...cap }] : [],
      )
      const others = found.filter(({ entry, lowered: cap }) => entry.cap !== cap?.cap).length
      console.log(
        `bank ${bank}: ${count(pdq.length, 'perceptual hash')}, ${lowered.length === 0 ? 'none' : lowered.length} of them near other pictures`,
      )
      printLowered(lowered)
      if (others === 0) continue
      isAsPublished = false
      console.error(
        `hashgate: ${count(others)} of bank ${bank} ${others === 1 ? 'was' : 'were'} published without this check: \`list push --rewrite\` rewrites the bank`,
      )
    }
    return isAsPublished
  })
}

export async function listRollback(version: number, options: TargetOptions): Promise<boolean> {
  return withStore(options, async (store) => {
    const manifest = await rollBack(store, version)
    console.log(`published version ${manifest.version}, with the content of version ${version}`)
    if (hasSeveralKeys()) {
      console.log(
        'it may be sealed with an older key: before you remove that from LIST_KEY, run `list rekey`',
      )
    }
    return true
  })
}

export async function listPinReset(options: TargetOptions): Promise<boolean> {
  return withStore(options, async (store) => {
    const { version } = await writePinReset(store)
    console.log(
      `within a day, Workers may accept version ${version} as the latest, once; deploy again so that no Worker keeps a later one`,
    )
    return true
  })
}

export async function listRekey(options: TargetOptions): Promise<boolean> {
  return withStore(options, async (store) => {
    const { version } = await rekey(store, (done, total) =>
      showProgress(`sealing ${done} of ${total} segments`, done === total),
    )
    console.log(`published version ${version}, sealed with the first key of LIST_KEY`)
    return true
  })
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
  return count(Math.floor(seconds / size), name)
}
