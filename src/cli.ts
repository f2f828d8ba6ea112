#!/usr/bin/env node
// The `hashgate` command. Node's version is checked before anything else is imported, because an
// older Node cannot link it.

import './commands/node-version.ts'

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit() // the reader, such as `head`, has closed the pipe
})

await import('./commands/program.ts')
