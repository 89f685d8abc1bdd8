import { describe, expect, it } from 'vitest'
import { changeRefusal, passingFailure } from '../../../../src/wire/ebrim/error-meanings.ts'
import { issue } from '../../../support/builders.ts'

const answer = (status: string, ...codes: string[]) =>
  ({ kind: 'answer', status, issues: codes.map((code) => issue(code)) }) as const
const warning = (status: string, code: string) =>
  ({ kind: 'answer', status, issues: [issue(code, { severity: 'warning' })] }) as const
const fault = (code: string, sender = false) => ({ kind: 'fault', issue: issue(code), sender }) as const

describe('what a registry says against a change', () => {
  it('is nothing when it made it, whatever it warns of', () => {
    expect(changeRefusal(answer('success'))).toBeUndefined()
    expect(changeRefusal(warning('success', 'XDSExtraMetadataNotSaved'))).toBeUndefined()
  })

  it('is told with its own words', () => {
    const refusal = changeRefusal(answer('failure', 'R56'))
    expect(refusal).toMatchObject({ obstacles: [], error: { code: 'community-rejected', issues: [issue('R56')] } })
  })

  it('counts, whatever the status says', () => {
    expect(changeRefusal(answer('success', 'R56'))?.error.code).toBe('community-rejected')
    expect(changeRefusal(warning('failure', 'R220'))?.error.code).toBe('community-rejected')
    expect(changeRefusal(answer('failure'))?.error.code).toBe('community-rejected')
    expect(changeRefusal(answer('partial-success'))?.error.code).toBe('community-rejected')
  })

  it('may be that it cannot now', () => {
    const codes = {
      XDSRegistryBusy: 'community-busy',
      XDSRepositoryBusy: 'community-busy',
      XDSRegistryNotAvailable: 'community-unavailable',
      XDSRegistryOutOfResources: 'community-unavailable',
    }
    for (const [code, meaning] of Object.entries(codes)) {
      expect(passingFailure(code)).toBe(meaning)
      expect(changeRefusal(answer('failure', 'R56', code))?.error.code).toBe(meaning)
      expect(changeRefusal(fault(code, true))?.error.code).toBe(meaning)
    }
    expect(passingFailure('R224')).toBeUndefined()
    expect(changeRefusal(fault('Receiver'))?.error.code).toBe('community-unavailable')
  })

  it('is final in a fault that calls it our doing, or that judges', () => {
    expect(changeRefusal(fault('Sender', true))?.error.code).toBe('community-rejected')
    expect(changeRefusal(fault('PIT2'))?.error.code).toBe('community-rejected')
    expect(changeRefusal(fault('R56'))?.error.code).toBe('community-rejected')
  })

  it('may be that the change has been made', () => {
    const codes = {
      XDSDuplicateUniqueIdInRegistry: 'there',
      R224: 'there',
      XDSRegistryDeprecatedDocumentError: 'replaced',
      UnresolvedReferenceException: 'not-there',
      XDSMetadataVersionError: 'overtaken',
      R221: 'overtaken',
    }
    for (const [code, obstacle] of Object.entries(codes)) {
      expect(changeRefusal(answer('failure', code))).toMatchObject({
        obstacles: [obstacle],
        error: { code: 'community-rejected' },
      })
      expect(changeRefusal(fault(code))).toMatchObject({ obstacles: [obstacle], error: { code: 'community-rejected' } })
    }
  })

  it('is not that, when it has anything else against it', () => {
    expect(changeRefusal(answer('failure', 'R224', 'R56'))?.obstacles).toEqual([])
    expect(changeRefusal(answer('failure', 'R224', 'XDSRegistryBusy'))).toMatchObject({
      obstacles: [],
      error: { code: 'community-busy' },
    })
  })
})
