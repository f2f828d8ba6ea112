import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { randomBytes } from 'node:crypto'
import { REMOTE_SECRETS } from '../../match/remote/settings.ts'
import { generateListKey } from '../../list/sealing.ts'
import { type Answers, InitError } from './options.ts'
import { readmeOf } from './readme.ts'

/** hashgate's own folder, three above this file's in both src/ and dist/. */
const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url))

/** Where secrets for Cloudflare wait until `wrangler secret bulk` has uploaded them. */
export const PRODUCTION_VARS = '.production.vars'

const IGNORED = ['node_modules/', '.wrangler/', '.dev.vars', PRODUCTION_VARS, 'identity.txt']

const ManifestSchema = v.looseObject({
  version: v.string(),
  peerDependencies: v.object({
    hono: v.string(),
    'libheif-js': v.string(),
    wrangler: v.string(),
  }),
})

const PackageSchema = v.looseObject({
  dependencies: v.optional(v.record(v.string(), v.string()), {}),
  devDependencies: v.optional(v.record(v.string(), v.string()), {}),
})

/** The files of a deployment beside wrangler's configuration. Existing files keep their content. */
export async function planFiles(folder: string, answers: Answers): Promise<PlannedFile[]> {
  return [
    await planPackage(folder, answers),
    await planIndex(folder, answers),
    await planLines(
      folder,
      '.gitignore',
      IGNORED.map((line) => [line, line]),
    ),
    {
      ...(await planLines(folder, '.dev.vars', secretLines(answers))),
      isSecret: true,
    },
    { ...(await planLines(folder, PRODUCTION_VARS, secretLines(answers))), isSecret: true },
    await planWhole(folder, 'README.md', readmeOf(answers)),
  ]
}

/** A file of a deployment, and what init does with it. */
export interface PlannedFile {
  name: string
  text: string
  state: 'new' | 'changed' | 'kept'
  /** Readable only by its owner. */
  isSecret?: true
}

/** Exports of a deployment's module: the Worker, and its Durable Object classes. */
const EXPORTS = ['default', 'FloodCounter', 'ListPin', 'ListShard', 'StagedUpload', 'TicketUse']

const INDEX_WITH_HEIC = `import { api, createWorker, hma, quarantine, remote, s3, tickets, tus } from 'hashgate/features'
// libheif is under LGPL-3.0: anyone who receives this Worker's bundle from you must be able to replace it.
import { heic } from 'hashgate/heic'

export { FloodCounter, ListPin, ListShard, StagedUpload, TicketUse } from 'hashgate/objects'
export default createWorker({
  features: [api(), heic(), hma(), quarantine(), remote(), s3(), tickets(), tus()],
})
`

/**
 * Plans index.ts. An existing one, older or with code of its own, gets the exports that it lacks.
 * @throws {InitError} libheif was asked for, but the existing file does not import it
 */
async function planIndex(folder: string, { heic }: Answers): Promise<PlannedFile> {
  const name = 'index.ts'
  const found = await readIfThere(join(folder, name))
  const withHeic = heic === 'libheif'
  if (found === undefined && withHeic) return { name, text: INDEX_WITH_HEIC, state: 'new' }
  if (withHeic && !found?.includes('hashgate/heic'))
    throw new InitError(`--heic libheif needs this index.ts:\n${INDEX_WITH_HEIC}`)
  const missing = EXPORTS.filter((one) => !new RegExp(`\\b${one}\\b`).test(found ?? ''))
  const lines =
    missing.length > 0 ? [`export { ${missing.join(', ')} } from 'hashgate/worker'`] : []
  return plannedFile(name, found, withLines(found, lines))
}

function plannedFile(name: string, found: string | undefined, text: string): PlannedFile {
  return { name, text, state: found === undefined ? 'new' : text === found ? 'kept' : 'changed' }
}

/** A text with lines at its end, each on a line of its own. */
function withLines(text = '', lines: readonly string[]): string {
  const hasEnd = text === '' || text.endsWith('\n') || lines.length === 0
  return (hasEnd ? text : `${text}\n`) + lines.map((line) => `${line}\n`).join('')
}

/**
 * Secrets that the Worker needs, as lines keyed by their start. Values differ here and at
 * Cloudflare.
 */
function secretLines({ webhook, service }: Answers): [string, string][] {
  const secret = `WEBHOOK_SECRET=whsec_${randomBytes(32).toString('base64')}`
  return [
    ['LIST_KEY=', `LIST_KEY=${generateListKey()}`],
    ...(service === undefined ? [] : [passwordLine(REMOTE_SECRETS[service])]),
    ...(webhook === undefined ? [] : [['WEBHOOK_SECRET=', secret] as [string, string]]),
  ]
}

/** A service's password from the environment; without one, the operator fills it in. */
function passwordLine(name: string): [string, string] {
  return [`${name}=`, `${name}=${process.env[name] ?? 'PUT-THE-PASSWORD-HERE'}`]
}

/** A file that is written only if it is missing. */
async function planWhole(folder: string, name: string, text: string): Promise<PlannedFile> {
  const found = await readIfThere(join(folder, name))
  return plannedFile(name, found, found ?? text)
}

/** A file that must have certain lines: missing ones are appended. */
async function planLines(
  folder: string,
  name: string,
  lines: readonly (readonly [start: string, line: string])[],
): Promise<PlannedFile> {
  const found = await readIfThere(join(folder, name))
  const has = (found ?? '').split(/\r?\n/)
  const missing = lines.filter(([start]) => !has.some((line) => line.startsWith(start)))
  const added = missing.map(([, line]) => line)
  return plannedFile(name, found, withLines(found, added))
}

async function planPackage(folder: string, { name, heic }: Answers): Promise<PlannedFile> {
  const own = v.parse(
    ManifestSchema,
    JSON.parse(await readFile(join(PACKAGE, 'package.json'), 'utf8')),
  )
  const found = await readIfThere(join(folder, 'package.json'))
  const existing = found === undefined ? undefined : parsePackage(found)
  const { dependencies, devDependencies, ...rest } = existing ?? {
    name,
    private: true,
    type: 'module',
    scripts: SCRIPTS,
    allowScripts: INSTALL_SCRIPTS,
    dependencies: {},
    devDependencies: {},
  }
  const wanted = {
    hashgate: packageVersion(folder, own.version),
    hono: own.peerDependencies.hono,
    ...(heic === 'libheif' && { 'libheif-js': own.peerDependencies['libheif-js'] }),
  }
  const merged = {
    ...rest,
    dependencies: { ...wanted, ...dependencies },
    devDependencies: dependencies['wrangler']
      ? devDependencies
      : { wrangler: own.peerDependencies.wrangler, ...devDependencies },
  }
  const text = `${JSON.stringify(merged, null, 2)}\n`
  const hasAll = Object.keys(wanted).every((one) => one in dependencies)
  const isKept = hasAll && ('wrangler' in devDependencies || 'wrangler' in dependencies)
  return plannedFile('package.json', found, isKept ? (found ?? text) : text)
}

/** Packages whose install scripts may run; npm warns about others. */
const INSTALL_SCRIPTS = { esbuild: true, workerd: true }

const SCRIPTS = { deploy: 'wrangler deploy', dev: 'wrangler dev', doctor: 'hashgate doctor' }

function parsePackage(text: string): v.InferOutput<typeof PackageSchema> {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), PackageSchema), text)
  if (result.success) return result.output
  throw new InitError('package.json in that folder is not valid JSON; fix it, and run init again')
}

/** The hashgate version that a deployment depends on. In a checkout that is the checkout itself. */
function packageVersion(folder: string, version: string): string {
  const isCheckout = existsSync(join(PACKAGE, 'assembly'))
  return isCheckout
    ? `file:${relative(folder, PACKAGE).replaceAll('\\', '/').replace(/\/$/, '')}`
    : version
}

/** @throws {InitError} the file exists but cannot be read */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new InitError(`${path} cannot be read; it should be a file that you own`, { cause })
  }
}
