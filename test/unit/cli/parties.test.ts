import { describe, expect, it } from 'vitest'
import { CliError } from '../../../src/cli/exit.ts'
import { partyOf } from '../../../src/cli/parties.ts'

describe('who speaks for an organization', () => {
  it.each([
    ['050', 'region-050'],
    ['000', 'ini'],
    ['090', 'tuscany'],
    ['region-120', 'region-120'],
    ['portal', 'portal'],
  ])('of %s is %s', (organization, party) => {
    expect(partyOf(organization)).toBe(party)
  })

  it.each(['010', '', 'constructor'])('is nobody for %j', (organization) => {
    expect(() => partyOf(organization)).toThrow(CliError)
  })
})
