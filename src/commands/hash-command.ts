import { DIHEDRAL_NAMES, formatHash } from '../util/hash.ts'
import { needlesOf, type Needle, type ScannedFile } from '../scan/scanned.ts'
import { scanContext, scanEach } from './scan-path.ts'

/** `hashgate hash`. Returns whether every file has a hash. */
export async function hashFiles(
  files: readonly string[],
  options: { dihedral?: true; json?: true },
): Promise<boolean> {
  const withDihedral = options.dihedral === true
  const context = await scanContext({ withDihedral, digestKinds: [] })
  return scanEach(context, files, (scanned, file) => {
    const hashes = hashLines(scanned)
    const problem = whyNoHash(scanned)
    if (options.json) console.log(JSON.stringify(hashLine(file, scanned, hashes, problem)))
    else if (problem !== undefined) console.error(`hashgate: ${file}: ${problemLine(problem)}`)
    else
      for (const { variant, hash, quality } of hashes) {
        console.log(
          [hash, quality, ...(options.dihedral ? [variant] : []), csvCell(file)].join(','),
        )
      }
    return problem === undefined
  })
}

interface HashLine {
  variant: string
  hash: string
  quality: number
}

/** Hashes of the first frame as stored, and of its variants if requested. */
function hashLines(scanned: ScannedFile): HashLine[] {
  const needles = needlesOf(scanned)
  const line = (variant: string, needle: Needle | undefined) =>
    needle ? [{ variant, hash: formatHash(needle.hash), quality: needle.quality }] : []
  return DIHEDRAL_NAMES.flatMap((variant) => {
    const probe = variant === 'original' ? 'identity' : variant
    return line(
      variant,
      needles.find((needle) => needle.probe === probe && needle.frame === 0),
    )
  })
}

/** Why a file has no hash; `undefined` if it has one. */
function whyNoHash(scanned: ScannedFile): string | undefined {
  if (scanned.coverage === 'unscannable') return scanned.reason
  if (scanned.bytes === 0) return 'empty'
  if (scanned.width === undefined) return 'no-image'
  return scanned.needles.length === 0 ? 'too-small' : undefined
}

/** Why a file has no hash, in words. */
function problemLine(problem: string): string {
  const words = {
    empty: 'it is empty',
    'no-image': 'it is not an image',
    'too-small': 'it is too small',
  }
  return words[problem as keyof typeof words] ?? `it cannot be read as an image (${problem})`
}

function hashLine(
  file: string,
  scanned: ScannedFile,
  hashes: HashLine[],
  problem: string | undefined,
): object {
  const { format, width, height } = scanned
  const [original, ...variants] = hashes
  return {
    file,
    format,
    width,
    height,
    ...(problem !== undefined && { reason: problem }),
    ...(original && { quality: original.quality, hash: original.hash }),
    ...(variants.length > 0 && {
      dihedral: Object.fromEntries(hashes.map(({ variant, hash }) => [variant, hash])),
    }),
  }
}

/** A CSV cell (RFC 4180). */
function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
