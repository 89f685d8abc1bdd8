import { describe, expect, it } from 'vitest'
import { delayAfter } from '../../../src/journal/backoff.ts'

describe('delayAfter', () => {
  it('grows by the factor up to the most, and never beyond', () => {
    const backoff = { firstMs: 1000, factor: 3, mostMs: 20_000, random: () => 1 }
    expect([1, 2, 3, 4, 5, 5000].map((attempts) => delayAfter(attempts, backoff))).toEqual([
      1000, 3000, 9000, 20_000, 20_000, 20_000,
    ])
  })

  it('leaves the second half of each wait to chance', () => {
    const delays = [0, 0.25, 0.5, 1].map((chance) =>
      delayAfter(2, { firstMs: 1000, factor: 2, mostMs: 20_000, random: () => chance }),
    )
    expect(delays).toEqual([1000, 1250, 1500, 2000])
  })
})
