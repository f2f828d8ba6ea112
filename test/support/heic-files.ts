// Files that heif-enc of libheif 1.15.1 with x265 made, since nothing that npm installs writes HEIC. Their pictures are scenes of
// sharp-images.ts, so that a test can make them again and compare.

import { findBox } from '../../src/scan/image/iso-boxes.ts'
import { box } from './avif-parts.ts'

const decode = (lines: readonly string[]) =>
  Uint8Array.from(atob(lines.join('')), (sign) => sign.charCodeAt(0))

/** `picture(160, 120)`, at quality 40. */
export const HEIC = decode([
  'AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAUJtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAA',
  'AAAAAA5waXRtAAAAAAABAAAAImlsb2MAAAAAREAAAQABAAAAAAFmAAEAAAAAAAAEUwAAACNpaW5mAAAAAAABAAAAFWluZmUC',
  'AAAAAAEAAGh2YzEAAAAAwmlwcnAAAACkaXBjbwAAAHhodmNDAQNwAAAAAAAAAAAAHvAA/P34+AAADwMgAAEAGEABDAH//wNw',
  'AAADAJAAAAMAAAMAHroCQCEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoBQgeWW6kkprm4EBAwIAAAMAAgAAAwACECIAAQAHRAHB',
  'crBiQAAAABRpc3BlAAAAAAAAAKAAAAB4AAAAEHBpeGkAAAAAAwgICAAAABZpcG1hAAAAAAAAAAEAAQOBAoMAAARbbWRhdAAA',
  'BE8oAa9UKmSApECLxqLyDavQ2sALi0l6aDabTk/TfdSsRQ0B/YGUeTICYzZAPuRbxEkiCxCHSBYi3H7ZfYcDcn62zts6CEMv',
  'DJ40J32KgtFprzzH4EQy6Hh3M3ixtYsQ/++4IXmI3uX8mPUUMkXsPsSeF+CsGIoHSDu/kim7suNLMUdth3zo547H2UpWRbX2',
  'TvaqJbwvrpNZBeok3sb5jxUjUkcSOP6PLKkpRCam1n012RSCZS7bitjYIaOqU3E70AYPq/aqgU/MwMrGrCGVoWejeS1G3G6d',
  'WpDCb/svW6GdbQaiI+9G+LIeQEampHWP4esxfFQG+jyDSHDBSXn9DCL09qT/U+G6M/+hA9GIO/+t9mRX5Qyttuo4SjA2oAeH',
  'u3Ru58tuqFf1F+WL8761QcnwkGg++MTGY+1tdCrxT8VAfdX2Blm5yCAm9CDOoFVnPouzbUZCsHiJ1R743GCU/1mFZlJ/uMJ+',
  'GLVFGzFj4Vvp4T69n/PwCC2PAm0nqKyfwsAi85tWowYhCGkhbadpBSybBIsRxG4eMpuqX6dJqZzOWzVv3ermq7/T05tTi0l1',
  '4ukkVFgYwOHZfSmYhWoS3bKz3Y6VC4SAhwoktb79m2I/MBu0mXx2xtI0gz/GS/YIHAemS8QnEKrR50iMHTfMkNlL1ERqd8MZ',
  'oQNu5OZcikxS1DjoABiA6TAWNAAe4XmldUwayCtjekQMoJddAU+Mf3P4Uuv9db1xEcQRbZIIk+wewWNhuwwF6W6pywFyT3M9',
  'MksRnxuIM584Lbk5iuY3vmlvx+Va6TeXvngwp3WWSHGxVr41W+QhZlvPO894RGYtuhg+lsBtQn65vE+hT22AxjK7Apn6waig',
  'aorylcegHpgl2TZqg6TzOWFmH5uUgfOJSw/P9JG8zGv2jTKe7/fjKsASD3PIrU3dzyve5/Ov+S0eGPWULA0mBp47PYm+DNXZ',
  '49EjeTYNDg9HvntlU/EH8cmw8B8DPzIQluXfMuIyfqKia8nDQtLk1cr1obQV+NrFExfVSytxh292zAg8JYOkjZNgka1oMDjL',
  'X6ntfuow2Ra1NR5DXEvZzeh72yfmKwJBnb2iDvif24+HoiJURe9NmWigRpgWRyN6hjE7lSXv0pj/aO2vNlFOpGmyNaiQnhJR',
  'Ds4+4r7xvmym9bFc19/aZya8248w9q0lxo1IbIqHYk4tq/UzDc9XmiBY+v6ZjSJkkUTrbLI14QnbWxEGsiZ4xE0TABY2iHRc',
  'KlTIjwgOSVyqcoJvoHLN6y+nj1fm0ULDBTpSrPFU8p00GEYd9Ud44FT6rdsnpK4I3EhSZsKpEeqk/2zDFyQTRigu6ml/LUeR',
  'Grqn2YqcG/Ha1PnX+PMxqTy1tYM+Uq36IjisrQdt6mUnE12/gHZ7AT5/eqd3J+vkyPvfYSep0DH1CNLt5N/ev6FVYhs0Izvn',
  'zgKu37mWUrYAApUbCpufQA7JVMNj3zSA8A==',
])

/** `picture(160, 120, 4)`, at quality 40. */
export const HEIC_ALPHA = decode([
  'AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAkZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAA',
  'AAAAAA5waXRtAAAAAAABAAAANGlsb2MAAAAAREAAAgABAAAAAAJqAAEAAAAAAAAEUwACAAAAAAa9AAEAAAAAAAAAwwAAADhp',
  'aW5mAAAAAAACAAAAFWluZmUCAAAAAAEAAGh2YzEAAAAAFWluZmUCAAAAAAIAAGh2YzEAAAABhWlwcnAAAAFgaXBjbwAAAHho',
  'dmNDAQNwAAAAAAAAAAAAHvAA/P34+AAADwMgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQCEAAQArQgEBA3AAAAMAkAAA',
  'AwAAAwAeoBQgeWW6kkprm4EBAwIAAAMAAgAAAwACECIAAQAHRAHBcrBiQAAAABRpc3BlAAAAAAAAAKAAAAB4AAAAEHBpeGkA',
  'AAAAAwgICAAAAHNodmNDAQQIAAAAAAAAAAAAHvAA/Pz4+AAADwMgAAEAF0ABDAH//wQIAAADAJ/4AAADAAAeugJAIQABACdC',
  'AQEECAAAAwCf+AAAAwAAHsBQgeWW6kkprmwIAAADAAgAAAMACEAiAAEAB0QBwXKwYkAAAAAUaXNwZQAAAAAAAACgAAAAeAAA',
  'AA5waXhpAAAAAAEIAAAAJ2F1eEMAAAAAdXJuOm1wZWc6aGV2YzoyMDE1OmF1eGlkOjEAAAAAHWlwbWEAAAAAAAAAAgABA4EC',
  'gwACBIQFhocAAAAaaXJlZgAAAAAAAAAOYXV4bAACAAEAAQAABR5tZGF0AAAETygBr1QqZICkQIvGovINq9DawAuLSXpoNptO',
  'T9N91KxFDQH9gZR5MgJjNkA+5FvESSILEIdIFiLcftl9hwNyfrbO2zoIQy8MnjQnfYqC0WmvPMfgRDLoeHczeLG1ixD/77gh',
  'eYje5fyY9RQyRew+xJ4X4KwYigdIO7+SKbuy40sxR22HfOjnjsfZSlZFtfZO9qolvC+uk1kF6iTexvmPFSNSRxI4/o8sqSlE',
  'JqbWfTXZFIJlLtuK2Ngho6pTcTvQBg+r9qqBT8zAysasIZWhZ6N5LUbcbp1akMJv+y9boZ1tBqIj70b4sh5ARqakdY/h6zF8',
  'VAb6PINIcMFJef0MIvT2pP9T4boz/6ED0Yg7/632ZFflDK226jhKMDagB4e7dG7ny26oV/UX5YvzvrVByfCQaD74xMZj7W10',
  'KvFPxUB91fYGWbnIICb0IM6gVWc+i7NtRkKweInVHvjcYJT/WYVmUn+4wn4YtUUbMWPhW+nhPr2f8/AILY8CbSeorJ/CwCLz',
  'm1ajBiEIaSFtp2kFLJsEixHEbh4ym6pfp0mpnM5bNW/d6uarv9PTm1OLSXXi6SRUWBjA4dl9KZiFahLdsrPdjpULhICHCiS1',
  'vv2bYj8wG7SZfHbG0jSDP8ZL9ggcB6ZLxCcQqtHnSIwdN8yQ2UvURGp3wxmhA27k5lyKTFLUOOgAGIDpMBY0AB7heaV1TBrI',
  'K2N6RAygl10BT4x/c/hS6/11vXERxBFtkgiT7B7BY2G7DAXpbqnLAXJPcz0ySxGfG4gznzgtuTmK5je+aW/H5VrpN5e+eDCn',
  'dZZIcbFWvjVb5CFmW887z3hEZi26GD6WwG1Cfrm8T6FPbYDGMrsCmfrBqKBqivKVx6AemCXZNmqDpPM5YWYfm5SB84lLD8/0',
  'kbzMa/aNMp7v9+MqwBIPc8itTd3PK97n86/5LR4Y9ZQsDSYGnjs9ib4M1dnj0SN5Ng0OD0e+e2VT8QfxybDwHwM/MhCW5d8y',
  '4jJ+oqJrycNC0uTVyvWhtBX42sUTF9VLK3GHb3bMCDwlg6SNk2CRrWgwOMtfqe1+6jDZFrU1HkNcS9nN6HvbJ+YrAkGdvaIO',
  '+J/bj4eiIlRF702ZaKBGmBZHI3qGMTuVJe/SmP9o7a82UU6kabI1qJCeElEOzj7ivvG+bKb1sVzX39pnJrzbjzD2rSXGjUhs',
  'iodiTi2r9TMNz1eaIFj6/pmNImSRROtssjXhCdtbEQayJnjETRMAFjaIdFwqVMiPCA5JXKpygm+gcs3rL6ePV+bRQsMFOlKs',
  '8VTynTQYRh31R3jgVPqt2yekrgjcSFJmwqkR6qT/bMMXJBNGKC7qaX8tR5EauqfZipwb8drU+df48zGpPLW1gz5SrfoiOKyt',
  'B23qZScTXb+AdnsBPn96p3cn6+TI+99hJ6nQMfUI0u3k396/oVViGzQjO+fOAq7fuZZStgAClRsKm59ADslUw2PfNIDwAAAA',
  'vygBrqj14O9QcRKMsm27T92mofCHHu6MYEUX/HvowqwRhew5yEbvMuq1GfeycIOn1OUIjrMv+JD1WiWaaFMHi7B8fVt7f8cd',
  'HSD2jtPoBWkBoWJBi0LhpF7w9p3F1tZhIOfqwi0VENAoFIpYWeGXpRHdIi0sqGCvktFqL/+JP36HEbFps/WFZnoBthtcGx2t',
  'wmkjV+6tPNCe5z+X3QA92jhqbqqeWOlhjNAAT16QCkH3QTMR0CUE68wP9ZdJtSZU',
])

/** The same picture as in `HEIC`, in tiles of 96 x 64: the last of a row, and those of the last row, are padded. */
const TILES = [
  decode([
    'AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAUJtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAA',
    'AAAAAA5waXRtAAAAAAABAAAAImlsb2MAAAAAREAAAQABAAAAAAFmAAEAAAAAAAABUQAAACNpaW5mAAAAAAABAAAAFWluZmUC',
    'AAAAAAEAAGh2YzEAAAAAwmlwcnAAAACkaXBjbwAAAHhodmNDAQNwAAAAAAAAAAAAHvAA/P34+AAADwMgAAEAGEABDAH//wNw',
    'AAADAJAAAAMAAAMAHroCQCEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoDCBBZbqSSmubgQEDAgAAAMACAAAAwAIQCIAAQAHRAHB',
    'crAiQAAAABRpc3BlAAAAAAAAAGAAAABAAAAAEHBpeGkAAAAAAwgICAAAABZpcG1hAAAAAAAAAAEAAQOBAoMAAAFZbWRhdAAA',
    'AU0oAa9YpECLxqLyDavQ2sALi0l6aDabTk/TfdSsRQ0B/YGUeTICYzZAPuRbxEkiCxCHSBYi3H7ZfYcDcn62zts6CEMvDJ40',
    'J32KgtFprzzH4EQy6Hh3M3ixtYsQ/++4IXmI3uX8mPUUMkXsPsSeF+CsGIoHSDu/kim7suNLMUdth3zo547H2UpWRbX2Tvaq',
    'JbwvrpNZBeok3sb5jxUjUkcSOP6PLKkpRCam1n012RSCZS7bitjYIaOqU3E70AYPq/aqgU/MwMrGrCGVoWejeS1G3G6dWpgx',
    'Uk9N+P/btoNREfejfFkPICNTUjrH8PWYvioDfR5BpDhgpLz+hhF6mmdalI3WjP/oQPRiDv/rfZt3K8NQdpqOEowNqAHh7t0b',
    'ufLbpi9GGr8A0i98SgmOLgk9+LwSNUL4LWMMfGNRU6BL51EqozrBFIAq9Rp7p0A=',
  ]),
  decode([
    'AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAUJtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAA',
    'AAAAAA5waXRtAAAAAAABAAAAImlsb2MAAAAAREAAAQABAAAAAAFmAAEAAAAAAAABQgAAACNpaW5mAAAAAAABAAAAFWluZmUC',
    'AAAAAAEAAGh2YzEAAAAAwmlwcnAAAACkaXBjbwAAAHhodmNDAQNwAAAAAAAAAAAAHvAA/P34+AAADwMgAAEAGEABDAH//wNw',
    'AAADAJAAAAMAAAMAHroCQCEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoDCBBZbqSSmubgQEDAgAAAMACAAAAwAIQCIAAQAHRAHB',
    'crAiQAAAABRpc3BlAAAAAAAAAGAAAABAAAAAEHBpeGkAAAAAAwgICAAAABZpcG1hAAAAAAAAAAEAAQOBAoMAAAFKbWRhdAAA',
    'AT4oAa9YpEuaxqK2UcOJizagpmA+V08ApTMSyVtBkxftyh/lOizXzH5UNEo0ZYaC2ShDWNmiO/CbFO591u7Ijae4kOp1PN1p',
    'hbqxxMwpEfCZh7XLzUuHP16u52J76139G0jwyONCEcAPFx4exe2uPO5u+8nhiMo0YyQoDjWCzgZqJQAuv/oTz7iB2tOqt6uu',
    'X3a02OKkEaF4anddx+RND/MBuultdl+j2wPHL1Wv88KwPknrrVZMjBtHV7+kTu0cMFe43AyrqewO5RdUqcPfbA4jCDSl08l8',
    'uMKP+KccEHOm0OkgnuvBIfJVZUIKd1Zzlcm3fStPVrMAlHuUofAbmrW6GH6UJBY4kiYMNWt+vOx7RusGGzjYUuXFxzdkvK/i',
    'dvRODEYlit7b+wUJFv8ufQk37J5hYdx//2aQqkNIMog=',
  ]),
  decode([
    'AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAUJtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAA',
    'AAAAAA5waXRtAAAAAAABAAAAImlsb2MAAAAAREAAAQABAAAAAAFmAAEAAAAAAAABFAAAACNpaW5mAAAAAAABAAAAFWluZmUC',
    'AAAAAAEAAGh2YzEAAAAAwmlwcnAAAACkaXBjbwAAAHhodmNDAQNwAAAAAAAAAAAAHvAA/P34+AAADwMgAAEAGEABDAH//wNw',
    'AAADAJAAAAMAAAMAHroCQCEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoDCBBZbqSSmubgQEDAgAAAMACAAAAwAIQCIAAQAHRAHB',
    'crAiQAAAABRpc3BlAAAAAAAAAGAAAABAAAAAEHBpeGkAAAAAAwgICAAAABZpcG1hAAAAAAAAAAEAAQOBAoMAAAEcbWRhdAAA',
    'ARAoAa9Yi6tqNRdt1QogG3gpI5p3hJZRmrMCJnw8u+5jiogO7zMx4A1AlXKsu8fZ4p2C1yK0v2krMZ8J/DXr7mbHOhHCe77w',
    '5+mrxqFTqDSwe/PDZgHdey/QQhk/KK6KhgMroJD5BVmTOzVk1xaJtm/K3xnpR+PADC36nRNnBqjBa9HlWs6LJbqw4WXn8cz+',
    'HXS3+fojWxm0IhQABo6G/SkT9Kl6MhMZ783D21Vydoa7jMpcLZ5+tL8UAs1UDB+7n+O280XSriX6SbYaQpUb8kTde3YAo84T',
    'RGDagdvbdcedfeQ/RQhCv3Cv4DBY5g8xQJmckkqQCxY87mqjidcsPaaoO+/d/p9CwGxpWwkyG+TUcA==',
  ]),
  decode([
    'AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAUJtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAA',
    'AAAAAA5waXRtAAAAAAABAAAAImlsb2MAAAAAREAAAQABAAAAAAFmAAEAAAAAAAABFAAAACNpaW5mAAAAAAABAAAAFWluZmUC',
    'AAAAAAEAAGh2YzEAAAAAwmlwcnAAAACkaXBjbwAAAHhodmNDAQNwAAAAAAAAAAAAHvAA/P34+AAADwMgAAEAGEABDAH//wNw',
    'AAADAJAAAAMAAAMAHroCQCEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoDCBBZbqSSmubgQEDAgAAAMACAAAAwAIQCIAAQAHRAHB',
    'crAiQAAAABRpc3BlAAAAAAAAAGAAAABAAAAAEHBpeGkAAAAAAwgICAAAABZpcG1hAAAAAAAAAAEAAQOBAoMAAAEcbWRhdAAA',
    'ARAoAa9YoXButWgW82qQ6/DldMRWfanhxM0LWjJXgUZIEScXiaQ0LWZbvnDETINvz2SphP7pA7bBTCWTSVT9/ippSLdnRi70',
    'usxeZOL/HlO1Dx5Rb6/68jGyX5YmT5inH6Sx1kLlZEI2hIgbcyveEtfR/KKgtRfKC8Kn1xVnak7wjIQHp3cE4/eHHqRQTT2h',
    '5CYepSwZoKrZ7rerbXcyEBGrRJ/dBLkM8GX4UogGLsadxe5btFjHFiDh7cYikwVe2NkQYx3UbPnzlsIJ5eBRoq9ZSdSPo5uc',
    'e1xsluDqt3QzoQXjOtm4GfoKkLYZAIYPiFDBuTL3QLkAVYx6odRRxzbWw5HC9ppk5//8i0XW8D7d4A==',
  ]),
]

const text = (value: string) => Array.from(new TextEncoder().encode(value))
const u16 = (value: number) => [value >> 8, value & 255]
const u32 = (value: number) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]
const PLAIN = [0, 0, 0, 0]

/**
 * `TILES` as phones write them: a grid of 160 x 120 (ISO/IEC 23008-12, 6.6.2.3), whose item is the primary one. `properties`: more of
 * it, as boxes.
 */
export function heicGrid(properties: number[][] = []): Uint8Array {
  const data = TILES.map((tile) => findBox(tile, 'mdat') ?? new Uint8Array(0))
  const grid = [0, 0, 1, 1, ...u16(160), ...u16(120)]
  const [first = new Uint8Array(0)] = TILES
  const configuration = findBox(first, 'meta', 'iprp', 'ipco', 'hvcC')!
  const type = box('ftyp', text('heic'), PLAIN, text('mif1heic'))
  const metaAt = (offset: number) => {
    const items = [...data, grid]
    let at = offset
    const places = items.flatMap(({ length }, i) => {
      const place = [...u16(i + 1), 0, 0, ...u16(1), ...u32(at), ...u32(length)]
      at += length
      return place
    })
    const infe = (id: number, name: string) =>
      box('infe', [2, 0, 0, id === 5 ? 0 : 1], u16(id), u16(0), text(name), [0])
    const own = [0x81, 2]
    const more = properties.map((_, i) => 0x84 + i)
    return box(
      'meta',
      PLAIN,
      box('hdlr', PLAIN, PLAIN, text('pict'), new Uint8Array(13)),
      box('pitm', PLAIN, u16(5)),
      box('iloc', PLAIN, [0x44, 0], u16(5), places),
      box('iinf', PLAIN, u16(5), ...[1, 2, 3, 4].map((id) => infe(id, 'hvc1')), infe(5, 'grid')),
      box('iref', PLAIN, box('dimg', u16(5), u16(4), [1, 2, 3, 4].flatMap(u16))),
      box(
        'iprp',
        box(
          'ipco',
          box('hvcC', configuration),
          box('ispe', PLAIN, u32(96), u32(64)),
          box('ispe', PLAIN, u32(160), u32(120)),
          ...properties,
        ),
        box(
          'ipma',
          PLAIN,
          u32(5),
          [1, 2, 3, 4].flatMap((id) => [...u16(id), 2, ...own]),
          [...u16(5), 1 + more.length, 3, ...more],
        ),
      ),
    )
  }
  const offset = type.length + metaAt(0).length + 8
  const content = [...data.flatMap((one) => Array.from(one)), ...grid]
  return Uint8Array.from([...type, ...metaAt(offset), ...box('mdat', content)])
}
