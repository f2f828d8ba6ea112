// What tests and benches use of packages without types of their own.

declare module 'gifenc' {
  export function quantize(rgba: Uint8Array, colours: number): number[][]
  export function applyPalette(rgba: Uint8Array, palette: number[][]): Uint8Array
  export function GIFEncoder(): {
    writeFrame(
      index: Uint8Array,
      width: number,
      height: number,
      options: { palette: number[][] },
    ): void
    finish(): void
    bytes(): Uint8Array<ArrayBuffer>
  }
}

declare module 'opentype.js/dist/opentype.mjs' {
  interface Font {
    getAdvanceWidth(text: string, size: number): number
    getPath(
      text: string,
      x: number,
      y: number,
      size: number,
    ): { toPathData(places: number): string }
  }
  export function parse(file: ArrayBuffer): Font
}
