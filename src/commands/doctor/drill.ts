import { Buffer } from 'node:buffer'
import { type Check, failed, ok, reasonOf, skipped, warning } from './checks.ts'
import type { OwnOrigin } from './own-origin.ts'
import { drillPicture, longDrillFile } from './pictures.ts'

const REFUSED = 451
/** The long picture is this many bytes longer than the gate buffers. */
const MORE_BYTES = 1 << 20

/** Uploads a known picture, an unknown one, and a known one too long to be buffered. */
export async function drill(target: DrillTarget): Promise<Check[]> {
  return [await knownPicture(target), await otherPicture(target), await longFile(target)]
}

/** Where and how a drill uploads. */
export interface DrillTarget {
  url: URL
  method: string
  /** Longest body that the gate buffers, and longest body that it takes. */
  maxBufferedBytes: number
  maxBodyBytes: number
  /** Records what the origin receives, if the origin is the doctor's own. */
  origin?: OwnOrigin
  /** Whether GET on an upload's address returns the upload. */
  canReadBack?: boolean
}

async function knownPicture(target: DrillTarget): Promise<Check> {
  const check = 'a known picture is refused'
  const sent = await upload(target, 'known.jpg', drillPicture('known'))
  if (typeof sent === 'string') return failed(check, sent)
  if (sent.status !== REFUSED)
    return failed(
      check,
      `the answer is ${sent.status} instead of ${REFUSED}: the gate is open, or not on this path`,
    )
  if (await target.origin?.at(sent.path))
    return failed(
      check,
      `the answer is ${REFUSED}, but the upload reached the origin; report this as a bug`,
    )
  return ok(check, `${REFUSED}${target.origin ? ', and the origin heard nothing' : ''}`)
}

async function otherPicture(target: DrillTarget): Promise<Check> {
  const check = 'another picture passes'
  const body = drillPicture('other')
  const sent = await upload(target, 'other.jpg', body)
  if (typeof sent === 'string') return failed(check, sent)
  if (sent.status === REFUSED)
    return failed(check, 'it was refused as a match; report this as a bug')
  if (sent.status >= 400)
    return warning(check, `the answer is ${sent.status}; name a path that takes uploads: --path`)
  const arrived = target.origin
    ? (await target.origin.at(sent.path))?.body
    : target.canReadBack && (await readBack(sent.url))
  if (!arrived) {
    if (target.origin)
      return failed(check, `the answer is ${sent.status}, but nothing reached the origin`)
    return ok(
      check,
      `${sent.status}; --read-back compares its bytes, if GET answers with the upload`,
    )
  }
  if (!Buffer.from(body).equals(arrived)) return failed(check, 'its bytes were changed on the way')
  return ok(check, `${sent.status}, byte for byte`)
}

async function longFile(target: DrillTarget): Promise<Check> {
  const check = 'a long file with a known picture is refused'
  const body = longDrillFile(target.maxBufferedBytes + MORE_BYTES)
  if (body.byteLength > target.maxBodyBytes)
    return skipped(check, 'upload.maxBodyBytes takes no body that long')
  const sent = await upload(target, 'long.jpg', body)
  if (typeof sent === 'string') return failed(check, sent)
  if (sent.status !== REFUSED)
    return failed(check, `the answer is ${sent.status} instead of ${REFUSED}`)
  const arrived = await target.origin?.at(sent.path)
  if (arrived?.isComplete)
    return failed(check, 'the origin has a complete request; report this as a bug')
  if (!target.origin) return ok(check, `${REFUSED}`)
  const seen = arrived
    ? `saw ${arrived.body.length} of ${body.byteLength} bytes, and no end`
    : 'heard nothing'
  return ok(check, `${REFUSED}, and the origin ${seen}`)
}

interface Sent {
  url: URL
  path: string
  status: number
}

/** Uploads a file under an address of its own. Returns the reason if that fails. */
async function upload(
  { url, method }: DrillTarget,
  name: string,
  body: Uint8Array<ArrayBuffer>,
): Promise<Sent | string> {
  const to = new URL(`${url.pathname.replace(/\/$/, '')}/${Date.now()}-${name}`, url)
  const headers = { 'content-type': 'image/jpeg' }
  try {
    const response = await fetch(to, { method, body, headers, redirect: 'manual' })
    await response.arrayBuffer()
    return { url: to, path: to.pathname, status: response.status }
  } catch (error) {
    return `${to.origin} cannot be reached: ${reasonOf(error)}`
  }
}

async function readBack(url: URL): Promise<Buffer | undefined> {
  const response = await fetch(url)
  const body = Buffer.from(await response.arrayBuffer())
  return response.ok ? body : undefined
}
