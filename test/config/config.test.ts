import { describe, expect, it } from 'vitest'
import { checkSecrets, readConfig, settingsInEffect } from '../../src/config/config.ts'
import { BadConfigError } from '../../src/util/errors.ts'
import { chooseOrigin } from '../../src/doors/proxy/origin.ts'
import { PROBE_SETS } from '../../src/scan/probes/sets.ts'

function secretOf(bytes: number): string {
  return `whsec_${Buffer.alloc(bytes).toString('base64')}`
}

/** A webhook's settings, with some that are other. */
function webhook(vars: object): object {
  return {
    EVENT_SINKS: 'queue',
    WEBHOOK_URL: 'https://hooks.example/in?a=b',
    WEBHOOK_SECRET: secretOf(24),
    ...vars,
  }
}

function problem(env: object): string {
  try {
    readConfig(env)
    return ''
  } catch (error) {
    expect(error).toBeInstanceOf(BadConfigError)
    return (error as Error).message
  }
}

describe('readConfig', () => {
  it('has defaults', () => {
    expect(readConfig({})).toEqual({
      originUrl: undefined,
      gatedMethods: new Set(['POST', 'PUT', 'PATCH']),
      maxBodyBytes: 512 * 1024 * 1024,
      maxBufferedBytes: 16 * 1024 * 1024,
      onUnknownLength: 'length-required',
      maxHeldBytes: 32 * 1024 * 1024,
      maxDecoders: 3,
      maxWaitMs: 30_000,
      maxStallMs: 60_000,
      maxOriginMs: 100_000,
      maxFiles: 100,
      base64Fields: new Set(),
      probes: PROBE_SETS.default,
      floodBound: 100,
      floodMs: 86_400_000,
      listRefreshSeconds: 60,
      listMaxAgeSeconds: 3600,
      onStale: 'use',
      maxListEntries: 3 << 20,
      maxTableEntries: 1 << 20,
      policy: { mode: 'enforce', banks: {}, exempt: [], harms: {}, routes: [] },
      quarantineRecipients: [],
      quarantineDays: 30,
      healthPath: '/healthz',
      objectsPath: '/objects',
      objectsCorsOrigins: [],
      tusPath: '',
      tusOriginPath: '',
      tusCorsOrigins: [],
      s3Region: 'auto',
      stagingMs: 86_400_000,
      onFailed: 'refuse',
      onUnscannable: 'allow',
      onPieces: 'allow',
      eventSinks: new Set(['console']),
      queueEvents: 'all',
      webhook: undefined,
    })
  })

  it('reads numbers as they are and as text, and lists of methods', () => {
    const config = readConfig({ MAX_FILES: '7', MAX_BODY_BYTES: 1000, GATED_METHODS: 'put, Patch' })
    expect([config.maxFiles, config.maxBodyBytes]).toEqual([7, 1000])
    expect([...config.gatedMethods]).toEqual(['PUT', 'PATCH'])
  })

  it.each([
    [{ LIST_MAX_AGE_SECONDS: 59 }, 'LIST_MAX_AGE_SECONDS must be a whole number from 60 to 86400'],
    [{ LIST_MAX_AGE_SECONDS: 86_401 }, 'LIST_MAX_AGE_SECONDS must be a whole number'],
    [{ ON_STALE: 'allow' }, 'ON_STALE must be use or fail'],
    [{ MAX_LIST_ENTRIES: (5 << 20) + 1 }, 'MAX_LIST_ENTRIES must be a whole number'],
    [{ MAX_TABLE_ENTRIES: (5 << 18) + 1 }, 'MAX_TABLE_ENTRIES must be a whole number'],
    [{ HEALTH_PATH: 'healthz' }, 'HEALTH_PATH must be a path'],
    [
      { LIST_MAX_AGE_SECONDS: 60, LIST_REFRESH_SECONDS: 61 },
      'LIST_MAX_AGE_SECONDS must be at least LIST_REFRESH_SECONDS',
    ],
    [{ PROBES: 'all' }, 'PROBES must be plain, as-is, default, wide'],
    [{ PROBES: 'default -identity' }, 'PROBES must be'],
    [{ PROBES: 3 }, 'PROBES must be'],
    [{ FLOOD_BOUND: 10_001 }, 'FLOOD_BOUND must be a whole number from 0 to 10000'],
    [{ FLOOD_HOURS: 0 }, 'FLOOD_HOURS must be a whole number from 1 to 720'],
    [{ MAX_FILES: '0' }, 'MAX_FILES must be a whole number from 1 to 1000'],
    [{ MAX_FILES: 1001 }, 'MAX_FILES must be a whole number from 1 to 1000'],
    [{ MAX_BODY_BYTES: 'much' }, 'MAX_BODY_BYTES must be a whole number'],
    [{ MAX_BODY_BYTES: '1e3' }, 'MAX_BODY_BYTES must be a whole number'],
    [{ MAX_BUFFERED_BYTES: 64 * 2 ** 20 + 1 }, 'MAX_BUFFERED_BYTES must be a whole number'],
    [{ ON_UNKNOWN_LENGTH: '411' }, 'ON_UNKNOWN_LENGTH must be length-required or too-large'],
    [{ MAX_DECODERS: 0 }, 'MAX_DECODERS must be a whole number from 1 to 16'],
    [{ MAX_WAIT_SECONDS: 121 }, 'MAX_WAIT_SECONDS must be a whole number from 1 to 120'],
    [{ CLIENT_STALL_SECONDS: 121 }, 'CLIENT_STALL_SECONDS must be a whole number from 1 to 120'],
    [{ ORIGIN_TIMEOUT_SECONDS: 0 }, 'ORIGIN_TIMEOUT_SECONDS must be a whole number'],
    [{ ON_FAILED: 'shrug' }, 'ON_FAILED must be allow or refuse'],
    [{ ON_UNSCANNABLE: '' }, 'ON_UNSCANNABLE must be allow or refuse'],
    [{ GATED_METHODS: 'GET' }, 'GATED_METHODS.0 must list POST, PUT, PATCH or DELETE'],
    [{ MAX_HELD_BYTES: 1000 }, 'MAX_HELD_BYTES must be at least MAX_BUFFERED_BYTES'],
    [
      { MAX_HELD_BYTES: 1048575, MAX_BUFFERED_BYTES: 1000 },
      'MAX_HELD_BYTES must be at least 1048576 for long uploads',
    ],
    [
      {
        ...{ MAX_HELD_BYTES: 1000, MAX_BUFFERED_BYTES: 1000, MAX_BODY_BYTES: 1000 },
        POLICY: { routes: [{ maxBodyBytes: 1001 }] },
      },
      'MAX_HELD_BYTES must be at least 1048576 for long uploads',
    ],
    [{ EVENT_SINKS: 'console, slack' }, 'EVENT_SINKS.1 must list console, queue, analytics'],
    [{ EVENT_SINKS: '' }, 'EVENT_SINKS.0 must list console, queue, analytics'],
    [{ QUEUE_EVENTS: 'some' }, 'QUEUE_EVENTS must be all or notable'],
    [{ EVENT_SINKS: 'analytics' }, 'EVENT_SINKS must list console, queue, analytics, and not'],
    [webhook({ WEBHOOK_URL: 'http://hooks.example/' }), 'WEBHOOK_URL must be an https:// URL'],
    [webhook({ WEBHOOK_URL: 'http://127.0.0.1.example/' }), 'WEBHOOK_URL must be an https:// URL'],
    [webhook({ WEBHOOK_URL: 'https://a:b@hooks.example/' }), 'WEBHOOK_URL must be an https:// URL'],
    [webhook({ WEBHOOK_URL: 'https://hooks.example/#a' }), 'WEBHOOK_URL must be an https:// URL'],
    [webhook({ WEBHOOK_URL: '/hooks' }), 'WEBHOOK_URL must be an https:// URL'],
    [webhook({ WEBHOOK_SECRET: '' }), 'WEBHOOK_SECRET must be whsec_ and 24 to 64 bytes'],
    [webhook({ WEBHOOK_SECRET: secretOf(23) }), 'WEBHOOK_SECRET must be whsec_ and 24'],
    [webhook({ WEBHOOK_SECRET: secretOf(65) }), 'WEBHOOK_SECRET must be whsec_ and 24'],
    [webhook({ WEBHOOK_SECRET: secretOf(24).slice(6) }), 'WEBHOOK_SECRET must be whsec_ and 24'],
    [webhook({ WEBHOOK_SECRET: `${secretOf(24)}!` }), 'WEBHOOK_SECRET must be whsec_ and 24'],
    [webhook({ WEBHOOK_SECRET: `${secretOf(24)},` }), 'WEBHOOK_SECRET must be whsec_ and 24'],
    [webhook({ EVENT_SINKS: 'console' }), 'EVENT_SINKS must list queue if WEBHOOK_URL is set'],
    [webhook({ WEBHOOK_TIMEOUT_SECONDS: 31 }), 'WEBHOOK_TIMEOUT_SECONDS must be a whole number'],
    [webhook({ WEBHOOK_RETRY_SECONDS: 0 }), 'WEBHOOK_RETRY_SECONDS must be a whole number from 1'],
    [{ ORIGIN_URL: 'origin.example' }, 'ORIGIN_URL must be http:// or https:// and a host'],
    [{ ORIGIN_URL: 'https://origin.example/path' }, 'ORIGIN_URL must be'],
    [{ ORIGIN_URL: 'ftp://origin.example' }, 'ORIGIN_URL must be'],
  ])('says what is wrong, and what is allowed: %o', (env, message) => {
    expect(problem(env)).toContain(message)
  })

  it('wants a secret where one is needed, in the Worker', () => {
    const url = { EVENT_SINKS: 'queue', WEBHOOK_URL: 'https://hooks.example/' }
    const secret = { WEBHOOK_SECRET: secretOf(24) }
    const words = 'WEBHOOK_URL and WEBHOOK_SECRET must be set together'
    expect(() => checkSecrets(url)).toThrow(words)
    expect(() => checkSecrets(secret)).toThrow(words)
    expect(() => checkSecrets({ ...url, ...secret })).not.toThrow()
    expect(readConfig(url).webhook).toBeUndefined()
    const shown = settingsInEffect({ ...url, ...secret })
    expect(shown.map(({ name }) => name)).toContain('WEBHOOK_URL')
    expect(shown.map(({ name }) => name)).not.toContain('WEBHOOK_SECRET')
  })

  it('never tells what a secret is', () => {
    const message = problem(webhook({ WEBHOOK_SECRET: `${secretOf(24)} whsec_c2hvcnQ=` }))
    expect(message).toContain('WEBHOOK_SECRET')
    expect(message).not.toMatch(/c2hvcnQ|AAAA/)
  })

  it('reads a webhook with several secrets', () => {
    const both = { WEBHOOK_SECRET: `${secretOf(24)} ${secretOf(64)}` }
    expect(readConfig(webhook(both)).webhook).toEqual({
      url: 'https://hooks.example/in?a=b',
      secrets: [Buffer.alloc(24), Buffer.alloc(64)],
      timeoutMs: 15_000,
      retrySeconds: 5,
    })
    expect(readConfig(webhook({ WEBHOOK_URL: 'http://127.0.0.1:1/' })).webhook?.url).toBeDefined()
  })

  it('names all settings that are wrong', () => {
    const message = problem({ MAX_FILES: 'x', ON_FAILED: 'y' })
    expect(message).toContain('MAX_FILES')
    expect(message).toContain('ON_FAILED')
  })
})

describe('chooseOrigin', () => {
  it('refuses two origins', () => {
    const config = readConfig({ ORIGIN_URL: 'https://origin.example' })
    const ORIGIN_BUCKET = {} as R2Bucket
    expect(() => chooseOrigin(config, { ORIGIN_BUCKET })).toThrow(
      'only one origin may be set, and there are ORIGIN_URL, ORIGIN_BUCKET',
    )
  })

  it('does not let the Worker call itself where it has no origin', async () => {
    const origin = chooseOrigin(readConfig({}), {})
    for (const host of ['localhost:8787', '127.0.0.1:8787', 'hashgate.me.workers.dev']) {
      expect((await origin.forward(new Request(`http://${host}/x`))).status).toBe(502)
    }
  })
})
