/**
 * What the Worker is deployed with: names in capitals are variables and secrets as they are, all else are settings of the
 * variable HASHGATE.
 */
export function environmentOf(vars: object): Record<string, unknown> {
  const isName = ([name]: [string, unknown]) => name === name.toUpperCase()
  const all = Object.entries(vars) as [string, unknown][]
  const settings = all.filter((one) => !isName(one))
  return {
    ...Object.fromEntries(all.filter(isName)),
    ...(settings.length > 0 && { HASHGATE: Object.fromEntries(settings) }),
  }
}
