import { type QuarantinedObject, readObject } from './objects.ts'

/** Most objects in a page, and in a deletion: R2's limit. */
export const PAGE_OBJECTS = 1000

/** The part of an R2 bucket that is used. */
export interface QuarantineBucket {
  put(
    key: string,
    value: ReadableStream<Uint8Array>,
    options: { customMetadata: Record<string, string> },
  ): Promise<unknown>
  list(options: {
    limit: number
    include: 'customMetadata'[]
    cursor?: string
  }): Promise<QuarantinePage>
  delete(keys: string[]): Promise<void>
}

type QuarantinePage = {
  objects: { key: string; size: number; customMetadata?: Record<string, string> }[]
} & ({ truncated: false } | { truncated: true; cursor: string })

/** A page of a bucket; `undefined` stands for an object that is not the quarantine's. */
export interface ObjectsPage {
  objects: (QuarantinedObject | undefined)[]
  /** Where the next page begins; absent on the last. */
  cursor?: string | undefined
}

export async function listPage(
  bucket: Pick<QuarantineBucket, 'list'>,
  cursor?: string,
): Promise<ObjectsPage> {
  const page = await bucket.list({
    limit: PAGE_OBJECTS,
    include: ['customMetadata'],
    ...(cursor !== undefined && { cursor }),
  })
  const objects = page.objects.map(({ key, size, customMetadata }) =>
    readObject(key, size, customMetadata),
  )
  return { objects, ...(page.truncated && { cursor: page.cursor }) }
}
