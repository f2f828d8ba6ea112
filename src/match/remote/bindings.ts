import { DEFAULT_BANK_POLICY } from '../../list/manifest.ts'
import type { ListStore } from '../../list/store.ts'
import { arachnid } from './arachnid.ts'
import { LaterQuestions } from './later.ts'
import { CachedNegatives } from './negatives.ts'
import { RemoteBank } from './remote-bank.ts'
import { RemoteBanks } from './remote-banks.ts'
import type { Fetch, RemoteService } from './service.ts'
import { REMOTE_SECRETS, type RemoteBankSettings, type RemoteSettings } from './settings.ts'
import { tcap } from './tcap.ts'

/** The remote banks of settings; `undefined` if there are none. */
export function remoteOf(
  { settings, policies, store }: RemoteParts,
  secrets: RemoteSecrets,
): RemoteBanks | undefined {
  const now = () => Date.now()
  const negatives = new CachedNegatives(() => caches.open('hashgate-remote'), now)
  const enabled = Object.entries(settings.banks).filter(
    ([name]) => policies[name]?.enabled !== false,
  )
  if (enabled.length === 0) return undefined
  const banks = enabled.map(([name, bank]) => {
    const { threshold, minQuality, review } = policies[name] ?? {}
    const options = {
      name,
      source: bank.service,
      service: serviceOf(bank, secrets[REMOTE_SECRETS[bank.service]] ?? ''),
      onFailed: bank.onFailed,
      deadlineMs: bank.deadlineMs,
      cacheSeconds: bank.cacheHours * 3600,
      threshold: review?.threshold ?? threshold ?? DEFAULT_BANK_POLICY.threshold,
      minQuality: minQuality ?? DEFAULT_BANK_POLICY.minQuality,
    }
    return new RemoteBank(options, { store, negatives, now })
  })
  return new RemoteBanks(banks, new LaterQuestions(store, now))
}

/** Secrets of services. */
export type RemoteSecrets = Partial<
  Record<(typeof REMOTE_SECRETS)[keyof typeof REMOTE_SECRETS], string>
>

type BankPolicies = Readonly<
  Record<
    string,
    {
      enabled: boolean
      threshold?: number | undefined
      minQuality?: number | undefined
      review?: { threshold: number } | undefined
    }
  >
>

export interface RemoteParts {
  settings: RemoteSettings
  policies: BankPolicies
  store: ListStore
}

const fetchIt: Fetch = (request) => fetch(request)

function serviceOf(bank: RemoteBankSettings, password: string): RemoteService {
  const { service, user, url, loginUrl } = bank
  if (service === 'arachnid') return arachnid(fetchIt, user, password, url)
  return tcap(fetchIt, { username: user, password }, { url, loginUrl })
}
