import { Gunzip, Unzip, UnzipInflate } from 'fflate'

/** Finds pictures in bodies: as they are, as base64 or hex, and compressed. */
export class PictureFinder {
  /** Each way of writing a picture that a body may contain. */
  readonly #forms: readonly Buffer[]

  constructor(pictures: readonly Buffer[]) {
    this.#forms = pictures.flatMap((picture) => [
      picture,
      ...[0, 1, 2].map((before) => base64Within(picture, before)),
      Buffer.from(picture.toString('hex')),
      Buffer.from(picture.toString('hex').toUpperCase()),
    ])
  }

  /** Whether all of a picture is in a body, which may be cut short. */
  isIn(body: Buffer): boolean {
    return [body, ...inflated(body), ...unzipped(body)].some((bytes) =>
      this.#forms.some((form) => bytes.includes(form)),
    )
  }
}

/** A picture in base64 behind some bytes, without the digits that depend on its neighbours. */
function base64Within(picture: Buffer, before: number): Buffer {
  const digits = Buffer.concat([Buffer.alloc(before), picture]).toString('base64')
  return Buffer.from(
    digits.slice(Math.ceil((before * 4) / 3), Math.floor(((before + picture.length) * 4) / 3)),
  )
}

/** What a body in gzip contains, as far as it arrived. */
function inflated(body: Buffer): Buffer[] {
  if (body[0] !== 0x1f || body[1] !== 0x8b) return []
  const chunks: Uint8Array[] = []
  new Gunzip((chunk) => chunks.push(chunk)).push(body, false)
  return [Buffer.concat(chunks)]
}

/** The files of a ZIP, as far as they arrived. */
function unzipped(body: Buffer): Buffer[] {
  if (body.toString('latin1', 0, 4) !== 'PK\x03\x04') return []
  const files: Buffer[] = []
  const unzip = new Unzip((file) => {
    const chunks: Uint8Array[] = []
    const index = files.push(Buffer.alloc(0)) - 1
    file.ondata = (error, chunk) => {
      if (error) return
      chunks.push(chunk)
      files[index] = Buffer.concat(chunks)
    }
    file.start()
  })
  unzip.register(UnzipInflate)
  unzip.push(body, false)
  return files
}
