// The Worker, which also says how much memory its instances of WebAssembly take. `npm run soak` starts it, with `gc` exposed.

import worker from '../../src/worker.ts'

const memories = new Set<WeakRef<WebAssembly.Memory>>()

function count({ exports }: WebAssembly.Instance): void {
  for (const one of Object.values(exports))
    if (one instanceof WebAssembly.Memory) memories.add(new WeakRef(one))
}

const { Instance, instantiate } = WebAssembly
WebAssembly.Instance = new Proxy(Instance, {
  construct(target, args: [WebAssembly.Module, WebAssembly.Imports]) {
    const instance = new target(...args)
    count(instance)
    return instance
  },
})
WebAssembly.instantiate = (async (module: WebAssembly.Module, imports: WebAssembly.Imports) => {
  const instance = await instantiate(module, imports)
  count(instance)
  return instance
}) as typeof WebAssembly.instantiate

/** Frees what nothing refers to. Buffers go one collection later. */
async function collect(): Promise<void> {
  const { gc } = globalThis as unknown as { gc: () => void }
  for (let i = 0; i < 2; i++) {
    await new Promise((resolve) => setTimeout(resolve, 0)) // weak references hold on until then
    gc()
  }
}

export { StagedUpload } from '../../src/objects.ts'
export default {
  async fetch(request: Request, env: unknown, context: ExecutionContext): Promise<Response> {
    if (new URL(request.url).pathname !== '/wasm-bytes')
      return worker.fetch(request, env as never, context)
    await collect()
    // Images use the same memory one after another, each with an instance.
    const used = new Set([...memories].map((ref) => ref.deref()))
    const sizes = [...used].map((memory) => memory?.buffer.byteLength ?? 0)
    return new Response(String(sizes.reduce((sum, size) => sum + size, 0)))
  },
}
