import type { Pixels } from '../pixels.ts'
import { between, type Random } from '../seeded.ts'

/** Pixels. */
export interface Size {
  width: number
  height: number
}

/** Draws a picture of a kind: the body of an SVG, or pixels. */
export type Draw = (size: Size, random: Random) => string | Pixels

export function colour(random: Random): string {
  return hsl(random() * 360, between(random, 0, 100), between(random, 10, 90))
}

export function pale(random: Random): string {
  return hsl(random() * 360, between(random, 0, 60), between(random, 88, 99))
}

export function dark(random: Random): string {
  return hsl(random() * 360, between(random, 0, 60), between(random, 5, 30))
}

function hsl(hue: number, saturation: number, lightness: number): string {
  return `hsl(${hue.toFixed(0)},${saturation.toFixed(0)}%,${lightness.toFixed(0)}%)`
}

/** A whole number from `low` to `high`, inclusive. */
export function whole(random: Random, low: number, high: number): number {
  return Math.floor(between(random, low, high + 1))
}

/** Repeats a part of an SVG `count` times. */
export function times(count: number, part: (i: number) => string): string {
  return Array.from({ length: Math.max(0, Math.floor(count)) }, (_, i) => part(i)).join('')
}

export function rect(x: number, y: number, width: number, height: number, style: string): string {
  const numbers = `x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}"`
  return `<rect ${numbers} ${style}/>`
}

export function fill(paint: string, opacity = 1): string {
  return opacity === 1 ? `fill="${paint}"` : `fill="${paint}" fill-opacity="${opacity.toFixed(2)}"`
}

export function sheet({ width, height }: Size, paint: string): string {
  return rect(0, 0, width, height, fill(paint))
}
