import { concatenate } from '../core/bytes.ts'
import { checkContentType, isFormData, splitFiles } from './multipart.ts'

/** Takes a body's bytes as they come, and tells the files in it. */
export interface BodyReader {
  /** @throws {MalformedBodyError} */
  write(piece: Uint8Array): void
  /** The body is whole. @throws {MalformedBodyError} */
  end(): void
}

/** Takes the bytes of one file. */
export interface FileSink {
  write(piece: Uint8Array): void
  /** The file is whole. */
  end(): void
}

export interface BodyOptions {
  maxFiles: number
}

export function createBodyReader(
  headers: Headers,
  { maxFiles }: BodyOptions,
  openFile: () => FileSink,
): BodyReader {
  const type = headers.get('content-type') ?? ''
  checkContentType(type)
  if (!isFormData(type)) return openFile()
  const pieces: Uint8Array[] = []
  return {
    write: (piece) => void pieces.push(piece.slice()),
    end: () => {
      for (const file of splitFiles(concatenate(pieces), type, maxFiles)) {
        const sink = openFile()
        for (const piece of file) sink.write(piece)
        sink.end()
      }
    },
  }
}
