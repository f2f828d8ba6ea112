import { expect, it } from 'vitest'
import { startGateWith } from '../support/gate-harness.ts'
import { randomEntries } from '../support/entries.ts'

it('warns when it starts that nothing pins the version of the list', async () => {
  const gate = await startGateWith({}, randomEntries(5, 1))
  try {
    expect((await fetch(new URL('/healthz', gate.url))).status).toBe(200)
    expect(gate.warnings.join('\n')).toContain('LIST_PIN is not bound')
    expect(gate.log.join('\n')).not.toContain('LIST_PIN')
  } finally {
    await gate.close()
  }
})
