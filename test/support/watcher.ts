import { generateApiKey } from '../../src/doors/api/keys.ts'

/** A key that sees how full an isolate is, and the line of API_KEYS that lets it in. */
export function newWatcher(): { API_KEYS: string; headers: { authorization: string } } {
  const { key, line } = generateApiKey('watcher', new Set(['health']))
  return { API_KEYS: line, headers: { authorization: `Bearer ${key}` } }
}
