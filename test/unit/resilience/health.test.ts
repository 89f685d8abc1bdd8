import { describe, expect, it } from 'vitest'
import { type BreakerState, type CommunityHealth, healthRegistry, worstOf } from '../../../src/resilience/health.ts'
import { home } from './community.ts'

describe('the health of all communities', () => {
  const healthOf = (name: string, state: BreakerState = 'closed'): CommunityHealth => ({
    name,
    home,
    state,
    actors: [],
  })

  it('is asked of every guard that joined and has not left, in order and anew each time', () => {
    const registry = healthRegistry()
    let state: BreakerState = 'closed'
    const ini = { health: () => healthOf('ini', state) }
    const tuscany = { health: () => healthOf('tuscany') }
    expect(registry.add(ini)).toBe(ini)
    registry.add(tuscany)
    registry.add(ini)
    expect(registry.health()).toEqual([healthOf('ini'), healthOf('tuscany')])
    state = 'open'
    registry.remove(tuscany)
    expect(registry.health()).toEqual([healthOf('ini', 'open')])
  })

  it('is as bad as the worst of its parts', () => {
    expect(worstOf([])).toBe('closed')
    expect(worstOf(['closed', 'half-open'])).toBe('half-open')
    expect(worstOf(['half-open', 'open', 'closed'])).toBe('open')
  })
})
