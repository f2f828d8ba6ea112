// The DCT of PDQ: frequencies 1 to 16 in each direction of the 64 x 64 block. Reference: dct64To16.
//
// T = D A and B = T Dt, where D (16 x 64) holds the cosines. Each sum runs over k in ascending order as in the
// reference; the four lanes are four neighbouring columns of the result, so no sum is reordered.

const SIDE: usize = 64
const FREQUENCIES: usize = 16

// sqrt(2 / 64) x cos(m pi / 128), m = 0 to 64, rounded to f32. The test derives them from the formula.
const cosines: usize = memory.data<f32>([
  0.17677669, 0.17672345, 0.17656375, 0.17629771, 0.17592546, 0.17544726, 0.17486335, 0.17417413,
  0.17337997, 0.17248139, 0.17147891, 0.17037314, 0.16916475, 0.16785446, 0.16644305, 0.16493139,
  0.16332036, 0.16161098, 0.15980424, 0.15790124, 0.15590313, 0.1538111, 0.15162642, 0.14935042,
  0.14698444, 0.14452994, 0.14198837, 0.13936128, 0.13665023, 0.13385688, 0.13098289, 0.12803,
  0.125, 0.121894695, 0.11871597, 0.11546574, 0.112145945, 0.108758606, 0.10530575, 0.10178947,
  0.09821187, 0.09457511, 0.090881385, 0.08713291, 0.08333196, 0.079480805, 0.075581774, 0.07163722,
  0.06764951, 0.06362105, 0.059554275, 0.05545162, 0.051315565, 0.0471486, 0.042953234, 0.038731992,
  0.034487423, 0.030222077, 0.025938528, 0.021639355, 0.017327147, 0.0130045, 0.008674021,
  0.004338317, 0,
])

const matrix = memory.data(4096) // D, 16 x 64 of f32
const transposed = memory.data(4096) // Dt, 64 x 16 of f32
const partial = memory.data(4096) // T, 16 x 64 of f32

let isMatrixReady = false

/** sqrt(2 / 64) x cos(m pi / 128), by the symmetries of the cosine. */
function cosine(m: u32): f32 {
  const turn = m & 255 // cos has period 256
  const half = turn > 128 ? 256 - turn : turn // and is even
  return half > 64
    ? -f32.load(cosines + ((<usize>(128 - half)) << 2))
    : f32.load(cosines + ((<usize>half) << 2))
}

function prepareMatrix(): void {
  for (let i: u32 = 0; i < <u32>FREQUENCIES; i++) {
    for (let j: u32 = 0; j < <u32>SIDE; j++) {
      const value = cosine((i + 1) * (2 * j + 1))
      f32.store(matrix + ((<usize>i * SIDE + j) << 2), value)
      f32.store(transposed + ((<usize>j * FREQUENCIES + i) << 2), value)
    }
  }
  isMatrixReady = true
}

/**
 * One row of a matrix product: dst[0..16) = sum over k of left[k] x right[k][0..16).
 * Four independent sums of four lanes each hide the latency of the additions.
 */
function multiplyRow(left: usize, right: usize, rightStride: usize, dst: usize): void {
  let a = f32x4.splat(0)
  let b = f32x4.splat(0)
  let c = f32x4.splat(0)
  let d = f32x4.splat(0)
  for (let k: usize = 0; k < SIDE; k++) {
    const factor = v128.load_splat<f32>(left + (k << 2))
    const row = right + k * rightStride
    a = f32x4.add(a, f32x4.mul(factor, v128.load(row)))
    b = f32x4.add(b, f32x4.mul(factor, v128.load(row, 16)))
    c = f32x4.add(c, f32x4.mul(factor, v128.load(row, 32)))
    d = f32x4.add(d, f32x4.mul(factor, v128.load(row, 48)))
  }
  v128.store(dst, a)
  v128.store(dst, b, 16)
  v128.store(dst, c, 32)
  v128.store(dst, d, 48)
}

/** DCT of a 64 x 64 block: out[i][j] is the amplitude of vertical frequency i + 1 and horizontal frequency j + 1. */
export function dct64To16(
  block: usize, // 64 x 64 of f32, row-major
  out: usize, // 16 x 16 of f32, row-major
): void {
  if (!isMatrixReady) prepareMatrix()
  for (let i: usize = 0; i < FREQUENCIES; i++) {
    const left = matrix + i * SIDE * 4
    for (let j: usize = 0; j < SIDE; j += 16) {
      multiplyRow(left, block + j * 4, SIDE * 4, partial + (i * SIDE + j) * 4)
    }
    multiplyRow(partial + i * SIDE * 4, transposed, FREQUENCIES * 4, out + i * FREQUENCIES * 4)
  }
}
