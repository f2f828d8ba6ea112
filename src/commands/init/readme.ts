import type { Answers } from './options.ts'

/** The README of a deployment, for the team that runs it. */
export function readmeOf(answers: Answers): string {
  const { name, route, origin, action, mode } = answers
  const bank = answers.service ?? answers.bank
  const where = route ?? 'the host of your Worker'
  const to = origin ?? 'the server behind the route'
  return `# ${name}

This folder deploys hashgate: a Worker that refuses known
child-abuse images before they reach ${to}. It judges uploads to ${where}.

A match in the bank \`${bank}\` leads to: ${action}. It started in ${mode} mode.

## Deploy

\`\`\`sh
npm install
npx wrangler deploy
npx hashgate doctor --url URL --remote
\`\`\`

## Every day

\`\`\`sh
export $(cat .production.vars)                        # or take LIST_KEY from where you keep secrets
npx hashgate list push list.csv --bank ${bank} --remote
npx hashgate list show --remote
\`\`\`

## From shadow mode to enforcing

1. Watch the events for some days: \`npx wrangler tail --format json\`.
2. Look at each match. Exempt wrong entries: \`npx hashgate list exempt ${bank}/ENTRY --remote\`.
3. Set \`policy.mode\` to \`enforce\` and deploy.

## Secrets

\`.dev.vars\` holds the key for lists on your machine. \`.production.vars\` holds the secrets of the
deployed Worker. Neither is committed. Move \`.production.vars\` to where your team keeps secrets, and
delete it here: without \`LIST_KEY\` nobody can publish a list.

## Who answers

Write down here who looks at flags, who answers appeals, and who reports what the law requires.
hashgate reports nothing to anybody.
`
}
