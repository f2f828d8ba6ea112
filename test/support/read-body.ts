import { ScanBudget } from '../../src/scan/budget.ts'
import { SCAN_LIMITS } from '../../src/scan/limits.ts'
import { createBodyReader } from '../../src/body/reader.ts'
import { atOnce } from '../../src/util/steps.ts'
import type { BodyOptions, FileInfo, UnreadableReason } from '../../src/body/types.ts'

/** A file as it was told. */
export interface ToldFile {
  text: string
  bytes: Buffer
  isText: boolean
  /** Whether it is the body, or a part, as it came, beside what is in it. */
  isRaw: boolean
  /** All that was known of it beforehand. */
  info: FileInfo
}

export interface ReadOptions extends Partial<BodyOptions> {
  /** Bytes of a chunk. */
  size?: number
  /** Bytes of the next chunk, if they differ. */
  nextSize?: () => number
  onUnreadable?: (reason: UnreadableReason) => void
  budget?: ScanBudget
}

/** Reads a body in chunks. Returns the files that are told to their end. */
export function readFiles(
  body: string | Uint8Array,
  headers: Record<string, string>,
  options: ReadOptions = {},
): ToldFile[] {
  const {
    size = Infinity,
    nextSize = () => size,
    onUnreadable = () => {},
    maxFiles = 100,
    base64Fields = [],
    skipFields,
    budget = new ScanBudget(SCAN_LIMITS),
  } = options
  const files: ToldFile[] = []
  const reader = createBodyReader(
    new Headers(headers),
    { maxFiles, base64Fields, skipFields },
    {
      budget,
      later: atOnce,
      openFile: (info) => {
        const { isText, isRaw = false } = info
        const chunks: Uint8Array[] = []
        return {
          write: (chunk) => void chunks.push(chunk.slice()),
          end: () => {
            const bytes = Buffer.concat(chunks)
            files.push({ text: bytes.toString(), bytes, isText, isRaw, info })
          },
        }
      },
      onUnreadable,
    },
  )
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + nextSize())
    reader.write(bytes.slice(at, end))
    at = end
  }
  reader.end()
  return files
}
