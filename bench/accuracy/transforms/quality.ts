import { avif, gif, jpeg, png, webp } from '../encode.ts'
import { longestSide, resize, stretch, stretchTo } from '../edits/geometry.ts'
import * as tone from '../edits/tone.ts'
import { edited, encoded, type Families, forEach } from '../recipe.ts'

/** Nothing moves within the picture. */
export const QUALITY: Families = {
  recompression: {
    ...forEach([90, 70, 50, 30, 10], (q) => [`JPEG q ${q}`, encoded(jpeg(q))]),
    ...forEach([75, 30], (q) => [`WebP q ${q}`, encoded(webp(q))]),
    'AVIF q 50': encoded(avif(50)),
    PNG: encoded(png),
    'GIF of 256 colours, 640 pixels': encoded(gif, longestSide(640)),
  },
  size: {
    ...forEach([200, 50, 25, 10], (size) => [`resize ${size} %`, edited(resize(size / 100))]),
    'resize to 160 pixels': edited(longestSide(160)),
  },
  stretch: {
    'stretch 20 % across': edited(stretch(1.2, 1)),
    'stretch 20 % down': edited(stretch(1, 1.2)),
    'stretch 50 % across': edited(stretch(1.5, 1)),
    'stretch 50 % down': edited(stretch(1, 1.5)),
    'stretch to a square': edited(stretchTo(1)),
    'stretch to 16:9': edited(stretchTo(16 / 9)),
  },
  sharpness: {
    'blur 1': edited(tone.blur(1)),
    'blur 3': edited(tone.blur(3)),
    sharpen: edited(tone.sharpen(1.5)),
    'noise 10': edited(tone.noise(10)),
    'noise 25': edited(tone.noise(25)),
  },
  tone: {
    'brightness + 1/3': edited(tone.brightness(4 / 3)),
    'brightness - 1/3': edited(tone.brightness(2 / 3)),
    'very dark, x 0.35': edited(tone.brightness(0.35)),
    'contrast + 1/3': edited(tone.contrast(4 / 3)),
    'contrast - 1/3': edited(tone.contrast(2 / 3)),
    'gamma 0.67': edited(tone.gamma(2 / 3)),
    'gamma 1.5': edited(tone.gamma(1.5)),
  },
  colour: {
    'saturation + 50 %': edited(tone.saturation(1.5)),
    'saturation - 50 %': edited(tone.saturation(0.5)),
    grey: edited(tone.grey),
    sepia: edited(tone.sepia),
    'warm filter': edited(tone.warm),
    invert: edited(tone.invert),
  },
}
