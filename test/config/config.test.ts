import { describe, expect, it } from 'vitest'
import { readConfig, readLibrarySettings } from '../../src/config/config.ts'
import { PRESET_NAMES, PRESETS } from '../../src/config/presets.ts'
import { BadConfigError } from '../../src/util/errors.ts'
import { MIB } from '../../src/util/settings.ts'

function problem(read: () => unknown): string {
  try {
    read()
    return ''
  } catch (error) {
    expect(error).toBeInstanceOf(BadConfigError)
    return (error as Error).message
  }
}

const config = (HASHGATE: unknown) => readConfig({ HASHGATE })

const remoteAt = (url: string) => ({
  remote: { banks: { a: { service: 'arachnid', user: 'us', url } } },
})

const routeTo = (origin: string) => ({ policy: { routes: [{ origin }] } })

describe('readConfig', () => {
  it('has defaults', () => {
    expect(readConfig({})).toEqual({
      origin: { timeoutSeconds: 100 },
      upload: {
        methods: ['POST', 'PUT', 'PATCH'],
        maxBodyBytes: 512 * MIB,
        maxBufferedBytes: 16 * MIB,
        maxHeldBytes: 32 * MIB,
        maxDecoders: 3,
        maxWaitSeconds: 30,
        clientStallSeconds: 60,
        minBytesPerSecond: 8192,
        maxSeconds: 3600,
        onUnknownLength: 'length-required',
        onParts: 'allow',
      },
      body: { maxFiles: 100, base64Fields: [] },
      scan: { probes: 'default', addFamilies: [], dropFamilies: [], workSeconds: 15 },
      list: {
        refreshSeconds: 60,
        maxAgeSeconds: 3600,
        onStale: 'use',
        onMissing: 'fail',
        maxEntries: 3 << 20,
        maxTableEntries: 1 << 20,
      },
      policy: {
        mode: 'enforce',
        onFailed: 'refuse',
        onUnscannable: 'allow',
        banks: {},
        harms: {},
        exempt: [],
        routes: [],
      },
      flood: { bound: 100, hours: 24 },
      quarantine: { recipients: [], days: 30 },
      remote: { banks: {} },
      health: { path: '/healthz' },
      events: {
        sinks: ['console'],
        queue: 'all',
        webhook: { timeoutSeconds: 15, retrySeconds: 5 },
      },
      api: {
        path: '',
        access: { audience: [], scopes: ['verdict', 'lookup', 'tickets', 'health'] },
      },
      tickets: { path: '/objects', corsOrigins: [] },
      tus: { path: '', originPath: '', corsOrigins: [] },
      s3: { region: 'auto' },
      staging: { hours: 24 },
    })
  })

  it('reads a table, or its JSON in text', () => {
    const written = { upload: { methods: ['PUT'] }, policy: { mode: 'shadow' } }
    const read = config(written)
    expect([read.upload.methods, read.policy.mode]).toEqual([['PUT'], 'shadow'])
    expect(config(JSON.stringify(written))).toEqual(read)
  })

  it('reads the address of the origin', () => {
    expect(readConfig({ ORIGIN_URL: 'https://origin.example' }).origin).toEqual({
      timeoutSeconds: 100,
      url: new URL('https://origin.example'),
    })
  })

  it.each([
    ['{', 'HASHGATE must be a table, or JSON'],
    [[], 'HASHGATE must be a table of settings'],
    [3, 'HASHGATE must be a table of settings'],
    [null, 'HASHGATE must be a table of settings'],
    [{ list: [] }, 'HASHGATE.list must be a table of settings'],
    [{ list: { maxAgeSeconds: 59 } }, 'HASHGATE.list.maxAgeSeconds must be a whole number from 60'],
    [{ list: { maxAgeSeconds: 86_401 } }, 'HASHGATE.list.maxAgeSeconds must be a whole number'],
    [{ list: { onStale: 'allow' } }, 'HASHGATE.list.onStale must be use or fail'],
    [{ list: { maxEntries: (5 << 20) + 1 } }, 'HASHGATE.list.maxEntries must be a whole number'],
    [{ list: { maxTableEntries: -1 } }, 'HASHGATE.list.maxTableEntries must be a whole number'],
    [
      { list: { maxAgeSeconds: 60, refreshSeconds: 61 } },
      'HASHGATE.list.maxAgeSeconds must be at least list.refreshSeconds',
    ],
    [{ policy: { banks: [] } }, 'HASHGATE.policy.banks must be a table of banks'],
    [{ policy: { routes: [[]] } }, 'HASHGATE.policy.routes.0 must be a table of settings'],
    [routeTo('origin.example.com'), 'HASHGATE.policy.routes.0.origin must be the address of'],
    [routeTo('https://origin.example.com/a'), 'such as https://origin.example.com, without a path'],
    [routeTo('https://a:b@origin.example.com'), 'HASHGATE.policy.routes.0.origin must be'],
    [routeTo('ftp://origin.example.com'), 'HASHGATE.policy.routes.0.origin must be'],
    [
      { policy: { harms: { csam: { languages: { de: {} } } } } },
      'HASHGATE.policy.harms.csam.languages.de.title must be set',
    ],
    [{ health: { path: 'healthz' } }, 'HASHGATE.health.path must be a path'],
    [{ scan: { probes: 'all' } }, 'HASHGATE.scan.probes must be plain or as-is or default or wide'],
    [{ scan: { dropFamilies: ['identity'] } }, 'HASHGATE.scan.dropFamilies.0 must be displayed'],
    [{ scan: { dropFamilies: ['trn'] } }, 'HASHGATE.scan.dropFamilies.0 must be'],
    [{ scan: { addFamilies: ['page'] } }, 'did you mean pages?'],
    [{ flood: { bound: 10_001 } }, 'HASHGATE.flood.bound must be a whole number from 0 to 10000'],
    [{ flood: { hours: 0 } }, 'HASHGATE.flood.hours must be a whole number from 1 to 720'],
    [{ body: { maxFiles: 0 } }, 'HASHGATE.body.maxFiles must be a whole number from 1 to 1000'],
    [{ body: { maxFiles: '7' } }, 'HASHGATE.body.maxFiles must be a whole number'],
    [{ body: { base64Fields: 'a, b' } }, 'HASHGATE.body.base64Fields must be a list'],
    [{ upload: { methods: ['GET'] } }, 'HASHGATE.upload.methods.0 must be POST or PUT or PATCH or'],
    [{ upload: { maxBodyBytes: 1.5 } }, 'HASHGATE.upload.maxBodyBytes must be a whole number'],
    [{ upload: { maxWaitSeconds: 121 } }, 'HASHGATE.upload.maxWaitSeconds must be a whole number'],
    [{ upload: { onUnknownLength: '411' } }, 'must be length-required or too-large'],
    [{ upload: { maxHeldBytes: 1000 } }, 'upload.maxHeldBytes must be at least upload.maxBuffered'],
    [
      { upload: { maxHeldBytes: MIB - 1, maxBufferedBytes: 1000 } },
      'upload.maxHeldBytes must be at least 1048576 for uploads longer than',
    ],
    [
      {
        upload: { maxHeldBytes: 1000, maxBufferedBytes: 1000, maxBodyBytes: 1000 },
        policy: { routes: [{ maxBodyBytes: 1001 }] },
      },
      'upload.maxHeldBytes must be at least 1048576 for uploads longer than',
    ],
    [{ origin: { timeoutSeconds: 0 } }, 'HASHGATE.origin.timeoutSeconds must be a whole number'],
    [{ events: { sinks: ['slack'] } }, 'HASHGATE.events.sinks.0 must be console or queue or'],
    [{ events: { sinks: ['analytics'] } }, 'HASHGATE.events.sinks must list console or queue'],
    [{ events: { sinks: [] } }, 'HASHGATE.events.sinks must list console or queue'],
    [{ events: { queue: 'some' } }, 'HASHGATE.events.queue must be all or notable'],
    [webhook('http://hooks.example/'), 'HASHGATE.events.webhook.url must be an https:// URL'],
    [webhook('http://127.0.0.1.example/'), 'events.webhook.url must be an https:// URL'],
    [webhook('https://a:b@hooks.example/'), 'events.webhook.url must be an https:// URL'],
    [webhook('https://hooks.example/#a'), 'events.webhook.url must be an https:// URL'],
    [webhook('https://hooks.example/', 'console'), 'events.sinks must list queue if'],
    ...[
      ...['nothing', 'http://a.example', 'ftp://127.0.0.1', 'http://127.0.0.1.example'],
      ...['https://us@a.example', 'https://:secret@a.example', 'https://us:secret@a.example'],
    ].map((url): [object, string] => [
      remoteAt(url),
      'remote.banks.a.url must be an https address',
    ]),
    [{ quarantine: { recipients: ['age1x'] } }, 'HASHGATE.quarantine.recipients.0 must be an age'],
    [{ api: { host: 'https://a' } }, 'HASHGATE.api.host must be a host name'],
    [{ api: { access: { teamDomain: 'a.example' } } }, 'api.access.audience must be set together'],
    [{ api: { access: { scopes: [] } } }, 'HASHGATE.api.access.scopes must have at least one'],
    [{ api: { access: { scopes: ['verdicts'] } } }, 'did you mean verdict?'],
    [{ tus: { path: '/files/' } }, 'HASHGATE.tus.path must be a path such as /files'],
    [{ tus: { corsOrigins: ['app.example'] } }, 'HASHGATE.tus.corsOrigins.0 must be an origin'],
    [{ s3: { region: 'EU' } }, 'HASHGATE.s3.region must be a region'],
    [
      { preset: 'photo' },
      'HASHGATE.preset must be photos or files or strict; did you mean photos?',
    ],
  ])('says where something is wrong, and what is allowed: %j', (written, message) => {
    expect(problem(() => config(written))).toContain(message)
  })

  it.each([
    [{ polcy: {} }, 'HASHGATE.polcy is not a setting; did you mean policy?'],
    [
      { upload: { maxBodyByte: 1 } },
      'upload.maxBodyByte is not a setting; did you mean maxBodyBytes?',
    ],
    [{ policy: { on_unscannable: 'refuse' } }, 'did you mean onUnscannable?'],
    [{ health: { url: '' } }, 'HASHGATE.health.url is not a setting; expected one of path'],
    [
      { events: { webhook: { ulr: '' } } },
      'HASHGATE.events.webhook.ulr is not a setting; did you mean',
    ],
    [{ origin: { url: 'https://a.example' } }, 'HASHGATE.origin.url is not a setting'],
  ])('stops at a name that it does not know: %j', (written, message) => {
    expect(problem(() => config(written))).toContain(message)
  })

  it.each([
    [{ HASHGTE: '' }, 'HASHGTE is not a name that hashgate reads; did you mean HASHGATE?'],
    [{ LIST_KEYS: '' }, 'did you mean LIST_KEY?'],
    [{ ORIGINURL: '' }, 'did you mean ORIGIN_URL?'],
    [{ EVENT_QUEUES: {} }, 'did you mean EVENT_QUEUE?'],
    [
      { ON_UNSCANABLE: 'refuse' },
      'ON_UNSCANABLE is not read; did you mean policy.onUnscannable in',
    ],
    [{ MAX_BODY_BYTES: 1 }, 'did you mean upload.maxBodyBytes in HASHGATE?'],
    [{ TUS_PATH: '/files' }, 'did you mean tus.path in HASHGATE?'],
    [{ METHODS: 'PUT' }, 'METHODS is not read; did you mean upload.methods in HASHGATE?'],
    [{ ORIGIN_URL: 'https://origin.example/path' }, 'ORIGIN_URL must be the address of a server'],
    [{ ORIGIN_URL: 'ftp://origin.example' }, 'ORIGIN_URL must be'],
  ])('stops at wrong variables beside it: %j', (env, message) => {
    expect(problem(() => readConfig(env))).toContain(message)
  })

  it.each(['https://a.example/v1', 'http://127.0.0.1:8080'])('takes a service at %s', (url) => {
    expect(config(remoteAt(url)).remote.banks['a']).toMatchObject({ url })
  })

  it('waits for a service, and remembers its answers, as long as it may', () => {
    const bankWith = (settings: object) => {
      const { remote } = remoteAt('https://a.example')
      return config({ remote: { banks: { a: { ...remote.banks.a, ...settings } } } }).remote.banks
    }
    expect(bankWith({})).toMatchObject({ a: { deadlineMs: 1500, cacheHours: 24 } })
    for (const settings of [{ deadlineMs: 100 }, { deadlineMs: 10_000 }, { cacheHours: 0 }])
      expect(bankWith(settings)).toMatchObject({ a: settings })
    for (const settings of [{ deadlineMs: 99 }, { deadlineMs: 10_001 }, { cacheHours: 25 }])
      expect(() => bankWith(settings)).toThrow('must be a whole number')
  })

  it('leaves variables alone that are the operator’s own', () => {
    const own = { ENVIRONMENT: 'staging', SENTRY_DSN: 'https://a', MY_API: '', DB: {}, QUOTA: 3 }
    expect(readConfig(own)).toEqual(readConfig({}))
  })

  it('names everything that is wrong', () => {
    const written = { body: { maxFiles: 'x' }, policy: { onFailed: 'y' } }
    const message = problem(() => readConfig({ HASHGATE: written, LIST_KYE: '', ORIGIN_URL: 'z' }))
    for (const name of ['body.maxFiles', 'policy.onFailed', 'LIST_KYE', 'ORIGIN_URL'])
      expect(message).toContain(name)
  })

  it('never repeats what a recipient is: it may be an identity', () => {
    const identity = 'AGE-SECRET-KEY-1QQQ'
    const message = problem(() => config({ quarantine: { recipients: [identity] } }))
    expect(message).toContain('quarantine.recipients.0')
    expect(message).not.toContain('QQQ')
  })
})

describe('presets', () => {
  it.each(PRESET_NAMES)('%s is read, and differs from the defaults', (preset) => {
    const { preset: name, ...settings } = config({ preset })
    expect(name).toBe(preset)
    expect(settings).toMatchObject(PRESETS[preset].settings)
    expect(settings).not.toEqual(readConfig({}))
  })

  it('are overridden key by key, and lists as a whole', () => {
    const read = config({ preset: 'strict', policy: { onUnscannable: 'allow' }, scan: {} })
    expect(read.policy).toMatchObject({ onUnscannable: 'allow', onFailed: 'refuse' })
    expect(read.scan.probes).toBe('wide')
    expect(read.list.onStale).toBe('fail')
  })

  it('do not hide what is wrong', () => {
    expect(problem(() => config({ preset: 'strict', policy: 'x' }))).toContain(
      'HASHGATE.policy must',
    )
    expect(problem(() => config({ preset: 'strict', policy: { exmept: [] } }))).toContain('exempt?')
  })

  it('never allow what the defaults refuse', () => {
    const { policy, upload, list } = readConfig({})
    for (const preset of PRESET_NAMES) {
      const read = config({ preset })
      expect(read.policy.onFailed).toBe(policy.onFailed)
      expect(read.policy.mode).toBe(policy.mode)
      if (list.onStale === 'fail') expect(read.list.onStale).toBe('fail')
      expect(upload.methods.every((method) => read.upload.methods.includes(method))).toBe(true)
    }
  })
})

describe('readLibrarySettings', () => {
  it('reads what concerns judging, and has defaults for all else', () => {
    const read = readLibrarySettings({ policy: { mode: 'shadow' } })
    expect(read).toEqual({
      ...readConfig({}),
      policy: { ...readConfig({}).policy, mode: 'shadow' },
    })
  })

  it('reads routes, except for their origins, which the app chooses', () => {
    const routes = [{ paths: ['/a'] }, { paths: ['/b'] }]
    expect(readLibrarySettings({ policy: { routes } }).policy.routes).toMatchObject(routes)
    const away = routes.map((route, i) =>
      i === 0 ? { ...route, origin: 'https://a.example' } : route,
    )
    expect(problem(() => readLibrarySettings({ policy: { routes: away } }))).toContain(
      'settings.policy.routes.0.origin only works in a separate Worker',
    )
  })

  it('rejects settings of sinks and origins, which the app chooses', () => {
    const settings = { events: { sinks: ['queue'] } }
    expect(problem(() => readLibrarySettings(settings as object))).toContain(
      'settings.events is not a setting; expected one of preset, origin',
    )
  })
})

function webhook(url: string, ...sinks: string[]): object {
  return { events: { sinks: sinks.length > 0 ? sinks : ['queue'], webhook: { url } } }
}
