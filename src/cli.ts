#!/usr/bin/env node
// The `hashgate` command. Everything else is imported after the version of Node is checked: an older one cannot link it.

import './commands/node-version.ts'

await import('./commands/program.ts')
