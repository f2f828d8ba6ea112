import { settingsInEffect } from '../config/config.ts'
import { readConfig } from './stores.ts'

/** `hashgate config`: the settings of wrangler's configuration, as the Worker reads them. */
export async function showConfig(options: { config?: string; json?: true }): Promise<boolean> {
  const { vars } = await readConfig(options)
  const settings = settingsInEffect(vars)
  if (options.json) {
    const values = settings.map(({ name, value }) => [name, value])
    console.log(JSON.stringify(Object.fromEntries(values), null, 2))
    return true
  }
  const width = Math.max(...settings.map(({ name }) => name.length))
  for (const { name, value, isSet } of settings) {
    const text = inWords(value)
    console.log(`${name.padEnd(width)}  ${isSet ? text : `${text} (default)`}`)
  }
  return true
}

function inWords(value: unknown): string {
  if (value === undefined || value === '') return 'none'
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  return Array.isArray(value) ? value.join(', ') || 'none' : JSON.stringify(value, null, 2)
}
