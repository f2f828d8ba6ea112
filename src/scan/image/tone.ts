import { ascii } from '../../util/ascii.ts'
import { concatenate } from '../../util/bytes.ts'
import { atOnce, only } from '../../util/steps.ts'
import { Inflater } from '../archive/inflate.ts'
import type { ScanBudget } from '../budget.ts'
import { u16At, u32At } from './iso-boxes.ts'

/** Steps of a curve. */
const STEPS = 1024
/** How far a curve must move some luma to change a picture's hash. */
const MIN_MOVE = 12
/** Bytes of a profile that are inflated: curves are near its beginning. */
const MAX_PROFILE_BYTES = 128 * 1024

/** Maps a value, 0 to 1, to light, 0 to 1. */
type Transfer = (value: number) => number

/** Lumas that a viewer shows for the stored ones; `undefined` if they are nearly the same. */
function curveOf(transfer: Transfer): Float32Array | undefined {
  const curve = Float32Array.from({ length: STEPS + 1 }, (_, i) => {
    const shown = encode(Math.max(0, Math.min(1, transfer(i / STEPS))))
    return Number.isFinite(shown) ? shown * 255 : 0
  })
  const moves = curve.some((luma, i) => Math.abs(luma - (i * 255) / STEPS) > MIN_MOVE)
  return moves ? curve : undefined
}

/** sRGB value for an amount of light (IEC 61966-2-1). */
function encode(light: number): number {
  return light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055
}

/** Curve of PNG's gamma chunk; `undefined` if there is none (0), or it is nearly sRGB's. */
export function gammaCurve(gamma: number): Float32Array | undefined {
  return gamma > 0 ? curveOf((value) => value ** (1 / gamma)) : undefined
}

/** The profile in PNG's iCCP chunk: a name, a zero, a method, then a zlib stream. */
export function inflateProfile(chunk: Uint8Array, budget: ScanBudget): Uint8Array | undefined {
  const name = chunk.indexOf(0)
  if (name < 0) return undefined
  const parts: Uint8Array[] = []
  const inflater = new Inflater(budget, (bytes) => only(void parts.push(bytes)))
  for (let at = name + 4; at < chunk.length; at += 1024) {
    if (inflater.isClosed || inflater.outBytes > MAX_PROFILE_BYTES) break
    atOnce(inflater.push(chunk.subarray(at, at + 1024)))
  }
  return concatenate(parts)
}

/**
 * The curve of an ICC profile (ICC.1:2022): that of green, or of grey, since luma is mostly green.
 * Profiles based on look-up tables have none here.
 */
export function profileCurve(profile: Uint8Array): Float32Array | undefined {
  const count = Math.min(u32At(profile, 128), 100)
  for (let i = 0; i < count; i++) {
    const at = 132 + 12 * i
    if (!/^[gk]TRC$/.test(ascii(profile.subarray(at, at + 4)))) continue
    const start = u32At(profile, at + 4)
    const transfer = readTransfer(profile.subarray(start, start + u32At(profile, at + 8)))
    return transfer && curveOf(transfer)
  }
  return undefined
}

function readTransfer(tag: Uint8Array): Transfer | undefined {
  const type = ascii(tag.subarray(0, 4))
  if (type === 'para') return readParametric(tag)
  if (type !== 'curv') return undefined
  const count = Math.min(u32At(tag, 8), (tag.length - 12) >> 1)
  if (count === 0) return (value) => value
  if (count === 1) return (value) => value ** (u16At(tag, 12) / 256)
  return (value) => {
    const place = value * (count - 1)
    const below = Math.min(Math.floor(place), count - 2)
    const [low, high] = [u16At(tag, 12 + 2 * below), u16At(tag, 14 + 2 * below)]
    return (low + (high - low) * (place - below)) / 65535
  }
}

/** A curve given by a formula (ICC.1:2022, 10.18). */
function readParametric(tag: Uint8Array): Transfer | undefined {
  const parameter = (i: number) => (u32At(tag, 12 + 4 * i) | 0) / 65536
  const [g, a, b, c] = [parameter(0), parameter(1), parameter(2), parameter(3)]
  const [d, e, f] = [parameter(4), parameter(5), parameter(6)]
  const power = (x: number, offset = 0) => Math.max(0, a * x + b) ** g + offset
  switch (u16At(tag, 8)) {
    case 0:
      return (x) => x ** g
    case 1:
      return (x) => (x >= -b / a ? power(x) : 0)
    case 2:
      return (x) => (x >= -b / a ? power(x, c) : c)
    case 3:
      return (x) => (x >= d ? power(x) : c * x)
    case 4:
      return (x) => (x >= d ? power(x, e) : c * x + f)
    default:
      return undefined
  }
}
