// The `hashgate` command: its subcommands, their options, and exit codes.

import { readFileSync } from 'node:fs'
import { Argument, Command, CommanderError, Option } from 'commander'
import { PRESET_NAMES } from '../config/presets.ts'
import { MAX_THRESHOLD } from '../list/manifest.ts'
import { generateListKey } from '../list/sealing.ts'
import { HashgateError } from '../util/errors.ts'
import { showConfig } from './config-command.ts'
import { doctor } from './doctor/doctor-command.ts'
import { feedKey, feedPublish } from './feed-commands.ts'
import { DECISIONS } from '../desk/ledger/opinions.ts'
import { init } from './init/init-command.ts'
import { fileErrorText, isFileError } from './file-errors.ts'
import { hashFiles } from './hash-command.ts'
import {
  listDoctor,
  listPinReset,
  listPush,
  listRekey,
  listRollback,
  listShow,
  listVerify,
} from './list-commands.ts'
import { exchangeAdd } from './exchange-add.ts'
import {
  exchangeCheck,
  exchangeDoctor,
  exchangeFeedback,
  exchangeImport,
  exchangeRebuild,
  exchangeStatus,
  exchangeSync,
} from './exchange-commands.ts'
import { listExempt, listTexts } from './note-commands.ts'
import { matchFiles } from './match-command.ts'
import {
  addSetting,
  parseBank,
  parseCaseId,
  parseDays,
  parseHours,
  parseKeyName,
  parseKeyScopes,
  parsePort,
  parseProbes,
  parseThreshold,
  parseUrl,
  parseVersion,
} from './option-parsers.ts'
import { listAdd, listDiff, listExport, listRemove } from './own-list-commands.ts'
import { BINDING } from './stores.ts'
import {
  quarantineDelete,
  quarantineKeygen,
  quarantineList,
  quarantineOpen,
} from './quarantine-commands.ts'
import { tune } from './tune-command.ts'
import { generateApiKey, type Scope, SCOPES } from '../doors/api/keys.ts'
import { EXCHANGE_KINDS } from '../desk/exchanges/catalog.ts'

/** Exit codes. */
const FAILED = 1
const WRONG_USE = 2

const VERSION = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
).version

const THRESHOLD = new Option(
  '--threshold <bits>',
  `largest distance that matches, 0 to ${MAX_THRESHOLD}`,
).argParser(parseThreshold)
const KIND = new Option(
  '--kind <kind>',
  'what hashes with 64 digits are, if the list does not say',
).choices(['pdq', 'sha256'])

const BANK = new Option('--bank <name>', 'bank, in lower case')
  .argParser(parseBank)
  .makeOptionMandatory()
const SKIP_BAD = new Option('--skip-bad', 'skip bad lines of the list and report them')

const program = new Command('hashgate')
  .description('Perceptual hash matching in front of a storage service.')
  .version(VERSION)
  .exitOverride()
  .configureHelp({ showGlobalOptions: true })

program
  .command('init')
  .description('set up a deployment: write a folder, and create what it needs at Cloudflare')
  .argument('[folder]', 'folder of the deployment, new or existing (asked for if none is given)')
  .option('--name <name>', 'name of the Worker (default: name of the folder)')
  .option('--origin <url>', 'your origin (default: the server behind the route)')
  .option('--route <pattern>', 'route of your zone, such as "files.example.com/*"')
  .option('--zone <domain>', 'zone that the route is in')
  .option('--preset <name>', `one of ${PRESET_NAMES.join(', ')} (default: files)`)
  .option('--mode <mode>', 'shadow or enforce (default: shadow)')
  .option('--bank <name>', 'bank for your list (default: csam)')
  .option('--action <action>', 'what a match does: block, quarantine or flag (default: block)')
  .option('--recipient <key>', 'age public key that the quarantine is sealed to')
  .option('--webhook <url>', 'https URL that receives events')
  .option('--queue', 'send events to a queue that your program reads')
  .option(
    '--service <name>',
    'ask arachnid or tcap about hashes, in place of a list (docs/remote.md)',
  )
  .option('--user <name>', 'user name for the service')
  .option(
    '--heic <how>',
    'decode HEIC: images (Cloudflare Images, billed) or libheif (in the Worker, LGPL-3.0) (default: no)',
  )
  .option('--format <format>', "format of wrangler's configuration: jsonc or toml (default: jsonc)")
  .option('--yes', 'ask nothing, and use the defaults for all other options')
  .option('--dry-run', 'only show what would be written and made')
  .action(run(init))

const deployment = program
  .command('doctor')
  .description('check a deployment by uploading test pictures; exits with 1 if a check fails')
  .option(
    '--url <url>',
    'address of a deployed Worker; without it, one is started on this machine',
    parseUrl,
  )
  .option('--path <path>', 'path that takes uploads', '/hashgate-drill')
  .option(
    '--origin <url>',
    'address of your server, to check whether uploads can bypass the gate',
    parseUrl,
  )
  .option('--max-age <hours>', 'age from which a list is too old', parseHours, 72)
  .option('--read-back', 'GET what was uploaded, and compare its bytes')
  .option('--no-drill', 'upload nothing')
  .option('--json', 'print one JSON object')
  .action(run(doctor))

program
  .command('hash')
  .description('print the PDQ hash of image files: hash,quality,file')
  .argument('<file...>', 'image files')
  .option('--dihedral', 'print the eight dihedral variants of each: hash,quality,variant,file')
  .option('--json', 'print one JSON object per line')
  .action(run(hashFiles))

program
  .command('match')
  .description('match image files against a hash list, as the Worker does; one JSON object a line')
  .requiredOption('--list <file>', 'hash list')
  .addOption(THRESHOLD)
  .option(
    '--probes <set>',
    'set of probes, and families to add or drop: "default, -turns"',
    parseProbes,
  )
  .addOption(SKIP_BAD)
  .addOption(KIND)
  .argument('<file...>', 'image files')
  .action(run(matchFiles))

program
  .command('tune')
  .description(
    'show how many files of a folder would match at each threshold, by each set of probes',
  )
  .requiredOption('--list <file>', 'hash list')
  .requiredOption('--dir <folder>', 'folder of files, with its subfolders')
  .option(
    '--labels <file>',
    'CSV with the columns file and known (yes or no): which files should match',
  )
  .addOption(SKIP_BAD)
  .addOption(KIND)
  .action(run(tune))

program
  .command('config')
  .description(
    'print the settings in effect from wrangler.toml or wrangler.jsonc, and everything that would stop the Worker',
  )
  .option('--config <file>', "wrangler's configuration")
  .option('--env <name>', 'a named environment in it')
  .addOption(
    new Option('--preset <name>', 'print the settings of a preset instead')
      .choices(PRESET_NAMES)
      .conflicts(['config', 'env', 'remote']),
  )
  .option('--remote', 'ask Cloudflare which secrets the Worker has')
  .option('--json', 'print one JSON object')
  .action(run(showConfig))

const list = program.command('list').description('publish and inspect hash lists in Workers KV')

list
  .command('push')
  .description('publish a hash list as the content of a bank')
  .argument(
    '<list>',
    'hash list: one hash a line, CSV, output of `hashgate hash` or md5sum, or Project VIC JSON',
  )
  .addOption(BANK)
  .addOption(THRESHOLD)
  .addOption(SKIP_BAD)
  .addOption(KIND)
  .option('--rewrite', 'write everything again, which repairs damage')
  .option('--allow-large', 'publish more than one isolate holds, for Durable Objects')
  .option('--allow-empty', 'publish a list without entries, which matches nothing')
  .action(run(listPush))

list
  .command('add')
  .description('add files and hashes to a bank of your own, and keep what it has')
  .argument('<thing...>', 'files, or hashes in hex')
  .addOption(BANK)
  .addOption(KIND)
  .action(run(listAdd))

list
  .command('remove')
  .description('remove entries from a bank')
  .argument('<thing...>', 'ids of entries, hashes in hex, or files')
  .addOption(BANK)
  .addOption(KIND)
  .action(run(listRemove))

list
  .command('diff')
  .description('show what a push would change; exits with 1 if it would change something')
  .argument('<list>', 'hash list')
  .addOption(BANK)
  .addOption(SKIP_BAD)
  .addOption(KIND)
  .action(run(listDiff))

list
  .command('export')
  .description('write a bank that `list add` made to a new file')
  .argument('<file>', 'a new file')
  .addOption(BANK)
  .action(run(listExport))

list
  .command('show')
  .description('print version, banks, counts and age of the published list, never hashes')
  .action(run(listShow))

list
  .command('verify')
  .description('check the stored list; `list push --rewrite` repairs it')
  .action(run(listVerify))

list
  .command('doctor')
  .description('say which entries match only very similar pictures, and why')
  .action(run(listDoctor))

list
  .command('rollback')
  .description('publish an earlier version again')
  .argument('<version>', 'its number; `list show` prints the stored ones', parseVersion)
  .action(run(listRollback))

list
  .command('pin')
  .description(
    'after a restore: let Workers use the published version, even if they saw a later one',
  )
  .requiredOption('--reset', 'do so')
  .action(run(listPinReset))

list
  .command('rekey')
  .description('seal the published list with the first key of LIST_KEY, "new,old"')
  .action(run(listRekey))

list
  .command('exempt')
  .description(
    'exempt entries, so that their matches change nothing from the next refresh on; without entries, print the exempt ones',
  )
  .argument('[entry...]', 'entries such as csam/4711, as in events')
  .option('--remove', 'end their exemption')
  .action(run(listExempt))

list
  .command('texts')
  .description(
    'publish the texts that refused uploaders read, from the next refresh on; without a file, print them',
  )
  .argument('[file]', 'JSON: type, title, text and appealUrl by kind of harm')
  .action(run(listTexts))

list
  .command('key')
  .description('print a new key for LIST_KEY')
  .action(() => console.log(generateListKey()))

const quarantine = program.command('quarantine').description('inspect quarantined uploads')

quarantine
  .command('keygen')
  .description('print a new identity, and the recipient for quarantine.recipients')
  .option('--out <file>', 'file for the identity, readable only by you; the recipient is printed')
  .action(run(quarantineKeygen))

quarantine
  .command('list')
  .description('list the stored copies, never their content: case,stored,expires,bytes')
  .action(run(quarantineList))

quarantine
  .command('open')
  .description('write the body of an upload to a file, and print its record')
  .argument('<case>', 'case id from the event', parseCaseId)
  .requiredOption('--identity <file>', 'identity file from keygen or age-keygen')
  .option('--out <file>', 'a new file for the body; <case>.body if none is given')
  .action(run(quarantineOpen))

quarantine
  .command('delete')
  .description('delete the copy of an upload before it expires')
  .argument('<case>', 'case id', parseCaseId)
  .action(run(quarantineDelete))

const exchange = program
  .command('exchange')
  .description('fill the list from the sources of wrangler.desk.toml (docs/exchanges.md)')

exchange
  .command('add')
  .description('set up a source: ask for its settings, and write them into the configuration')
  .addArgument(new Argument('[kind]', 'what the source is').choices(EXCHANGE_KINDS))
  .option('--name <name>', 'name of the source; its kind if none is given')
  .option('--bank <name>', 'bank that its hashes go to, in lower case', parseBank)
  .option(
    '--set <setting=value>',
    'a setting of the source, such as user=us or auth.type=basic; several times',
    addSetting,
    {},
  )
  .option('--every-minutes <minutes>', 'minutes between two runs')
  .option('--max-age-hours <hours>', 'hours without a complete run after which it turns red')
  .addOption(
    new Option('--feedback <what>', 'whether to send opinions back to it').choices(['off', 'send']),
  )
  .option('--action <action>', 'what the gate does with a match: block, quarantine or flag')
  .option('--threshold <bits>', 'largest distance that matches, for the settings of the gate')
  .option('--yes', 'ask nothing; use the options')
  .option('--dry-run', 'ask nothing and write nothing: show what would be written')
  .option('--json', 'print one JSON object')
  .option('--config <file>', "wrangler's configuration of the desk")
  .option('--env <name>', 'a named environment in it')
  .action(run(exchangeAdd))

exchange
  .command('check')
  .description('ask a provider who the credentials are for')
  .argument('<name>', 'source, as the settings name it')
  .action(run(exchangeCheck))

exchange
  .command('sync')
  .description('read a source into the ledger, and publish what changed')
  .argument('<name>', 'source, as the settings name it')
  .option('--accept', 'publish even if more than a tenth of its records vanished')
  .option('--refetch', 'read it from the beginning, and withdraw what it no longer lists')
  .option('--dry-run', 'read it, report what it has, and keep nothing')
  .action(run(exchangeSync))

exchange
  .command('import')
  .description('read a file of Project VIC or CAID into the ledger, and publish what changed')
  .argument('<name>', 'source of kind vics, as the settings name it')
  .argument('<file>', 'the file, JSON')
  .option('--accept', 'publish even if more than a tenth of its records vanished')
  .action(run(exchangeImport))

exchange
  .command('feedback')
  .description('store an opinion on an entry for its provider, or send the stored ones')
  .argument('<name>', 'source, as the settings name it')
  .argument('[entry]', 'entry, as an event names it; without one, stored opinions are sent')
  .addOption(
    new Option('--decision <decision>', 'confirmed: it is what the list says').choices(DECISIONS),
  )
  .option('--kind <kind>', 'kind of the hash that matched', 'pdq')
  .option('--reason <guid>', 'reason of a dispute, as NCMEC names it')
  .option('--dry-run', 'only say what would be sent')
  .action(run(exchangeFeedback))

exchange
  .command('status')
  .description('print how up to date each source is, and what it has')
  .action(run(exchangeStatus))

exchange
  .command('rebuild')
  .description('rewrite a bank from everything that the ledger has for it')
  .argument('<bank>', 'bank', parseBank)
  .action(run(exchangeRebuild))

exchange
  .command('doctor')
  .description('check everything that a sync needs, and report what is wrong')
  .action(run(exchangeDoctor))

const feed = program.command('feed').description('share a list of your own with other gates')

feed
  .command('key')
  .description('make the key that a feed is signed with, and print its public part')
  .requiredOption('--out <file>', 'where the private part goes, readable for its owner')
  .action(run(feedKey))

feed
  .command('publish')
  .description('write the entries that you added to a bank as signed files for others')
  .argument('<bank>', 'bank of the list', parseBank)
  .requiredOption('--key <file>', 'private key, as `feed key` writes it')
  .option('--old-key <file>', 'private key of the previous publication, if it differs')
  .requiredOption('--out <folder>', 'folder that a web server or a bucket serves')
  .option('--days <days>', 'days until it expires', parseDays, 7)
  .action(run(feedPublish))

program
  .command('dev')
  .description('tools for trying hashgate out')
  .command('exchange')
  .description('run a fake of all exchanges on loopback, with faults on demand')
  .option('--port <port>', 'port on loopback; any free one if 0', parsePort, 0)
  .action(
    run(async (options: { port: number }) =>
      (await import('./exchange-server.ts')).devExchange(options),
    ),
  )

program
  .command('key')
  .description('make an API key, and its line for API_KEYS')
  .argument('<name>', 'names the key in events', parseKeyName)
  .addOption(
    new Option('--scopes <scopes>', `what it is for: ${SCOPES.join(', ')}, with commas between`)
      .argParser(parseKeyScopes)
      .makeOptionMandatory(),
  )
  .action((name: string, { scopes }: { scopes: ReadonlySet<Scope> }) => {
    const { key, line } = generateApiKey(name, scopes)
    console.log(`key, for the caller:        ${key}`)
    console.log(`line, for API_KEYS:         ${line}`)
  })

for (const command of [deployment, ...without(list, 'key'), ...without(feed, 'key')])
  withStoreOptions(command, 'KV namespace').option(
    '--binding <name>',
    "binding of the KV namespace in wrangler's configuration",
    BINDING,
  )
for (const command of without(quarantine, 'keygen')) withStoreOptions(command, 'R2 bucket')
for (const command of without(exchange, 'add'))
  withStoreOptions(command, 'desk').option('--json', 'print one JSON object')

function without(parent: Command, name: string): Command[] {
  return parent.commands.filter((command) => command.name() !== name)
}

function withStoreOptions(command: Command, what: string): Command {
  return command
    .option('--local', `the ${what} on this machine, as \`wrangler dev\` has it (default)`)
    .addOption(new Option('--remote', `the ${what} at Cloudflare`).conflicts('local'))
    .option('--config <file>', "wrangler's configuration")
    .option('--env <name>', 'a named environment in it')
    .option('--persist-to <folder>', 'where wrangler keeps local data')
}

/**
 * A command as a commander action: commander appends itself to the arguments. Errors become one
 * line and an exit code.
 */
function run(command: (...given: never[]) => Promise<boolean>) {
  return async (...given: unknown[]) => {
    try {
      if (!(await command(...(given.slice(0, -1) as never[])))) process.exitCode = FAILED
    } catch (error) {
      if (!isExpected(error)) throw error
      console.error(`hashgate: ${isFileError(error) ? fileErrorText(error) : error.message}`)
      process.exitCode = FAILED
    }
  }
}

/** Errors that the user can fix: ours, and those of the file system. */
function isExpected(error: unknown): error is Error {
  return error instanceof HashgateError || isFileError(error)
}

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? 0 : WRONG_USE
}
