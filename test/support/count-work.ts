import { vi } from 'vitest'
import { ImageCore } from '../../src/core/image-core.ts'
import { readModules } from '../../src/core/node.ts'
import type { CoreModules } from '../../src/core/modules.ts'
import { type Counted, ScanBudget } from '../../src/scan/budget.ts'
import { countedModule } from './counted-core.ts'

/** What a scan made the machine do, in numbers that are the same on each. */
export interface Work<T> {
  result: T
  /** Instances of the core's image module. */
  decoders: number
  /** Calls, turns of loops, and bytes copied or filled in them. */
  steps: number
  /** What was taken from the budget of a scan, or asked of it in vain. */
  taken: (what: Counted) => number
}

/** Counts what a scan does with the modules that it is given. */
export async function countWork<T>(run: (modules: CoreModules) => Promise<T>): Promise<Work<T>> {
  const { module, imports, steps } = countedModule()
  const { Instance } = WebAssembly
  const asked = vi.spyOn(ScanBudget.prototype, 'take')
  let decoders = 0
  WebAssembly.Instance = class extends Instance {
    constructor(of: WebAssembly.Module, others?: WebAssembly.Imports) {
      const env = { ...others?.['env'], ...imports['env'] }
      super(of, of === module ? { env } : others)
      if (of === module) decoders++
    }
  }
  try {
    const result = await run({ ...readModules(), image: new ImageCore(module) })
    const calls = asked.mock.calls.slice()
    const taken = (what: Counted) =>
      calls.reduce((sum, [kind, amount]) => sum + (kind === what ? (amount ?? 1) : 0), 0)
    return { result, decoders, steps: steps.value, taken }
  } finally {
    WebAssembly.Instance = Instance
    asked.mockRestore()
  }
}
