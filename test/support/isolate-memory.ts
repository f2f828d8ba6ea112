import type { GateHarness } from './gate-harness.ts'

/** Memory of an isolate that is still in use, in bytes. */
export interface IsolateMemory {
  /** Objects of JavaScript. */
  heap: number
  /** What typed arrays lie in. */
  buffers: number
  /** Memories of WebAssembly. */
  wasm: number
}

interface HeapUsage {
  usedSize: number
  embedderHeapUsedSize: number
  backingStorageSize: number
}

/** Lets `MEASURED_WORKER` free memory at once. Call it before anything starts workerd. */
export function exposeGc(): void {
  process.env['MINIFLARE_WORKERD_V8_FLAGS'] = '--expose-gc'
}

/** Watches the memory of a gate that runs as `MEASURED_WORKER`. */
export class IsolateWatch {
  peak: IsolateMemory = { heap: 0, buffers: 0, wasm: 0 }
  measurements = 0
  readonly #url: URL
  readonly #inspector: WebSocket
  #watching: Promise<void> | undefined
  #isStopped = false

  private constructor(url: URL, inspector: WebSocket) {
    this.#url = new URL('/wasm-bytes', url)
    this.#inspector = inspector
  }

  static async of({ url, inspectorUrl }: Pick<GateHarness, 'url' | 'inspectorUrl'>) {
    const inspector = new WebSocket(new URL('/core:user:gate', await inspectorUrl()))
    await new Promise((resolve, reject) => {
      inspector.addEventListener('open', resolve)
      inspector.addEventListener('error', reject)
    })
    return new IsolateWatch(url, inspector)
  }

  /** What is in use now, after a garbage collection. */
  async measure(): Promise<IsolateMemory> {
    const answer = await fetch(this.#url)
    const wasm = Number(await answer.text())
    const usage = await this.#heapUsage()
    const heap = usage.usedSize + usage.embedderHeapUsedSize
    const measured = { heap, buffers: usage.backingStorageSize, wasm }
    if (totalBytes(measured) > totalBytes(this.peak)) this.peak = measured
    this.measurements++
    return measured
  }

  /** Measures again and again. */
  watch(): void {
    this.#watching = (async () => {
      while (!this.#isStopped) await this.measure()
    })()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#watching
    this.#inspector.close()
  }

  #heapUsage(): Promise<HeapUsage> {
    return new Promise((resolve) => {
      const onMessage = ({ data }: MessageEvent) =>
        resolve((JSON.parse(String(data)) as { result: HeapUsage }).result)
      this.#inspector.addEventListener('message', onMessage, { once: true })
      this.#inspector.send(JSON.stringify({ id: 1, method: 'Runtime.getHeapUsage' }))
    })
  }
}

export function totalBytes({ heap, buffers, wasm }: IsolateMemory): number {
  return heap + buffers + wasm
}
