import type { ComparedFormat } from './structured.ts'

/** Why a file may be read differently: one of the classes of docs/decoding.md. `undefined`: none explains it. */
export function classOf(format: ComparedFormat, file: Uint8Array): string | undefined {
  return CLASSES.find((one) => one.format === format && one.holds(file))?.name
}

interface Class {
  name: string
  format: ComparedFormat
  holds(file: Uint8Array): boolean
}

const CLASSES: readonly Class[] = []
