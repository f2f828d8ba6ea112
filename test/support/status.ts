// Numbers of assembly/status.ts that decoders answer with.

export const DONE = 2
export const DAMAGED = -1
export const TRUNCATED = -2
export const OVER_BUDGET = -3
export const OVER_LIMIT = -4
export const UNSUPPORTED = -5
export const OUT_OF_RANGE = -6
