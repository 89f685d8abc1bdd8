import { describe, expect, it } from 'vitest'
import { expiries } from '../../../../src/trust/x509/expiry.ts'
import { dayMs, make, now } from './issuing.ts'

const { certificate } = await make({ toDay: 0 })

describe('how near the end of a certificate is', () => {
  it.each([
    [61 * dayMs, 61, undefined],
    [60 * dayMs + 1, 60, undefined],
    [60 * dayMs, 60, 60],
    [30 * dayMs + 1, 30, 60],
    [30 * dayMs, 30, 30],
    [8 * dayMs, 8, 30],
    [7 * dayMs, 7, 7],
    [dayMs, 1, 7],
    [0, 0, 7],
    [-1, -1, 0],
    [-400 * dayMs, -400, 0],
  ])('%i ms before it: %i days, threshold %s', (left, daysLeft, threshold) => {
    expect(expiries([{ name: 'tls', certificate }], now - left)).toEqual([
      { name: 'tls', notAfter: now, daysLeft, threshold },
    ])
  })

  it('puts the nearest first', async () => {
    const later = await make({ toDay: 20 })
    const named = [
      { name: 'later', certificate: later.certificate },
      { name: 'sooner', certificate },
    ]
    expect(expiries(named, now - dayMs).map(({ name }) => name)).toEqual(['sooner', 'later'])
  })
})
