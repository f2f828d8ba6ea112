import * as v from 'valibot'
import { ListMissingError } from '../../list/errors.ts'
import { type Manifest, readManifest } from '../../list/manifest.ts'
import type { ListStore } from '../../list/store.ts'
import { HashgateError } from '../../util/errors.ts'
import { type Check, failed, ok, reasonOf, warning, skipped } from './checks.ts'

const HOUR_MS = 3_600_000

/** Checks whether the key opens the published list, and how old the list is. */
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

/** Environment variable with an API key of scope `health`: only such a key may read the version. */
const KEY_VARIABLE = 'HASHGATE_KEY'

/**
 * State of a running Worker's list, from its health check; and its version, if there is a key to
 * ask with.
 */
export async function checkHealth(
  url: URL,
): Promise<{ version?: number | undefined; check: Check }> {
  const check = 'the Worker has a list'
  try {
    const key = process.env[KEY_VARIABLE]
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
    const response = await fetch(url, { redirect: 'manual', headers })
    const health = v.safeParse(
      v.pipe(v.string(), v.parseJson(), HealthSchema),
      await response.text(),
    )
    if (!health.success)
      return {
        check: failed(
          check,
          `${url.href} answers ${response.status}, which hashgate does not; check the address`,
        ),
      }
    const { state, version } = health.output.list
    if (response.ok && state === 'current')
      return { version, check: ok(check, version === undefined ? state : `version ${version}`) }
    const text = `its list is ${state}; check that the Worker has the LIST_KEY and the KV namespace that you publish with`
    return { version, check: (response.ok ? warning : failed)(check, text) }
  } catch (error) {
    return { check: failed(check, `${url.href} cannot be reached: ${reasonOf(error)}`) }
  }
}

/** Whether a Worker uses the list published from here. */
export function checkSameList(here: number, there: number | undefined): Check {
  const check = 'the Worker uses the list that you publish'
  if (there === undefined)
    return skipped(check, `set ${KEY_VARIABLE} to a key with the scope health to compare versions`)
  if (here === there) return ok(check, `version ${here}`)
  const text = `you have version ${here}, the Worker ${there}`
  return there < here
    ? warning(check, `${text}; it loads a new version within two minutes`)
    : failed(check, `${text}: another KV namespace, or another LIST_KEY`)
}
