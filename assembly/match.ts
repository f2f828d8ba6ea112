// The match module: an instance holds packed hashes and finds those near needles. src/core/haystack.ts is its caller.

export { scan } from './match/scan'
export { scanRows, toRows } from './match/rows'
export { placesAt, slotBytes, slotValues } from './match/table'
export { countBuckets, fillBuckets, sortBuckets } from './match/sort'
export { lookUp } from './match/look-up'
export { reserve, reset } from './match/memory'
