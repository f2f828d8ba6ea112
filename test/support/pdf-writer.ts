import { deflateSync } from 'node:zlib'

/** An object of a PDF: what it is, and the data behind it if it is a stream, whose length is added. */
export interface PdfObject {
  value: string
  data?: Uint8Array
}

export interface PdfForm {
  /** Whether objects without data are in an object stream, and the table is a stream too. */
  isPacked?: boolean
  /** Names of the trailer beside its own. */
  trailer?: string
  /** What is drawn, if not all images in their own size. */
  content?: string
  /** Objects that have what is drawn, if not the fourth. */
  contents?: string
  /** Entries of the page beside its own. */
  page?: string
  /** Size of the page. */
  size?: [width: number, height: number]
}

/** Number of the first object that a caller gives: after the catalogue, the pages, the page and what is drawn. */
export const FIRST_NUMBER = 5

/**
 * Writes a PDF of one page. Objects are numbered from 5 on, and named /Im5, /Im6 and so on. By default, the page shows
 * the first.
 */
export function writePdf(objects: PdfObject[], form: PdfForm = {}): Uint8Array {
  const [width, height] = form.size ?? [200, 200]
  const content = form.content ?? `q ${width} 0 0 ${height} 0 0 cm /Im5 Do Q`
  const names = objects.map((_, i) => `/Im${FIRST_NUMBER + i} ${FIRST_NUMBER + i} 0 R`)
  const page = `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${width} ${height}] /Contents ${form.contents ?? '4 0 R'}
/Resources << /XObject << ${names.join(' ')} >> >> ${form.page ?? ''} >>`
  const all: PdfObject[] = [
    { value: '<< /Type /Catalog /Pages 2 0 R >>' },
    { value: '<< /Type /Pages /Kids [3 0 R] /Count 1 >>' },
    { value: page },
    { value: '<< >>', data: Buffer.from(content, 'latin1') },
    ...objects,
  ]
  return form.isPacked ? packed(all) : plain(all, form.trailer ?? '')
}

function plain(all: PdfObject[], trailer: string): Uint8Array {
  const file = new Writer()
  for (const [i, object] of all.entries()) file.object(i + 1, object)
  return file.endTable(all.length + 1, trailer)
}

function packed(all: PdfObject[]): Uint8Array {
  const file = new Writer()
  const within = [...all.entries()].filter(([, { data }]) => !data)
  for (const [i, object] of all.entries()) if (object.data) file.object(i + 1, object)
  const own = all.length + 1
  let text = ''
  const heads = within.map(([i, { value }]) => {
    const at = text.length
    text += `${value}\n`
    return `${i + 1} ${at}`
  })
  const head = `${heads.join(' ')} `
  const dict = `<< /Type /ObjStm /N ${within.length} /First ${head.length} /Filter /FlateDecode >>`
  file.object(own, { value: dict, data: deflateSync(Buffer.from(head + text, 'latin1')) })
  const rows = Array.from({ length: own + 2 }, (_, number): [number, number, number] => {
    const index = within.findIndex(([i]) => i + 1 === number)
    if (index >= 0) return [2, own, index]
    return [1, number === own + 1 ? file.length : (file.starts.get(number) ?? 0), 0]
  })
  rows[0] = [0, 0, 255]
  const table = Buffer.from(
    rows.flatMap(([kind, at, index]) => [kind, at >> 16, (at >> 8) & 255, at & 255, index]),
  )
  const value = `<< /Type /XRef /Size ${own + 2} /W [1 3 1] /Root 1 0 R >>`
  return file.endStream(own + 1, { value, data: table })
}

class Writer {
  readonly starts = new Map<number, number>()
  readonly #parts: Uint8Array[] = [Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1')]

  get length(): number {
    return this.#parts.reduce((sum, part) => sum + part.length, 0)
  }

  object(number: number, { value, data }: PdfObject): void {
    this.starts.set(number, this.length)
    this.#add(`${number} 0 obj\n`)
    const hasLength = value.includes('/Length ')
    this.#add(data && !hasLength ? value.replace(/>>\s*$/, `/Length ${data.length} >>`) : value)
    if (data) this.#parts.push(Buffer.from('\nstream\n'), data, Buffer.from('\nendstream'))
    this.#add('\nendobj\n')
  }

  endTable(size: number, trailer: string): Uint8Array {
    const at = this.length
    const rows = Array.from(
      { length: size - 1 },
      (_, i) => `${String(this.starts.get(i + 1)).padStart(10, '0')} 00000 n \n`,
    )
    this.#add(`xref\n0 ${size}\n0000000000 65535 f \n${rows.join('')}`)
    this.#add(`trailer\n<< /Size ${size} /Root 1 0 R ${trailer} >>\nstartxref\n${at}\n%%EOF\n`)
    return Buffer.concat(this.#parts)
  }

  endStream(number: number, table: PdfObject): Uint8Array {
    const at = this.length
    this.object(number, table)
    this.#add(`startxref\n${at}\n%%EOF\n`)
    return Buffer.concat(this.#parts)
  }

  #add(text: string): void {
    this.#parts.push(Buffer.from(text, 'latin1'))
  }
}
