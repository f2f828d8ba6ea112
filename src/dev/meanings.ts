import type { Probe, UnscannableReason } from '../scan/scanned.ts'

/** Families of probes as the page names them, and what a match by one of them means. */
export const FAMILIES = {
  'as it is': 'The picture, as the file stores it.',
  'as programs show it':
    'The picture as a viewer may show or read it: turned by Exif, over white or black, its transparency, its thumbnail, with its colour profile, or sampled as other hashing programs do.',
  'mirrored or turned': 'The picture before somebody mirrored it or turned it by a quarter.',
  inverted: 'The picture before somebody inverted its tones.',
  framed: 'The picture inside a border, between bars or under a caption.',
  cropped: 'The picture before somebody cropped it. What was cut off is guessed.',
  'turned a little': 'The picture before somebody turned it by a few degrees.',
  'with a logo': 'The picture without what covers a part of it: a logo, a bar, a sticker, text.',
  'part of a page': 'A picture on a page, in a screenshot, in a collage or in a strip.',
} as const

export type FamilyName = keyof typeof FAMILIES

/** The family that the page shows a probe in. */
export const FAMILY_OF: Readonly<Record<Probe, FamilyName>> = {
  identity: 'as it is',
  displayed: 'as programs show it',
  'over-white': 'as programs show it',
  'displayed-over-white': 'as programs show it',
  'over-black': 'as programs show it',
  alpha: 'as programs show it',
  'other-reading': 'as programs show it',
  toned: 'as programs show it',
  thumbnail: 'as programs show it',
  'nth-pixel': 'as programs show it',
  'full-size': 'as programs show it',
  rotate90: 'mirrored or turned',
  rotate180: 'mirrored or turned',
  rotate270: 'mirrored or turned',
  flipX: 'mirrored or turned',
  flipY: 'mirrored or turned',
  flipPlus1: 'mirrored or turned',
  flipMinus1: 'mirrored or turned',
  mirrors: 'mirrored or turned',
  complement: 'inverted',
  bars: 'framed',
  edges: 'framed',
  'mirrored-bars': 'framed',
  crops: 'cropped',
  shifts: 'cropped',
  'larger-crops': 'cropped',
  'larger-shifts': 'cropped',
  'mirrored-crops': 'cropped',
  'mirrored-shifts': 'cropped',
  aspects: 'cropped',
  'inverted-mirrors': 'inverted',
  turns: 'turned a little',
  'larger-turns': 'turned a little',
  corners: 'with a logo',
  covers: 'with a logo',
  pages: 'part of a page',
  pieces: 'part of a page',
}

/** Why a file could not be read, to follow "because". */
export const REASONS: Readonly<Record<UnscannableReason, string>> = {
  'unknown-format': 'its first bytes fit no format that hashgate knows',
  'unsupported-format': 'hashgate has no decoder for its format',
  'unsupported-variant': 'it is an unusual variant of its format',
  'out-of-range': 'its values are so large that decoders show different pictures',
  'unsupported-encoding': 'it is compressed in a way that hashgate does not open',
  'over-pixel-budget': 'it has too many pixels',
  'over-memory-budget': 'decoding it would take too much memory',
  'over-limit': 'it would take too much work',
  damaged: 'it is damaged',
  truncated: 'less than half of it is there',
  'ambiguous-archive': 'two programs could read different files out of it',
  'encrypted-entry': 'it, or an entry in it, has a password',
  'long-picture': 'the picture is too long to be held until its verdict',
  websocket: 'hashgate does not inspect what a WebSocket carries',
  'unsupported-entry': 'it has an entry that is compressed in a way that hashgate does not open',
}
