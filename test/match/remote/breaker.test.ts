import { beforeEach, describe, expect, it } from 'vitest'
import { Breaker } from '../../../src/match/remote/breaker.ts'

let clock: number
let breaker: Breaker

const FAILURE = { isLasting: false, retrySeconds: undefined }
const failTimes = (count: number) => Array.from({ length: count }, () => breaker.fail(FAILURE))

beforeEach(() => {
  clock = 1000
  breaker = new Breaker(() => clock)
})

describe('a breaker', () => {
  it('opens for a minute at the fifth failure in a row', () => {
    expect(failTimes(5)).toEqual([undefined, undefined, undefined, undefined, 60])
    expect(breaker.tryToAsk()).toBe(false)
    clock += 59_999
    expect(breaker.tryToAsk()).toBe(false)
    clock++
    expect(breaker.tryToAsk()).toBe(true)
  })

  it('counts anew after a success', () => {
    failTimes(4)
    breaker.succeed()
    expect(failTimes(4)).not.toContain(60)
    expect(breaker.tryToAsk()).toBe(true)
  })

  it('lets one question try whether the service is back, and another when that one is lost', () => {
    failTimes(5)
    clock += 60_000
    expect([breaker.tryToAsk(), breaker.tryToAsk()]).toEqual([true, false])
    clock += 29_999
    expect(breaker.tryToAsk()).toBe(false)
    clock++
    expect(breaker.tryToAsk()).toBe(true)
    breaker.succeed()
    expect([breaker.tryToAsk(), breaker.tryToAsk()]).toEqual([true, true])
  })

  it('opens again at once when the question that tries fails', () => {
    failTimes(5)
    clock += 60_000
    breaker.tryToAsk()
    expect(failTimes(1)).toEqual([60])
    expect(breaker.tryToAsk()).toBe(false)
    clock += 60_000
    expect(breaker.tryToAsk()).toBe(true)
  })

  it('opens at once if asking is useless, for as long as it is told, up to ten minutes', () => {
    expect(breaker.fail({ isLasting: true, retrySeconds: undefined })).toBe(60)
    breaker.succeed()
    expect(breaker.fail({ isLasting: true, retrySeconds: 300 })).toBe(300)
    breaker.succeed()
    expect(breaker.fail({ isLasting: true, retrySeconds: 86_400 })).toBe(600)
  })
})
