const HOUR_MS = 3_600_000
/**
 * Share of the bound that one network may contribute: no one may switch an entry off with variants
 * of one picture.
 */
const NETWORK_SHARE = 0.1

export const NO_FLOOD: FloodState = { sightings: [], floodedUntil: 0 }

/** Notes that an entry matched an upload. The same file counts once. */
export function noteSighting(
  state: FloodState,
  sighting: Sighting,
  { bound, holdMs }: FloodLimits,
): FloodNote & { state: FloodState } {
  const { at, upload, network } = sighting
  if (at < state.floodedUntil) return { isFlooded: true, hasBegun: false, state }
  const recent = state.sightings.filter((one) => one.at > at - HOUR_MS)
  const fromNetwork = recent.filter((one) => one.network === network).length
  const isKnown = recent.some((one) => one.upload === upload)
  const isOverShare = network !== '' && fromNetwork >= Math.ceil(bound * NETWORK_SHARE)
  const sightings = isKnown || isOverShare ? recent : [...recent, sighting]
  const hasBegun = sightings.length > bound
  return {
    isFlooded: hasBegun,
    hasBegun,
    state: hasBegun ? { sightings: [], floodedUntil: at + holdMs } : { sightings, floodedUntil: 0 },
  }
}

/** An upload that an entry matched. */
export interface Sighting {
  /** Identifies the file by its content. */
  upload: string
  /** Identifies the network that it came from; empty if that is not known. */
  network: string
  /** Milliseconds since the epoch. */
  at: number
}

/** How much an entry may match before it counts as flooded. */
export interface FloodLimits {
  /** Distinct uploads within an hour. */
  bound: number
  /** Milliseconds for which it then counts as flooded, and is not reported again. */
  holdMs: number
}

/** What is known about an entry: its distinct uploads of the last hour, and when its flood ends. */
export interface FloodState {
  sightings: Sighting[]
  floodedUntil: number
}

/** What a sighting led to. */
export interface FloodNote {
  isFlooded: boolean
  /** Whether this sighting was the one that went over the bound. */
  hasBegun: boolean
}
