/** A JSON Schema whose objects may have no more than it says: receivers are to bear what is added, tests are not. */
export function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const entries = Object.entries(schema).map(([key, value]) => [
    key,
    key === 'examples' ? value : closed(value),
  ])
  const isObject = 'type' in schema && schema.type === 'object'
  return { ...Object.fromEntries(entries), ...(isObject && { additionalProperties: false }) }
}
