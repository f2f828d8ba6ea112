/** What is read of the headers of a part. Names may be anything: whatever has a filename to some parser is a file. */
export interface PartHeaders {
  isFile: boolean
  /** Its name, where all parsers agree on it; `undefined` where they might not. */
  name: string | undefined
  /** All values of Content-Type, as one. */
  type: string
  isBase64: boolean
  isQuotedPrintable: boolean
}

/** A disposition that is read alike by all parsers: no escapes, no encodings, nothing twice. */
const PLAIN = /^form-data; name="([\w.[\]-]+)"(?:; filename="[\w .()[\]-]*")?$/

/** Reads the headers of a part, and keeps their lines unchanged. */
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
    // To busboy, a part of this type is a file, too.
    isFile: !isForm || /filename/i.test(text) || /application\/octet-stream/i.test(type),
    name: dispositions.length === 1 ? PLAIN.exec(disposition)?.[1] : undefined,
    type,
    isBase64: /base64/i.test(encoding),
    isQuotedPrintable: /quoted-printable/i.test(encoding),
  }
}
