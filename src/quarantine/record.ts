import type { VerdictEvent } from '../events/schema.ts'

/** What the gate knows of an upload that is quarantined. Sealed with it, and never a hash. */
export interface QuarantineFacts {
  caseId: string
  method: string
  host: string
  /** Without the query. */
  path: string
  contentType?: string
  contentEncoding?: string
  /** Version of the list that was asked. */
  listVersion?: number
  /** Files of the upload, with what each matched: bank, entry, distance. */
  files: readonly object[]
}

/** Format of what is sealed, and of the object's key and metadata. */
export const FORMAT = 1

/** The file `event.json` of a sealed object. */
export interface QuarantineRecord extends QuarantineFacts {
  format: typeof FORMAT
  /** When it was quarantined, ISO 8601. */
  time: string
  /** When it is to be deleted, ISO 8601. */
  expires: string
  /** Length of the file `body`. */
  bytes: number
}

/** What became of the body of an upload that was quarantined. */
export type Kept = NonNullable<VerdictEvent['quarantine']>

export interface Swept {
  deleted: number
  /** Objects that are not due yet. */
  left: number
  /** Objects of the bucket that do not belong to the quarantine: they are not touched. */
  others: number
  /** Whether all objects were checked. */
  isWhole: boolean
}
