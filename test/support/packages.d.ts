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
  /** A command of a path, with its points in the order that SVG has them in. */
  export interface PathCommand {
    type: string
    x1?: number
    y1?: number
    x2?: number
    y2?: number
    x?: number
    y?: number
  }
  interface Font {
    getAdvanceWidth(text: string, size: number): number
    getPath(text: string, x: number, y: number, size: number): { commands: PathCommand[] }
  }
  export function parse(file: ArrayBuffer): Font
}
