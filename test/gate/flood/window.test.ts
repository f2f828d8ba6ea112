import { describe, expect, it } from 'vitest'
import { networkOf } from '../../../src/gate/flood/breaker.ts'
import { NO_FLOOD, noteSighting, type Sighting } from '../../../src/gate/flood/window.ts'

const LIMITS = { bound: 20, holdMs: 86_400_000 }
const HOUR = 3_600_000
const START = 1_800_000_000_000

/** Notes sightings, each a second after the last. Returns what each made of it. */
function noteAll(sightings: readonly Partial<Sighting>[]) {
  let state = NO_FLOOD
  return sightings.map((sighting, i) => {
    const upload = `upload ${i}`
    const note = noteSighting(
      state,
      { upload, network: `network ${i}`, at: START + i * 1000, ...sighting },
      LIMITS,
    )
    state = note.state
    return note
  })
}

const times = (count: number, sighting: (i: number) => Partial<Sighting> = () => ({})) =>
  Array.from({ length: count }, (_, i) => sighting(i))

describe('an entry', () => {
  it('is not flooded by as many uploads as the bound, and is by one more', () => {
    const notes = noteAll(times(22))
    expect(notes[19]).toMatchObject({ isFlooded: false, hasBegun: false })
    expect(notes[20]).toMatchObject({ isFlooded: true, hasBegun: true })
    expect(notes[21]).toMatchObject({ isFlooded: true, hasBegun: false })
  })

  it('is not flooded by one file that comes again and again', () => {
    expect(noteAll(times(100, () => ({ upload: 'same' }))).at(-1)?.isFlooded).toBe(false)
  })

  it('is not flooded by what comes from one network, and is by what comes from many', () => {
    const from = (networks: number) => noteAll(times(100, (i) => ({ network: `${i % networks}` })))
    expect(from(1).at(-1)?.isFlooded).toBe(false)
    expect(from(10).at(-1)?.isFlooded).toBe(false)
    expect(from(11).some(({ isFlooded }) => isFlooded)).toBe(true)
  })

  it('counts all uploads where networks are not known', () => {
    expect(noteAll(times(21, () => ({ network: '' }))).at(-1)?.isFlooded).toBe(true)
  })

  it('is not flooded by uploads of more than an hour', () => {
    const slow = noteAll(times(100, (i) => ({ at: START + (i * HOUR) / 19 })))
    expect(slow.some(({ isFlooded }) => isFlooded)).toBe(false)
  })

  it('blocks again when its time is over', () => {
    const notes = noteAll([
      ...times(21),
      { at: START + 20_000 + LIMITS.holdMs - 1 },
      { at: START + 20_000 + LIMITS.holdMs },
    ])
    expect(notes.slice(-2).map(({ isFlooded }) => isFlooded)).toEqual([true, false])
  })
})

describe('a network', () => {
  it.each([
    ['192.0.2.7', '192.0.2'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1'],
    ['2001:DB8::1', '2001:db8:0'],
    ['::1', '0:0:0'],
    ['2001:db8:1::', '2001:db8:1'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})
