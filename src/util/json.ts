/** Parses JSON; `undefined` if it is not valid. Errors of `JSON.parse` repeat the text, which may be secret. */
export function parseJson(json: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof json === 'string' ? json : new TextDecoder().decode(json)) as unknown
  } catch {
    return undefined
  }
}

/** Values by name. */
export type Table = Record<string, unknown>

/** Whether a value has values by name: an object that is not an array. */
export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
