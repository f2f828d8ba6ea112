// Tables of VP8 (RFC 6386).

/** Probabilities of a row of the tables of tokens: one for each inner node of their tree. */
const TOKEN_NODES = 11
/** Rows of those tables: of 4 kinds of blocks, 8 bands of positions, and 3 contexts. */
const TOKEN_ROWS = 4 * 8 * 3

/** Tables as base64. A zero stands for the usual value, up to the end of a row of tokens. */
const TOKENS = `AAAA/Yj+/+TbAL2B8v/j1f/bAGp+4/zW0f//AAFi+P/s4v//ALWF7v7d6v+aAE6GyvfGtP/bAAG5+f/z/wC4lvf/7OAATW7Y/+zmAAFl+//x/w
Cqi/H87NH//wAldMTz5P///wABzP7/9f8Az6D6/+4AZmfn/9OrAAGY/P/w/wCxh/P/6uEAUIHT/8LgAAEB/wD2Af8A/wDGI+3fwbuioJGbPoMt
xt2ssNyd/N0BRC+S0JWn3aL/3wABlfH/3eD//wC4jer93tz/xwBRY7XysL75yv//AAGB6P3WxfLE//8AY3nS+snG/8oAF1uj8qq799L//wAByP
b/6v8AbbLx/+f1//8ALILJ/c3A//8AAYTv+9vR/6UAXojh+9q+//8AFmSu9bqh/8cAAbb5/+jrAHyP8f/j6gAjTbX7wdP/zQABnff/7Of//wB5
jev/4eP//wAtY7z7w9n/4AABAfv/1f8AywH4//8AiQGx/+D/AP0J+PvP0P/AAK8N4PPBufnG//8ASRGr3aGz7Kf/6gABX/f91Lf//wDvWvT609
H//wCbTcP4vMP//wABGO/72tv/zQDJM9v/xLoARS6+78na/+QAAb/7//8A36X5/9X/AI18+P//AAEQ+P//AL4k5v/s/wCVAf8AAeL/APfA/wDw
gP8AAYb8//8A1T76//8AN13/AAAAAMoY1eu6v9yg8K//fia26Km45K7/uwA9Lorbl7Lwqv/YAAFw5vrHv/ef//8Apm3k/NPX/64AJ02i6Ky09b
L//wABNNz2xsf53P//AHxKv/O3wfrd//8AGEeC25qq87b//wABtuH52/D/4ACVluL82M3/qwAcbKryt8L+3///AAFR5vzMy//AAHtm0fe8xP/p
ABRfmfOkrf/LAAHe+P/Y1QCor/b8683//wAvdNf/09T//wABeez91Nb//wCNVNX8ycr/2wAqUKDworn/zQABAf8A9AH/AO4B/wA=`
const TOKEN_UPDATES = `AAAAsPYA3/H8APn9/QD/9PwA6v7+AP0A//b+AO/9/gD+//4A//j+APv//gAA//3+APv+/gD+//4A//79//4A+v/+//4A/gAAAADZAOH88f3///
4A6vrx+v3//f4A//4A3/7+AO79/v4A//j+APn+AAD//QD3/gAA//3+APwAAP/+/gD9AAD//v0A+gD+AAAAALr7+gDq+/T+APv78/3+//4A//3+
AOz9/gD7/f3+/gD//v4A/v7+AAD//gD+/gD+AAD+AAAAAAAAAAAAAAD4APr+/P4A+P75/QD//f0A9v39APz++/7+AP/+/AD4/v0A/f/+/gD/+/
4A9fv+AP39/gD/+/0A/P3+AP/+AP/8APn//gD///4A///9APoAAAD+AAA=`
const SUBMODES = `53gwWXNxeJhwmLNAfqp2LkZfr0WPUFVSSJtnODoKq9q9EQ2YchoRoyzDFQqteRhQwxo+LEBVkEcKJqvVkCIaqi43E4igIc5HPxQIcnLQDAniUS
gLYLZUHRAkhrdZiWJlaqWUSLtkgp1vIEtQQmanY0o+KOqAKTUJsvGNGghrSisakkmmMRedQSZpoDM0H3OAaE8MG9n/VxEHV0RHLHIzD7oXLykO
bra3FRHCQi0ZZsW9FxIWWFiTliouLcTNK2G3dVUmI7M9JzXIVxoVK+irOCIzaHJmHV1NJxxVqzqlWmJAIhZ0zhciK6ZJazYgGjMBUSsfRBlqFk
CrJOFyIhMVZoS8EEx8PhJOX1U5MjAzwWUjn9dvWS5vPJQfrNvkFRJvcHFNVbP/JnhyKCoBxPXRChltWCsdjKbVJSuaPT8em0MtRAHRZFAIK5oB
MxpHjk5OEP+AIsWrKSgFZtO3BAHdMzIRqNHAFxlSih8kqxumJizlQ1c6qVJzGjuzPztatDumXUmaKCgVdI/RIievLw8QtyLfMS23LhEhtwZiDy
C3OS4WGIABNhElQSBJcxyAF4DNKAMJczPAEgbfVyUJcztNQBUvaDcs2gk2NYLiQFpGzSgpFxo5NjlwuAUpJqbVHiIahZh0CiCGJxM13RpyIEn/
HwlB6gIPAXZJSyAMM8D/oCszWB8jQ2ZVN7pVOBUXbzvNLSXANyZGfElmASJifWIqWGhVda9SX1Q1WYBkcWUtS097LzOAUasBOREFR2Y5NSkxJi
ENeTlJGgFVKQpDik1uWi9ycxUCCmb/phcGZR0QClWAZcQaORIKZmbVIhQrdRQPJKOARAEaZj1HJSI1H/PARTxHJkl3HN4lRC2AIgEvC/WrPhET
RpJVNz5GJSslmmSjVaABPwlciBxAIMlVSw8JCUD/uHcQVgYcBUD/GfgBOAgRhIn/N3SAOg8UUoc5GnkopDIfiZqFGSPaM2csg4N7HwaeVihAh5
TgLbeAFhoRg/CaDgHRLRAVW0DeBwHFOBUnmzyKF2bVUwwNNsD/RC8cVRpVVYCAIJKrEgsHP5CrBAT2IxsKkq6rDBqAvlAjY7RQfjYtVX4vV7Az
KRQgZUuAi3aSdIBVOCkPsOxVJQk+Rx4Rd3b/ERKKZSY8ijdGKxqOkiQTHqv/YRsUii09PtsBUbxAICkUdZeOFBWjcBMMPcOAMAQY`

/** Differences between successive quantisers, of which the first is 4. */
const DC_STEPS =
  '1111110111111101110101010110111111111111011111111101111111111111111111111111111110111111111111122212211222222224222222222323333'
const AC_STEPS =
  '1111111111111111111111111111111111111111111111111111112222222222222222222222222222233333333333333333334444444444444455645555555'

/** Probabilities of tokens unless a frame changes them (13.5), and that it does (13.4). */
export const TOKEN_PROBABILITIES = tokenRows(TOKENS, 128)
export const TOKEN_UPDATE_PROBABILITIES = tokenRows(TOKEN_UPDATES, 255)

/** Probabilities of the modes of 4x4 blocks, 9 for each mode above times 10 plus the mode to the left (11.5). */
export const SUBMODE_PROBABILITIES = decodeTable(SUBMODES)

/** Factors of coefficients by the index of their quantiser (14.1). */
export const DC_FACTORS = quantisers(DC_STEPS)
export const AC_FACTORS = quantisers(AC_STEPS)

function decodeTable(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}

function tokenRows(base64: string, usual: number): Uint8Array {
  const table = new Uint8Array(TOKEN_ROWS * TOKEN_NODES).fill(usual)
  let at = 0
  for (const value of decodeTable(base64)) {
    if (value > 0) table[at++] = value
    else at += TOKEN_NODES - (at % TOKEN_NODES)
  }
  return table
}

function quantisers(steps: string): Int16Array {
  let value = 4
  return Int16Array.from([value, ...Array.from(steps, (step) => (value += Number(step)))])
}
