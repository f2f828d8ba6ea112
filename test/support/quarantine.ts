import { env } from 'cloudflare:workers'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { openSealed } from '../../src/quarantine/open.ts'
import { readObject } from '../../src/quarantine/objects.ts'
import { Quarantine, type QuarantineOptions } from '../../src/quarantine/quarantine.ts'

/** The local bucket that the tests share: each file has its own. */
export const bucket = (env as unknown as { QUARANTINE_BUCKET: R2Bucket }).QUARANTINE_BUCKET

export const identity = await generateIdentity()
export const recipient = await identityToRecipient(identity)

export function quarantineWith(options: Partial<QuarantineOptions> = {}): Quarantine {
  return new Quarantine({ bucket, recipients: [recipient], days: 30, ...options })
}

/** The keys of the bucket. */
export async function keys(): Promise<string[]> {
  return (await bucket.list()).objects.map(({ key }) => key)
}

export async function emptyBucket(): Promise<void> {
  await bucket.delete(await keys())
}

/** Opens what lies under a key. */
export async function openObject(key: string, ...identities: string[]) {
  const object = await bucket.get(key)
  const sealed = new Uint8Array(await object!.arrayBuffer())
  const found = readObject(key, sealed.length, object!.customMetadata)
  return openSealed(found!, sealed, identities.length > 0 ? identities : [identity])
}

/** A bucket that does some things otherwise. */
export function bucketThat(changes: Partial<R2Bucket>): R2Bucket {
  const bound = (name: string) => (bucket as unknown as Record<string, () => unknown>)[name]
  return new Proxy(bucket, {
    get: (_, name: string) =>
      (changes as Record<string, unknown>)[name] ?? bound(name)?.bind(bucket),
  })
}
