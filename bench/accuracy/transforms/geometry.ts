import { orientedJpeg } from '../encode.ts'
import * as crop from '../edits/crop.ts'
import { flip, mirror, quarterTurns, turn, turnAndCrop } from '../edits/geometry.ts'
import { photographed } from '../edits/perspective.ts'
import { edited, encoded, type Families, forEach } from '../recipe.ts'

const TURNS = [1, 1.5, 2, 3, 5, 10]

/** The picture is turned, or part of it is missing. */
export const GEOMETRY: Families = {
  orientation: {
    mirror: edited(mirror),
    flip: edited(flip),
    'quarter turn right': edited(quarterTurns(1)),
    'quarter turn left': edited(quarterTurns(3)),
    'half turn': edited(quarterTurns(2)),
    'mirror, quarter turn': edited(mirror, quarterTurns(1)),
    ...forEach([2, 3, 5, 6, 8] as const, (n) => [
      `Exif orientation ${n}`,
      encoded(orientedJpeg(n)),
    ]),
  },
  turn: {
    ...forEach(TURNS, (angle) => [`turn ${angle}°, cropped`, edited(turnAndCrop(angle))]),
    ...forEach(TURNS, (angle) => [`turn ${angle}°, black corners`, edited(turn(angle, 'black'))]),
    ...forEach(TURNS, (angle) => [`turn ${angle}°, white corners`, edited(turn(angle, 'white'))]),
  },
  perspective: forEach([3, 5, 8], (degrees) => [
    `photo of a screen, ${degrees}°`,
    edited(photographed(degrees)),
  ]),
  crop: {
    ...forEach([2, 3.5, 5, 7.5, 10, 12, 15, 20, 30], (share) => [
      `crop ${share} % centred`,
      edited(crop.cropCentred(share / 100)),
    ]),
    ...forEach([2, 5, 10], (share) => [
      `crop ${share} % off-centre, to one side or corner`,
      edited(crop.cropToDirection(share / 100)),
    ]),
    ...forEach([2, 5, 10], (share) => [
      `crop ${share} % off-centre, uneven`,
      edited(crop.cropUnevenly(share / 100)),
    ]),
    ...forEach([5, 10], (share) => [
      `crop ${share} % off one side only`,
      edited(crop.cropOneSide(share / 100)),
    ]),
    'crop to a square': edited(crop.cropToAspect(1)),
    'crop to 4:5': edited(crop.cropToAspect(4 / 5)),
    'crop to 16:9': edited(crop.cropToAspect(16 / 9)),
  },
}
