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
