import { Buffer } from 'node:buffer'
import type { Steps } from '../../util/steps.ts'
import type { ScanBudget } from '../budget.ts'
import { OPERATOR_BYTE_MS, PARSED_BYTE_MS } from '../work.ts'
import { gather, openStream } from './filters.ts'
import { isGlyph, readInlineStream } from './inline.ts'
import {
  type PageArea,
  around,
  areaOf,
  chain,
  isEmpty,
  type Matrix,
  overlap,
  UNIT,
} from './matrix.ts'
import type { PdfObjects, Stream } from './objects.ts'
import { OperatorReader } from './operators.ts'
import { type Dict, Ref, type Value } from './syntax.ts'

/** Maximum pictures of a page. Strips of a row each are a few thousand. */
const MAX_PLACEMENTS = 4096
/** Maximum nesting of forms, and of saved states. */
const MAX_FORMS = 8
const MAX_STATES = 256
/** Maximum points of a path. */
const MAX_POINTS = 4096
/** Maximum bytes of the content of a page, and of content that is kept to be drawn again. */
const MAX_CONTENT_BYTES = 8 * 1024 * 1024
const MAX_KEPT_BYTES = 4 * 1024 * 1024
/** Bytes read between two looks at the clock. */
const TURN_BYTES = 4096

/** Reads which pictures content streams show, and where (ISO 32000-1, 8.4 to 8.10). */
export class ContentReader {
  readonly #objects: PdfObjects
  readonly #budget: ScanBudget
  /** Content by the number of its object: what was used last is last. */
  readonly #kept = new Map<number, Buffer>()
  #keptBytes = 0
  /** Streams by the number of their object: one may be drawn many times. */
  readonly #streams = new Map<number, Stream>()
  #found: Placement[] = []
  #isOverLimit = false

  constructor(objects: PdfObjects, budget: ScanBudget) {
    this.#objects = objects
    this.#budget = budget
  }

  /** The pictures of a page. Content may be in several streams, which are one. */
  *read(
    contents: Value,
    resources: Dict,
    matrix: Matrix,
    clip: PageArea,
  ): Steps<Placement[] | 'over-limit'> {
    this.#found = []
    this.#isOverLimit = false
    const streams = contents instanceof Ref ? this.#objects.resolve(contents) : contents
    const refs = Array.isArray(streams) ? streams : [contents]
    const parts: Buffer[] = []
    let bytes = 0
    for (const ref of refs) {
      const part = ref instanceof Ref ? yield* this.#open(ref) : undefined
      bytes += part?.length ?? 0
      if (bytes > MAX_CONTENT_BYTES) return 'over-limit'
      if (part) parts.push(part, Buffer.from('\n'))
    }
    const content = Buffer.concat(parts)
    // Most pages of a book show only text.
    if (content.includes('Do') || content.includes('BI'))
      yield* this.#run(content, resources, { matrix, clip, paint: 0 }, 0)
    return this.#isOverLimit ? 'over-limit' : this.#found
  }

  /** The content of a stream. Forms, and perhaps pages, share it. */
  *#open(ref: Ref, found?: Stream): Steps<Buffer | undefined> {
    const kept = this.#kept.get(ref.number)
    this.#kept.delete(ref.number)
    if (kept) {
      this.#kept.set(ref.number, kept)
      return kept
    }
    const content = yield* this.#unfilter(found ?? this.#objects.streamOf(ref))
    return content && (yield* this.keep(ref.number, content))
  }

  /** Keeps what content shows of pictures, by the number of its object. Overwrites the content. */
  *keep(number: number, content: Buffer): Steps<Buffer> {
    const short = Buffer.from(yield* this.#shortened(content))
    this.#keptBytes += short.length - (this.#kept.get(number)?.length ?? 0)
    this.#kept.delete(number)
    this.#kept.set(number, short)
    for (const [oldest, { length }] of this.#kept) {
      if (this.#keptBytes <= MAX_KEPT_BYTES) break
      this.#kept.delete(oldest)
      this.#keptBytes -= length
    }
    return short
  }

  /** Moves the operators that matter to the beginning. */
  *#shortened(content: Buffer): Steps<Buffer> {
    const reader = new OperatorReader(content)
    const charge = this.#charges(reader, OPERATOR_BYTE_MS)
    let [filled, start, end] = [0, 0, 0]
    while (!reader.isAtEnd && !this.#budget.isExhausted) {
      const from = reader.at
      const operator = reader.next()
      if (charge()) yield
      if (operator === '' && !reader.isAtEnd) continue
      const inline = operator === 'BI' ? readInlineStream(content, reader.at) : undefined
      reader.at = Math.max(reader.at, inline?.end ?? 0)
      if (inline && isGlyph(inline.stream.dict)) continue
      if (from !== end) {
        content.copyWithin(filled, start, end)
        filled += end - start
        start = from
      }
      end = reader.at
    }
    content.copyWithin(filled, start, end)
    return content.subarray(0, filled + end - start)
  }

  /** Counts what is read. The function returns whether it is another task's turn. */
  #charges(reader: OperatorReader, byteMs: number): () => boolean {
    let counted = 0
    return () => {
      if (reader.at - counted < TURN_BYTES && !reader.isAtEnd) return false
      this.#budget.spend((reader.at - counted) * byteMs)
      counted = reader.at
      return this.#budget.isTurnOver
    }
  }

  *#unfilter(stream: Stream | undefined): Steps<Buffer | undefined> {
    const opened = stream && (yield* openStream(this.#objects, stream, this.#budget))
    if (!opened || typeof opened === 'string' || 'file' in opened) return undefined
    const bytes = yield* gather(opened.chunks, MAX_CONTENT_BYTES, this.#budget)
    if (bytes !== 'over-limit') return bytes
    this.#isOverLimit = true
    return undefined
  }

  *#run(content: Buffer, resources: Dict, start: GraphicsState, depth: number): Steps {
    let state = start
    const saved: GraphicsState[] = []
    let points: [number, number][] = []
    let isClip = false
    const reader = new OperatorReader(content)
    const { numbers } = reader
    const addPoint = (x = NaN, y = NaN) => {
      const [a, b, c, d, e, f] = state.matrix
      if (points.length >= MAX_POINTS) this.#isOverLimit = true
      else points.push([a * x + c * y + e, b * x + d * y + f])
    }
    const charge = this.#charges(reader, PARSED_BYTE_MS)
    while (!reader.isAtEnd && !this.#isOverLimit) {
      const operator = reader.next()
      if (charge()) yield
      this.#isOverLimit ||= this.#budget.isExhausted
      if (operator === '') continue
      if (operator === 'q') {
        if (saved.length < MAX_STATES) saved.push(state)
      } else if (operator === 'Q') state = saved.pop() ?? state
      else if (operator === 'cm')
        state = { ...state, matrix: chain(matrixOf(numbers), state.matrix) }
      else if (operator === 're') {
        const [x = 0, y = 0, width = 0, height = 0] = numbers
        addPoint(x, y)
        addPoint(x + width, y + height)
        addPoint(x, y + height)
        addPoint(x + width, y)
      } else if (operator === 'W' || operator === 'W*') isClip = true
      else if (PAINTS.has(operator)) {
        if (isClip && points.length > 0)
          state = { ...state, clip: overlap(state.clip, around(points)) }
        isClip = false
        points = []
      } else if (COLOURS.has(operator)) state = { ...state, paint: lumaOf(numbers) }
      else if (operator === 'Do') yield* this.#draw(reader.name, resources, state, depth)
      else if (operator === 'BI') {
        const inline = readInlineStream(content, reader.at)
        if (inline && !isGlyph(inline.stream.dict)) this.#add(inline.stream, state)
        reader.at = Math.max(reader.at, inline?.end ?? 0)
      } else for (let i = 0; i + 1 < numbers.length; i += 2) addPoint(numbers[i], numbers[i + 1])
    }
  }

  *#draw(name: string, resources: Dict, state: GraphicsState, depth: number): Steps {
    const objects = this.#objects
    const named = objects.resolve(resources.get('XObject'))
    const ref = named instanceof Map ? named.get(name) : undefined
    if (!(ref instanceof Ref)) return
    const stream = this.#streams.get(ref.number) ?? objects.streamOf(ref)
    if (!stream) return
    this.#streams.set(ref.number, stream)
    const subtype = objects.resolve(stream.dict.get('Subtype'))
    if (subtype === 'Image') this.#add(stream, state)
    if (subtype !== 'Form' || depth >= MAX_FORMS) return
    const content = yield* this.#open(ref, stream)
    if (!content) return
    const matrix = chain(matrixOf(objects.numbersOf(stream.dict.get('Matrix'))), state.matrix)
    const box = areaFrom(objects.numbersOf(stream.dict.get('BBox')))
    const clip = box ? overlap(state.clip, areaOf(matrix, box)) : state.clip
    if (isEmpty(clip)) return
    const own = objects.resolve(stream.dict.get('Resources'))
    yield* this.#run(
      content,
      own instanceof Map ? own : resources,
      { ...state, matrix, clip },
      depth + 1,
    )
  }

  #add(stream: Stream, { matrix, clip, paint }: GraphicsState): void {
    const area = overlap(areaOf(matrix, UNIT), clip)
    if (isEmpty(area)) return
    if (this.#found.length >= MAX_PLACEMENTS) this.#isOverLimit = true
    else this.#found.push({ stream, matrix, area, paint })
  }
}

/** A picture that a page shows. */
export interface Placement {
  stream: Stream
  /** Where the unit square lies that the picture fills, from its bottom left. */
  matrix: Matrix
  /** What is shown of it: a rectangle around it, within what surrounds it. */
  area: PageArea
  /** Luma of a stencil's paint. */
  paint: number
}

/** What is drawn: all that may change between operators. */
interface GraphicsState {
  matrix: Matrix
  clip: PageArea
  paint: number
}

const PAINTS = new Set(['n', 'f', 'F', 'f*', 's', 'S', 'b', 'b*', 'B', 'B*'])
const COLOURS = new Set(['g', 'rg', 'k', 'sc', 'scn'])

function matrixOf(values: readonly number[]): Matrix {
  const [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0] = values
  return [a, b, c, d, e, f]
}

/** A rectangle from two corners. */
export function areaFrom(values: readonly number[]): PageArea | undefined {
  const [x, y, x1, y1] = values
  if (x === undefined || y === undefined || x1 === undefined || y1 === undefined) return undefined
  const area = around([
    [x, y],
    [x1, y1],
  ])
  return isEmpty(area) ? undefined : area
}

/** Luma of grey, RGB or CMYK; black for patterns and others. */
function lumaOf(values: readonly number[]): number {
  const [first = 0, second = 0, third = 0, black = 0] = values
  if (values.length === 1) return first * 255
  const luma = 255 * (0.299 * first + 0.587 * second + 0.114 * third)
  return values.length === 4 ? (255 - luma) * (1 - black) : luma
}
