#!/usr/bin/env node
// The `hashgate` command. Everything else is imported after the version of Node is checked: an older one cannot link it.

import './commands/node-version.ts'

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit() // whoever reads it, such as `head`, has enough
})

await import('./commands/program.ts')
