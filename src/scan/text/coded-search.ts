import {
  BREAK,
  ByteCoding,
  type Coding,
  COMMA_BREAK,
  concatenateCodes,
  LINE_BREAK,
  SEMICOLON_BREAK,
  URL_CODES,
} from './codings.ts'
import { type CodedFile, CodedStream, type Start } from './coded-stream.ts'
import {
  DEFLATE_BYTES,
  isDeflateStart,
  isFileStart,
  isPlainValueStart,
  isTextStart,
  isValueStart,
  MOST_BEFORE,
  SIGHT_BYTES,
  TEXT_BYTES,
  VALUE_BYTES,
  type Windows,
  windowsFor,
} from './signs.ts'

/** Codes after which a text may begin again, where one did not. */
const TEXT_PAUSE = 64
/** The end of `;base64` as a window: what follows is a file, whatever it begins with. */
const DATA_URI = Buffer.from('se64', 'base64').readUIntBE(0, 3)
const DATA_URI_CODES = 'base64'.length

/** Whom a search tells, and asks. */
export interface CodedFinds {
  /** Begins to scan a file, in a code or plain beneath escapes; `undefined` if there is no room for one. */
  open: (isPlain: boolean) => CodedFile | undefined
  /** Codes of base64 in the names of fields that hold files. */
  names: readonly Uint16Array[]
  /** Told of each look at the first bytes of what may be a file. */
  onLook: () => void
  /** Asks whether one more place may be looked at. */
  takeLook: () => boolean
  /** The same where looking takes an inflater. */
  takeInflating: () => boolean
  /** Something was not looked at in all ways that it can be. */
  onOverLimit: () => void
  /** A file has ended. */
  onEnded: (stream: CodedStream) => void
}

/** What may be a file, by codes that have come. */
interface Candidate extends Start {
  /** Bytes that tell, and what they must be. */
  need: number
  isFile: (head: Uint8Array) => boolean
  /** Where it begins among the codes that are kept. */
  index: number
}

/** Finds files in the codes of one reading of a text, in one pass, and decodes from where they begin. */
export class CodedSearch {
  readonly #coding: Coding
  readonly #finds: CodedFinds
  readonly #windows: Windows
  readonly #isValueStart: Candidate['isFile']
  /** Mask of those of the last codes at which a text has three letters, digits or signs; 0 if none is looked for. */
  readonly #textMask: number
  readonly #textCodes: number
  /** Codes that a file may begin in, and how many of them have been searched. */
  #codes: Uint16Array = new Uint16Array(0)
  #at = 0
  /** The last 24 bits, and the number of codes so far, as each reading has them. */
  #skipWindow = 0
  #takeWindow = 0
  #skipCount = 0
  #takeCount = 0
  /** Whether windows were of three letters, digits or signs, the last in the lowest bit; of some, and zeros. */
  #plain = 0
  #wide = 0
  #nextText: number
  #sinceBreak = 0
  #isDataUri = false
  #lastBreak = BREAK
  /** Codes since a value began, in whatever lines. */
  #sinceValue = 0
  /** Whether the value that follows is that of a field which is said to hold files. */
  #isNamed = false
  #pending: Candidate[] = []
  /** Files that are being read, and those that the search has not passed yet. */
  #streams: CodedStream[] = []
  /** Whether the text may be read in another way, too. */
  isDoubtful = false
  /** Where in the upload's text the search is. */
  rootAt = 0

  constructor(coding: Coding, finds: CodedFinds, isFaint: boolean) {
    this.#coding = coding
    this.#finds = finds
    this.#windows = windowsFor(coding.bits, isFaint)
    this.#isValueStart = coding.isStrict || isFaint ? isPlainValueStart : isValueStart
    // Codes of whole bytes, as many as a window has or fewer.
    const group = coding.bits === 5 ? 8 : 24 / coding.bits
    const groups = Math.ceil(31 / group)
    this.#textMask =
      coding.isText || isFaint
        ? 0
        : Array.from({ length: groups }, (_, i) => 1 << (i * group)).reduce((a, b) => a | b)
    this.#textCodes = this.#nextText = group * groups
  }

  /** Whether a file is being read that is not whole, or may be. */
  get isReading(): boolean {
    return this.#pending.length > 0 || this.#streams.some((one) => !one.isEnded && !one.isComplete)
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
    for (const stream of [...this.#streams]) if (!stream.isEnded) this.#feed(stream, fresh, 0)
    this.#codes = concatenateCodes(this.#codes, fresh)
    this.#lookAgain(false)
    this.#search()
    this.#forget()
  }

  close(): void {
    this.#endAll()
  }

  /** Ends what is being read: no more of it will come. */
  #endAll(): void {
    this.#lookAgain(true)
    for (const stream of this.#streams) if (!stream.isEnded) this.#end(stream)
    this.#streams = []
  }

  /** The one loop over all codes: what it keeps is in locals, and written back before anything is looked at. */
  #search(): void {
    const codes = this.#codes
    const { bits } = this.#coding
    const { filter } = this.#windows
    const textMask = this.#textMask
    const valueCodes = Math.ceil((VALUE_BYTES * 8) / bits)
    let [takeWindow, skipWindow] = [this.#takeWindow, this.#skipWindow]
    let [plain, wide, sinceBreak] = [this.#plain, this.#wide, this.#sinceBreak]
    let [takeCount, skipCount] = [this.#takeCount, this.#skipCount]
    let [isDataUri, lastBreak, isNamed] = [this.#isDataUri, this.#lastBreak, this.#isNamed]
    let sinceValue = this.#sinceValue
    const deflateCodes = Math.ceil((DEFLATE_BYTES * 8) / bits)
    for (let at = this.#at; at < codes.length; at++) {
      const code = codes[at] as number
      if (code >= BREAK) {
        // A value begins behind an empty line, but goes on behind others.
        if (code !== LINE_BREAK || sinceBreak === 0) sinceValue = 0
        sinceBreak = code === LINE_BREAK ? 0 : sinceBreak
        if (code === LINE_BREAK) continue
        if (sinceBreak > 0 && bits === 6) isNamed = this.#isName(at, sinceBreak)
        const isBase64 = takeWindow === DATA_URI && sinceBreak === DATA_URI_CODES
        isDataUri = isBase64 && lastBreak === SEMICOLON_BREAK && code === COMMA_BREAK
        lastBreak = code
        sinceBreak = 0
        continue
      }
      const isUrl = code >= URL_CODES && bits === 6
      takeWindow = ((takeWindow << bits) | (isUrl ? code - 2 : code)) & 0xffffff
      takeCount++
      if (!isUrl) {
        skipWindow = ((skipWindow << bits) | code) & 0xffffff
        skipCount++
      }
      // Bytes that are letters, digits or signs; in UTF-16, zeros stand between them.
      const letters = ((takeWindow | (takeWindow << 1)) & 0x404040) >> 6
      const isLetters = letters !== 0 && (takeWindow & (0x808080 | ~(letters * 255))) === 0
      plain = (plain << 1) | (isLetters && letters === 0x010101 ? 1 : 0)
      wide = (wide << 1) | (isLetters && letters !== 0x010101 ? 1 : 0)
      sinceBreak++
      sinceValue++
      const isSign =
        filter[(takeWindow ^ (takeWindow >>> 8)) & 0xffff] === 1 ||
        (skipWindow !== takeWindow && filter[(skipWindow ^ (skipWindow >>> 8)) & 0xffff] === 1)
      const isText =
        textMask !== 0 &&
        ((plain & textMask) === textMask || (wide & textMask) === textMask) &&
        takeCount >= this.#nextText
      if (
        !isSign &&
        !isText &&
        sinceBreak !== valueCodes &&
        sinceValue !== deflateCodes &&
        !((isDataUri || isNamed) && sinceBreak === 1)
      )
        continue
      this.#takeWindow = takeWindow
      this.#skipWindow = skipWindow
      this.#takeCount = takeCount
      this.#skipCount = skipCount
      if (isSign) this.#lookForSigns(at, isUrl)
      if (isText) this.#lookForText(at)
      if ((isDataUri || isNamed) && sinceBreak === 1)
        this.#consider('either', at, 1, 0, 1, isAnything)
      else if (sinceBreak === valueCodes)
        this.#consider('either', at, valueCodes, 0, VALUE_BYTES, this.#isValueStart)
      if (sinceValue === deflateCodes)
        this.#consider('either', at, deflateCodes, 0, DEFLATE_BYTES, this.#isDeflate)
    }
    this.#takeWindow = takeWindow
    this.#skipWindow = skipWindow
    this.#takeCount = takeCount
    this.#skipCount = skipCount
    this.#plain = plain
    this.#wide = wide
    this.#sinceBreak = sinceBreak
    this.#isDataUri = isDataUri
    this.#lastBreak = lastBreak
    this.#sinceValue = sinceValue
    this.#isNamed = isNamed
    this.#at = codes.length
  }

  /** Whether the codes before an index are those of a name that is said to hold files. */
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

  /** Forgets the codes that nothing can begin in any more. */
  #forget(): void {
    const back = Math.ceil(((MOST_BEFORE + SIGHT_BYTES) * 8) / this.#coding.bits)
    const first = Math.max(0, Math.min(this.#at - back, ...this.#pending.map(({ index }) => index)))
    this.#codes = this.#codes.subarray(first)
    this.#at -= first
    for (const candidate of this.#pending) candidate.index -= first
    const seen = { skip: this.#skipCount, take: this.#takeCount }
    this.#streams = this.#streams.filter((one) => !one.isEnded || !one.endsBefore(seen))
  }

  /** Looks whether a window is of a sign, and a file lies around it. */
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

  readonly #isDeflate = (head: Uint8Array): boolean =>
    this.#finds.takeInflating() && isDeflateStart(head)

  #lookForText(at: number): void {
    this.#nextText = this.#takeCount + TEXT_PAUSE
    this.#consider('either', at, this.#textCodes, 0, TEXT_BYTES, isTextStart)
  }

  /** Looks whether a file begins so many codes ago, and reads it if so. */
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
      const isFaint = this.#isValueStart === isPlainValueStart
      this.#look({ reading, ordinals, skipBits, need, isFile, index, isSaid, isFaint }, false)
    } else if (reading === 'either') {
      this.#consider('skip', at, codes, skipBits, need, isFile)
      this.#consider('take', at, codes, skipBits, need, isFile)
    }
  }

  #look(candidate: Candidate, isAll: boolean): void {
    if (this.#isCovered(candidate)) return
    this.#finds.onLook()
    const { reading, skipBits, need, index } = candidate
    const readings = reading === 'either' ? (['skip', 'take'] as const) : [reading]
    const heads = readings.map((one) => this.#head(one, skipBits, index, need))
    if (!isAll && heads.some((head) => head.length < need)) this.#pending.push(candidate)
    // Fewer bytes are no file, and say little.
    else if (
      heads.some((head) => head.length >= Math.min(need, VALUE_BYTES) && candidate.isFile(head))
    )
      this.#begin(candidate)
  }

  /** Looks at candidates for which more codes have come, or will not. */
  #lookAgain(isAll: boolean): void {
    const pending = this.#pending
    this.#pending = []
    for (const candidate of pending) {
      const isShort =
        (this.#codes.length - candidate.index) * this.#coding.bits < candidate.need * 8
      if (isShort && !isAll) this.#pending.push(candidate)
      else this.#look(candidate, isAll)
    }
  }

  /** Whether a file is in others that are read, and will be found in them. */
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
    this.#feed(stream, this.#codes, candidate.index)
  }

  /** Index of the code so many before another; `undefined` if there is none, or readings differ on the way. */
  #indexOf(reading: Start['reading'], at: number, codes: number): number | undefined {
    let left = codes
    for (let index = at; index >= 0; index--) {
      const code = this.#codes[index] as number
      const isUrl = code >= URL_CODES && this.#coding.bits === 6
      if (code >= BREAK || (isUrl && reading === 'skip')) continue
      if (isUrl && reading === 'either') return undefined
      if (--left === 0) return index
    }
    return undefined
  }

  /** First bytes of a file that begins at a code. */
  #head(reading: 'skip' | 'take', skipBits: number, index: number, need: number): Uint8Array {
    const { bits } = this.#coding
    const head = new Uint8Array(need)
    let count = 0
    let [held, heldBits] = [0, -skipBits]
    for (let at = index; at < this.#codes.length && count < need; at++) {
      const code = this.#codes[at] as number
      const isUrl = code >= URL_CODES && bits === 6
      if (code >= BREAK || (isUrl && reading === 'skip')) continue
      held = ((held << bits) | (isUrl ? code - 2 : code)) & 0xffff
      heldBits += bits
      if (heldBits < 8) continue
      heldBits -= 8
      head[count++] = held >> heldBits
    }
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

  /** Reads on in both ways from a code that may be read in two. */
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

function isAnything(): boolean {
  return true
}
