/** A count with its noun. */
export function count(number: number, thing = 'entry'): string {
  const things = thing.replace(/(?<!a)y$/, 'ie').replace(/h$/, 'he') + 's'
  return `${number.toLocaleString('en')} ${number === 1 ? thing : things}`
}
