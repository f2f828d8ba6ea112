// Screens that people take screenshots of, as HTML: seven kinds, dark and light, eight variants
// each, 112 in all. What a variant chooses (phone width, corner radius, the picture's surroundings)
// depends on its number alone.

import { between, choose, type Random, seeded } from '../accuracy/seeded.ts'
import { phrase } from '../accuracy/text.ts'
import type { Screen } from './browser.ts'

export const SCREEN_KINDS = [
  'chat',
  'feed',
  'card',
  'gallery',
  'story',
  'viewer',
  'desktop',
] as const
export type ScreenKind = (typeof SCREEN_KINDS)[number]
export const THEMES = ['light', 'dark'] as const
export type Theme = (typeof THEMES)[number]
/** Even ones are for the tuning half of the photographs, odd ones for the held-out half. */
export const VARIANTS = 8

/** A picture as pages show it. */
export interface Shown {
  url: string
  /** Width over height. */
  aspect: number
}

export interface Layout {
  kind: ScreenKind
  theme: Theme
  variant: number
}

export interface Page {
  screen: Screen
  html: string
}

interface Look {
  paper: string
  ink: string
  faint: string
  bar: string
  own: string
  other: string
}

const LIGHT: [Look, ...Look[]] = [
  look('#ffffff', '#111111', '#8a8a8e', '#f6f6f6', '#007aff', '#e9e9eb'),
  look('#efeae2', '#111b21', '#667781', '#f0f2f5', '#d9fdd3', '#ffffff'),
  look('#e6ebf2', '#222222', '#7d8a99', '#ffffff', '#effdde', '#ffffff'),
  look('#fafafa', '#262626', '#737373', '#ffffff', '#3797f0', '#efefef'),
]
const DARK: [Look, ...Look[]] = [
  look('#000000', '#f5f5f5', '#8e8e93', '#1c1c1e', '#0a84ff', '#262629'),
  look('#0b141a', '#e9edef', '#8696a0', '#202c33', '#005c4b', '#202c33'),
  look('#15202b', '#f7f9f9', '#8b98a5', '#1e2732', '#1d9bf0', '#273340'),
  look('#313338', '#dbdee1', '#949ba4', '#2b2d31', '#5865f2', '#383a40'),
]

function look(
  ...[paper, ink, faint, bar, own, other]: [string, string, string, string, string, string]
): Look {
  return { paper, ink, faint, bar, own, other }
}

/** What a page is made from. */
interface Making {
  screen: Screen
  random: Random
  look: Look
  picture: Shown
  /** Other pictures that a page may show. */
  others: readonly Shown[]
}

/** The page of a layout with a picture in it, and perhaps others beside it. */
export function pageOf(layout: Layout, picture: Shown, others: readonly Shown[]): Page {
  const { kind, theme, variant } = layout
  const random = seeded(kind, theme, variant)
  const screen = kind === 'desktop' ? desktop(random) : phone(random)
  const looks = theme === 'light' ? LIGHT : DARK
  const making = { screen, random, look: choose(random, looks), picture, others }
  return { screen, html: documentOf(making, BODIES[kind](making)) }
}

function phone(random: Random): Screen {
  const width = choose(random, [360, 375, 384, 390, 393, 402, 412, 430])
  return { width, height: Math.round(width * between(random, 2.05, 2.2)), scale: 3 }
}

function desktop(random: Random): Screen {
  const [width, height] = choose(random, [
    [1280, 800],
    [1440, 900],
    [1536, 864],
    [1920, 1080],
  ])
  return { width, height, scale: 1 }
}

const BODIES: Record<ScreenKind, (making: Making) => string> = {
  chat,
  feed,
  card,
  gallery,
  story,
  viewer,
  desktop: site,
}

function documentOf({ look: { paper, ink }, screen }: Making, body: string): string {
  return `<!doctype html><meta charset="utf-8"><style>
*{box-sizing:border-box;margin:0}
body{width:${screen.width}px;height:${screen.height}px;overflow:hidden;position:relative;background:${paper};color:${ink};
font:15px/1.35 'Noto Sans','DejaVu Sans',sans-serif}
img{display:block}.row{display:flex;align-items:center;gap:10px;padding:8px 14px}.fill{flex:1}
.dot{border-radius:50%;flex:none}.foot{position:absolute;left:0;right:0;bottom:0}
</style>${body}`
}

const GLYPHS: [string, ...string[]] = ['M3 3h18v18H3z', 'M12 2l10 20H2z', 'M2 12h20M12 2v20', 'M4 6h16M4 12h16M4 18h16'] // prettier-ignore

function icon(random: Random, colour: string, size = 24): string {
  return `<svg width="${size}" height="${size}" viewBox="0 0 24 24" fill="none" stroke="${colour}" stroke-width="2"><path d="${choose(random, GLYPHS)}"/></svg>`
}

function icons({ random, look: { ink } }: Making, count: number, colour = ink): string {
  return Array.from({ length: count }, () => icon(random, colour)).join('')
}

function statusBar({ look: { ink } }: Making, colour = ink): string {
  return `<div class="row" style="color:${colour};height:44px;font-weight:600"><span>12:41</span><span class="fill"></span>
<svg width="60" height="14"><g fill="${colour}"><rect y="6" width="4" height="8"/><rect x="6" y="3" width="4" height="11"/><rect x="12" width="4" height="14"/><rect x="28" y="1" width="26" height="12" rx="3"/></g></svg></div>`
}

function avatar({ random }: Making, size: number): string {
  const hue = Math.floor(random() * 360)
  return `<span class="dot" style="width:${size}px;height:${size}px;background:linear-gradient(hsl(${hue},60%,65%),hsl(${hue},60%,45%))"></span>`
}

function titleBar(making: Making): string {
  const { look: colours, random } = making
  return `<div class="row" style="background:${colours.bar}">${icons(making, 1)}${avatar(making, 36)}
<div class="fill"><b>${phrase(random, 1, 2)}</b><br><small style="color:${colours.faint}">${phrase(random, 2, 3)}</small></div>${icons(making, 2)}</div>`
}

/** `width` and `height` of the largest box of a picture's shape. */
function boxOf({ aspect }: Shown, most: { width: number; height: number }): string {
  const width = Math.min(most.width, most.height * aspect)
  return `width:${width.toFixed(2)}px;height:${(width / aspect).toFixed(2)}px`
}

function words(making: Making, atLeast: number, atMost: number): string {
  return phrase(making.random, atLeast, atMost)
}

/** A chat message with a text or a picture. */
function bubble(making: Making, isOwn: boolean, content: string, style = 'padding:8px 12px') {
  const { look: colours, random } = making
  const radius = [12, 16, 18, 20][Math.floor(random() * 4)] ?? 16
  const side = isOwn ? 'margin-left:auto' : ''
  return `<div style="width:fit-content;max-width:80%;margin:6px 12px;border-radius:${radius}px;overflow:hidden;
background:${isOwn ? colours.own : colours.other};${style};${side}">${content}</div>`
}

function chat(making: Making): string {
  const { picture, random, screen, look: colours } = making
  const isOwn = random() < 0.5
  const padding = choose(random, [0, 0, 3, 4])
  const width = screen.width * between(random, 0.6, 0.75)
  const image = `<div style="position:relative"><img src="${picture.url}" style="${boxOf(picture, { width, height: 420 })};border-radius:${Math.max(4, 16 - padding)}px">
${random() < 0.6 ? `<small style="position:absolute;right:8px;bottom:5px;color:white">12:3${Math.floor(random() * 9)}</small>` : ''}</div>`
  const before = Array.from({ length: 3 }, () =>
    bubble(making, random() < 0.5, words(making, 2, 9)),
  )
  const after = Array.from({ length: 4 }, () => bubble(making, random() < 0.5, words(making, 1, 8)))
  const wallpaper =
    random() < 0.25
      ? `background-image:radial-gradient(${colours.faint}22 1.5px,transparent 2px);background-size:26px 22px;`
      : ''
  return `${statusBar(making)}${titleBar(making)}<div style="${wallpaper}height:100%;padding-top:8px">${before.join('')}
${bubble(making, isOwn, image, `padding:${padding}px`)}${after.join('')}</div>
<div class="row foot" style="background:${colours.bar};height:70px">${icons(making, 2)}<div class="fill" style="border-radius:18px;background:${colours.paper};height:36px"></div>${icons(making, 1)}</div>`
}

function post(making: Making, picture: Shown, width: number, style = ''): string {
  const { look: colours } = making
  return `<div class="row">${avatar(making, 38)}<div class="fill"><b>${words(making, 1, 2)}</b> <small style="color:${colours.faint}">· 3 h</small></div>${icons(making, 1)}</div>
<img src="${picture.url}" style="${boxOf(picture, { width, height: 560 })};margin:0 auto;${style}">
<div class="row">${icons(making, 3)}<span class="fill"></span>${icons(making, 1)}</div>
<div style="padding:0 14px 10px"><b>${words(making, 1, 2)}</b> ${words(making, 6, 18)}</div>`
}

function navigation(making: Making): string {
  const { look: colours } = making
  return `<div class="row foot" style="background:${colours.bar};height:64px;justify-content:space-around">${icons(making, 5)}</div>`
}

function feed(making: Making): string {
  const { picture, random, screen, others } = making
  const stories = Array.from({ length: 5 }, () => avatar(making, 62)).join('')
  const next = others[0] ?? picture
  return `${statusBar(making)}<div class="row"><b style="font-size:22px">${words(making, 1, 1)}</b><span class="fill"></span>${icons(making, 2)}</div>
${random() < 0.5 ? `<div class="row">${stories}</div>` : `<div style="padding:4px 14px">${words(making, 5, 16)}</div>`}
${post(making, picture, screen.width)}${post(making, next, screen.width)}${navigation(making)}`
}

/** A post whose picture has round corners and a margin, as in newer apps. */
function card(making: Making): string {
  const { picture, random, screen, look: colours } = making
  const margin = choose(random, [12, 14, 16, 20])
  const radius = choose(random, [8, 12, 16, 24])
  const frame = random() < 0.5 ? `border:1px solid ${colours.faint}55;` : ''
  return `${statusBar(making)}${titleBar(making)}<div style="padding:10px 14px">${words(making, 8, 24)}</div>
${post(making, picture, screen.width - 2 * margin, `border-radius:${radius}px;${frame}`)}
<div class="row">${avatar(making, 38)}<div class="fill">${words(making, 10, 30)}</div></div>${navigation(making)}`
}

function gallery(making: Making): string {
  const { picture, random, screen, others, look: colours } = making
  const height = screen.height - 230
  const strip = others
    .slice(0, 8)
    .map(({ url }) => `<img src="${url}" style="width:38px;height:52px;object-fit:cover">`)
  return `${statusBar(making)}<div class="row" style="justify-content:center"><div style="text-align:center"><b>Yesterday</b><br><small style="color:${colours.faint}">${words(making, 1, 2)}</small></div></div>
<div style="height:${height}px;display:flex;align-items:center;justify-content:center"><img src="${picture.url}" style="${boxOf(picture, { width: screen.width, height })}"></div>
<div class="foot"><div style="display:flex;gap:2px;overflow:hidden">${random() < 0.6 ? strip.join('') : ''}</div>
<div class="row" style="height:64px;justify-content:space-around">${icons(making, 4)}</div></div>`
}

/** A picture over its own blurred copy, which fills the screen. */
function story(making: Making): string {
  const { picture, random, screen } = making
  const width = screen.width * choose(random, [1, 1, 0.94, 0.88])
  const radius = width < screen.width ? 14 : 0
  const line = '<span class="fill" style="height:3px;border-radius:2px;background:#fff9"></span>'
  return `<div style="position:absolute;inset:0;overflow:hidden;background:#000"><img src="${picture.url}" style="width:120%;height:120%;margin:-10%;object-fit:cover;filter:blur(${choose(random, [18, 24, 30])}px) brightness(${choose(random, [0.6, 0.8, 1])})"></div>
<div style="position:absolute;inset:0;display:flex;align-items:center;justify-content:center"><img src="${picture.url}" style="${boxOf(picture, { width, height: screen.height * 0.72 })};border-radius:${radius}px"></div>
<div style="position:relative;color:white"><div class="row" style="gap:3px;padding:10px 8px 2px">${line.repeat(3)}</div>
<div class="row">${avatar(making, 34)}<b class="fill">${words(making, 1, 2)}</b>${icons(making, 2, 'white')}</div></div>
<div class="row foot" style="height:74px"><div class="fill" style="height:40px;border:1px solid #fff;border-radius:20px;color:white;padding:9px 14px">${words(making, 2, 2)}</div>${icons(making, 2, 'white')}</div>`
}

/** A picture opened over a page that is darkened behind it. */
function viewer(making: Making): string {
  const { picture, random, screen, look: colours } = making
  const most = { width: screen.width * between(random, 0.86, 1), height: screen.height * 0.75 }
  const page = Array.from(
    { length: 12 },
    () => `<p style="padding:6px 14px">${words(making, 8, 20)}</p>`,
  )
  return `${statusBar(making)}${titleBar(making)}${page.join('')}
<div style="position:absolute;inset:0;background:${colours.paper}${choose(random, ['d9', 'e6', 'f2'])};display:flex;align-items:center;justify-content:center"><img src="${picture.url}" style="${boxOf(picture, most)}"></div>
<div class="row" style="position:absolute;top:48px;right:4px">${icons(making, 2)}</div>
<div class="row foot" style="height:60px">${words(making, 3, 7)}</div>`
}

/** A page in a browser window. */
function site(making: Making): string {
  const { picture, random, screen, others, look: colours } = making
  const column = screen.width * between(random, 0.42, 0.55)
  const beside = others
    .slice(0, 3)
    .map((one) => `<img src="${one.url}" style="width:96px;height:64px;object-fit:cover">`)
    .map((image) => `<div class="row">${image}<div class="fill">${words(making, 4, 9)}</div></div>`)
  return `<div style="background:${colours.bar};height:84px"><div class="row" style="height:42px">${words(making, 2, 4)}</div>
<div class="row" style="padding:2px 14px">${icons(making, 3)}<div class="fill" style="background:${colours.paper};border-radius:16px;padding:4px 14px">${words(making, 2, 3)}</div></div></div>
<div style="display:flex;gap:28px;padding:20px 5%"><div style="width:${column}px"><h1>${words(making, 4, 8)}</h1><p style="color:${colours.faint}">${words(making, 2, 5)}</p>
<img src="${picture.url}" style="${boxOf(picture, { width: column, height: screen.height * 0.55 })}"><p>${words(making, 20, 40)}</p></div>
<div class="fill">${beside.join('')}<p>${words(making, 30, 50)}</p></div></div>`
}
