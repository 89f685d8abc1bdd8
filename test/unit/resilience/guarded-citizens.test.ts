import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../src/core/errors.ts'
import type { CitizenRegistry } from '../../../src/core/ports.ts'
import { guarded } from '../../../src/resilience/guarded.ts'
import { authorized, citizen, community, stoppedClock } from '../../support/builders.ts'

const options = {
  ...{ timeoutMs: 5_000, concurrency: 1, queue: 0, openAtErrorPercent: 50, minimumCalls: 2, resetMs: 60_000 },
}

function registryThat(look: CitizenRegistry['look']) {
  return guarded(community({ citizens: { look } }), options, {}, stoppedClock)
}

describe('a guarded registry of citizens', () => {
  it('answers as the registry does', async () => {
    const facts = { asked: { id: citizen, valid: true, kind: 'codice-fiscale' as const }, identifiers: [] }
    await using one = registryThat(async () => facts)
    expect(await one.citizens?.look(citizen, authorized())).toBe(facts)
  })

  it('is not asked for a while when it fails, and shows in the health of its community', async () => {
    let asked = 0
    await using one = registryThat(async () => {
      asked++
      throw new GatewayError('community-unavailable', 'down')
    })
    for (let call = 0; call < 4; call++) await one.citizens?.look(citizen, authorized()).catch(() => undefined)
    expect(asked).toBeLessThan(4)
    expect(one.health().actors).toContainEqual(expect.objectContaining({ actor: 'citizens', state: 'open' }))
  })

  it('stays asked when it refuses: that is no illness', async () => {
    let asked = 0
    await using one = registryThat(async () => {
      asked++
      throw new GatewayError('community-rejected', 'no')
    })
    for (let call = 0; call < 4; call++) await one.citizens?.look(citizen, authorized()).catch(() => undefined)
    expect(asked).toBe(4)
  })
})
