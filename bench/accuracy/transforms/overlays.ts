import { collage, inAnother } from '../edits/collage.ts'
import * as overlay from '../edits/overlay.ts'
import * as page from '../edits/page.ts'
import { edited, type Families, forEach } from '../recipe.ts'

const CORNERS = ['top left', 'top right', 'bottom left', 'bottom right'] as const

/** Something covers the picture, or it is part of another. */
export const OVERLAYS: Families = {
  overlay: {
    ...forEach(CORNERS, (corner) => [`logo 2.5 %, ${corner}`, edited(overlay.logo(0.025, corner))]),
    'watermark across': edited(overlay.watermark),
    'watermark, tiled': edited(overlay.tiledWatermark),
    'emoji 3 %': edited(overlay.emoji(0.03)),
    'emoji 5 %': edited(overlay.emoji(0.05)),
    'emoji 8 %': edited(overlay.emoji(0.08)),
    'emoji 10 %': edited(overlay.emoji(0.1)),
    'emoji 15 %': edited(overlay.emoji(0.15)),
    'bar over eyes': edited(overlay.eyeBars(1)),
    'bars over eyes, two': edited(overlay.eyeBars(2)),
    'sticker with text': edited(overlay.sticker),
    subtitle: edited(overlay.subtitle),
    'large text above and below': edited(overlay.memeText),
    'black bar in the picture': edited(overlay.censorBar),
  },
  screenshot: {
    'screenshot, phone': edited(page.phoneScreenshot('light')),
    'screenshot, phone, dark': edited(page.phoneScreenshot('dark')),
    'screenshot, gallery': edited(page.galleryScreenshot),
    'screenshot, desktop': edited(page.desktopScreenshot),
  },
  collage: {
    'two side by side': edited(collage(2, 1)),
    'two over each other': edited(collage(1, 2)),
    'three side by side': edited(collage(3, 1)),
    'three over each other': edited(collage(1, 3)),
    'four in a square': edited(collage(2, 2)),
    'picture in picture': edited(inAnother),
  },
}
