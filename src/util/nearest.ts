/** The name that a misspelt one probably stands for; `undefined` if none is near. */
export function nearestName(misspelt: string, names: Iterable<string>): string | undefined {
  const word = plain(misspelt)
  let nearest: string | undefined
  let least = Math.min(2, Math.floor(word.length / 3)) + 1
  for (const name of names) {
    const edits = editsBetween(word, plain(name))
    if (edits < least) [nearest, least] = [name, edits]
  }
  return nearest
}

/** Case and punctuation are ignored: ORIGINURL is ORIGIN_URL. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/** Edits that turn one word into the other: letters added, removed, replaced, or swapped. */
function editsBetween(a: string, b: string): number {
  let [before, above]: number[][] = [[], []]
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    ;[before, above, row] = [above, row, [i]]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const edits = [
        costAt(above, j) + 1,
        costAt(row, j - 1) + 1,
        costAt(above, j - 1) + (isSame ? 0 : 1),
      ]
      if (isSwap) edits.push(costAt(before, j - 2) + 1)
      row.push(Math.min(...edits))
    }
  }
  return costAt(row, b.length)
}

function costAt(row: readonly number[] | undefined, i: number): number {
  return row?.[i] ?? Infinity
}
