import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'

/** An answer, whole. */
export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: string
}

export interface SendOptions {
  method?: string
  headers?: Record<string, string>
  /** Sizes of the chunks that a chunked body is sent in; without them it says its length. */
  chunks?: number[]
  /** Is given the request, to write its body itself. */
  write?: (request: ClientRequest) => void
}

/** Sends a request over a socket of its own. Rejects if the connection is lost before there is an answer. */
export function sendUpload(url: URL, body: Uint8Array, options: SendOptions = {}): Promise<Answer> {
  const { method = 'POST', headers = {}, chunks, write } = options
  return new Promise((resolve, reject) => {
    const length: Record<string, string> = chunks ? {} : { 'content-length': String(body.length) }
    const request = httpRequest(
      url,
      { method, headers: { ...length, ...headers }, agent: false },
      (response) => {
        const received: Buffer[] = []
        response.on('data', (chunk: Buffer) => received.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(received).toString('latin1'),
          }),
        )
      },
    )
    request.on('error', reject)
    if (write) {
      write(request)
      return
    }
    let at = 0
    for (const chunk of chunks ?? []) {
      request.write(body.subarray(at, at + chunk))
      at += chunk
    }
    request.end(body.subarray(at))
  })
}
