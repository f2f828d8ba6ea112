/** What errors of the file system mean, behind the path. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder; name a file',
  EACCES: 'you may not read or write it',
  EPERM: 'you may not read or write it',
  EEXIST: 'it is there already; name a new file',
  EMFILE: 'too many files are open',
  ENOSPC: 'the disk is full',
}

/** Whether an error is one of the file system. */
export function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}

/** An error of the file system, as a sentence. Reading a folder gives one without its path. */
export function fileErrorText(error: NodeJS.ErrnoException, path = error.path): string {
  const words = WORDS[error.code ?? '']
  return words === undefined || path === undefined ? error.message : `${path}: ${words}`
}
