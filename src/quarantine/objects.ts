import * as v from 'valibot'
import { FORMAT } from './record.ts'

/** An object of the quarantine, as its bucket lists it. Nothing here reveals what is in it. */
export interface QuarantinedObject {
  key: string
  caseId: string
  /** When it is to be deleted, ISO 8601. */
  expires: string
  /** Sealed, in bytes. */
  bytes: number
}

const CASE_ID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
const CASE_ID_PATTERN = new RegExp(`^${CASE_ID}$`)
const KEY_PATTERN = new RegExp(`^\\d{4}-\\d{2}-\\d{2}-(${CASE_ID})\\.tar\\.age$`)

/** Custom metadata of an object: everything beside it that is not sealed. */
const MetadataSchema = v.object({
  case: v.pipe(v.string(), v.regex(CASE_ID_PATTERN)),
  expires: v.pipe(v.string(), v.isoTimestamp()),
  format: v.literal(String(FORMAT)),
})

export function isCaseId(text: string): boolean {
  return CASE_ID_PATTERN.test(text)
}

/** The key of a case's object. Keys sort by day. @param time ISO 8601 */
export function objectKey(caseId: string, time: string): string {
  return `${time.slice(0, 10)}-${caseId}.tar.age`
}

export function metadataOf({ caseId, expires }: { caseId: string; expires: string }) {
  return { case: caseId, expires, format: String(FORMAT) } satisfies v.InferOutput<
    typeof MetadataSchema
  >
}

/** Reads an object's metadata. `undefined`: not of the quarantine, so nothing here may touch it. */
export function readObject(
  key: string,
  bytes: number,
  metadata: unknown,
): QuarantinedObject | undefined {
  const caseId = KEY_PATTERN.exec(key)?.[1]
  const parsed = v.safeParse(MetadataSchema, metadata)
  if (!parsed.success || parsed.output.case !== caseId) return undefined
  return { key, caseId, bytes, expires: parsed.output.expires }
}
