import type { Hono } from 'hono'
import type { Config } from '../config/schema.ts'
import { createApi } from '../doors/api/app.ts'
import { createWatcherCheck } from '../doors/api/authorize.ts'
import { apiOf } from '../doors/api/settings.ts'
import { HMA_ROUTES } from '../doors/api/hma/routes.ts'
import type { Route } from '../doors/api/route.ts'
import { s3AccessOf } from '../doors/s3/bindings.ts'
import { s3Server } from '../doors/s3/s3.ts'
import { signedOrigin } from '../doors/s3/sigv4.ts'
import { ticketsOf } from '../doors/tickets/bindings.ts'
import { ticketRoute } from '../doors/tickets/grant.ts'
import { objectUploads } from '../doors/tickets/objects.ts'
import { tusServer } from '../doors/tus/tus.ts'
import type { ListStore } from '../list/store.ts'
import { remoteOf } from '../match/remote/bindings.ts'
import { quarantineOf } from '../quarantine/bindings.ts'
import { stagingOf } from '../upload/staging/staging.ts'
import type { Uploads } from '../upload/uploads.ts'
import type { NamedFeature } from './gate-worker.ts'
import type { Bindings, WorkerParts } from './parts.ts'

/** A feature that a Worker has only if it names it. Otherwise its code is not in the bundle. */
export interface Feature extends NamedFeature {
  /** What it takes from the bindings. @throws {BadConfigError} a binding is missing or invalid */
  bind?: (config: Config, bindings: Bindings, store: ListStore) => Partial<WorkerParts>
  /** Its routes of the API. */
  routes?: (parts: WorkerParts) => readonly Route[]
  /** Its door, which passes other requests on; `undefined` if the settings turn it off. */
  door?: (parts: WorkerParts & { uploads: Uploads }, routes: readonly Route[]) => Hono | undefined
}

/** Verdicts for callers with a key. */
export function api(): Feature {
  return {
    name: 'api',
    bind: (config, bindings) => {
      const made = apiOf(config.api, bindings.API_KEYS)
      return made ? { api: made, mayWatch: createWatcherCheck(made) } : {}
    },
    door: ({ api: made, uploads }, routes) => made && createApi({ api: made, uploads, routes }),
  }
}

/** Look-ups in the API, as clients of hasher-matcher-actioner make them. */
export function hma(): Feature {
  return { name: 'hma', routes: () => HMA_ROUTES }
}

/** Sealed copies of quarantined uploads. */
export function quarantine(): Feature {
  return {
    name: 'quarantine',
    bind: (config, bindings) => {
      const made = quarantineOf(config.quarantine, bindings)
      return made ? { quarantine: made } : {}
    },
  }
}

/** Remote services that are asked about hashes, instead of a list or beside it. */
export function remote(): Feature {
  return {
    name: 'remote',
    bind: ({ remote: settings, policy }, bindings, store) => {
      const made = remoteOf({ settings, policies: policy.banks, store }, bindings)
      return made ? { remote: made } : {}
    },
  }
}

/** S3 uploads. */
export function s3(): Feature {
  return {
    name: 's3',
    bind: (_, bindings) => {
      const access = s3AccessOf(bindings.S3_CLIENT_KEYS, bindings.S3_ORIGIN_KEY)
      return access ? { s3: access, staging: stagingOf(bindings) } : {}
    },
    door: ({ s3: access, staging, origin: target, ...deps }) => {
      if (!access || !staging) return undefined
      const { clientKeys: keys, originKey } = access
      const { s3: settings } = deps.config
      const origin = originKey ? signedOrigin(target, originKey, settings.region) : target
      return s3Server({ ...deps, staging, origin, keys })
    },
  }
}

/** Uploads to a bucket, by ticket. */
export function tickets(): Feature {
  return {
    name: 'tickets',
    bind: (config, bindings) => {
      const made = ticketsOf(config.tickets, bindings)
      return made ? { tickets: made } : {}
    },
    routes: (parts) => [ticketRoute(parts.tickets)],
    door: ({ tickets: made, ...deps }) => made && objectUploads({ ...deps, tickets: made }),
  }
}

/** Uploads by the tus protocol. */
export function tus(): Feature {
  return {
    name: 'tus',
    bind: ({ tus: { path } }, bindings) => (path === '' ? {} : { staging: stagingOf(bindings) }),
    door: ({ staging, ...deps }) =>
      staging && deps.config.tus.path !== '' ? tusServer({ ...deps, staging }) : undefined,
  }
}

/** All features except HEIC, whose library is under LGPL-3.0. */
export function allFeatures(): Feature[] {
  return [api(), tickets(), hma(), tus(), s3(), quarantine(), remote()]
}
