import type { Exchange } from '../desk/exchanges/exchange.ts'
import { VicsFile } from './vics-file.ts'
import { planFeedback, sendFeedback } from '../desk/feedback.ts'
import { addOpinion, type Decision } from '../desk/ledger/opinions.ts'
import { type Desk, exchangeOf, runSource, exchangeSettings, type SourceRun } from '../desk/desk.ts'
import { secretsOf } from '../desk/exchanges/catalog.ts'
import type { Skipped } from '../desk/exchanges/exchange.ts'
import { sumSkipped } from '../desk/exchanges/normalise.ts'
import { rebuildBank } from '../desk/ledger/publication.ts'
import { findSource } from '../desk/ledger/source.ts'
import { missingSecrets, secretOf } from '../desk/settings.ts'
import { type SourceStatus, deskStatus } from '../desk/status.ts'
import { readExistingManifest } from '../list/manifest.ts'
import { HashgateError } from '../util/errors.ts'
import type { TargetOptions } from './list-commands.ts'
import { type DeskParts, openDesk, openDeskParts } from './open-desk.ts'
import { endProgress, RecordProgress } from './progress.ts'
import { closing } from './stores.ts'

/** `hashgate exchange check`: asks the provider whose credentials they are. */
export async function exchangeCheck(name: string, options: ExchangeOptions): Promise<boolean> {
  return withParts(options, async (parts) => {
    const account = await exchangeOf(parts, name).whoAmI()
    if (options.json) console.log(JSON.stringify({ exchange: name, ...account }))
    else {
      const { details = {} } = account
      console.log(`${name}: ${account.name}, may ${account.can.join(' and ') || 'do nothing'}`)
      for (const [what, value] of Object.entries(details)) console.log(`  ${what}: ${value}`)
      const { feedback } = exchangeSettings(parts, name)
      if (feedback === 'send' && !account.can.includes('feedback'))
        console.log(
          '  the settings send opinions, but it is unknown whether the provider accepts them',
        )
    }
    return account.can.includes('read')
  })
}

interface ExchangeOptions extends TargetOptions {
  json?: true
}

/** `hashgate exchange sync`: reads a source to its end, and publishes the changes. */
export async function exchangeSync(
  name: string,
  options: ExchangeOptions & { accept?: true; refetch?: true; dryRun?: true },
): Promise<boolean> {
  if (options.dryRun) return withParts(options, (parts) => dryRun(parts, name, options))
  return withDesk(options, (desk) => syncToEnd(desk, name, options))
}

/**
 * `hashgate exchange import`: reads a Project VIC or CAID file into the ledger, and publishes the
 * changes.
 */
export async function exchangeImport(
  name: string,
  path: string,
  options: ExchangeOptions & { accept?: true },
): Promise<boolean> {
  return withDesk(options, async (desk) => {
    const settings = exchangeSettings(desk, name)
    if (settings.kind !== 'vics') throw new NoFileError(name, settings.kind)
    return syncToEnd(desk, name, options, new VicsFile(path, settings, desk.world.now))
  })
}

/** The source is not read from a file. */
class NoFileError extends HashgateError {
  readonly code = 'no-file'

  constructor(name: string, kind: string) {
    super(`${name} is of kind ${kind}, which has no files; expected kind vics`)
  }
}

async function syncToEnd(
  desk: Desk,
  name: string,
  options: ExchangeOptions & { accept?: true; refetch?: true },
  exchange?: Exchange,
): Promise<boolean> {
  const progress = new RecordProgress()
  const total: RunTotal = { records: 0, deleted: 0, skipped: {}, added: 0, removed: 0 }
  for (let isFirst = true; ; isFirst = false) {
    const run = await runSource(desk, name, {
      ...(exchange && { exchange }),
      accept: options.accept === true,
      refetch: options.refetch === true && isFirst,
      onPage: ({ records, deleted, expected }) =>
        progress.show(total.records + records + total.deleted + deleted, expected),
    })
    total.records += run.sync.records
    total.deleted += run.sync.deleted
    total.skipped = sumSkipped(total.skipped, run.sync.skipped)
    total.added += run.publication?.added ?? 0
    total.removed += run.publication?.removed ?? 0
    const goesOn = run.sync.state === 'more' || run.publication?.isComplete === false
    if (goesOn && !run.error) continue
    endProgress()
    return printRun(name, run, total, options)
  }
}

/** All that a run read and published. */
interface RunTotal {
  records: number
  deleted: number
  skipped: Skipped
  added: number
  removed: number
}

function printRun(
  name: string,
  { sync, publication, error, held }: SourceRun,
  total: RunTotal,
  { json }: ExchangeOptions,
): boolean {
  const isGood = sync.state === 'complete' && !error && !held
  if (json) {
    const problem = error && `${error.code}: ${error.message}`
    const { version } = publication ?? {}
    console.log(
      JSON.stringify({ exchange: name, state: sync.state, ...total, version, held, problem }),
    )
    return isGood
  }
  console.log(`${name}: read ${total.records} records, ${total.deleted} withdrawn (${sync.state})`)
  printSkipped(total.skipped)
  if (publication) console.log(`  published: ${total.added} hashes added, ${total.removed} removed`)
  if (held) {
    console.error(
      `hashgate: ${held.live} of ${held.publishedLive} records are left, so nothing of ${name} was published;` +
        ` if that is right: hashgate exchange sync ${name} --accept`,
    )
  }
  if (error) console.error(`hashgate: ${error.message}`)
  return isGood
}

function printSkipped(skipped: Skipped): void {
  for (const [reason, count] of Object.entries(skipped))
    console.log(`  skipped ${count}: ${reason}`)
}

/** Reads a source as a run would, but stores nothing. Without a ledger it reads from the start. */
async function dryRun(
  parts: DeskParts,
  name: string,
  { refetch, json }: { refetch?: true; json?: true },
): Promise<boolean> {
  const exchange = exchangeOf(parts, name)
  const isNew = secretOf(parts.env, 'DESK_KEY') === ''
  const source =
    refetch || isNew ? undefined : await findSource((await parts.openLedger()).db, name)
  const from = source?.checkpoint as object | undefined
  const progress = new RecordProgress()
  const done = {
    records: 0,
    deleted: 0,
    hashes: {} as Record<string, number>,
    skipped: {} as Skipped,
  }
  for await (const page of exchange.pages(from)) {
    done.records += page.upserts.length
    done.deleted += page.deletes.length
    for (const { kind } of page.upserts.flatMap(({ hashes }) => hashes)) {
      done.hashes[kind] = (done.hashes[kind] ?? 0) + 1
    }
    done.skipped = sumSkipped(done.skipped, page.skipped)
    progress.show(done.records + done.deleted, page.expected)
    if (page.isComplete) break
  }
  endProgress()
  if (json) console.log(JSON.stringify({ exchange: name, dryRun: true, ...done }))
  else {
    console.log(
      `${name}: would read ${done.records} records, ${done.deleted} withdrawn; nothing was stored`,
    )
    for (const [kind, count] of Object.entries(done.hashes))
      console.log(`  ${count} of kind ${kind}`)
    printSkipped(done.skipped)
  }
  return true
}

/** `hashgate exchange feedback`: stores an opinion on an entry, or sends the stored ones. */
export async function exchangeFeedback(
  name: string,
  entry: string | undefined,
  options: FeedbackOptions,
): Promise<boolean> {
  if ((entry === undefined) !== (options.decision === undefined)) throw new HalfOpinionError()
  return withDesk(options, async (desk) => {
    const { feedback } = exchangeSettings(desk, name)
    if (entry !== undefined) return keepOpinion(desk, name, entry, options)
    if (options.dryRun || feedback === 'off') return printPlanned(desk, name, options)
    const done = await sendFeedback(desk, name)
    const { sent, failed, unaccepted } = done
    if (options.json) console.log(JSON.stringify({ exchange: name, ...done }))
    else
      console.log(`${name}: sent ${sent}, ${failed} failed, ${unaccepted} that it does not accept`)
    return failed === 0
  })
}

interface FeedbackOptions extends ExchangeOptions {
  decision?: Decision
  kind: string
  reason?: string
  dryRun?: true
}

/** An entry without a decision, or a decision without an entry. */
class HalfOpinionError extends HashgateError {
  readonly code = 'half-opinion'

  constructor() {
    super(
      'an opinion needs both an entry and --decision; to send the stored opinions, give neither',
    )
  }
}

async function keepOpinion(
  desk: Desk,
  name: string,
  entry: string,
  { decision = 'seen', kind, reason, json }: FeedbackOptions,
): Promise<boolean> {
  const because = reason === undefined ? {} : { reason }
  const opinion = { source: name, entry, decision, kind, ...because }
  await addOpinion(desk.ledger.db, opinion, desk.world.now())
  if (json) console.log(JSON.stringify({ exchange: name, entry, decision, state: 'waits' }))
  else console.log(`${name}: ${decision} ${entry} waits`)
  return true
}

/** Shows what would be sent. */
async function printPlanned(desk: Desk, name: string, { json }: FeedbackOptions): Promise<boolean> {
  const { feedback } = exchangeSettings(desk, name)
  const waiting = (await planFeedback(desk, name)).map(({ opinion, ask }) => ({
    entry: opinion.entry,
    decision: opinion.decision,
    request: ask ? `${ask.method ?? 'GET'} ${ask.what}` : undefined,
  }))
  if (json) {
    console.log(JSON.stringify({ exchange: name, sent: 0, feedback, waiting }))
    return true
  }
  for (const { entry, decision, request = 'nothing' } of waiting) {
    console.log(`${decision} ${entry}: ${request}`)
  }
  const isOff = feedback === 'off' ? ' (feedback = "off")' : ''
  console.log(`${waiting.length} waiting; nothing was sent${isOff}`)
  return true
}

/** `hashgate exchange status`. Returns whether all sources are healthy. */
export async function exchangeStatus(options: ExchangeOptions): Promise<boolean> {
  return withDesk(options, async (desk) => {
    const sources = await deskStatus(desk)
    if (options.json) console.log(JSON.stringify({ sources }))
    else for (const source of sources) console.log(describeSource(source))
    if (sources.length === 0 && !options.json) {
      console.log('no sources; set one up with `hashgate exchange add`')
    }
    return sources.every(({ health }) => health !== 'red')
  })
}

function describeSource({ name, kind, bank, health, tally, ...rest }: SourceStatus): string {
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .map(([what, count]) => `${count.toLocaleString('en')} ${what}`)
      .join(', ')
  const lines = [
    `${name} (${kind}, bank ${bank}): ${health}`,
    `  ${tally.records.toLocaleString('en')} records, ${tally.matchable.toLocaleString('en')} of them matchable`,
  ]
  if (Object.keys(tally.kinds).length > 0) lines.push(`  hashes: ${list(tally.kinds)}`)
  if (Object.keys(tally.tiers).length > 0) lines.push(`  classified: ${list(tally.tiers)}`)
  lines.push(`  last complete run: ${rest.lastComplete ?? 'none'}`)
  if (rest.pending > 0)
    lines.push(`  not published yet: ${rest.pending.toLocaleString('en')} records`)
  if (Object.keys(rest.skipped).length > 0) lines.push(`  skipped: ${list(rest.skipped)}`)
  for (const problem of rest.problems) lines.push(`  ${problem}`)
  return lines.join('\n')
}

/** `hashgate exchange rebuild`: rewrites a bank from everything that the ledger has for it. */
export async function exchangeRebuild(bank: string, options: ExchangeOptions): Promise<boolean> {
  return withDesk(options, async (desk) => {
    const { allowLarge } = desk.settings
    const { version } = await rebuildBank(desk.ledger, desk.store, bank, {
      now: desk.world.now,
      allowLarge,
      guard: desk.guard,
    })
    console.log(options.json ? JSON.stringify({ bank, version }) : `published version ${version}`)
    return true
  })
}

/** What the doctor checked, and what is wrong with it. */
interface DoctorFinding {
  what: string
  problem?: string
}

/** `hashgate exchange doctor`: checks everything that a sync needs, and reports what is wrong. */
export async function exchangeDoctor(options: ExchangeOptions): Promise<boolean> {
  return withParts(options, async (parts) => {
    const findings = [...(await checkLedger(parts)), ...(await checkProviders(parts))]
    const isWell = findings.every(({ problem }) => problem === undefined)
    if (options.json) console.log(JSON.stringify({ ok: isWell, findings }))
    else for (const finding of findings) console.log(describeFinding(finding))
    return isWell
  })
}

async function checkLedger({
  openLedger,
  openStore,
  ...parts
}: DeskParts): Promise<DoctorFinding[]> {
  const states: DoctorFinding[] = []
  const ledger = await find('ledger and DESK_KEY', async () => {
    const status = await deskStatus({ ...parts, ledger: await openLedger() })
    for (const { name, problems } of status) {
      for (const problem of problems) states.push({ what: `${name}: state`, problem })
    }
    return undefined
  })
  const list = await find('published list and LIST_KEY', async () => {
    await readExistingManifest(await openStore())
    return undefined
  })
  return [ledger, list, ...states]
}

async function checkProviders(parts: DeskParts): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = []
  for (const [name, settings] of Object.entries(parts.settings.exchanges)) {
    const names = secretsOf(settings)
    const missing = missingSecrets(settings, parts.env)
    const what = `${name}: secrets ${names.join(', ') || '(none)'}`
    findings.push(
      missing.length > 0 ? { what, problem: `${missing.join(', ')} not set` } : { what },
    )
    if (missing.length > 0) continue
    const provider = await find(`${name}: the provider`, async () => {
      const { can } = await exchangeOf(parts, name).whoAmI()
      return can.includes('read') ? undefined : 'the account may not read'
    })
    findings.push(provider)
  }
  return findings
}

/** Runs a check. Errors written for users count as findings. */
async function find(
  what: string,
  check: () => Promise<string | undefined>,
): Promise<DoctorFinding> {
  try {
    const problem = await check()
    return { what, ...(problem !== undefined && { problem }) }
  } catch (error) {
    if (!(error instanceof HashgateError)) throw error
    return { what, problem: error.message }
  }
}

function describeFinding({ what, problem }: DoctorFinding): string {
  return problem === undefined ? `ok: ${what}` : `problem: ${what}: ${problem}`
}

function withDesk(
  options: ExchangeOptions,
  use: (desk: Desk) => Promise<boolean>,
): Promise<boolean> {
  return withParts(options, async (parts) => use(await openDesk(parts)))
}

async function withParts(
  options: ExchangeOptions,
  use: (parts: DeskParts) => Promise<boolean>,
): Promise<boolean> {
  return closing(await openDeskParts(options), (parts) => use(parts).finally(endProgress))
}
