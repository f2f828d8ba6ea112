// An origin that takes what it is sent, and says 201. Tells its port to the process that began it.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const server = createServer((request, response) => {
  request.on('data', () => undefined)
  request.on('end', () => response.writeHead(201).end('stored'))
})
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
})
