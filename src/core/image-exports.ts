/** Exports of assembly/probe/ that are called. Addresses and strides are bytes. */
export interface ProbeExports {
  memory: WebAssembly.Memory
  allocate(bytes: number): number
  filterPlane(plane: number, rows: number, cols: number, out: number): void
  sampleIdentity(plane: number, rows: number, cols: number): void
  sampleUpright(
    plane: number,
    rows: number,
    cols: number,
    x: number,
    stepX: number,
    y: number,
    stepY: number,
  ): void
  sampleTurned(
    plane: number,
    rows: number,
    cols: number,
    x: number,
    y: number,
    columnX: number,
    columnY: number,
    rowX: number,
    rowY: number,
  ): void
  fillCovered(covered: number): void
  hashSampled(transposes: number, out: number): number
  sampledAmplitudes(): number
  weakBits(): number
  midtones(): number
  stretchedQuality(): number
  medianOfLine(first: number, stride: number, count: number): number
  countNear(first: number, stride: number, count: number, luma: number, tolerance: number): number
  measureCells(
    plane: number,
    rows: number,
    cols: number,
    least: number,
    greatest: number,
    columns: number,
  ): void
  findPatches(
    least: number,
    greatest: number,
    fewest: number,
    cells: number,
    patches: number,
    scratch: number,
  ): number
  sumSteps(plane: number, rows: number, cols: number, byRow: number, byColumn: number): void
  findRuns(
    plane: number,
    lines: number,
    across: number,
    count: number,
    along: number,
    forwards: number,
    backwards: number,
  ): void
  countOnBorder(first: number, count: number, along: number, inwards: number, out: number): void
  shareInside(first: number, count: number, along: number, inwards: number): number
}

/** Exports of assembly/image.ts that are called. Addresses are bytes; flags are 0 or 1. */
export interface ImageExports extends ProbeExports {
  /** Bytes of memory in use. What lies beyond may have been another instance's, and is zero. */
  memoryTop(): number
  inputAddress(): number
  inputRoom(): number
  inputAdded(count: number): void
  decodeJpeg(isLast: number): number
  seedSamples(seed: number): void
  decodePng(isLast: number): number
  decodeGif(isLast: number): number
  decodeBmp(isLast: number): number
  decodePixels(isLast: number): number
  beginPixels(width: number, height: number, channels: number): number
  width(): number
  height(): number
  hasLeftOut(): number
  isAnimation(): number
  looksAtFrames(): number
  isOtherScene(own: number, before: number): number
  planeAddress(): number
  planeCols(): number
  planeRows(): number
  whiteAddress(): number
  blackAddress(): number
  otherAddress(): number
  makeAlphaPlane(): void
  profileAddress(): number
  profileLength(): number
  gammaOf(): number
  chromaticitiesAddress(): number
  codePointsOf(): number
  peakOf(): number
  beginTones(red: number, green: number, blue: number): number
  tonesSet(): void
  tonedAddress(): number
  applyCurve(plane: number, count: number, curve: number, out: number): void
  putOver(plane: number, count: number, white: number, black: number, background: number): void
  picksAddress(): number
  orientPlane(plane: number, rows: number, cols: number, orientation: number, out: number): void
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
  hashPlane(plane: number, rows: number, cols: number, out: number): number
  hashDihedral(plane: number, rows: number, cols: number, out: number): number
  exifAddress(): number
  exifLength(): number
  thumbnailAddress(): number
  thumbnailLength(): number
}
