import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cut, piecesOf } from '../../bench/accuracy/pieces.ts'

describe('piecesOf', () => {
  it.each([
    [512, 512, 4],
    [1000, 700, 6],
    [767, 4001, 20],
    [5120, 2880, 100],
  ])('covers %i x %i pixels with %i pieces that do not overlap', (width, height, count) => {
    const pieces = piecesOf(width, height)
    const covered = new Uint8Array(width * height)
    for (const { left, top, width: across, height: down } of pieces) {
      for (let y = top; y < top + down; y++) {
        for (let x = left; x < left + across; x++) covered[y * width + x]! += 1
      }
    }
    expect(pieces).toHaveLength(count)
    expect(covered.every((times) => times === 1)).toBe(true)
    expect(Math.min(...pieces.flatMap((piece) => [piece.width, piece.height]))).toBeGreaterThan(255)
  })

  it('makes smaller pieces if they may be', () => {
    expect(piecesOf(1000, 700, 192)).toHaveLength(15)
    expect(piecesOf(383, 383, 192)).toHaveLength(1)
  })

  it('leaves a small picture in one piece', () => {
    expect(piecesOf(511, 300)).toEqual([{ left: 0, top: 0, width: 511, height: 300 }])
  })
})

describe('cut', () => {
  const COLOURS = ['#c00000', '#00c000', '#0000c0', '#c0c000']
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hashgate-pieces-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  /** A picture of four squares, stored with an orientation. */
  async function save(orientation: number): Promise<string> {
    const path = join(folder, 'squares.png')
    const squares = await Promise.all(
      COLOURS.map(async (background, i) => ({
        input: await sharp({ create: { width: 300, height: 300, channels: 3, background } })
          .png()
          .toBuffer(),
        left: (i % 2) * 300,
        top: Math.floor(i / 2) * 300,
      })),
    )
    await sharp({ create: { width: 600, height: 600, channels: 4, background: 'black' } })
      .composite(squares)
      .withMetadata({ orientation })
      .toFile(path)
    return path
  }

  async function coloursOf(paths: readonly string[]): Promise<string[]> {
    return Promise.all(
      paths.map(async (path) => {
        const { channels } = await sharp(path).stats()
        for (const { stdev } of channels) expect(stdev).toBeLessThan(3)
        const rounded = channels.map(({ mean }) => (Math.round(mean / 64) * 64).toString(16))
        return `#${rounded.map((text) => text.padStart(2, '0')).join('')}`
      }),
    )
  }

  it('writes the pieces by rows', async () => {
    const paths = await cut(await save(1), join(folder, 'pieces'))
    expect(paths.map((path) => path.slice(folder.length))).toEqual([
      '/pieces/squares-00.jpg',
      '/pieces/squares-01.jpg',
      '/pieces/squares-02.jpg',
      '/pieces/squares-03.jpg',
    ])
    expect(await coloursOf(paths)).toEqual(COLOURS)
  })

  it('cuts a picture as it is displayed', async () => {
    const paths = await cut(await save(3), join(folder, 'pieces'))
    expect(await coloursOf(paths)).toEqual(COLOURS.toReversed())
  })

  it('does not cut a small picture', async () => {
    const path = join(folder, 'small.png')
    await sharp(await save(1))
      .resize(500, 500)
      .toFile(path)
    expect(await cut(path, join(folder, 'pieces'))).toEqual([])
  })
})
