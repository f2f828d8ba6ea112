import {
  BREAK,
  ByteCoding,
  type Coding,
  COMMA_BREAK,
  LAST_BYTES,
  LINE_BREAK,
  NO_CODES,
  SEMICOLON_BREAK,
  URL_CODES,
} from './codings.ts'
import { isCodestream } from '../image/format.ts'
import { type CodedFile, CodedStream, type Start } from './coded-stream.ts'
import {
  DEFLATE_BYTES,
  isBinaryString,
  isFileStart,
  isPackedStart,
  isPlainValueStart,
  isTextByte,
  isTextStart,
  isValueStart,
  mayBePacked,
  mayBeSign,
  MOST_BEFORE,
  PACKED_BYTES,
  SIGHT_BYTES,
  TEXT_BYTES,
  VALUE_BYTES,
  type Windows,
  windowsFor,
} from './signs.ts'

/** Codes after which to look for a text again, if there was none. */
const TEXT_PAUSE = 64
/** The end of `;base64` as a window: a file follows, whatever it begins with. */
const DATA_URI = Buffer.from('se64', 'base64').readUIntBE(0, 3)
const DATA_URI_CODES = 'base64'.length

/** Characters before a value in a text whose bytes are codes. */
const BEFORE_VALUE: ReadonlySet<number> = new Set(Buffer.from('"\'=>,:('))

/** Codes of which one is no text where zlib or deflate begins. */
const PACKED_CODES = 4

/** What may be at a code: a sign, a text. */
const [SIGN, TEXT] = [1, 2]

/** Initial room for codes, and a pool of unused arrays of that size: searches come and go. */
const ROOM = 4096
const MAX_SPARE = 256
const spare: Uint16Array<ArrayBuffer>[] = []

/**
 * Finds files in the codes of one reading of a text, in one pass, and decodes them from where they
 * begin.
 */
export class CodedSearch {
  readonly #coding: Coding
  readonly #finds: CodedFinds
  readonly #windows: Windows
  readonly #isFaint: boolean
  /** Codes below this take the fast path: others are read in different ways, or not at all. */
  readonly #fastCodes: number
  /** Codes of a value needed to recognise a file, and headerless deflate. */
  readonly #valueCodes: number
  readonly #deflateCodes: number
  /**
   * Selects those of the last codes at which a text has three letters, digits or punctuation marks;
   * 0 to look for none.
   */
  readonly #textMask: number
  readonly #textCodes: number
  /** Codes that a file may begin in, with their number and how many of them have been searched. */
  #codes = spare.pop() ?? new Uint16Array(ROOM)
  #length = 0
  #at = 0
  /** The last 24 bits and the number of codes so far, in each reading. */
  #skipWindow = 0
  #takeWindow = 0
  #skipCount = 0
  #takeCount = 0
  /**
   * Whether each window held three text characters, or some and zeros; the last window in the
   * lowest bit.
   */
  #plain = 0
  #wide = 0
  #nextText: number
  #sinceBreak = 0
  #isDataUri = false
  #lastBreak = BREAK
  /** Codes since a value began, across lines. */
  #sinceValue = 0
  /** Whether the next value is that of a field declared to hold files. */
  #isNamed = false
  /** What to look at after the last codes passed. */
  #found = 0
  /** Whether readings differ in the last head read. */
  #isHeadParted = false
  #pending: Candidate[] = []
  /** Files being read, and those that the search has not passed yet. */
  #streams: CodedStream[] = []
  /** Whether the text may also be read in another way. */
  isDoubtful = false
  /** Position of the search in the upload's text. */
  rootAt = 0

  constructor(coding: Coding, finds: CodedFinds, isFaint: boolean) {
    const { bits } = coding
    this.#coding = coding
    this.#finds = finds
    this.#windows = windowsFor(bits, isFaint ? 'long' : coding.isText ? 'bytes' : 'all')
    this.#isFaint = isFaint || coding.isStrict === true
    this.#fastCodes = bits === 6 ? URL_CODES : BREAK
    this.#valueCodes = Math.ceil((VALUE_BYTES * 8) / bits)
    this.#deflateCodes = Math.ceil((DEFLATE_BYTES * 8) / bits)
    // Codes that make whole bytes: as many as fill a window, or fewer.
    const group = bits === 5 ? 8 : 24 / bits
    const groups = Math.ceil(31 / group)
    this.#textMask =
      coding.isText || isFaint
        ? 0
        : Array.from({ length: groups }, (_, i) => 1 << (i * group)).reduce((a, b) => a | b)
    this.#textCodes = this.#nextText = group * groups
  }

  /** Whether an incomplete file is being read, or may be. */
  get isReading(): boolean {
    // A value that may be packed keeps no layer open: its escapes do.
    const isPacked = ({ isFile }: Candidate) =>
      isFile === this.#mayBePacked || (isFile === this.#isLong && this.#coding.isText)
    const isPending = this.#pending.some((one) => !isPacked(one))
    return isPending || this.#streams.some((one) => !one.isEnded && !one.isComplete)
  }

  /** The same, or a value has begun that is still too short to be recognised. */
  get mayBegin(): boolean {
    return this.isReading || (this.#sinceBreak > 0 && this.#sinceBreak < this.#valueCodes)
  }

  write(fresh: Uint16Array): void {
    let from = 0
    if (this.#coding.isStrict)
      for (let end = fresh.indexOf(BREAK); end !== -1; end = fresh.indexOf(BREAK, from)) {
        this.#take(fresh.subarray(from, end))
        this.#endAll()
        this.#take(fresh.subarray(end, end + 1))
        from = end + 1
      }
    this.#take(fresh.subarray(from))
  }

  #take(fresh: Uint16Array): void {
    if (fresh.length === 0) return
    const codes = this.#append(fresh)
    for (const stream of [...this.#streams]) if (!stream.isEnded) this.#feed(stream, codes, 0)
    if (this.#pending.length > 0) this.#lookAgain(false)
    if (this.#coding.isText) this.#lookForPacked(this.#length - fresh.length - PACKED_CODES + 1)
    this.#search()
    if (this.#streams.length === 0) return
    const seen = { skip: this.#skipCount, take: this.#takeCount }
    this.#streams = this.#streams.filter((one) => !one.isEnded || !one.endsBefore(seen))
  }

  /** Ends the search: there are no more codes. */
  close(): void {
    this.#endAll()
    if (this.#codes.length === ROOM && spare.length < MAX_SPARE) spare.push(this.#codes)
    this.#codes = NO_CODES
  }

  /** Ends everything being read: nothing more will come. */
  #endAll(): void {
    this.#lookAgain(true)
    for (const stream of this.#streams) if (!stream.isEnded) this.#end(stream)
    this.#streams = []
  }

  /** Stores the codes. Returns the stored ones. */
  #append(fresh: Uint16Array): Uint16Array {
    if (this.#length + fresh.length > this.#codes.length) this.#forget()
    if (this.#length + fresh.length > this.#codes.length) {
      const grown = new Uint16Array(2 * (this.#length + fresh.length))
      grown.set(this.#codes.subarray(0, this.#length))
      this.#codes = grown
    }
    this.#codes.set(fresh, this.#length)
    this.#length += fresh.length
    return this.#codes.subarray(this.#length - fresh.length, this.#length)
  }

  /** Drops the codes in which nothing can begin any more. */
  #forget(): void {
    const back = Math.ceil(((MOST_BEFORE + SIGHT_BYTES) * 8) / this.#coding.bits)
    const first = Math.max(0, Math.min(this.#at - back, ...this.#pending.map(({ index }) => index)))
    this.#codes.copyWithin(0, first, this.#length)
    this.#length -= first
    this.#at -= first
    for (const candidate of this.#pending) candidate.index -= first
  }

  #search(): void {
    for (let at = this.#at; at < this.#length;) {
      const code = this.#codes[at] as number
      const isUrl = code >= this.#fastCodes && code < BREAK
      at = this.#pass(at, isUrl || this.#skipWindow !== this.#takeWindow)
      if ((this.#codes[at - 1] as number) >= BREAK) continue
      if (this.#found & SIGN) this.#lookForSigns(at - 1, isUrl)
      if (this.#found & TEXT) this.#lookForText(at - 1)
      this.#lookForValue(at - 1)
    }
    this.#at = this.#length
  }

  /**
   * The only loop over codes. It passes codes that all readings share, up to one with something to
   * look at; where readings differ, it passes one code. State is kept in locals for speed. Returns
   * the index after the last code passed.
   */
  #pass(from: number, isParted: boolean): number {
    const [codes, fastCodes, mask] = [this.#codes, this.#fastCodes, this.#textMask]
    const { bits } = this.#coding
    const { filter } = this.#windows
    let [window, plain, wide, found, at] = [this.#takeWindow, this.#plain, this.#wide, 0, from]
    // Origins of the counts, as if there were only codes and no breaks.
    let [breakAt, valueAt, takeAt] = [
      from - this.#sinceBreak,
      from - this.#sinceValue,
      from - this.#takeCount,
    ]
    const textCount = mask === 0 ? Infinity : this.#nextText
    let stop = isParted ? from + 1 : this.#stopBehind(at, breakAt, valueAt)
    for (; at < stop && found === 0; at++) {
      let code = codes[at] as number
      if (isParted && code >= fastCodes && code < BREAK) code -= 2
      if (code < fastCodes) {
        window = ((window << bits) | code) & 0xffffff
        if (mayBeSign(filter, window)) found = SIGN
        const kinds = kindsOf(window)
        plain = (plain << 1) | (kinds === PLAIN ? 1 : 0)
        wide = (wide << 1) | (kinds === WIDE ? 1 : 0)
        const isLong = kinds !== 0 && ((plain & mask) === mask || (wide & mask) === mask)
        if (isLong && at + 1 - takeAt >= textCount) found |= TEXT
      } else if (code > LAST_BYTES) {
        breakAt++
        valueAt++
        takeAt++
        if (!isParted) stop = this.#stopBehind(at + 1, breakAt, valueAt)
      } else if (code >= BREAK) {
        valueAt = isValueEnd(code, at - breakAt) ? at + 1 : valueAt + 1
        if (bits === 6 && code !== LINE_BREAK) this.#noteBreak(code, at, at - breakAt, window)
        breakAt = at + 1
        takeAt++
        if (!isParted) stop = this.#stopBehind(breakAt, breakAt, valueAt)
      } else break
    }
    const taken = at - takeAt - this.#takeCount
    const last = codes[at - 1] as number
    if (!isParted) this.#skipWindow = window
    else if (last < fastCodes) {
      this.#skipWindow = ((this.#skipWindow << bits) | last) & 0xffffff
      if (mayBeSign(filter, this.#skipWindow)) found |= SIGN
    }
    if (!isParted || last < fastCodes) this.#skipCount += taken
    this.#takeCount += taken
    this.#takeWindow = window
    this.#plain = plain
    this.#wide = wide
    this.#found = found
    this.#sinceBreak = at - breakAt
    this.#sinceValue = at - valueAt
    return at
  }

  /** Index after the next code at which a value may be recognised. */
  #stopBehind(at: number, breakAt: number, valueAt: number): number {
    let stop = this.#length
    const isSaid = at === breakAt && (this.#isDataUri || this.#isNamed)
    const value = breakAt + (isSaid ? 1 : this.#valueCodes)
    const deflate = valueAt + this.#deflateCodes
    if (value > at && value < stop) stop = value
    if (deflate > at && deflate < stop) stop = deflate
    return stop
  }

  /** Notes what announces the value after a break: `;base64`, or the name of its field. */
  #noteBreak(code: number, at: number, sinceBreak: number, window: number): void {
    if (sinceBreak > 0) this.#isNamed = this.#isName(at, sinceBreak)
    const isBase64 = window === DATA_URI && sinceBreak === DATA_URI_CODES
    this.#isDataUri = isBase64 && this.#lastBreak === SEMICOLON_BREAK && code === COMMA_BREAK
    this.#lastBreak = code
  }

  #lookForValue(at: number): void {
    const isFirst = this.#sinceBreak === 1
    if (isFirst && (this.#isDataUri || this.#isNamed))
      this.#consider('either', at, 1, 0, 1, isAnything)
    else if (this.#sinceBreak === this.#valueCodes)
      this.#consider('either', at, this.#valueCodes, 0, VALUE_BYTES, this.#isValue)
    if (this.#sinceValue === this.#deflateCodes)
      this.#consider('either', at, this.#deflateCodes, 0, DEFLATE_BYTES, this.#isLong)
  }

  /**
   * Values in bytes have no breaks, and zlib and deflate no sign that could be searched for.
   * @param from first index that was not looked at; below 0 while there are too few codes to look
   */
  #lookForPacked(from: number): void {
    const codes = this.#codes
    for (let index = Math.max(1, from); index + PACKED_CODES <= this.#length; index++) {
      if (
        BEFORE_VALUE.has(codes[index - 1] as number) &&
        !codes.subarray(index, index + PACKED_CODES).every(isTextByte)
      ) {
        const at = this.#takeCount + index - this.#at
        const [need, isFile, isFaint] = [PACKED_BYTES, this.#mayBePacked, this.#isFaint]
        const start = { reading: 'either', ordinals: { skip: at, take: at }, skipBits: 0 } as const
        this.#look({ ...start, isSaid: false, isFaint, need, isFile, index }, false)
      }
    }
  }

  /** Whether the codes before an index are the name of a field declared to hold files. */
  #isName(end: number, length: number): boolean {
    return this.#finds.names.some((name) => {
      if (name.length !== length || end < length) return false
      return name.every((code, i) => code === this.#codes[end - length + i])
    })
  }

  #lookForSigns(at: number, isUrl: boolean): void {
    if (this.#skipWindow === this.#takeWindow) this.#lookAt('either', at)
    else {
      this.#lookAt('take', at)
      if (!isUrl) this.#lookAt('skip', at)
    }
  }

  /** Checks whether a window is a sign's, and whether a file lies around it. */
  #lookAt(reading: Start['reading'], at: number): void {
    const { bits } = this.#coding
    const window = reading === 'skip' ? this.#skipWindow : this.#takeWindow
    for (const { before, offset } of this.#windows.signs.get(window) ?? []) {
      if (!this.#finds.takeLook()) return
      // Bits from the beginning of the file to the end of the window.
      const back = 24 - offset + 8 * before
      const codes = Math.ceil(back / bits)
      this.#consider(reading, at, codes, codes * bits - back, before + SIGHT_BYTES, isFileStart)
    }
  }

  readonly #isValue = (head: Uint8Array): boolean => {
    const { takeInflating } = this.#finds
    if (this.#isFaint) return isPlainValueStart(head, takeInflating)
    return (
      isValueStart(head, takeInflating) || (!this.#coding.isText && isBinaryString(head, false))
    )
  }

  /** What only a long value reveals. */
  readonly #isLong = (head: Uint8Array): boolean =>
    (!this.#isFaint && !this.#coding.isText && isCodestream(head)) ||
    isPackedStart(head, this.#finds.takeInflating)

  readonly #mayBePacked = (head: Uint8Array): boolean =>
    mayBePacked(head, this.#finds.takeInflating)

  #lookForText(at: number): void {
    this.#nextText = this.#takeCount + TEXT_PAUSE
    const { bits } = this.#coding
    const back = this.#textCodes * bits + 8 * this.#leadOf(at)
    const codes = Math.ceil(back / bits)
    this.#consider('either', at, codes, codes * bits - back, TEXT_BYTES, isTextStart)
  }

  /**
   * Number of bytes of a text before those that revealed it. Windows have three bytes, so the first
   * ones can share a window with other bytes of the value.
   */
  #leadOf(at: number): number {
    const { bits } = this.#coding
    const isWide = (this.#plain & this.#textMask) !== this.#textMask
    for (let lead = bits === 5 ? 4 : 2; lead > 0; lead--) {
      const back = this.#textCodes * bits + 8 * lead
      const codes = Math.ceil(back / bits)
      const index = codes < this.#sinceBreak ? this.#indexOf('either', at, codes) : undefined
      if (index === undefined) continue
      const head = this.#head({ index, skipBits: codes * bits - back, need: lead }, true)
      if (head.every((byte) => isTextByte(byte) || (isWide && byte === 0))) return lead
    }
    return 0
  }

  /** Checks whether a file begins `codes` codes ago, and reads it if so. */
  #consider(
    reading: Start['reading'],
    at: number,
    codes: number,
    skipBits: number,
    need: number,
    isFile: Candidate['isFile'],
  ): void {
    const index = this.#indexOf(reading, at, codes)
    if (index !== undefined) {
      const ordinals = { skip: this.#skipCount - codes, take: this.#takeCount - codes }
      const isSaid = isFile === isAnything
      const isFaint = this.#isFaint
      this.#look({ reading, ordinals, skipBits, need, isFile, index, isSaid, isFaint }, false)
    } else if (reading === 'either') {
      this.#consider('skip', at, codes, skipBits, need, isFile)
      this.#consider('take', at, codes, skipBits, need, isFile)
    }
  }

  #look(candidate: Candidate, isAll: boolean): void {
    if (this.#streams.length > 0 && this.#isCovered(candidate)) return
    this.#finds.onLook()
    const { reading, need, isFile } = candidate
    const heads = [this.#head(candidate, reading !== 'skip')]
    if (reading === 'either' && this.#isHeadParted) heads.push(this.#head(candidate, false))
    if (!isAll && heads.some((head) => head.length < need)) this.#pending.push(candidate)
    // Fewer bytes prove nothing, and are hardly a file.
    else if (heads.some((head) => head.length >= Math.min(need, VALUE_BYTES) && isFile(head)))
      if (isFile === this.#mayBePacked)
        this.#look({ ...candidate, need: DEFLATE_BYTES, isFile: this.#isLong }, isAll)
      else this.#begin(candidate)
  }

  /** Checks candidates again that now have enough codes, or that will get no more. */
  #lookAgain(isAll: boolean): void {
    const pending = this.#pending
    this.#pending = []
    for (const candidate of pending) {
      const isShort = (this.#length - candidate.index) * this.#coding.bits < candidate.need * 8
      if (isShort && !isAll) this.#pending.push(candidate)
      else this.#look(candidate, isAll)
    }
  }

  /** Whether a possible file lies within files being read, and will be found in them. */
  #isCovered({ reading, ordinals, skipBits }: Start): boolean {
    const isCoveredAs = (one: 'skip' | 'take') =>
      this.#streams.some((stream) => stream.covers(one, ordinals[one], skipBits))
    return reading === 'either' ? isCoveredAs('skip') && isCoveredAs('take') : isCoveredAs(reading)
  }

  #open(): CodedFile | undefined {
    return this.#finds.open(this.#coding instanceof ByteCoding)
  }

  #begin(candidate: Candidate): void {
    const file = this.#open()
    if (!file) return
    const stream = new CodedStream(file, this.#coding.bits, candidate, this.rootAt)
    this.#streams.push(stream)
    this.#feed(stream, this.#codes.subarray(0, this.#length), candidate.index)
  }

  /**
   * Index of the code that lies `codes` codes back; `undefined` if there is none, or readings
   * differ on the way.
   */
  #indexOf(reading: Start['reading'], at: number, codes: number): number | undefined {
    let left = codes
    for (let index = at; index >= 0; index--) {
      const code = this.#codes[index] as number
      const isUrl = code >= this.#fastCodes
      if (code >= BREAK || (isUrl && reading === 'skip')) continue
      if (isUrl && reading === 'either') return undefined
      if (--left === 0) return index
    }
    return undefined
  }

  /** First bytes of a file that begins at a code. */
  #head(
    { index, skipBits, need }: Pick<Candidate, 'index' | 'skipBits' | 'need'>,
    isTaking: boolean,
  ): Uint8Array {
    const [codes, end, fastCodes] = [this.#codes, this.#length, this.#fastCodes]
    const { bits } = this.#coding
    const head = new Uint8Array(need)
    let [count, held, heldBits, isParted] = [0, 0, -skipBits, false]
    for (let at = index; at < end && count < need; at++) {
      let code = codes[at] as number
      if (code >= fastCodes) {
        if (code >= BREAK) continue
        isParted = true
        if (!isTaking) continue
        code -= 2
      }
      held = ((held << bits) | code) & 0xffff
      heldBits += bits
      if (heldBits < 8) continue
      heldBits -= 8
      head[count++] = held >> heldBits
    }
    this.#isHeadParted = isParted
    return head.subarray(0, count)
  }

  #feed(stream: CodedStream, codes: Uint16Array, from: number): void {
    stream.isDoubtful ||= this.isDoubtful
    const at = stream.take(codes, from)
    if (!stream.isEnded && at < codes.length) {
      if (stream.isComplete) stream.isEnded = true
      else {
        this.#part(stream, codes, at)
        this.#feed(stream, codes, at)
        return
      }
    }
    if (stream.isEnded) this.#end(stream)
  }

  /** Continues in both ways from a code that can be read in two. */
  #part(stream: CodedStream, codes: Uint16Array, at: number): void {
    const other = stream.part(() => this.#open())
    if (!other) {
      this.#finds.onOverLimit()
      return
    }
    this.#streams.push(other)
    this.#feed(other, codes, at)
  }

  #end(stream: CodedStream): void {
    stream.isEnded = true
    this.#finds.onEnded(stream)
  }
}

/** What a search reports and asks. */
export interface CodedFinds {
  /**
   * Begins to scan a file, in a code or plain beneath escapes; `undefined` if there is no room for
   * one.
   */
  open: (isPlain: boolean) => CodedFile | undefined
  /** Names of fields that hold files, in base64 codes. */
  names: readonly Uint16Array[]
  /** Called with the number of codes searched. */
  onCodes: (count: number) => void
  /** Called for each look at the first bytes of a possible file. */
  onLook: () => void
  /** Asks whether one more place may be looked at. */
  takeLook: () => boolean
  /** The same for a look that takes an inflater. */
  takeInflating: () => boolean
  /** Called if something was not looked at in every possible way. */
  onOverLimit: () => void
  /** Called when a file has ended. */
  onEnded: (stream: CodedStream) => void
}

/** A possible file among the codes so far. */
interface Candidate extends Start {
  /** Bytes needed to decide, and the test that they must pass. */
  need: number
  isFile: (head: Uint8Array) => boolean
  /** Where it begins among the kept codes. */
  index: number
}

function isAnything(): boolean {
  return true
}

/** Whether a value ends at a break: line ends do not end it, but an empty line does. */
function isValueEnd(code: number, sinceBreak: number): boolean {
  return code !== LINE_BREAK || sinceBreak === 0
}

/**
 * Kinds of a window's three bytes: all text characters; some of them, and zeros, as in UTF-16;
 * anything else.
 */
const [PLAIN, WIDE] = [2, 1]

function kindsOf(window: number): number {
  const kinds = ((window | (window << 1)) & 0x404040) | (window & 0x808080)
  if (kinds === 0x404040) return PLAIN
  if (window === 0) return WIDE // as in UTF-32
  if (kinds === 0 || (kinds & 0x808080) !== 0) return 0
  return (window & ~((kinds >> 6) * 255)) === 0 ? WIDE : 0
}
