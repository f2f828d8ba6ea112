import type { GenericSchema } from 'valibot'
import type { Uploads } from '../../upload/uploads.ts'
import type { WaitUntil } from '../../util/wait-until.ts'
import type { Caller } from './authorize.ts'
import type { Scope } from './keys.ts'

/** A request whose caller may make it. */
export interface Call {
  request: Request
  url: URL
  caller: Caller
  waitUntil: WaitUntil
  /** Their list, memory and settings are what judges. */
  uploads: Uploads
}

export interface QueryParameter {
  name: string
  description: string
  isRequired?: boolean
}

/** A body, as it is described. `file` is anything. */
export interface BodyDescription {
  type: string
  schema: GenericSchema | 'file'
  example?: unknown
}

export interface AnswerDescription {
  description: string
  /** `application/json` unless it says otherwise. */
  type?: string
  schema?: GenericSchema
  example?: unknown
}

/** A route, and its description: the application and the OpenAPI document are both made from these. */
export interface Route {
  method: 'GET' | 'POST'
  path: string
  /** What a key must be for; absent: any key does. */
  scope?: Scope
  summary: string
  description: string
  query?: readonly QueryParameter[]
  bodies?: readonly BodyDescription[]
  /** By status; those of missing keys are added. */
  answers: Readonly<Record<number, AnswerDescription>>
  /** How errors are written: as problem details (RFC 9457), or as HMA does. */
  errors: 'problem' | 'message'
  /** @throws {ApiError} */
  handle: (call: Call) => Promise<Response>
}
