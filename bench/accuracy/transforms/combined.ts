import { jpeg, webp } from '../encode.ts'
import { cropCentred, cropOneSide, cropToDirection } from '../edits/crop.ts'
import * as frame from '../edits/frame.ts'
import {
  longestSide,
  mirror,
  quarterTurns,
  resize,
  stretch,
  turnAndCrop,
} from '../edits/geometry.ts'
import * as overlay from '../edits/overlay.ts'
import * as page from '../edits/page.ts'
import * as tone from '../edits/tone.ts'
import { edited, encoded, type Families } from '../recipe.ts'

/** Two or three at once, as on an upload of an upload of an upload. */
export const COMBINED: Families = {
  combined: {
    'mirror + border 10 % white': edited(mirror, frame.border(0.1, 'white')),
    'mirror + crop 5 %': edited(mirror, cropCentred(0.05)),
    'crop 5 % off one side only + mirror': edited(cropOneSide(0.05), mirror),
    'mirror + turn 2°, cropped': edited(mirror, turnAndCrop(2)),
    'mirror + caption 13 % above': edited(mirror, frame.caption(0.13, 'above', 'white')),
    'crop 5 % + JPEG q 30': encoded(jpeg(30), cropCentred(0.05)),
    'crop 5 % off-centre + border 5 %': edited(cropToDirection(0.05), frame.border(0.05, 'any')),
    'crop 10 % + brightness + 1/3': edited(cropCentred(0.1), tone.brightness(4 / 3)),
    'resize 50 % + caption 13 %': edited(resize(0.5), frame.caption(0.13, 'above', 'white')),
    'resize to 160 pixels + border 10 %': edited(longestSide(160), frame.border(0.1, 'black')),
    'screenshot, phone + crop 5 %': edited(page.phoneScreenshot('light'), cropCentred(0.05)),
    'screenshot, gallery + resize 50 %': edited(page.galleryScreenshot, resize(0.5)),
    'turn 2°, cropped + crop 5 %': edited(turnAndCrop(2), cropCentred(0.05)),
    'grey + border 10 % black': edited(tone.grey, frame.border(0.1, 'black')),
    'logo + mirror': edited(overlay.logo(0.025, 'bottom right'), mirror),
    'logo + letterbox 18 %': edited(
      overlay.logo(0.025, 'top left'),
      frame.letterbox(0.18, 'black'),
    ),
    'logo + caption 13 %': edited(
      overlay.logo(0.025, 'bottom right'),
      frame.caption(0.13, 'below', 'white'),
    ),
    'invert + mirror': edited(tone.invert, mirror),
    'quarter turn + border 10 % white': edited(quarterTurns(1), frame.border(0.1, 'white')),
    'stretch 20 % + crop 5 %': edited(stretch(1.2, 1), cropCentred(0.05)),
    'contrast + 1/3 + noise 10 + JPEG q 30': encoded(
      jpeg(30),
      tone.contrast(4 / 3),
      tone.noise(10),
    ),
    'watermark + WebP q 75': encoded(webp(75), overlay.watermark),
    'border 5 % + caption 20 %': edited(
      frame.border(0.05, 'white'),
      frame.caption(0.2, 'above', 'white'),
    ),
    'blurred bars to 9:16 + subtitle': edited(frame.blurredBars(9 / 16), overlay.subtitle),
    'bars to 1:1 + large text': edited(overlay.memeText, frame.bars(1, 'black')),
  },
}
