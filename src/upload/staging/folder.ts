/** Folder of the bucket that an upload's parts are in. */
export function folderOf(id: string): string {
  return `uploads/${id}/`
}
