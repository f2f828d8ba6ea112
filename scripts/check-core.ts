// Checks the core's built modules: no managed runtime, exactly the imports and exports declared
// here, and a maximum size.
//
//   npm run check:core

import { readFile } from 'node:fs/promises'

interface Declaration {
  maxBytes: number
  imports: string[]
  exports: string[]
}

const MODULES: Record<string, Declaration> = {
  image: {
    maxBytes: 66_000,
    imports: ['env.memory'],
    exports: [
      ...['memory', 'memoryTop', 'allocate', 'inputAddress', 'inputAdded', 'inputRoom'],
      ...[
        'decodeJpeg',
        'seedSamples',
        'decodePng',
        'decodeGif',
        'decodeBmp',
        'beginPixels',
        'decodePixels',
      ],
      ...['width', 'height', 'hasLeftOut', 'isAnimation', 'looksAtFrames', 'isOtherScene'],
      ...['exifAddress', 'exifLength', 'thumbnailAddress', 'thumbnailLength'],
      ...['profileAddress', 'profileLength', 'gammaOf', 'peakOf', 'applyCurve', 'putOver'],
      ...['chromaticitiesAddress', 'codePointsOf', 'beginTones', 'tonesSet', 'tonedAddress'],
      ...['isAnimation', 'looksAtFrames'],
      ...['planeAddress', 'planeCols', 'planeRows', 'orientPlane'],
      ...['whiteAddress', 'blackAddress', 'makeAlphaPlane', 'otherAddress'],
      ...[
        'hashPlane',
        'hashDihedral',
        'picksAddress',
        'filterPlane',
        'sampleUpright',
        'sampleTurned',
        'sampleIdentity',
      ],
      ...[
        'hashSampled',
        'sampledAmplitudes',
        'fillCovered',
        'midtones',
        'weakBits',
        'stretchedQuality',
        'medianOfLine',
        'countNear',
        'sumSteps',
        'countOnBorder',
        'findRuns',
        'shareInside',
        'measureCells',
        'findPatches',
      ],
      // For tests.
      ...['guardAllocations', 'areGuardsIntact', 'lumaFromGrey', 'lumaFromRgb', 'lumaFromRgba'],
      ...['jaroszDecimate', 'quality64', 'dct64To16', 'hashBits', 'median256'],
    ],
  },
  search: {
    maxBytes: 720,
    imports: [],
    exports: ['memory', 'inputAddress', 'placesAddress', 'findPairs'],
  },
  match: {
    maxBytes: 5300,
    imports: [],
    exports: [
      ...['memory', 'reserve', 'reset', 'scan', 'toRows', 'scanRows'],
      ...['slotBytes', 'slotValues', 'placesAt', 'countBuckets', 'fillBuckets', 'sortBuckets'],
      'lookUp',
    ],
  },
}

async function problemsOf(name: string, declaration: Declaration): Promise<string[]> {
  const binary = await readFile(new URL(`../build/${name}.wasm`, import.meta.url))
  const text = await readFile(new URL(`../build/${name}.wat`, import.meta.url), 'utf8')
  const module = new WebAssembly.Module(binary)
  const imports = WebAssembly.Module.imports(module).map((item) => `${item.module}.${item.name}`)
  const exports = WebAssembly.Module.exports(module).map((item) => item.name)
  const missing = declaration.exports.filter((item) => !exports.includes(item))
  const extra = exports.filter((item) => !declaration.exports.includes(item))
  const problems = [
    text.includes('~lib/rt') && 'has a managed runtime',
    imports.join() !== declaration.imports.join() && `imports ${imports.join(', ')}`,
    missing.length > 0 && `does not export ${missing.join(', ')}`,
    extra.length > 0 && `exports ${extra.join(', ')} without a declaration`,
    binary.length > declaration.maxBytes &&
      `has ${binary.length} bytes, more than the allowed ${declaration.maxBytes}`,
  ]
  console.log(`build/${name}.wasm: ${binary.length} bytes, ${exports.length} exports`)
  return problems.filter((problem) => problem !== false)
}

for (const [name, declaration] of Object.entries(MODULES)) {
  for (const problem of await problemsOf(name, declaration)) {
    console.error(`build/${name}.wasm ${problem}`)
    process.exitCode = 1
  }
}
