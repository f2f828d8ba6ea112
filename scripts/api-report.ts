// The public API as the package's types describe it: docs/api-report/ has a file for each entry, so
// that a review sees every change. api-extractor reads the types with its own TypeScript, since
// version 7 has no API yet.
//
//   npm run api-report            # writes
//   npm run check:api             # reports what is stale

import { createRequire } from 'node:module'
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type * as ApiExtractor from '../bench/node_modules/@microsoft/api-extractor'

/** Entries of package.json, and the files with their types. */
const ENTRIES = {
  desk: 'desk',
  hashgate: 'library',
  features: 'features',
  heic: 'heic',
  objects: 'objects',
  pdq: 'pdq/browser',
  quarantine: 'quarantine',
  remote: 'remote',
  worker: 'worker',
}

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const REPORTS = `${ROOT}docs/api-report`
const isCheck = process.argv.includes('--check')

const COMPILER = {
  target: 'es2024',
  module: 'nodenext',
  strict: true,
  skipLibCheck: true,
  lib: ['es2024'],
  types: ['@cloudflare/workers-types', 'node'],
}

const require = createRequire(new URL('../bench/package.json', import.meta.url))
const { Extractor, ExtractorConfig, ExtractorMessageCategory } =
  require('@microsoft/api-extractor') as typeof ApiExtractor

for (const folder of [REPORTS, `${ROOT}build/api-report`]) await mkdir(folder, { recursive: true })
const stale = Object.entries(ENTRIES).filter(([name, file]) => report(name, file))
if (isCheck && stale.length > 0) {
  const names = stale.map(([name]) => `docs/api-report/${name}.api.md`).join(', ')
  console.error(`the public API has changed: see \`npm run api-report\` and git diff of ${names}`)
  process.exitCode = 1
}

/** Writes a report, or compares it. Returns whether it was stale. */
function report(name: string, file: string): boolean {
  const types = `${ROOT}dist/${file}.d.ts`
  const silent = { default: { logLevel: 'none' as ApiExtractor.ExtractorLogLevel } }
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: ROOT,
      mainEntryPointFilePath: types,
      compiler: { overrideTsconfig: { compilerOptions: COMPILER, files: [types] } },
      apiReport: {
        enabled: true,
        reportFolder: REPORTS,
        reportTempFolder: `${ROOT}build/api-report`,
        reportFileName: name,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: { extractorMessageReporting: silent, tsdocMessageReporting: silent },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: `${ROOT}package.json`,
  })
  const { apiReportChanged } = Extractor.invoke(config, {
    localBuild: !isCheck,
    messageCallback: (message) => {
      // Stale reports are printed once, above.
      message.handled = message.category !== ExtractorMessageCategory.Compiler
    },
  })
  return apiReportChanged
}
