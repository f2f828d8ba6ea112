/** An upload that an entry matched. */
export interface Sighting {
  /** Names the file by its content. */
  upload: string
  /** Names the network that it came from; empty if that is not known. */
  network: string
  /** Milliseconds since the epoch. */
  at: number
}

/** What an entry may match before it is taken for a mistake. */
export interface FloodLimits {
  /** Distinct uploads within an hour. */
  bound: number
  /** Milliseconds for which it then counts as flooded, and is not reported again. */
  holdMs: number
}

/** What is known of an entry: the distinct uploads of the last hour, and until when it counts as flooded. */
export interface FloodState {
  sightings: Sighting[]
  floodedUntil: number
}

/** What a sighting made of it. */
export interface FloodNote {
  isFlooded: boolean
  /** Whether it was this sighting that went over the bound. */
  hasBegun: boolean
}

const HOUR_MS = 3_600_000
/** Share of the bound that uploads from one network may be: nobody is to switch an entry off by variants of one picture. */
const NETWORK_SHARE = 0.1

export const NO_FLOOD: FloodState = { sightings: [], floodedUntil: 0 }

/** Notes that an entry matched an upload. A file that comes again is no other upload. */
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
