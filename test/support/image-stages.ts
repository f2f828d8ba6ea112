/** Exports of assembly/image.ts that only tests and benchmarks call: the stages of PDQ. */
export interface ImageStages {
  memory: WebAssembly.Memory
  allocate(bytes: number): number
  lumaFromRgb(pixels: number, count: number, luma: number): void
  lumaFromRgba(pixels: number, count: number, luma: number, alpha: number): void
  lumaFromGrey(pixels: number, count: number, luma: number): void
  jaroszDecimate(
    plane: number,
    rows: number,
    cols: number,
    rowWindow: number,
    columnWindow: number,
    out: number,
    outRows: number,
    outCols: number,
  ): void
  quality64(block: number): number
  dct64To16(block: number, out: number): void
  median256(values: number): number
  hashBits(values: number, out: number): void
  hashPlane(plane: number, rows: number, cols: number, out: number): number
  hashDihedral(plane: number, rows: number, cols: number, out: number): number
  orientPlane(plane: number, rows: number, cols: number, orientation: number, out: number): void
}
