import { distance } from '../../src/util/hash.ts'
import { readModules } from '../../src/core/node.ts'
import { DEFAULT_BANK_POLICY } from '../../src/list/manifest.ts'
import { PROBE_SETS } from '../../src/scan/probes/sets.ts'
import { MAX_WEAK_BITS, type Needle } from '../../src/scan/scanned.ts'
import { scanFile } from '../../src/scan/scanner.ts'
import { printTable } from '../measure.ts'
import { drawDistractor, KINDS } from './distractors.ts'
import { THRESHOLD } from './needles.ts'
import { uploadsOf } from './tasks.ts'

/** Limits of weak bits to try; 256 is no limit. */
const BOUNDS = [256, 140, 120, 100, MAX_WEAK_BITS, 60, 40]
/** Pictures of each kind. */
const MOST = 40
/** Changes applied to photographs, beside the unchanged ones. */
const CHANGES = /(resize 10 %|blur 3|brightness \+ 1\/3|contrast - 1\/3|crop 20 % centred)/

const context = { modules: readModules(), digestKinds: [], probes: PROBE_SETS.default }

/** A generated picture: its entry on a list, and its needles. */
interface Drawn {
  kind: string
  needles: Needle[]
}

/**
 * Two pictures of which one matches the other, and the lowest limit of weak bits that allows it.
 */
interface Pair {
  kinds: [string, string]
  weakBits: number
}

/**
 * The effect of a limit of weak bits: how many generated pictures still match another, and how many
 * photographs it takes for patterns.
 */
export async function printPatterns(
  photographs: readonly string[],
  { generated, seed }: { generated: number; seed: number },
): Promise<void> {
  const drawn: Drawn[] = []
  for (const kind of KINDS) {
    for (let i = 0; i < Math.min(generated, MOST); i++) {
      const needles = await needlesOf(await drawDistractor(kind, i, seed))
      if (needles[0]?.probe === 'identity') drawn.push({ kind, needles })
    }
  }
  const identities: Needle[] = []
  for (const path of photographs) {
    for await (const { file } of uploadsOf(path, { seed, transforms: CHANGES })) {
      const [first] = await needlesOf(file)
      if (first?.probe === 'identity') identities.push(first)
    }
  }
  const pairs = pairsOf(drawn)
  console.log('### Patterns\n')
  console.log(
    `${drawn.length} made-up pictures, each on a list and asked about by the default set, and ${identities.length} photographs, as they are and changed.\n`,
  )
  printTable(
    [
      'weak bits, at most',
      'pairs that match',
      'of the same kind',
      'patterns, made up',
      'photographs',
    ],
    BOUNDS.map((bound) => boundRow(bound, pairs, drawn, identities)),
  )
  printTable(['kind', 'pairs, any', `pairs, ${MAX_WEAK_BITS}`, 'patterns'], kindRows(pairs, drawn))
}

async function needlesOf(file: Uint8Array): Promise<Needle[]> {
  const scanned = await scanFile(context, file)
  const needles = scanned.coverage === 'scanned' ? scanned.needles : []
  return needles.filter(({ quality }) => quality >= DEFAULT_BANK_POLICY.minQuality)
}

/** Pairs of pictures in which a needle of the first matches the second's identity. */
function pairsOf(drawn: readonly Drawn[]): Pair[] {
  return drawn.flatMap((asked) =>
    drawn.flatMap((listed): Pair[] => {
      const [entry] = listed.needles
      if (asked === listed || !entry) return []
      const near = asked.needles.filter(
        ({ hash, tolerance }) => distance(hash, entry.hash) <= THRESHOLD + tolerance,
      )
      if (near.length === 0) return []
      const least = Math.min(...near.map(({ weakBits }) => weakBits))
      return [{ kinds: [asked.kind, listed.kind], weakBits: Math.max(least, entry.weakBits) }]
    }),
  )
}

function boundRow(
  bound: number,
  pairs: readonly Pair[],
  drawn: readonly Drawn[],
  identities: readonly Needle[],
): string[] {
  const left = pairs.filter(({ weakBits }) => weakBits <= bound)
  const taken = identities.filter(({ weakBits }) => weakBits > bound).length
  return [
    bound === 256 ? 'any' : String(bound),
    String(left.length),
    String(left.filter(({ kinds: [a, b] }) => a === b).length),
    share(drawn.filter((one) => isPattern(one, bound)).length, drawn.length),
    `${taken}, ${share(taken, identities.length)}`,
  ]
}

/** Kinds with anything to report. */
function kindRows(pairs: readonly Pair[], drawn: readonly Drawn[]): string[][] {
  return KINDS.flatMap((kind) => {
    const own = pairs.filter(({ kinds }) => kinds.includes(kind))
    const left = own.filter(({ weakBits }) => weakBits <= MAX_WEAK_BITS)
    const ofKind = drawn.filter((one) => one.kind === kind)
    const patterns = ofKind.filter((one) => isPattern(one, MAX_WEAK_BITS))
    if (own.length + patterns.length === 0) return []
    return [[kind, String(own.length), String(left.length), share(patterns.length, ofKind.length)]]
  })
}

function isPattern({ needles: [identity] }: Drawn, bound: number): boolean {
  return identity !== undefined && identity.weakBits > bound
}

function share(part: number, whole: number): string {
  return whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} %`
}
