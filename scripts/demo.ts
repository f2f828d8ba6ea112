// Shows what hashgate does. Publishes a hash list to local KV, starts the Worker with a bucket as
// its origin, uploads files, and prints what became of each. Exits with 1 if anything is wrong, or
// a cell is empty.
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
  /** `undefined` for the user's own file: unknown. */
  isKnown: boolean | undefined
}

/** What the Worker's event says about an upload. */
interface Verdict {
  event: 'verdict'
  action: string
  reason: string
  path: string
  files: { matches?: { distance: number; probe: string }[] }[]
}

/** The outcome of an upload, without its event. */
interface Answer {
  upload: Upload
  path: string
  status: number
  storedStatus: number
}

interface Row {
  upload: string
  by: string
  verdict: string
  match: string
  distance: string
  status: number
  'in origin': string
  'as expected': string
}

const REPORTED_WITHIN_MS = 10_000

const { values, positionals } = parseArgs({
  options: { list: { type: 'string' }, port: { type: 'string', default: '0' } },
  allowPositionals: true,
})
if (positionals.length > 0 !== (values.list !== undefined)) {
  console.error('demo: pass --list LIST together with files of your own')
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
    const answers: Answer[] = []
    for (const [i, upload] of uploads.entries()) {
      const path = `/${i}/${encodeURIComponent(basename(upload.file))}`
      answers.push(await runUpload(upload, new URL(path, worker.url)))
    }
    await untilAllReported(answers, verdicts)
    const rows = answers.map((answer) => rowOf(answer, verdicts.get(answer.path)))
    console.table(rows)
    const wrong = rows.filter(
      (row) => row['as expected'] !== 'yes' || Object.values(row).includes(''),
    ).length
    const blocked = rows.filter(({ status }) => status === 451).length
    console.log(`${rows.length} uploads: ${blocked} blocked, ${wrong} not as expected`)
    return wrong === 0
  } finally {
    await worker.stop()
  }
}

function madePictures(): ReturnType<typeof makePictures> {
  console.log('making pictures …')
  return makePictures(folder)
}

function ownFiles(list: string): { list: string; files: { path: string; isKnown: undefined }[] } {
  return { list, files: positionals.map((path) => ({ path, isKnown: undefined })) }
}

/** The Worker logs its events, a line of JSON each. Other lines are wrangler's. */
function keepVerdict(line: string, verdicts: Map<string, Verdict>): void {
  if (!/^\{.*"event":"verdict"/.test(line)) return
  const event = JSON.parse(line) as Verdict | { event: string }
  if (event.event === 'verdict' && 'path' in event) verdicts.set(event.path, event)
}

async function runUpload({ file, way, isKnown }: Upload, url: URL): Promise<Answer> {
  const content = new Uint8Array(await readFile(file))
  const response = way === 'PUT' ? await put(url, content) : await postForm(url, content, file)
  await response.arrayBuffer()
  const stored = await fetch(url)
  await stored.arrayBuffer()
  const upload = { file, way, isKnown }
  return { upload, path: url.pathname, status: response.status, storedStatus: stored.status }
}

/** Empty cells are values that the event must contain but does not. */
function rowOf({ upload, status, storedStatus }: Answer, verdict: Verdict | undefined): Row {
  const match = verdict?.files.flatMap(({ matches = [] }) => matches)[0]
  // If nothing is blocked, the event must say that nothing matched.
  const none = verdict !== undefined && status !== 451 ? 'none' : ''
  return {
    upload: basename(upload.file),
    by: upload.way,
    verdict: verdict ? `${verdict.action}: ${verdict.reason}` : '',
    match: match?.probe ?? none,
    distance: match ? String(match.distance) : none,
    status,
    'in origin': storedStatus === 200 ? 'yes' : 'no',
    'as expected': isRight(status, storedStatus, upload.isKnown) ? 'yes' : 'NO',
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

/**
 * A blocked upload must not be in the origin, any other must be; and known pictures must be
 * blocked.
 */
function isRight(status: number, storedStatus: number, isKnown: boolean | undefined): boolean {
  const isBlocked = status === 451
  const isConsistent = isBlocked ? storedStatus === 404 : status === 201 && storedStatus === 200
  return isConsistent && (isKnown === undefined || isKnown === isBlocked)
}

/**
 * Events come through the log, a little after the answers. An event still missing at the end leaves
 * an empty row.
 */
async function untilAllReported(
  answers: readonly Answer[],
  verdicts: ReadonlyMap<string, Verdict>,
): Promise<void> {
  const end = performance.now() + REPORTED_WITHIN_MS
  const isReported = () => answers.every(({ path }) => verdicts.has(path))
  while (!isReported() && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
