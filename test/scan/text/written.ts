import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { writeTar, writeZip } from '../../support/archive-writer.ts'

/** A way of writing a file in a text, and who reads it. */
export type Way = (file: Buffer) => string

const base64 = (file: Buffer) => file.toString('base64')
const percent = (file: Buffer) => [...file].map((byte) => `%${hex(byte).toUpperCase()}`).join('')
const hex = (byte: number) => byte.toString(16).padStart(2, '0')
const lines = (text: string, end = '\r\n') => text.replaceAll(/(.{76})/g, `$1${end}`)
/** Bytes as characters, as PHP's urlencode writes them. */
const urlencode = (file: Buffer) =>
  [...file]
    .map((byte) => {
      const char = String.fromCharCode(byte)
      if (/[\w.-]/.test(char)) return char
      return char === ' ' ? '+' : `%${hex(byte).toUpperCase()}`
    })
    .join('')

/** A foreign character in front of every n-th. */
const strewn = (text: string, sign: string, n: number) =>
  text.replaceAll(new RegExp(`(.{${n}})`, 'g'), `$1${sign}`)

const pieces = (file: Buffer, bytes: number) =>
  Array.from({ length: Math.ceil(file.length / bytes) }, (_, i) =>
    file.subarray(i * bytes, (i + 1) * bytes),
  )

const inEntities = (
  file: Buffer,
  bytes: number,
  wrap: (all: string) => [declared: string, all: string] = (all) => ['', all],
) => {
  const values = pieces(file, bytes).map((piece) => base64(piece))
  const declared = values.map((value, i) => `<!ENTITY part-${i} "${value}">`).toReversed()
  const [more, all] = wrap(values.map((_, i) => `&part-${i};`).join(''))
  return `<!DOCTYPE svg [${more}${declared.join('\n')}]><svg><image href="data:image/png;base64,${all}"/></svg>`
}

const references = (text: string) =>
  Array.from(text)
    .map((char) => `&#${char.charCodeAt(0)};`)
    .join('')
/** Letters outside of escapes, written in another way. */
const lettersAs = (text: string, write: (code: number) => string) =>
  text.replaceAll(/%..|\\u....|\\.|[A-Za-z]/g, (one) =>
    one.length > 1 || one.charCodeAt(0) % 3 > 0 ? one : write(one.charCodeAt(0)),
  )
const percentURI = (file: Buffer) => `data:image/png,${urlencode(file).replaceAll('+', '%20')}`
const WINDOWS = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'
const LATIN_1_NAMES =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn ' +
  'sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave ' +
  'Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ' +
  'ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN ' +
  'szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute ' +
  'icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml ' +
  'yacute thorn yuml'

const escapes = (text: string) =>
  Array.from(text)
    .map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')

const quotedPrintable = (file: Buffer) => {
  const soft = [...file].map((byte) =>
    byte > 0x20 && byte < 0x7f && byte !== 0x3d
      ? String.fromCharCode(byte)
      : `=${hex(byte).toUpperCase()}`,
  )
  return lines(soft.join('').replaceAll(/(.{70}[^=]{3})/g, '$1=\r\n'), '')
}

/** Codes of so many bits in an alphabet, without padding. */
const coded = (file: Buffer, bits: number, alphabet: string) => {
  const binary = [...file].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const groups = binary.match(new RegExp(`.{1,${bits}}`, 'g')) ?? []
  return groups.map((group) => alphabet[Number.parseInt(group.padEnd(bits, '0'), 2)]).join('')
}

const TINY_GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const BASE32 = `${LETTERS}234567`
const BASE32_HEX = `0123456789${LETTERS.slice(0, 22)}`
const ASCII85 = Array.from({ length: 85 }, (_, i) => String.fromCharCode(33 + i)).join('')
const GIT85 = `0123456789${LETTERS}${LETTERS.toLowerCase()}!#$%&()*+-;<=>?@^_\`{|}~`
const ZEROMQ85 = `0123456789${LETTERS.toLowerCase()}${LETTERS}.-:+=^!/*?&<>()[]{}@%$#`

const base85 = (file: Buffer, alphabet: string, zeros?: string) =>
  pieces(file, 4)
    .map((piece) => {
      let value = Buffer.concat([piece, Buffer.alloc(3)]).readUInt32BE()
      if (value === 0 && piece.length === 4 && zeros) return zeros
      let group = ''
      for (let i = 0; i < 5; i++, value = Math.floor(value / 85))
        group = alphabet[value % 85] + group
      return group.slice(0, piece.length + 1)
    })
    .join('')

const uuencode = (file: Buffer, bytes = 45) =>
  pieces(file, bytes)
    .map((piece) => {
      const padded = Buffer.concat([piece, Buffer.alloc((3 - (piece.length % 3)) % 3)])
      const line = coded(
        padded,
        6,
        Array.from({ length: 64 }, (_, i) => String.fromCharCode(32 + i)).join(''),
      )
      return `${String.fromCharCode(32 + piece.length)}${line}\n`.replaceAll(' ', '`')
    })
    .join('')

const words = (file: Buffer, Type: typeof Uint16Array | typeof Int32Array, isSwapped = false) => {
  const even = Buffer.concat([file, Buffer.alloc((4 - (file.length % 4)) % 4)])
  if (isSwapped && Type === Uint16Array) even.swap16()
  else if (isSwapped) even.swap32()
  return [...new Type(even.buffer.slice(even.byteOffset, even.byteOffset + even.length))]
}

/** Ways that a text has which is none to XML: it has control characters, or half ones. */
export const BINARY_WAYS = new Set([
  'base64 with binary among it (base64_decode)',
  'a binary string (btoa, latin1)',
  'strings of two bytes a character (utf16le)',
  'a binary string in Windows-1252 (MySQL)',
])

export const WAYS: Record<string, Way> = {
  'base64 (Buffer.from, base64_decode, b64decode, atob)': base64,
  'base64 for URLs': (file) => file.toString('base64url'),
  'base64 of both alphabets (Buffer.from)': (file) => {
    let index = 0
    return base64(file).replaceAll(/[+/]/g, (sign) =>
      index++ % 2 ? sign : sign === '+' ? '-' : '_',
    )
  },
  'base64 in lines': (file) => lines(base64(file)),
  'a data URI': (file) => `data:image/jpeg;base64,${base64(file)}`,
  'a data URI, percent-encoded (Chromium)': (file) => `data:image/jpeg,${percent(file)}`,
  'a data URI with letters escaped (Chromium)': (file) =>
    `data:image/jpeg;base64,${base64(file).replaceAll(/[j4A]/g, (char) => `%${hex(char.charCodeAt(0))}`)}`,
  'base64 behind an underscore, which PHP passes over': (file) => `_${base64(file)}`,
  'base64 with underscores among it, which PHP passes over': (file) => strewn(base64(file), '_', 9),
  'base64 with hyphens late in it': (file) =>
    `${base64(file).slice(0, -90)}-${base64(file).slice(-90)}`,
  'base64 with stars between all (base64_decode)': (file) => strewn(base64(file), '*', 1),
  'base64 with quotes and brackets among it (base64_decode)': (file) =>
    strewn(base64(file), '",:{', 50),
  'base64 with quotes between all (base64_decode)': (file) => strewn(base64(file), '"', 1),
  'base64 with equals signs among it (base64_decode)': (file) => strewn(base64(file), '=', 7),
  'base64 of pieces, each with its padding': (file) => pieces(file, 700).map(base64).join(''),
  'base64 of pieces, in an array': (file) =>
    JSON.stringify(pieces(file, 700).map(base64), undefined, 2),
  'base64 of base64 with quotes among it': (file) =>
    strewn(base64(Buffer.from(base64(file))), '"', 50),
  'base64 with escapes of CSS (Chromium)': (file) =>
    `url(data:image/png;base64,${base64(file).replaceAll(/[A-F/]/g, (char) => `\\${hex(char.charCodeAt(0))} `)})`,
  'base64 in CDATA sections (parsers of XML)': (file) =>
    `<a>${pieces(Buffer.from(base64(file)), 90)
      .map((one) => `<![CDATA[${String(one)}]]>`)
      .join('')}</a>`,
  'base64 in entities, the last first (parsers of XML, Chromium)': (file) => inEntities(file, 97),
  'base64 in entities within entities (parsers of XML, Chromium)': (file) =>
    inEntities(file, 700, (all) => [`<!ENTITY all '${all}'>`, '&all;']),
  'base64 with comments in it (parsers of XML)': (file) =>
    strewn(base64(file), '<!-- a --><?b c?>', 90),
  'base64 with binary among it (base64_decode)': (file) => strewn(base64(file), '\u0001\u0002', 3),
  'base64 with percent signs before digits (base64_decode)': (file) =>
    base64(file).replaceAll(/([0-9A-F][0-9A-F])/g, '%$1'),
  'base64 behind a line of text': (file) => `photo\n${base64(file)}`,
  'base64 behind letters': (file) => `photo${base64(file)}`,
  'base64 of a byte more in front': (file) => base64(Buffer.concat([Buffer.from('x'), file])),
  'base64 of two bytes more in front': (file) => base64(Buffer.concat([Buffer.from('xy'), file])),
  'base64 of a text in front': (file) => base64(Buffer.concat([Buffer.from('photo: '), file])),
  'hex (hex2bin, fromhex)': (file) => file.toString('hex'),
  'hex in capitals': (file) => file.toString('hex').toUpperCase(),
  'hex in both': (file) =>
    file
      .toString('hex')
      .replaceAll(/[a-f]/g, (char, at: number) => (at % 3 ? char : char.toUpperCase())),
  'hex with colons': (file) => [...file].map(hex).join(':'),
  'hex with spaces and lines': (file) => lines([...file].map(hex).join(' ')),
  '\\x escapes': (file) => [...file].map((byte) => `\\x${hex(byte)}`).join(''),
  '0x numbers': (file) => [...file].map((byte) => `0x${hex(byte)}`).join(', '),
  'percent-encoding of all bytes': percent,
  'a data URI, percent-encoded, in lines (Chromium)': (file) => lines(percentURI(file)),
  'a data URI, percent-encoded, with line ends behind percent signs': (file) =>
    percentURI(file).replaceAll('%', '%\n\t'),
  'a data URI, percent-encoded, with many line ends within escapes': (file) =>
    percentURI(file).replaceAll(/(?<=%.{60})%(.)/g, `%${'\r\n'.repeat(50)}$1\n`),
  'a data URI, percent-encoded, in lines, in a string of JSON': (file) =>
    JSON.stringify({ a: lines(percentURI(file), '\n') }),
  'percent-encoding as urlencode writes it': (file) => urlencode(file).replaceAll('+', '%20'),
  'byte values': (file) => JSON.stringify([...file]),
  'byte values in lines': (file) => JSON.stringify([...file], undefined, 2),
  'byte values below 0 (Java)': (file) => JSON.stringify([...new Int8Array(file)]),
  'byte values that wrap (Uint8Array.from, chr)': (file) =>
    JSON.stringify([...file].map((byte, i) => byte + 256 * (i % 5) - 512)),
  'byte values with exponents (JSON.parse)': (file) =>
    `[${[...file].map((byte, i) => (i % 2 ? `${byte}0E-1` : `${byte / 100}e+2`)).join()}]`,
  'byte values as members': (file) => [...file].map((byte, i) => `a[${i}]=${byte}`).join('&'),
  'a Buffer (JSON.stringify)': (file) => JSON.stringify(file),
  'a Uint8Array (JSON.stringify)': (file) => JSON.stringify(new Uint8Array(file)),
  'a binary string (btoa, latin1)': (file) => file.toString('latin1'),
  'a binary string with escapes': (file) => JSON.stringify(file.toString('latin1')),
  'octal escapes': (file) =>
    [...file].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
  'a binary string, escaped to ASCII (json.dumps)': (file) => escapes(file.toString('latin1')),
  'character references of base64': (file) => references(base64(file)),
  'some character references of base64': (file) =>
    base64(file)
      .replaceAll('/', '&sol;')
      .replaceAll('+', '&plus;')
      .replaceAll('A', '&#x41;')
      .replaceAll('B', `&#${'0'.repeat(100)}66;`),
  'character references of bytes': (file) => references(file.toString('latin1')),
  'named references of Latin-1 (html_entity_decode)': (file) =>
    [...file]
      .map((byte) => (byte < 0xa0 ? `&#${byte};` : `&${LATIN_1_NAMES.split(' ')[byte - 0xa0]};`))
      .join(''),
  'base64 with named references that readers skip (unescape of Python)': (file) =>
    strewn(base64(file), '&zwnj;', 40),
  'a data URI, percent-encoded, under escapes of JSON': (file) =>
    lettersAs(percentURI(file), (code) => `\\u${code.toString(16).padStart(4, '0')}`),
  'a data URI, percent-encoded, under escapes of CSS': (file) =>
    `url(${lettersAs(percentURI(file), (code) => `\\${code.toString(16)} `)})`,
  'a data URI, percent-encoded, under references': (file) =>
    lettersAs(percentURI(file), (code) => `&#${code};`),
  'a binary string with escapes, under references': (file) =>
    lettersAs(
      JSON.stringify(escapes(file.toString('latin1'))).slice(1, -1),
      (code) => `&#${code};`,
    ).replaceAll('\\\\', '\\'),
  'a binary string in Windows-1252 (MySQL)': (file) =>
    file
      .toString('latin1')
      .replaceAll(/[\u0080-\u009f]/g, (char) => WINDOWS[char.charCodeAt(0) - 0x80] ?? char),
  'a picture behind a small one, percent-encoded': (file) =>
    // A bitmap's signature is too short to be searched for behind another image.
    file.toString('latin1', 0, 2) === 'BM'
      ? percent(file)
      : percent(Buffer.concat([TINY_GIF, file])),
  'a picture behind a small one, in base64 with quotes': (file) =>
    strewn(base64(Buffer.concat([TINY_GIF, file])), '"', 5),
  'percent-encoding of zlib': (file) => urlencode(deflateSync(file)).replaceAll('+', '%20'),
  'percent-encoding of deflate': (file) => urlencode(deflateRawSync(file)).replaceAll('+', '%20'),
  'base64 of a binary string (decodeURIComponent, escape)': (file) =>
    base64(Buffer.from(file.toString('latin1'))),
  'an array of PHP (serialize)': (file) =>
    `a:${file.length}:{${[...file].map((byte, i) => `i:${i};i:${byte};`).join('')}}`,
  'numbers in hex without zeros': (file) =>
    [...file].map((byte) => `0x${byte.toString(16)}`).join(', '),
  'numbers of two bytes in hex': (file) =>
    `[${words(file, Uint16Array)
      .map((word) => `0x${word.toString(16)}`)
      .join()}]`,
  'quoted-printable': quotedPrintable,
  'base32 (b32decode)': (file) => coded(file, 5, BASE32),
  'base32 in small letters, padded (b32decode, Go)': (file) =>
    `${coded(file, 5, BASE32).toLowerCase()}====`,
  'base32 behind text, in lines (Go)': (file) => `photo: x${lines(coded(file, 5, BASE32))}`,
  'base32 in the hex alphabet': (file) => coded(file, 5, BASE32_HEX),
  'ASCII85 (a85decode, Go)': (file) => base85(file, ASCII85, 'z'),
  'ASCII85 of Adobe in lines': (file) => `<~${lines(base85(file, ASCII85, 'z'), '\n')}~>`,
  'ASCII85 of bytes in front': (file) =>
    base85(Buffer.concat([Buffer.from('xyz'), file]), ASCII85, 'z'),
  'base85 of git (b85decode)': (file) => base85(file, GIT85),
  'base85 of ZeroMQ (z85decode)': (file) => base85(file, ZEROMQ85),
  'base85 of zlib': (file) => base85(deflateSync(file), GIT85),
  'ASCII85 of zlib': (file) => base85(deflateSync(file), ASCII85, 'z'),
  'base85 of base64': (file) => base85(Buffer.from(base64(file)), GIT85),
  'base32 of base64': (file) => coded(Buffer.from(base64(file)), 5, BASE32),
  'base64 of base32': (file) => base64(Buffer.from(coded(file, 5, BASE32))),
  'uuencode (a2b_uu, convert_uudecode)': (file) => uuencode(file),
  'uuencode with its frame': (file) => `begin 644 a.jpg\n${uuencode(file)}\`\nend\n`,
  'uuencode in short lines': (file) => uuencode(file, 7),
  'base64 of uuencode': (file) => base64(Buffer.from(uuencode(file))),
  'bits (int of base 2)': (file) => coded(file, 1, '01'),
  'bits of each byte': (file) =>
    pieces(file, 1)
      .map((byte) => coded(byte, 1, '01'))
      .join(' '),
  'numbers in octal': (file) => [...file].map((byte) => `0o${byte.toString(8)}`).join(', '),
  'numbers of two bytes (Uint16Array)': (file) => JSON.stringify(words(file, Uint16Array)),
  'numbers of two bytes, swapped': (file) => JSON.stringify(words(file, Uint16Array, true)),
  'numbers of four bytes (Int32Array)': (file) => JSON.stringify(words(file, Int32Array)),
  'numbers of four bytes, swapped': (file) => JSON.stringify(words(file, Int32Array, true)),
  'pairs of an index and a byte value': (file) => JSON.stringify([...file.entries()]),
  'strings of two bytes a character (utf16le)': (file) => JSON.stringify(file.toString('utf16le')),
  'base64 of UTF-16 with a mark of base64 (utf-16)': (file) =>
    base64(Buffer.from(`\ufeff${base64(file)}`, 'utf16le')),
  'base64 of UTF-32 of base64': (file) =>
    base64(
      Buffer.concat(Array.from(base64(file), (char) => Buffer.from([0, 0, 0, char.charCodeAt(0)]))),
    ),
  'base64 of base64 behind its length (msgpack)': (file) => {
    const text = Buffer.from(base64(file))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(text.length)
    return base64(Buffer.concat([Buffer.from([0xdb]), length, text]))
  },
  'base64 of base64 behind zeros': (file) => base64(Buffer.from(`\u0001\0\0${base64(file)}`)),
  'base64 of UTF-16 of base64': (file) => base64(Buffer.from(base64(file), 'utf16le')),
  'hex of UTF-16 of a data URI': (file) =>
    Buffer.from(`data:image/png;base64,${base64(file)}`, 'utf16le')
      .swap16()
      .toString('hex'),
  'base64 of base64': (file) => base64(Buffer.from(base64(file))),
  'base64 of base64 in lines, in lines': (file) => lines(base64(Buffer.from(lines(base64(file))))),
  'base64 of hex': (file) => base64(Buffer.from(file.toString('hex'))),
  'base64 of percent-encoding': (file) => base64(Buffer.from(percent(file))),
  'base64 of JSON with a data URI': (file) =>
    base64(Buffer.from(JSON.stringify({ a: 1, photo: `data:image/png;base64,${base64(file)}` }))),
  'base64 of SVG with a data URI': (file) =>
    `data:image/svg+xml;base64,${base64(Buffer.from(`<svg><image href="data:image/png;base64,${base64(file)}"/></svg>`))}`,
  'hex of base64': (file) => Buffer.from(base64(file)).toString('hex'),
  'hex of byte values': (file) => Buffer.from(JSON.stringify([...file])).toString('hex'),
  'byte values of base64': (file) => JSON.stringify([...Buffer.from(base64(file))]),
  'percent-encoding of base64': (file) => percent(Buffer.from(base64(file))),
  'percent-encoding twice': (file) => percent(Buffer.from(percent(file))),
  'base64 of gzip': (file) => base64(gzipSync(file)),
  'base64 of zlib (gzcompress)': (file) => base64(deflateSync(file)),
  'base64 of deflate (gzdeflate)': (file) => base64(deflateRawSync(file)),
  'base64 of deflate in lines': (file) => `\r\n\r\n${lines(base64(deflateRawSync(file)))}`,
  'hex of deflate': (file) => deflateRawSync(file).toString('hex'),
  'base64 of deflate of JSON': (file) =>
    base64(deflateRawSync(JSON.stringify({ a: 1, photo: base64(file) }))),
  'hex of zlib': (file) => deflateSync(file).toString('hex'),
  'base64 of TAR': (file) => base64(Buffer.from(writeTar([{ name: 'a', content: file }]))),
  'base64 of ZIP': (file) =>
    base64(Buffer.from(writeZip([{ name: 'a', content: file, method: 8 }]))),
  'base64 of gzip of TAR': (file) => base64(gzipSync(writeTar([{ name: 'a', content: file }]))),
  'base64 of gzip of base64': (file) => base64(gzipSync(base64(file))),
  'base64 of PDF': (file) =>
    base64(
      Buffer.concat([
        Buffer.from('%PDF-1.7\n1 0 obj <<>> stream\n'),
        file,
        Buffer.from('\nendstream'),
      ]),
    ),
}
