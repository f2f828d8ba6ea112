import { isTable } from '../util/json.ts'

/** What browsers and phones upload as pictures. HEIC is readable only with `hashgate/heic`, or the Images binding. */
const PICTURES = ['jpeg', 'png', 'gif', 'webp', 'avif', 'heic'] as const

/** Presets by name, and what each is for. A setting that a preset omits has its usual default. */
export const PRESETS = {
  photos: {
    what: 'For services that take pictures only. A file that is not a picture, or cannot be read, is refused. If you set routes of your own, they replace its one route.',
    settings: {
      upload: { maxBodyBytes: 100 << 20, onParts: 'refuse' },
      body: { maxFiles: 20 },
      scan: { probes: 'wide' },
      policy: { onUnscannable: 'refuse', routes: [{ accept: PICTURES }] },
    },
  },
  files: {
    what: 'For general file sharing. Files of any kind pass, up to 5 GiB, unless something in them is known.',
    settings: {
      upload: { maxBodyBytes: 5 * 1024 * (1 << 20), onUnknownLength: 'too-large' },
      scan: { probes: 'wide' },
      staging: { hours: 72 },
    },
  },
  strict: {
    what: 'Refuses whatever cannot be judged: unreadable files, parts of files, and everything while the list cannot be confirmed.',
    settings: {
      upload: { onParts: 'refuse' },
      scan: { probes: 'wide' },
      list: { maxAgeSeconds: 900, onStale: 'fail' },
      policy: { onFailed: 'refuse', onUnscannable: 'refuse' },
    },
  },
} as const satisfies Record<PresetName, { what: string; settings: object }>

export const PRESET_NAMES = ['photos', 'files', 'strict'] as const
export type PresetName = (typeof PRESET_NAMES)[number]

/** Merges settings over others: groups key by key, everything else as a whole. */
export function over(base: unknown, changes: unknown): unknown {
  if (!isTable(base) || !isTable(changes)) return changes === undefined ? base : changes
  const merged = new Map(Object.entries(base))
  for (const [key, value] of Object.entries(changes)) merged.set(key, over(merged.get(key), value))
  return Object.fromEntries(merged)
}
