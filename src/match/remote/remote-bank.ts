import { concatenate, utf8 } from '../../util/bytes.ts'
import { HashgateError } from '../../util/errors.ts'
import type { Bank } from '../../list/manifest.ts'
import type { ListStore } from '../../list/store.ts'
import type { Needle, ScannedFile } from '../../scan/scanned.ts'
import { type Match, nearestMatches } from '../match.ts'
import { limitOf, thresholdOf } from '../thresholds.ts'
import { Breaker } from './breaker.ts'
import type { Negatives } from './negatives.ts'
import { fitInOneCall, needlesToAsk } from './questions.ts'
import { askInTime, type Finding, RemoteError, type RemoteService } from './service.ts'

/** The classification of a service's test entries. */
const TEST = 'test'

/** Digits of an entry's name. */
const NAME_DIGITS = 16

/** A bank that a service answers for. It gets only hashes, and its answers are never logged. */
export class RemoteBank {
  readonly name: string
  readonly onFailed: 'allow' | 'refuse'
  readonly #options: RemoteBankOptions
  readonly #deps: RemoteDeps
  readonly #breaker: Breaker

  constructor(options: RemoteBankOptions, deps: RemoteDeps) {
    this.name = options.name
    this.onFailed = options.onFailed
    this.#options = options
    this.#deps = deps
    this.#breaker = new Breaker(deps.now)
  }

  /** What the service knows about files, in one call. Never throws. */
  async ask(files: readonly ScannedFile[]): Promise<RemoteAnswer> {
    const images = files.map((file) => needlesToAsk(file, this.#options))
    const names = await Promise.all(images.map((needles) => this.#nameOf(needles)))
    const isNegative = await Promise.all(
      names.map(async (name) => name !== undefined && this.#deps.negatives.has(name)),
    )
    const open = images.map((needles, i) => (isNegative[i] ? [] : needles))
    const asked = fitInOneCall(open, this.#options.service.maxHashes)
    const { matches, failure } = await this.askAbout(asked)
    if (failure) return { matches, failure: { ...failure, unanswered: open.flat() } }
    const unasked = open.filter((needles, i) => needles.length > 0 && asked[i]?.length === 0)
    await this.#remember(names, open, asked, matches)
    return { matches, ...(unasked.length > 0 && { failure: this.#tooMany(unasked.flat()) }) }
  }

  /** What the service knows about needles of some images. Never throws. */
  async askAbout(images: readonly (readonly Needle[])[]): Promise<RemoteAnswer> {
    const needles = images.flat()
    if (needles.length === 0) return { matches: images.map(() => []) }
    if (!this.#breaker.tryToAsk()) return this.#failed(images, new RemotePausedError())
    try {
      const hashes = needles.map(({ hash }) => hash)
      const { service, deadlineMs } = this.#options
      const findings = await askInTime(deadlineMs, (signal) => service.ask(hashes, signal))
      this.#breaker.succeed()
      const found = new Map(needles.map((needle, i) => [needle, findings[i]]))
      return { matches: await Promise.all(images.map((image) => this.#matchesOf(image, found))) }
    } catch (error) {
      const remote = error instanceof RemoteError ? error : new RemoteError('it broke')
      const pausedSeconds = this.#breaker.fail(remote)
      return this.#failed(images, remote, pausedSeconds)
    }
  }

  get maxNeedles(): number {
    return this.#options.service.maxHashes
  }

  #failed(
    images: readonly (readonly Needle[])[],
    error: RemoteError | RemotePausedError,
    pausedSeconds?: number,
  ): RemoteAnswer {
    const { name: bank, onFailed } = this
    const paused = pausedSeconds !== undefined && { pausedSeconds }
    const failure = { bank, onFailed, error, unanswered: images.flat(), ...paused }
    return { matches: images.map(() => []), failure }
  }

  #tooMany(unanswered: Needle[]): RemoteFailure {
    const error = new RemoteError('the upload has more pictures than one call may ask about')
    return { bank: this.name, onFailed: this.onFailed, error, unanswered }
  }

  /** Remembers images that were asked about with all their needles and not found. */
  async #remember(
    names: readonly (string | undefined)[],
    open: readonly Needle[][],
    asked: readonly Needle[][],
    matches: readonly Match[][],
  ): Promise<void> {
    const unknown = names.filter(
      (name, i) =>
        name !== undefined &&
        asked[i]?.length === open[i]?.length &&
        open[i]?.length !== 0 &&
        matches[i]?.length === 0,
    )
    const { cacheSeconds } = this.#options
    const add = (name: string | undefined) => this.#deps.negatives.add(name ?? '', cacheSeconds)
    await Promise.all(unknown.map(add))
  }

  /** A name of an image's needles, for this bank; `undefined` without needles. */
  async #nameOf(needles: readonly Needle[]): Promise<string | undefined> {
    if (needles.length === 0) return undefined
    const bank = utf8(`remote negative ${this.name}\0`)
    return this.#deps.store.nameOf(concatenate([bank, ...needles.map(({ hash }) => hash)]))
  }

  async #matchesOf(
    needles: readonly Needle[],
    found: ReadonlyMap<Needle, Finding | undefined>,
  ): Promise<Match[]> {
    // An identical entry is reported without its name: each picture has one match per classification.
    const nearest = new Map<string, Match>()
    for (const needle of needles) {
      const finding = found.get(needle)
      const match = finding && (await this.#matchOf(needle, finding))
      const other = finding && nearest.get(finding.classification)
      if (match && (!other || match.distance < other.distance)) {
        nearest.set(finding.classification, match)
      }
    }
    return nearestMatches([...nearest.values()])
  }

  /** Services report no distance for identical entries, or none at all. A limited needle needs a distance that is near enough. */
  async #matchOf(needle: Needle, finding: Finding): Promise<Match | undefined> {
    const { minQuality, source } = this.#options
    const limited = limitOf(needle, minQuality)
    const threshold = thresholdOf(needle, this.#options)
    if (threshold === undefined || (limited && finding.distance === undefined)) return undefined
    const distance = finding.distance ?? threshold
    if (distance > threshold) return undefined
    const { probe, tolerance } = needle
    const entry = await this.#entryOf(finding)
    const { classification } = finding
    const facts = { classification, ...(classification === TEST && { isTest: true as const }) }
    const match = { bank: this.name, entry, labels: { source }, distance, threshold, tolerance }
    return { ...match, probe, ...(limited && { limited }), ...facts }
  }

  /** The name of an entry: the service's own, or else one derived from its hash. */
  async #entryOf({ id, secret }: Finding): Promise<string> {
    if (id !== undefined) return id
    const text = `remote entry ${this.name}\0${secret}`
    const name = await this.#deps.store.nameOf(utf8(text))
    return `r-${name.slice(0, NAME_DIGITS)}`
  }
}

export interface RemoteBankOptions extends Pick<Bank, 'threshold' | 'minQuality'> {
  name: string
  service: RemoteService
  /** The service, as events name it. */
  source: string
  onFailed: 'allow' | 'refuse'
  deadlineMs: number
  cacheSeconds: number
}

export interface RemoteDeps {
  /** Derives names from hashes by HMAC. They reveal nothing about the hashes. */
  store: Pick<ListStore, 'nameOf'>
  negatives: Negatives
  now: () => number
}

/** Why a bank has no answer for some needles. */
export interface RemoteFailure {
  bank: string
  onFailed: 'allow' | 'refuse'
  error: RemoteError | RemotePausedError
  /** Needles to ask about again. */
  unanswered: Needle[]
  /** Seconds for which the service is paused from now on; absent if it is not, or already was. */
  pausedSeconds?: number
}

/** A bank's answer for some files. */
export interface RemoteAnswer {
  /** For each file, in order. */
  matches: Match[][]
  failure?: RemoteFailure
}

/** The service is paused because of recent failures. */
export class RemotePausedError extends HashgateError {
  readonly code = 'remote-paused'

  constructor() {
    super('the service failed recently and is not asked at the moment')
  }
}
