import type { Hash256 } from '../core/hash.ts'

/** One hash of a list with what the list says about it. */
export interface Entry {
  hash: Hash256
  /** Names the entry in events; the list's own id, or one made from its content. */
  id: string
  /** The list's other columns by name: source, label, … */
  labels: Record<string, string>
}
