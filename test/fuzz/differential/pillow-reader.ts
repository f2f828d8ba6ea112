import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import type { Reader, Shown } from './reading.ts'

/** Interpreters that may have Pillow. */
const PYTHONS = ['python3', '/usr/bin/python3']

/** Reads files behind their length, and writes width, height and RGBA of each; zeros if it shows nothing. */
const SCRIPT = `
import io, struct, sys, warnings
from PIL import Image, ImageFile, ImageOps
warnings.simplefilter('ignore')
ImageFile.LOAD_TRUNCATED_IMAGES = True
Image.MAX_IMAGE_PIXELS = 4_000_000

def show(file):
    image = Image.open(io.BytesIO(file))
    if image.width * image.height > 4_000_000:
        return 0, 0, b''
    if image.format != 'TIFF': # whose pixels are turned already
        image = ImageOps.exif_transpose(image)
    if image.mode[0] in 'IF':
        image = image.convert('I').point(lambda value: value * (1 / 256)).convert('L')
        image.info.pop('transparency', None) # of 16 bits, which would be compared with 8
    image = image.convert('RGBA')
    return image.width, image.height, image.tobytes()

source, out = sys.stdin.buffer, sys.stdout.buffer
while len(head := source.read(4)) == 4:
    file = source.read(struct.unpack('>I', head)[0])
    try:
        width, height, pixels = show(file)
    except Exception:
        width, height, pixels = 0, 0, b''
    out.write(struct.pack('>II', width, height) + pixels)
    out.flush()
`

/** Shows files by Pillow, in a Python of its own. */
export class PillowReader implements Reader {
  readonly program = 'Pillow'
  readonly #python: ChildProcess
  readonly #asked: ((shown: Shown | undefined) => void)[] = []
  #parts: Buffer[] = []
  #bytes = 0

  private constructor(python: ChildProcess) {
    this.#python = python
    python.stdout?.on('data', (part: Buffer) => {
      this.#parts.push(part)
      this.#bytes += part.length
      this.#answer()
    })
  }

  /** `undefined` if no Python has Pillow. */
  static open(): PillowReader | undefined {
    const path = PYTHONS.find((one) => spawnSync(one, ['-c', 'import PIL']).status === 0)
    if (path === undefined) return undefined
    return new PillowReader(spawn(path, ['-c', SCRIPT], { stdio: ['pipe', 'pipe', 'ignore'] }))
  }

  readonly read = (file: Uint8Array): Promise<Shown | undefined> => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(file.length)
    this.#python.stdin?.write(Buffer.concat([length, file]))
    return new Promise((resolve) => this.#asked.push(resolve))
  }

  close(): void {
    this.#python.stdin?.end()
  }

  /** Answers what has been asked for, in order, as far as the answers are complete. */
  #answer(): void {
    for (;;) {
      const [first] = this.#parts
      if (!first || this.#bytes < 8) return
      const head = first.length < 8 ? Buffer.concat(this.#parts) : first
      const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)]
      const end = 8 + width * height * 4
      if (this.#bytes < end) return
      const all = Buffer.concat(this.#parts)
      this.#parts = all.length > end ? [all.subarray(end)] : []
      this.#bytes = all.length - end
      const pixels = all.subarray(8, end)
      this.#asked.shift()?.(width === 0 ? undefined : { width, height, pixels })
    }
  }
}
