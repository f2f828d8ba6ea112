import { createHash } from 'node:crypto'
import { afterAll, beforeEach } from 'vitest'
import { type GateHarness, startGate } from './gate-harness.ts'
import { OriginServer } from './origin-server.ts'
import { picture } from './sharp-images.ts'
import { newWatcher } from './watcher.ts'
import { type Answer, type SendOptions, sendUpload } from './upload-client.ts'

/** The Worker in workerd, between a client here and an origin on loopback. */
export interface Uploads {
  origin: OriginServer
  worker: GateHarness
  /** A picture that is on the list, and one that is not. */
  known: Buffer
  unrelated: Buffer
  /** What the Worker says of itself to who may watch it. */
  health: () => Promise<{ uploads: { heldBytes: number; waiting: number; decoders: number } }>
  send: (body: Uint8Array, options?: SendOptions & { path?: string }) => Promise<Answer>
}

/** Starts the Worker with settings, for all tests of a file. The origin forgets what it received before each. */
export async function startUploads(vars: object = {}): Promise<Uploads> {
  const origin = await OriginServer.start()
  const known = await picture(640, 480, 3, 1).jpeg().toBuffer()
  const unrelated = await picture(640, 480, 3, 2).jpeg().toBuffer()
  const { API_KEYS, headers } = newWatcher()
  const worker = await startGate({ ORIGIN_URL: origin.url, API_KEYS, ...vars }, [known])
  beforeEach(() => {
    origin.dropConnections()
    origin.clear()
  })
  afterAll(async () => {
    await worker.close()
    await origin.stop()
  })
  const send: Uploads['send'] = (body, { path = '/files/a%20b.jpg?x=1&y=%2F', ...options } = {}) =>
    sendUpload(new URL(path, worker.url), body, options)
  const health: Uploads['health'] = async () => {
    const response = await fetch(new URL('/healthz', worker.url), { headers })
    return response.json() as ReturnType<Uploads['health']>
  }
  return { origin, worker, known, unrelated, health, send }
}

/** What tells long bodies apart. */
export function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
