import type { Settings } from './schema.ts'

/** Whole postures by name. What a preset does not say has its usual default. */
export const PRESETS = {
  /** Services that take pictures only: what is not one, or cannot be read, is refused. */
  photos: {
    upload: { maxBodyBytes: 100 << 20, onPieces: 'refuse' },
    body: { maxFiles: 20 },
    scan: { probes: 'wide' },
    policy: { onUnscannable: 'refuse' },
  },
  /** General file sharing: any file of any size passes, unless something in it is known. */
  files: {
    upload: { maxBodyBytes: 5 * 1024 * (1 << 20), onUnknownLength: 'too-large' },
    policy: { onUnscannable: 'allow' },
    staging: { hours: 72 },
  },
  /** What cannot be judged is refused: also pieces of files, and everything while the list is not confirmed. */
  strict: {
    upload: { onPieces: 'refuse' },
    scan: { probes: 'wide' },
    list: { maxAgeSeconds: 900, onStale: 'fail' },
    policy: { onFailed: 'refuse', onUnscannable: 'refuse' },
  },
} as const satisfies Record<string, PresetSettings>

export type PresetSettings = Omit<{ [Group in keyof Settings]: Settings[Group] }, 'preset'>
export type PresetName = 'photos' | 'files' | 'strict'

export const PRESET_NAMES = ['photos', 'files', 'strict'] as const

/** Settings over others: groups key by key, everything else as a whole. */
export function over(base: unknown, changes: unknown): unknown {
  if (!isTable(base) || !isTable(changes)) return changes === undefined ? base : changes
  const merged = new Map(Object.entries(base))
  for (const [key, value] of Object.entries(changes)) merged.set(key, over(merged.get(key), value))
  return Object.fromEntries(merged)
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
