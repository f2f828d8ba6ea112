import { existsSync, statSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { openAccount } from '../stores.ts'
import { askText, type Given } from '../questions.ts'
import { askFor } from './ask.ts'
import { type PlannedFile, planFiles, PRODUCTION_VARS } from './files.ts'
import { type Answers, checkAnswers, checkGiven, InitError } from './options.ts'
import {
  commandOf,
  isLoggedIn,
  makeNamespace,
  namespaceStep,
  runStep,
  type Step,
  stepsOf,
} from './provision.ts'
import { namespaceIdIn, planConfig } from './wrangler-file.ts'

/** `hashgate init`: writes a deployment's folder, and creates what it needs at Cloudflare. */
export async function init(named: string | undefined, options: InitOptions): Promise<boolean> {
  const { yes, dryRun, ...given } = options
  checkGiven(given)
  if (!yes && !process.stdin.isTTY)
    throw new InitError(
      'init asks its questions in a terminal; without one, pass --yes and the answers as options',
    )
  if (named === undefined && yes)
    throw new InitError('--yes needs the folder, for example: init gate --yes')
  const where = named ?? (await askText('Folder of the deployment', 'gate'))
  const folder = resolve(where)
  if (existsSync(folder) && !statSync(folder).isDirectory())
    throw new InitError(`${where} is a file; name a folder`)
  const answers = checkAnswers(await complete(folder, given, yes === true))
  const isReady = await isLoggedIn()
  const knownId = await namespaceIdIn(folder)
  const id = knownId ?? (isReady && !dryRun ? await namespaceFor(answers) : undefined)
  const config = await planConfig(folder, answers, id)
  const files = [config, ...(await planFiles(folder, answers))]
  for (const file of files) {
    console.log(`${dryRun ? 'would be ' : ''}${file.state.padEnd(8)}${join(where, file.name)}`)
    if (!dryRun && file.state !== 'kept') await writePlanned(folder, file)
  }
  for (const lines of config.byHand) console.log(`\nadd to ${config.name} by hand:\n${lines}`)
  const hasNewSecrets = files.some(
    ({ name, state }) => name === PRODUCTION_VARS && state !== 'kept',
  )
  const steps = stepsOf(answers).filter(({ what }) => what !== 'secrets' || hasNewSecrets)
  const needed = id === undefined ? [namespaceStep(answers), ...steps] : steps
  const open = isReady && !dryRun ? await runAll(steps, folder) : needed
  printNext(where, open, answers, isReady)
  return true
}

export interface InitOptions {
  yes?: true
  dryRun?: true
  [answer: string]: unknown
}

/** The answers, with defaults for missing ones. */
async function complete(folder: string, given: Given, isYes: boolean): Promise<Given> {
  const name = nameFor(folder)
  const usual = { name, preset: 'files', action: 'block', heic: 'no' }
  const answers = isYes ? given : await askFor(given, name)
  return { mode: 'shadow', bank: 'csam', format: 'jsonc', ...usual, ...answers }
}

function nameFor(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
  return name.replaceAll(/^-+|-+$/g, '') || 'hashgate'
}

async function namespaceFor(answers: Answers): Promise<string> {
  // Without a configuration, the environment or the login names the account.
  const { api, account } = await openAccount({} as Parameters<typeof openAccount>[0])
  return makeNamespace(api, account, answers)
}

async function writePlanned(folder: string, { name, text, isSecret }: PlannedFile): Promise<void> {
  const path = join(folder, name)
  await mkdir(folder, { recursive: true })
  await writeFile(path, text, isSecret ? { mode: 0o600 } : {})
  if (isSecret) await chmod(path, 0o600)
}

/** Runs steps at Cloudflare. Returns the failed ones. */
async function runAll(steps: readonly Step[], folder: string): Promise<Step[]> {
  const failed: Step[] = []
  for (const step of steps) {
    const problem = await runStep(step, folder)
    console.log(problem === undefined ? `made    ${step.what}` : `failed  ${step.what}: ${problem}`)
    if (problem !== undefined) failed.push(step)
  }
  return failed
}

/** Prints the remaining steps as commands. */
function printNext(
  where: string,
  steps: readonly Step[],
  { bank, service }: Answers,
  hasLogin: boolean,
): void {
  const push = `npx hashgate list push LIST --bank ${bank} --remote`
  console.log(`\nNext:\n  cd ${where}\n  npm install`)
  if (!hasLogin) console.log('  npx wrangler login')
  for (const step of steps) {
    const isNamespace = step.what === 'KV namespace'
    console.log(`  ${commandOf(step)}${isNamespace ? '   # put the id into kv_namespaces' : ''}`)
  }
  console.log(`  npx hashgate doctor               # tests this folder on your machine
  export $(cat ${PRODUCTION_VARS})
  ${service === undefined ? push : `(check the password of ${service} in ${PRODUCTION_VARS}; no list is needed)`}
  npx wrangler deploy`)
}
