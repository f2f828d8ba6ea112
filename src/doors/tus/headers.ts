import type { Checksum } from '../../upload/staging/stage-body.ts'

/** What clients say about a file: values by name. */
export type Metadata = Map<string, string>

/** Longest `Upload-Metadata`, in characters: the origin's server gets it as a header. */
const MAX_METADATA = 8192

/** Reads `Upload-Metadata`; `undefined` if it is malformed. */
export function parseMetadata(header: string): Metadata | undefined {
  const metadata: Metadata = new Map()
  if (header.length > MAX_METADATA) return undefined
  if (header.trim() === '') return metadata
  for (const pair of header.split(',')) {
    const match = /^([\x21-\x2b\x2d-\x7e]+)(?: ([A-Za-z\d+/]*={0,2}))?$/.exec(pair.trim())
    const [, name, value = ''] = match ?? []
    if (name === undefined || metadata.has(name) || value.length % 4 !== 0) return undefined
    metadata.set(name, Buffer.from(value, 'base64').toString())
  }
  return metadata
}

/** Types whose bodies are parsed. A file must be read as a file. */
const CONTAINERS = /^(multipart|message)\/|^application\/(.*\+)?json$|x-www-form-urlencoded/

/** Headers that tell an origin what a file is. */
export function headersOf(metadata: Metadata, header: string): Record<string, string> {
  const type = (metadata.get('filetype') ?? metadata.get('type') ?? '').toLowerCase()
  const isUsable = /^[a-z\d!#$&^_.+-]+\/[a-z\d!#$&^_.+-]+$/.test(type) && !CONTAINERS.test(type)
  const name = metadata.get('filename') ?? metadata.get('name')
  return {
    'content-type': isUsable ? type : 'application/octet-stream',
    ...(name !== undefined && {
      'content-disposition': `attachment; filename*=UTF-8''${escapeName(name)}`,
    }),
    ...(header !== '' && { 'upload-metadata': header }),
  }
}

/** A name in the form of RFC 8187. */
function escapeName(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** Bytes of digests, by tus's names for them. */
export const CHECKSUMS = { sha1: 20, sha256: 32, md5: 16 } as const

/** Reads `Upload-Checksum`; `undefined` if it is malformed, or its algorithm is not announced. */
export function parseChecksum(header: string): Checksum | undefined {
  const match = /^(sha1|sha256|md5) ([A-Za-z\d+/]+={0,2})$/.exec(header.trim())
  if (!match) return undefined
  const algorithm = match[1] as Checksum['algorithm']
  const digest = Buffer.from(match[2] ?? '', 'base64')
  return digest.length === CHECKSUMS[algorithm] ? { algorithm, digest } : undefined
}

/** Reads a number of bytes; `undefined` if it is not one. */
export function parseBytes(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d{1,15}$/.test(header)) return undefined
  return Number(header)
}
