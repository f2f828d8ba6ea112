import type { CoreModules } from '../core/modules.ts'
import type { Happening, HappeningOf } from '../events/schema.ts'
import type { Manifest } from '../list/manifest.ts'
import { ListMissingError } from '../list/errors.ts'
import type { ListStore } from '../list/store.ts'
import { type Answer, LiveList } from '../match/live-list.ts'
import type { Query } from '../match/match.ts'
import type { RemoteFailure } from '../match/remote/remote-bank.ts'
import type { RemoteBanks } from '../match/remote/remote-banks.ts'
import type { ListSettings } from '../match/settings.ts'
import type { PinNamespace } from '../match/pin.ts'
import type { ShardNamespace } from '../match/sharded-index.ts'
import { adjustBanks, unknownBanks } from '../policy/banks.ts'
import type { ScannedFile } from '../scan/scanned.ts'
import { describeError } from '../util/errors.ts'
import type { WaitUntil } from '../util/wait-until.ts'
import { FloodBreaker, type FloodNamespace } from './flood/breaker.ts'
import type { FloodSettings } from './flood/settings.ts'
import { judge, type JudgeSettings, type Verdict } from './verdict.ts'

/** Judges scanned files by the list, as the policy says. */
export class Gate {
  readonly list: LiveList
  readonly #settings: GateSettings
  readonly #report: (happening: Happening) => void
  readonly #floods: FloodBreaker
  readonly #remote: RemoteBanks | undefined
  /** Version of the list that was last adjusted. */
  #adjusted: number | undefined

  constructor(deps: GateDeps) {
    const { settings, modules, store, shards, pins, floodCounters, remote, report } = deps
    this.#settings = settings
    this.#remote = remote
    this.#report = report
    this.list = new LiveList({
      modules,
      store,
      ...settings.list,
      adjust: (manifest) => this.#adjust(manifest),
      ...(shards && { shards }),
      ...(pins && { pins }),
      onError: (error) => {
        if (!this.#isExpected(error)) report(listErrorEvent(error, this.list.version))
      },
    })
    this.#floods = new FloodBreaker({
      limits: { bound: settings.flood.bound, holdMs: settings.flood.hours * 3_600_000 },
      choiceOf: (bank) => settings.policy.banks[bank]?.onFlood ?? 'report',
      onFlood: report,
      ...(floodCounters && { counters: floodCounters }),
    })
  }

  /** The verdict on files and what is within them. Never throws, even without a list. */
  async judge(files: readonly ScannedFile[], judging: Judging): Promise<Verdict> {
    let listVersion: number | undefined
    const askList = async (queries: readonly Query[]) => {
      try {
        const { results, version } = await this.list.match(queries, judging.waitUntil)
        listVersion = version
        return results
      } catch (error) {
        if (!this.#isExpected(error)) throw error
        return queries.map(() => ({ matches: [], isComplete: true }))
      }
    }
    const remote = this.#remote
    const verdict = await judge(files, askList, judging.settings, {
      ...(!judging.ignoresFloods && {
        markFlooded: (judged) => this.#floods.mark(judged, judging.address),
      }),
      ...(remote && { askRemote: (unmatched) => remote.ask(unmatched) }),
      onUnanswered: (failure, isPassed) => this.#reportFailure(failure, isPassed, judging),
    })
    return { ...verdict, listVersion }
  }

  /** Whether files can be judged: there is a list, or none is needed yet. */
  async isReady(waitUntil: WaitUntil): Promise<boolean> {
    try {
      await this.list.get(waitUntil)
      return true
    } catch (error) {
      return this.#isExpected(error)
    }
  }

  /** Whether the list is missing because none is needed yet: there are remote banks only. */
  #isExpected(error: unknown): boolean {
    if (!this.#remote || this.#settings.list.onMissing !== 'remote') return false
    return error instanceof ListMissingError
  }

  /** Reports that a service gave no answer. If the upload passed anyway, asks again later. */
  #reportFailure(failure: RemoteFailure, isPassed: boolean, judging: Judging): void {
    const { bank, error, pausedSeconds } = failure
    if (error.code === 'remote-failed') {
      const paused = pausedSeconds !== undefined && { pausedSeconds }
      this.#report({ event: 'remote-error', bank, error: describeError(error), ...paused })
    }
    const { caseId, waitUntil } = judging
    if (!isPassed || caseId === undefined || !this.#remote) return
    waitUntil(this.#remote.keepForLater(caseId, failure))
  }

  /** Matches in the list, whatever they would lead to. @throws if there is no list */
  ask(queries: readonly Query[], waitUntil: WaitUntil): Promise<Answer> {
    return this.list.match(queries, waitUntil)
  }

  #unknownBanks(manifest: Manifest) {
    return unknownBanks(manifest, this.#settings.policy, this.#remote?.names)
  }

  /** The list, adjusted by the policy. Reports once per version if that names unknown banks. */
  #adjust(manifest: Manifest): Manifest {
    const { policy } = this.#settings
    const problem = manifest.version === this.#adjusted ? undefined : this.#unknownBanks(manifest)
    if (problem) this.#report(listErrorEvent(problem, manifest.version))
    this.#adjusted = manifest.version
    return adjustBanks(manifest, policy)
  }
}

export interface GateSettings extends JudgeSettings {
  list: ListSettings
  flood: FloodSettings
}

/** What the gate judges with. */
export interface GateDeps {
  settings: GateSettings
  modules: CoreModules
  store: ListStore
  /** Durable Objects for a list that is too large for an isolate. */
  shards?: ShardNamespace | undefined
  /** Durable Objects that know the latest version of the list. */
  pins?: PinNamespace | undefined
  /** Durable Objects that count matches of entries across all isolates. */
  floodCounters?: FloodNamespace | undefined
  remote?: RemoteBanks | undefined
  report: (happening: Happening) => void
}

export interface Judging {
  /** Network address of the uploader; empty if it is not known. */
  address: string
  settings: JudgeSettings
  waitUntil: WaitUntil
  /** The case under which services that gave no answer are asked again. */
  caseId?: string
  /** Whether flooded entries still count in full. */
  ignoresFloods?: boolean
}

function listErrorEvent(
  error: unknown,
  listVersion: number | undefined,
): HappeningOf<'list-error'> {
  return {
    event: 'list-error',
    error: describeError(error),
    ...(listVersion !== undefined && { listVersion }),
  }
}
