import { type Covered, POINTS } from '../../core/plane.ts'

/** All corners. Bit 0 is for the right, bit 1 for the bottom. */
export const CORNERS = [0, 1, 2, 3] as const

/** Points that the corners of a picture cover, `across` by `down` each. */
export function coveredCorners(corners: readonly number[], across: number, down: number): Covered {
  const covered = new Uint8Array(POINTS * POINTS)
  for (const corner of corners) {
    const left = corner & 1 ? POINTS - across : 0
    const top = corner & 2 ? POINTS - down : 0
    for (let row = top; row < top + down; row++) {
      covered.fill(1, row * POINTS + left, row * POINTS + left + across)
    }
  }
  return covered
}
