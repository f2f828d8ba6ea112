import type { CoreModules } from '../core/modules.ts'
import type { Happening, HappeningOf } from '../events/schema.ts'
import type { Manifest } from '../list/manifest.ts'
import type { ListStore } from '../list/store.ts'
import { type Answer, LiveList } from '../match/live-list.ts'
import type { Query } from '../match/match.ts'
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

/** Settings of the gate. */
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
  /** Durable Objects that count for all isolates what entries match. */
  floodCounters?: FloodNamespace | undefined
  report: (happening: Happening) => void
}

/** For whom files are judged. */
export interface Judging {
  /** Network address that they come from; empty if it is not known. */
  address: string
  settings: JudgeSettings
  waitUntil: WaitUntil
  /** Whether matches are left alone that match too much to be right. */
  ignoresFloods?: boolean
}

/** Judges files that were scanned: by the list, as the policy wants it. */
export class Gate {
  readonly list: LiveList
  readonly #settings: GateSettings
  readonly #report: (happening: Happening) => void
  readonly #floods: FloodBreaker
  /** Version of the list that was last adjusted. */
  #adjusted: number | undefined

  constructor({ settings, modules, store, shards, pins, floodCounters, report }: GateDeps) {
    this.#settings = settings
    this.#report = report
    this.list = new LiveList({
      modules,
      store,
      ...settings.list,
      adjust: (manifest) => this.#adjust(manifest),
      ...(shards && { shards }),
      ...(pins && { pins }),
      onError: (error) => report(listErrorEvent(error, this.list.version)),
    })
    this.#floods = new FloodBreaker({
      limits: { bound: settings.flood.bound, holdMs: settings.flood.hours * 3_600_000 },
      choiceOf: (bank) => settings.policy.banks[bank]?.onFlood ?? 'report',
      onFlood: report,
      ...(floodCounters && { counters: floodCounters }),
    })
  }

  /** The verdict on files, and on what is within them. Never throws: without a list to judge by, that is the verdict. */
  async judge(files: readonly ScannedFile[], judging: Judging): Promise<Verdict> {
    let listVersion: number | undefined
    const askList = async (queries: readonly Query[]) => {
      const { results, version } = await this.list.match(queries, judging.waitUntil)
      listVersion = version
      return results
    }
    const verdict = judging.ignoresFloods
      ? await judge(files, askList, judging.settings)
      : await judge(files, askList, judging.settings, (judged) =>
          this.#floods.mark(judged, judging.address),
        )
    return { ...verdict, listVersion }
  }

  /** What the list has, whatever it would lead to. @throws if there is none */
  ask(queries: readonly Query[], waitUntil: WaitUntil): Promise<Answer> {
    return this.list.match(queries, waitUntil)
  }

  /** The list as the policy wants it. Reports once for each version if the policy is for banks that are not in it. */
  #adjust(manifest: Manifest): Manifest {
    const { policy } = this.#settings
    const problem = manifest.version === this.#adjusted ? undefined : unknownBanks(manifest, policy)
    if (problem) this.#report(listErrorEvent(problem, manifest.version))
    this.#adjusted = manifest.version
    return adjustBanks(manifest, policy)
  }
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
