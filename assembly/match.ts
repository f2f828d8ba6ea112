// The match module: an instance holds packed hashes and finds those near needles. src/core/haystack.ts is its caller.

export { scan } from './match/scan'
export { scanRows, toRows } from './match/rows'
export {
  countPrefixes,
  fillBuckets,
  slotBytes,
  slotValues,
  sortBuckets,
  sumPrefixes,
} from './match/table'
export { lookUp } from './match/table'
export { reserve, reset } from './match/memory'
