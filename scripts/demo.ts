// Shows what hashgate does: publishes a hash list to local KV, starts the Worker with a bucket as its origin, uploads
// files, and prints what became of each. Ends with 1 when anything is not as it must be.
//
//   npm run demo                                 with pictures of its own
//   npm run demo -- --list LIST FILE...          with yours
//   npm run demo -- --port 8787

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { hashgate, publishList, startDevWorker } from './dev-worker.ts'
import { makePictures } from './pictures.ts'

interface Upload {
  file: string
  way: 'PUT' | 'multipart'
  /** Undefined: it is the user's own file, and nobody knows. */
  isKnown: boolean | undefined
}

/** What the Worker's event says of an upload. */
interface Verdict {
  action: string
  reason: string
  path: string
  files: { matches?: { distance: number; probe: string }[] }[]
}

interface Row {
  upload: string
  by: string
  verdict: string
  match: string
  status: number
  'in origin': string
  'as it must be': string
}

const { values, positionals } = parseArgs({
  options: { list: { type: 'string' }, port: { type: 'string', default: '0' } },
  allowPositionals: true,
})
if (positionals.length > 0 !== (values.list !== undefined)) {
  console.error('demo: --list LIST and files of your own belong together')
  process.exit(2)
}

const folder = await mkdtemp(join(tmpdir(), 'hashgate-demo-'))
try {
  process.exitCode = (await demo()) ? 0 : 1
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function demo(): Promise<boolean> {
  const { list, files } = values.list === undefined ? await madePictures() : ownFiles(values.list)
  const uploads = files.flatMap(({ path, isKnown }): Upload[] => [
    { file: path, way: 'PUT', isKnown },
    { file: path, way: 'multipart', isKnown },
  ])
  const state = join(folder, 'state')
  const listKey = (await hashgate('list', 'key')).trim()
  process.stdout.write(await publishList(list, { persistTo: state, listKey }))

  const verdicts = new Map<string, Verdict>()
  const worker = await startDevWorker({
    port: Number(values.port),
    persistTo: state,
    listKey,
    onLine: (line) => keepVerdict(line, verdicts),
  })
  console.log(`the Worker runs at ${worker.url}, with an R2 bucket on this machine as its origin`)
  try {
    const rows: Row[] = []
    for (const [i, upload] of uploads.entries()) {
      const path = `/${i}/${encodeURIComponent(basename(upload.file))}`
      rows.push(await runUpload(upload, new URL(path, worker.url), verdicts))
    }
    console.table(rows)
    const wrong = rows.filter((row) => row['as it must be'] !== 'yes').length
    const blocked = rows.filter(({ status }) => status === 451).length
    console.log(`${rows.length} uploads: ${blocked} blocked, ${wrong} not as they must be`)
    return wrong === 0
  } finally {
    worker.stop()
  }
}

function madePictures(): ReturnType<typeof makePictures> {
  console.log('making pictures …')
  return makePictures(folder)
}

function ownFiles(list: string): { list: string; files: { path: string; isKnown: undefined }[] } {
  return { list, files: positionals.map((path) => ({ path, isKnown: undefined })) }
}

function keepVerdict(line: string, verdicts: Map<string, Verdict>): void {
  if (!line.startsWith('{"event":"verdict"')) return
  const verdict = JSON.parse(line) as Verdict
  verdicts.set(verdict.path, verdict)
}

async function runUpload(
  { file, way, isKnown }: Upload,
  url: URL,
  verdicts: Map<string, Verdict>,
): Promise<Row> {
  const content = new Uint8Array(await readFile(file))
  const response = way === 'PUT' ? await put(url, content) : await postForm(url, content, file)
  await response.arrayBuffer()
  const stored = await fetch(url)
  await stored.arrayBuffer()
  const verdict = await verdictOf(url.pathname, verdicts)
  const match = verdict?.files.flatMap(({ matches = [] }) => matches)[0]
  return {
    upload: basename(file),
    by: way,
    verdict: verdict ? `${verdict.action}: ${verdict.reason}` : 'none',
    match: match ? `${match.probe}, ${match.distance} bits` : '',
    status: response.status,
    'in origin': stored.ok ? 'yes' : 'no',
    'as it must be': isRight(response.status, stored.status, isKnown) ? 'yes' : 'NO',
  }
}

function put(url: URL, content: Uint8Array<ArrayBuffer>): Promise<Response> {
  return fetch(url, { method: 'PUT', body: content })
}

function postForm(url: URL, content: Uint8Array<ArrayBuffer>, file: string): Promise<Response> {
  const form = new FormData()
  form.set('title', 'a form with a file')
  form.set('file', new File([content], basename(file)))
  return fetch(url, { method: 'POST', body: form })
}

/** A blocked upload is not in the origin, any other is; and what is known is blocked. */
function isRight(status: number, storedStatus: number, isKnown: boolean | undefined): boolean {
  const isBlocked = status === 451
  const isConsistent = isBlocked ? storedStatus === 404 : status === 201 && storedStatus === 200
  return isConsistent && (isKnown === undefined || isKnown === isBlocked)
}

/** The event of an upload comes through the log, a little later than its answer. */
async function verdictOf(
  path: string,
  verdicts: Map<string, Verdict>,
): Promise<Verdict | undefined> {
  for (let i = 0; i < 50 && !verdicts.has(path); i++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return verdicts.get(path)
}
