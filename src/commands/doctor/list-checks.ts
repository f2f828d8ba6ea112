import * as v from 'valibot'
import { ListMissingError } from '../../list/errors.ts'
import { type Manifest, readManifest } from '../../list/manifest.ts'
import type { ListStore } from '../../list/store.ts'
import { HashgateError } from '../../util/errors.ts'
import { type Check, failed, ok, reasonOf, warning } from './checks.ts'

const HOUR_MS = 3_600_000

/** Whether the published list can be read with the key, and how old it is. */
export async function checkList(
  store: ListStore,
  { isRemote, maxAgeHours }: { isRemote: boolean; maxAgeHours: number },
): Promise<{ manifest?: Manifest; checks: Check[] }> {
  try {
    const manifest = await readManifest(store)
    const key = ok('LIST_KEY opens the list', `version ${manifest.version}`)
    return { manifest, checks: [key, ageCheck(manifest, maxAgeHours)] }
  } catch (error) {
    if (!(error instanceof HashgateError)) throw error
    const isMissing = error instanceof ListMissingError
    const text = isMissing
      ? 'no list has been published; `hashgate list push` publishes one'
      : error.message
    const say = isMissing && !isRemote ? warning : failed
    return { checks: [say(isMissing ? 'a list is published' : 'LIST_KEY opens the list', text)] }
  }
}

function ageCheck({ publishedAt }: Manifest, maxAgeHours: number): Check {
  const check = 'the list is fresh'
  const hours = (Date.now() - Date.parse(publishedAt)) / HOUR_MS
  const text = `published ${hours.toFixed(1)} hours ago`
  if (hours <= maxAgeHours) return ok(check, text)
  return failed(check, `${text}, more than ${maxAgeHours}; push the list again, or raise --max-age`)
}

const HealthSchema = v.object({
  list: v.looseObject({ state: v.string(), version: v.optional(v.number()) }),
})

/** The version that a running Worker has, by its health check. */
export async function checkHealth(
  url: URL,
): Promise<{ version?: number | undefined; check: Check }> {
  const check = 'the Worker has a list'
  try {
    const response = await fetch(url, { redirect: 'manual' })
    const health = v.safeParse(
      v.pipe(v.string(), v.parseJson(), HealthSchema),
      await response.text(),
    )
    if (!health.success)
      return {
        check: failed(
          check,
          `${url.href} answers ${response.status}, not as hashgate does; is it the right address?`,
        ),
      }
    const { state, version } = health.output.list
    if (response.ok && state === 'current')
      return { version, check: ok(check, `version ${version}`) }
    const text = `its list is ${state}; do LIST_KEY and the KV namespace agree with those that you publish with?`
    return { version, check: (response.ok ? warning : failed)(check, text) }
  } catch (error) {
    return { check: failed(check, `${url.href} cannot be reached: ${reasonOf(error)}`) }
  }
}

/** Whether a Worker uses the list that was published from here. */
export function checkSameList(here: number, there: number | undefined): Check {
  const check = 'the Worker uses the list that you publish'
  if (here === there) return ok(check, `version ${here}`)
  const text = `you have version ${here}, the Worker ${there ?? 'none'}`
  const isBehind = there !== undefined && there < here
  return isBehind
    ? warning(check, `${text}; it takes a new version up within two minutes`)
    : failed(check, `${text}: another KV namespace, or another LIST_KEY`)
}
