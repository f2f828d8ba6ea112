import { writeFile } from 'node:fs/promises'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { NoSuchCaseError } from '../quarantine/errors.ts'
import type { QuarantinedObject } from '../quarantine/objects.ts'
import { openSealed, parseIdentities } from '../quarantine/open.ts'
import { readText } from './file-errors.ts'
import type { TargetOptions } from './list-commands.ts'
import { openLocalBucket, openRemoteBucket, type OpenBucket } from './quarantine-bucket.ts'
import { closing } from './stores.ts'

/** Readable only by the owner, and never overwrites a file. */
const PRIVATE = { mode: 0o600, flag: 'wx' }

/** `hashgate quarantine keygen`: prints the same form as `age-keygen`. */
export async function quarantineKeygen({ out }: { out?: string }): Promise<boolean> {
  const identity = await generateX25519Identity()
  const recipient = await identityToRecipient(identity)
  const text = `# created: ${new Date().toISOString()}\n# public key: ${recipient}\n${identity}\n`
  if (out === undefined) {
    process.stdout.write(text)
  } else {
    await writeFile(out, text, PRIVATE)
    console.log(recipient)
  }
  return true
}

export async function quarantineList(options: TargetOptions): Promise<boolean> {
  return withBucket(options, async (bucket) => {
    let others = 0
    console.log('case,stored,expires,bytes')
    for await (const object of objectsOf(bucket)) {
      if (object) {
        const { key, caseId, expires, bytes } = object
        console.log([caseId, key.slice(0, 10), expires, bytes].join(','))
      } else others++
    }
    if (others > 0) {
      console.error(
        `hashgate: the bucket has ${others} objects that do not belong to the quarantine`,
      )
    }
    return true
  })
}

export async function quarantineOpen(
  caseId: string,
  options: TargetOptions & { identity: string; out?: string },
): Promise<boolean> {
  const identities = parseIdentities(await readText(options.identity))
  const { out = `${caseId}.body` } = options
  return withBucket(options, async (bucket) => {
    const object = await findCase(bucket, caseId)
    const sealed = await bucket.get(object)
    if (!sealed) throw new NoSuchCaseError(caseId)
    const { record, body } = await openSealed(object, sealed, identities)
    await writeFile(out, body, PRIVATE)
    console.log(printable(JSON.stringify(record, undefined, 2)))
    console.error(`hashgate: the body, ${body.length} bytes, is in ${out}`)
    return true
  })
}

export async function quarantineDelete(caseId: string, options: TargetOptions): Promise<boolean> {
  return withBucket(options, async (bucket) => {
    await bucket.delete(await findCase(bucket, caseId))
    console.log(`deleted the copy of case ${caseId}`)
    return true
  })
}

async function withBucket<T>(
  options: TargetOptions,
  use: (bucket: OpenBucket) => Promise<T>,
): Promise<T> {
  const open = options.remote ? openRemoteBucket : openLocalBucket
  return closing(await open(options), use)
}

async function* objectsOf(bucket: OpenBucket): AsyncGenerator<QuarantinedObject | undefined> {
  let cursor: string | undefined
  do {
    const page = await bucket.list(cursor)
    yield* page.objects
    cursor = page.cursor
  } while (cursor !== undefined)
}

/** @throws {NoSuchCaseError} */
async function findCase(bucket: OpenBucket, caseId: string): Promise<QuarantinedObject> {
  for await (const object of objectsOf(bucket)) if (object?.caseId === caseId) return object
  throw new NoSuchCaseError(caseId)
}

/**
 * JSON without terminal control characters: an uploader chose parts of it, and JSON leaves 0x7f to
 * 0x9f unescaped.
 */
function printable(json: string): string {
  return json.replace(
    /[\u007f-\u009f]/g,
    (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
  )
}
