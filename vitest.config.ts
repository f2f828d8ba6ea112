import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'
import type { Reporter } from 'vitest/node'

// Programs that tests start again and again, wrangler above all, find compiled what they load.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(
  new URL('.wrangler/compile-cache', import.meta.url),
)

/** Ends the run with one plain line for programs that count. */
const countingReporter: Reporter = {
  onTestRunEnd(modules) {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      const tests = [...module.children.allTests()]
      for (const test of tests) counts[test.result().state]++
      if (module.state() === 'failed' && tests.length === 0) counts.failed++
    }
    console.log(
      `tests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped + counts.pending} skipped`,
    )
  },
}

export default defineConfig({
  test: {
    // A failed look-up of a WebAssembly file would be remembered, after it was built too.
    fsModuleCache: false,
    globalSetup: ['./test/setup/images.ts'],
    reporters: ['default', countingReporter],
    // Two at least: much of what a test waits for is another process.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Bounds for what hangs, not for what is slow: machines differ, and other programs run beside.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    projects: [
      {
        extends: true,
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.test.toml' },
            remoteBindings: false,
            // Whatever .dev.vars has.
            miniflare: { bindings: { LIST_KEY: '00112233445566778899aabbccddeeff'.repeat(2) } },
          }),
        ],
        test: {
          name: 'workerd',
          // Files share a runtime, whose start takes a second. Each loads its modules anew and begins with empty stores.
          isolate: false,
          setupFiles: ['./test/support/empty-stores.ts'],
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.{node,long}.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'node',
          environment: 'node',
          isolate: false, // as above
          include: ['test/**/*.node.test.ts'],
        },
      },
      {
        // What takes minutes, in Node: `npm run test:long`.
        extends: true,
        test: { name: 'long', environment: 'node', include: ['test/**/*.long.test.ts'] },
      },
    ],
  },
})
