// Pictures of different packages that show the same thing. A match between them is no mistake. We
// looked at the nearest pairs that `npm run bench -- false-matches` prints.

/** Packages, by the first word of their names, that draw the same pictures as another. */
const SAME_SOURCES: Readonly<Record<string, string>> = {
  moka: 'mint', // Mint-Y is made from Moka
  kgeography: 'iso', // flags of countries
}

/** Files of `node scripts/distractors.ts DIR` that show the same picture. */
const SAME_PICTURES: readonly (readonly [string, string])[] = [
  ['openclipart-png/014b96db13932771.png', 'iso-flags-png-320x240/fe9a48c3a749b71f.png'],
  // The Earth, a penguin, a lemon, a logo, coins
  ['colobot-common-textures/5b9e907f38f7cf07.png', 'tuxpaint-stamps-default/a8795223ad1b88ef.png'],
  ['pingus-data/0a9d9588e215ecd5.png', 'tuxpaint-stamps-default/6fe7ad00d1ebea68.png'],
  ['openclipart-png/0bb369785e6fd4e5.png', 'tuxpaint-stamps-default/7dbb972ac4006a4d.png'],
  ['moka-icon-theme/04995ec306eb0889.png', 'faenza-icon-theme/1ea92a70da45d234.png'],
  ['python-sklearn-doc/04fe68ec45873a9b.png', 'python3-skimage/f8d773fc9cfa6f4d.png'],
]

/** Where the pictures of a package come from, by the first word of its name. */
export function sourceOf(word: string): string {
  return SAME_SOURCES[word] ?? word
}

/** Files that show the same picture as a file. */
export function sameAs(file: string): ReadonlySet<string> {
  return new Set(SAME_PICTURES.filter((pair) => pair.includes(file)).flat())
}
