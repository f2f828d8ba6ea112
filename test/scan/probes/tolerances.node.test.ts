import { describe, expect, it } from 'vitest'
import { FIRST_FAMILIES, type Family, WIDE_FAMILIES } from '../../../src/scan/probes/families.ts'
import {
  MEASURED_NEEDLES,
  mostTolerance,
  MOST_TOLERANCES,
} from '../../../src/scan/probes/tolerances.ts'
import { needlesDigest } from '../../support/needles-digest.ts'

describe('the table of tolerances', () => {
  it('was measured with the needles that probes make today', async () => {
    const remedy = 'rerun npm run bench -- false-matches --probes wide --distractors DIR --write'
    expect({ needles: await needlesDigest(), remedy }).toEqual({
      needles: MEASURED_NEEDLES,
      remedy,
    })
  })

  it('has every family that adds to a threshold', () => {
    const families = Object.entries<Family>({ ...FIRST_FAMILIES, ...WIDE_FAMILIES })
    const adding = families.filter(([, { tolerance = 0 }]) => tolerance > 0)
    expect(adding.length).toBeGreaterThan(5)
    expect(Object.keys(MOST_TOLERANCES)).toEqual(
      expect.arrayContaining(adding.map(([name]) => name)),
    )
  })

  it('has a column for uploads of quality 80 and more, and one for others', () => {
    const [clear, others] = MOST_TOLERANCES.crops ?? []
    expect(mostTolerance('crops', 80)).toBe(clear)
    expect(mostTolerance('crops', 79)).toBe(others)
    expect(mostTolerance('identity', 80)).toBe(0)
  })
})
