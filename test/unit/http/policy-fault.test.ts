import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../src/core/errors.ts'
import { type PolicyFaultCodes, policyFaultOf } from '../../../src/http/soap/policy-fault.ts'

const codes: PolicyFaultCodes = {
  ...{ signature: 'PFC20', validity: 'PFC21', audience: 'PFC22', replay: 'PFC23', coherence: 'PFC24' },
  ...{ action: 'PFA26', documentTypes: 'PFA27' },
}

describe('what a refusal of the access policy is to INI', () => {
  it.each([
    ['consent', 'PFA11', 'Missing Consultation Consent'],
    ['index-transfer', 'PIT2', 'Missing mandatory attributes in the attribute assertion'],
    ['patient', 'PFC9', 'The assertion is not about the patient of the message'],
    ['role', 'PFA14', 'This role has not the rights to access the service'],
    ['action', 'PFA26', 'said'],
    ['document-types', 'PFA27', 'said'],
  ])('about %s: %s', (about, code, description) => {
    const error = new GatewayError('access-denied', 'said', { details: { about } })
    expect(policyFaultOf(error, codes)).toEqual({ code, description })
  })

  it('is nothing when consents cannot be had: that is no refusal', () => {
    const error = new GatewayError('community-unavailable', 'x', { details: { reason: 'consents-unknown' } })
    expect(policyFaultOf(error, codes)).toBeUndefined()
  })
})
