import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** File system errors in plain words; the path stands before them. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder; name a file',
  EACCES: 'you may not read or write it',
  EPERM: 'you may not read or write it',
  EEXIST: 'it already exists; name a new file',
  EMFILE: 'too many files are open',
  ENOSPC: 'the disk is full',
}

export function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}

/** A file system error as a sentence. The error of reading a folder lacks its path. */
export function fileErrorText(error: NodeJS.ErrnoException, path = error.path): string {
  const words = errorWords(error, path)
  return words === undefined || path === undefined ? error.message : `${path}: ${words}`
}

function errorWords({ code = '', syscall }: NodeJS.ErrnoException, path = ''): string | undefined {
  if (syscall === 'scandir' && code === 'ENOENT') return 'there is no such folder'
  if (syscall === 'scandir' && code === 'ENOTDIR') return 'it is a file; name a folder'
  if (code === 'ENOENT' && !existsSync(dirname(path))) return `there is no folder ${dirname(path)}`
  return WORDS[code]
}

/** The text of a file. Errors name the path, even if it is a folder. */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isFileError(error)) error.path ??= path
    throw error
  }
}
