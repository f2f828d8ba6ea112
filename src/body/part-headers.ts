/** What the headers of a part say. If any parser could find a filename, the part is a file. */
export interface PartHeaders {
  isFile: boolean
  /** Its name, if all parsers agree on it; otherwise `undefined`. */
  name: string | undefined
  /** All values of Content-Type, joined. */
  type: string
  isBase64: boolean
  isQuotedPrintable: boolean
}

/** A disposition that all parsers read alike: no escapes, no encodings, nothing twice. */
const PLAIN = /^form-data; name="([\w.[\]-]+)"(?:; filename="[\w .()[\]-]*")?$/

/** Reads the headers of a part: lines with CR LF between them. */
export function readPartHeaders(text: string, isForm: boolean): PartHeaders {
  const lines = text.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n')
  const valuesOf = (name: string) =>
    lines.flatMap((line) => {
      const [key = '', ...value] = line.split(':')
      return key.trim().toLowerCase() === name ? [value.join(':').trim()] : []
    })
  const dispositions = valuesOf('content-disposition')
  const type = valuesOf('content-type').join(', ')
  const encoding = valuesOf('content-transfer-encoding').join(', ')
  const [disposition = ''] = dispositions
  return {
    // busboy also treats a part of this type as a file.
    isFile: !isForm || /filename/i.test(text) || /application\/octet-stream/i.test(type),
    name: dispositions.length === 1 ? PLAIN.exec(disposition)?.[1] : undefined,
    type,
    isBase64: /base64/i.test(encoding),
    isQuotedPrintable: /quoted-printable/i.test(encoding),
  }
}
