#!/usr/bin/env node
// The `hashgate` command. Everything else is imported after the version of Node is checked: an older one cannot link it.

import './commands/node-version.ts'

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit() // the reader, such as `head`, has closed the pipe
})

await import('./commands/program.ts')
