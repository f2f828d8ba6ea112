import { DIGEST_KINDS } from '../../../list/entry.ts'
import type { Match, MatchResult, Query } from '../../../match/match.ts'
import { queryOf } from '../../../match/match.ts'
import { matchEvent } from '../../../upload/verdict-event.ts'
import { describeError } from '../../../util/errors.ts'
import { weigh, type WeighedMatch } from '../../../policy/banks.ts'
import { ApiError } from '../errors.ts'
import { fileOfHash } from '../hashes.ts'
import { jsonAnswer } from '../../respond.ts'
import type { Call } from '../route.ts'
import { readFile } from './file.ts'
import { bankMatch, byBank, contentIdOf } from './matches.ts'
import { readBanks, readBoolean, refuseUrl, requireParameter } from './query.ts'
import { readSignal, readSignalType, type Signal } from './signals.ts'

/** The quality that HMA assumes for a hash without its image. */
const QUALITY = 100

/** `GET /m/raw_lookup`: ids of the content that a hash matches. */
export async function answerRawLookup(call: Call): Promise<Response> {
  const { url } = call
  const text = requireParameter(url, 'signal')
  const signal = readSignal(requireParameter(url, 'signal_type'), text)
  const withDistance = readBoolean(url, 'include_distance')
  const matches = await lookUp(call, signal)
  return jsonAnswer({
    matches: withDistance ? matches.map(bankMatch) : matches.map(contentIdOf),
  })
}

/** `GET /m/lookup`: what a hash matches, by bank. Unlike in HMA, every bank is always asked. */
export async function answerLookup(call: Call): Promise<Response> {
  const { url } = call
  refuseUrl(url)
  readBoolean(url, 'bypass_coinflip')
  const [text, type] = [url.searchParams.get('signal'), url.searchParams.get('signal_type')]
  if (!text || !type)
    throw new ApiError(400, 'Either url or both signal and signal_type are required')
  return jsonAnswer(byBank(await lookUp(call, readSignal(type, text))))
}

/**
 * `POST /m/lookup`: what a file matches, by signal type and bank. It is scanned like an upload,
 * with probes and files within it, so more is found than by its hash alone.
 */
export async function answerFileLookup(call: Call): Promise<Response> {
  const { url, request, waitUntil, uploads } = call
  readBoolean(url, 'bypass_coinflip')
  const banks = readBanks(url)
  const address = request.headers.get('cf-connecting-ip') ?? ''
  const { gate, settings } = uploads
  const judging = { address, settings, waitUntil, ignoresFloods: true }
  const { scanned, types, judged } = await readFile(call, {
    judge: (files) => gate.judge(files, judging),
  })
  const { outcome } = judged
  const all = 'files' in outcome ? outcome.files.flatMap(({ matches }) => matches) : []
  reportLookup(call, all, 'error' in outcome ? outcome.error : undefined)
  const found = inBanks(all, banks)
  if (found.length === 0) {
    if ('error' in outcome && outcome.error !== undefined) throw notReady()
    if ('files' in outcome && !outcome.isComplete) throw incomplete()
    if (types.includes('pdq') && scanned.coverage === 'unscannable')
      throw new ApiError(400, `the file could not be hashed: ${scanned.reason}`)
  }
  const isChosen = url.searchParams.get('types') !== null
  return jsonAnswer(bySignalType(found, types, isChosen))
}

/** The types that were asked for and, unless the caller chose them, others that match. */
function bySignalType(matches: readonly Match[], types: readonly string[], isChosen: boolean) {
  const asked = types.map((type) => [type, readSignalType(type)] as const)
  const others = DIGEST_KINDS.filter(
    (kind) => !isChosen && matches.some((m) => signalKindOf(m) === kind),
  )
  const rest = [...others, ...(isChosen ? [] : ['pdq'])].filter(
    (name) => !asked.some(([, kind]) => kind === name),
  )
  const groups = [...asked, ...rest.map((name) => [name, readSignalType(name)] as const)]
  return Object.fromEntries(
    groups.flatMap(([type, kind]) => {
      const some = matches.filter((match) => signalKindOf(match) === kind)
      return some.length > 0 || types.includes(type) ? [[type, byBank(some)]] : []
    }),
  )
}

function signalKindOf({ probe }: Match): string {
  return DIGEST_KINDS.find((kind) => kind === probe) ?? 'pdq'
}

/** Matches of a hash in the banks that the caller asks about. @throws {ApiError} 503 */
async function lookUp(call: Call, { kind, hex }: Signal): Promise<Match[]> {
  const { url, uploads } = call
  const { matches, isComplete, error } = await askList(
    call,
    queryOf(fileOfHash(kind, hex, QUALITY)),
  )
  const weighed = matches.map((match) => weigh(match, uploads.settings.policy))
  reportLookup(call, weighed, error)
  const found = inBanks(weighed, readBanks(url))
  if (found.length === 0 && error !== undefined) throw notReady()
  if (found.length === 0 && !isComplete) throw incomplete()
  return found
}

async function askList(call: Call, query: Query): Promise<MatchResult> {
  const { uploads, waitUntil } = call
  try {
    const { results } = await uploads.gate.ask([query], waitUntil)
    const [result] = results
    if (!result) throw new RangeError('a query has no result')
    return result
  } catch (error) {
    reportLookup(call, [], error)
    throw notReady()
  }
}

/** Matches that count, in the banks that the caller asks about. */
function inBanks(
  matches: readonly WeighedMatch[],
  banks: ReadonlySet<string> | undefined,
): WeighedMatch[] {
  return matches.filter(({ bank, isExempt }) => !isExempt && (!banks || banks.has(bank)))
}

/** What HMA answers without a list. */
function notReady(): ApiError {
  return new ApiError(503, 'index not yet ready')
}

/** More entries match than are looked at, or there is no list, so those banks may have a match. */
function incomplete(): ApiError {
  return new ApiError(503, 'the list was not searched to its end: other banks may match')
}

function reportLookup(
  { request, url, caller, uploads }: Call,
  matches: readonly WeighedMatch[],
  error?: unknown,
) {
  const { version } = uploads.gate.list
  uploads.report({
    event: 'lookup',
    caller: caller.name,
    method: request.method,
    path: url.pathname,
    ...(version !== undefined && { listVersion: version }),
    matches: matches.map((match) => ({ ...matchEvent(match), contentId: contentIdOf(match) })),
    ...(error !== undefined && { error: describeError(error) }),
  })
}
