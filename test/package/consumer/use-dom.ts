import { loadPdq } from 'hashgate/pdq'

const module = await WebAssembly.compileStreaming(fetch('pdq.wasm'))
const pdq = await loadPdq(module)
export const { quality } = pdq.hash(new ImageData(8, 8))
