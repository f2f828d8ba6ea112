// The match module: an instance holds packed hashes and finds those near a needle. src/core/haystack.ts is its caller.

export { scan } from './match/scan'
export { reserve } from './match/memory'
