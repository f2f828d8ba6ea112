import { Decrypter } from 'age-encryption'
import { unpackTar } from 'modern-tar'
import * as v from 'valibot'
import { ObjectDamagedError, WrongIdentityError } from './errors.ts'
import type { QuarantinedObject } from './objects.ts'
import { FORMAT } from './record.ts'
import { BODY_FILE, EVENT_FILE } from './seal.ts'
import { parseJson } from '../util/json.ts'

// Not for the Worker, which cannot open what it seals.

/** The checked fields of a record; its other fields are printed unchecked. */
const RecordSchema = v.looseObject({
  format: v.literal(FORMAT),
  caseId: v.string(),
  bytes: v.number(),
})

/**
 * Opens an object.
 * @throws {WrongIdentityError} it was not sealed to these
 * @throws {ObjectDamagedError} it is not what was sealed for this case
 */
export async function openSealed(
  { key, caseId }: QuarantinedObject,
  sealed: Uint8Array,
  identities: readonly string[],
): Promise<OpenedCase> {
  const decrypter = new Decrypter()
  for (const identity of identities) decrypter.addIdentity(identity)
  const damaged = (cause: unknown) =>
    new ObjectDamagedError(key, 'does not match its seal: it was changed, or truncated', { cause })
  const tar = await decrypter.decrypt(sealed).catch((cause: unknown) => {
    if (cause instanceof Error && cause.message.startsWith('no identity matched')) {
      throw new WrongIdentityError(`${key} was not sealed to this identity`)
    }
    throw damaged(cause)
  })
  const files = await unpackTar(tar, { strict: true }).catch((cause: unknown) => {
    throw damaged(cause)
  })
  const [event, body] = [EVENT_FILE, BODY_FILE].map(
    (name) => files.find(({ header }) => header.name === name)?.data,
  )
  const record = v.safeParse(RecordSchema, event && parseJson(event))
  if (!record.success || !body || body.length !== record.output.bytes) {
    throw new ObjectDamagedError(key, 'is not a quarantined upload')
  }
  // A sealed object can be copied to another key, and anybody can seal to a public key.
  if (record.output.caseId !== caseId) {
    throw new ObjectDamagedError(key, 'was sealed for another case')
  }
  return { record: record.output, body }
}

export interface OpenedCase {
  record: Record<string, unknown>
  body: Uint8Array
}

/**
 * Reads the identities in a file as `age-keygen` writes it: one a line, between comments.
 * @throws {WrongIdentityError} the file has no identity, or an invalid line, which the message omits
 */
export function parseIdentities(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim())
  const identities = lines.filter((line) => line !== '' && !line.startsWith('#'))
  if (identities.length === 0) throw new WrongIdentityError('the file contains no age identity')
  for (const identity of identities) {
    try {
      new Decrypter().addIdentity(identity)
    } catch {
      const line = lines.indexOf(identity) + 1
      throw new WrongIdentityError(
        `line ${line} of the identity file is not an AGE-SECRET-KEY-…; use age itself for plugins and hardware`,
      )
    }
  }
  return identities
}
