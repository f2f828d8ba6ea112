import type { GenericSchema } from 'valibot'
import type { Uploads } from '../../upload/uploads.ts'
import type { WaitUntil } from '../../util/wait-until.ts'
import type { Caller } from './authorize.ts'
import type { Scope } from './keys.ts'

/** A request whose caller has the scope for it. */
export interface Call {
  request: Request
  url: URL
  caller: Caller
  waitUntil: WaitUntil
  /** Judges the request, with its list, memory and settings. */
  uploads: Uploads
}

export interface QueryParameter {
  name: string
  description: string
  isRequired?: boolean
}

/** Describes a body. `file`: any bytes. */
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

/** A route and its description. The application and the OpenAPI document are both made from it. */
export interface Route {
  method: 'GET' | 'POST'
  path: string
  /** The scope that a key needs. If absent, any key will do. */
  scope?: Scope
  summary: string
  description: string
  query?: readonly QueryParameter[]
  bodies?: readonly BodyDescription[]
  /** By status. Those for denied callers are added. */
  answers: Readonly<Record<number, AnswerDescription>>
  /** How errors are written: as problem details (RFC 9457), or as HMA does. */
  errors: 'problem' | 'message'
  /** @throws {ApiError} */
  handle: (call: Call) => Promise<Response>
}
