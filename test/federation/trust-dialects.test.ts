import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { attributeName } from '../network/assertion.ts'
import { reasonsSince, told } from '../support/told.ts'
import {
  assertionOf,
  between,
  type Knock,
  policyFault,
  signerIn,
  startTrustGateway,
  type TrustGateway,
} from '../support/trust-gateway.ts'
import { findDocuments, patient } from '../unit/network/asking.ts'

vi.mock('../../src/telemetry/log.ts', async (original) => {
  const { telling } = await import('../support/told.ts')
  return telling(await original<typeof import('../../src/telemetry/log.ts')>())
})

/** A code of its own for each refusal whose code no public source tells. */
const policyFaults = {
  signature: 'PFC21',
  validity: 'PFC22',
  audience: 'PFC23',
  replay: 'PFC24',
  coherence: 'PIT25',
  action: 'PFA26',
  documentTypes: 'PFA27',
}

let door: TrustGateway
beforeAll(async () => {
  door = await startTrustGateway({ config: { policyFaults } })
})
afterAll(() => door[Symbol.asyncDispose]())

const hour = 3_600_000
const again = assertionOf()
const used = { messageId: 'urn:uuid:0d0ab61c-8a4e-4c4c-9dcb-6f4a6d9b8a01', assertions: [again] }
const typed = (text: string) =>
  findDocuments(patient('numeric'), { $XDSDocumentEntryTypeCode: [`${text}^^2.16.840.1.113883.6.1`] })

/** What is wrong with a message of region 050, alone, and how each dialect tells it. */
interface Case {
  readonly what: string
  readonly knock: () => Partial<Knock>
  readonly reason: string
  readonly ini: string
  readonly wss: string
}

const cases: readonly Case[] = [
  {
    what: 'no assertion',
    knock: () => ({ assertions: [] }),
    reason: 'missing no-assertion',
    ini: 'PST4 Missing attribute assertion',
    wss: 'wsse:SecurityTokenUnavailable',
  },
  {
    what: 'no security header',
    knock: () => ({ change: (text) => text.replace(/<wsse:Security.*<\/wsse:Security>/s, '') }),
    reason: 'missing no-security-header',
    ini: 'PST4 Missing attribute assertion',
    wss: 'wsse:SecurityTokenUnavailable',
  },
  {
    what: 'two security headers',
    knock: () => ({
      change: (text) =>
        text.replace('<wsse:Security', '<wsse:Security xmlns:wsse="%"/><wsse:Security').replace('%', wsse),
    }),
    reason: 'header several-security-headers',
    ini: 'PST5 Missing or invalid WS-Security header elements: several-security-headers',
    wss: 'wsse:InvalidSecurity',
  },
  {
    what: 'two assertions',
    knock: () => ({ assertions: [assertionOf(), assertionOf()] }),
    reason: 'header several-assertions',
    ini: 'PST5 Missing or invalid WS-Security header elements: several-assertions',
    wss: 'wsse:InvalidSecurity',
  },
  {
    what: 'an assertion of SAML 1.1',
    knock: () => ({ claims: { change: (xml) => xml.replace('Version="2.0"', 'Version="1.1"') } }),
    reason: 'malformed not-a-SAML-2-0-assertion',
    ini: 'PST6 Failure in unmarshalling the assertion: not-a-SAML-2-0-assertion',
    wss: 'wsse:InvalidSecurityToken',
  },
  {
    what: 'an assertion about nobody',
    knock: () => ({ claims: { change: (xml) => xml.replace(/<saml2:Subject>.*<\/saml2:Subject>/, '') } }),
    reason: 'malformed missing-subject',
    ini: 'PST6 Failure in unmarshalling the assertion: missing-subject',
    wss: 'wsse:InvalidSecurityToken',
  },
  {
    what: 'an assertion without an issuer',
    knock: () => ({ claims: { change: (xml) => xml.replace(/<saml2:Issuer>.*<\/saml2:Issuer>/, '') } }),
    reason: 'malformed missing-issuer',
    ini: 'PIT1 Missing Issuer in assertion',
    wss: 'wsse:InvalidSecurityToken',
  },
  {
    what: 'no application',
    knock: () => ({ claims: { attributes: { [attributeName.applicationVersion]: undefined } } }),
    reason: 'attributes missing-mandatory-attribute',
    ini: 'PIT2 Missing mandatory attributes in the attribute assertion',
    wss: 'wsse:InvalidSecurityToken',
  },
  {
    what: 'no role',
    knock: () => ({ claims: { attributes: { [attributeName.role]: undefined } } }),
    reason: 'attributes missing-mandatory-attribute',
    ini: 'PIT2 Missing mandatory attributes in the attribute assertion',
    wss: 'wsse:InvalidSecurityToken',
  },
  {
    what: 'an empty action',
    knock: () => ({ claims: { attributes: { [attributeName.action]: '' } } }),
    reason: 'attributes missing-mandatory-attribute',
    ini: 'PIT2 Missing mandatory attributes in the attribute assertion',
    wss: 'wsse:InvalidSecurityToken',
  },
  {
    what: 'an issuer nobody knows',
    knock: () => ({ claims: { issuer: '170' } }),
    reason: 'certificate issuer-is-not-known',
    ini: 'PFC3 Certificate within the SAML assertion not issued by a trusted CA',
    wss: 'wsse:FailedAuthentication',
  },
  {
    what: 'the key of another region',
    knock: () => ({ by: signerIn('region-120') }),
    reason: 'certificate certificate-belongs-to-somebody-else',
    ini: 'PFC3 Certificate within the SAML assertion not issued by a trusted CA',
    wss: 'wsse:FailedAuthentication',
  },
  {
    what: 'a changed assertion',
    knock: () => ({ change: (text) => text.replace('>AAS<', '>DRS<') }),
    reason: 'signature digest-differs',
    ini: 'PFC21 The assertion is not accepted',
    wss: 'wsse:FailedCheck',
  },
  {
    what: 'an assertion that is over',
    knock: () => ({ claims: { notBefore: Date.now() - 2 * hour, notOnOrAfter: Date.now() - hour } }),
    reason: 'validity expired',
    ini: 'PFC22 The assertion is not accepted',
    wss: 'wsu:MessageExpired',
  },
  {
    what: 'an assertion for somebody else',
    knock: () => ({
      claims: { change: (xml) => xml.replace(/(<saml2:Conditions[^/]*)\/>/, `$1>${elsewhere}</saml2:Conditions>`) },
    }),
    reason: 'audience audience-is-somebody-else',
    ini: 'PFC23 The assertion is not accepted',
    wss: 'wsse:FailedAuthentication',
  },
  {
    what: 'an assertion that another presented',
    knock: () => ({ assertions: [again] }),
    reason: 'replay used-by-another-presenter',
    ini: 'PFC24 The assertion is not accepted',
    wss: 'wsse:FailedAuthentication',
  },
  {
    what: 'an issuer that is not its organization',
    knock: () => ({ claims: { attributes: { [attributeName.organizationId]: '120' } } }),
    reason: 'coherence issuer-and-organization-differ',
    ini: 'PIT25 The assertion is not accepted',
    wss: 'wsse:InvalidSecurityToken',
  },
  {
    what: 'another patient in the query',
    knock: () => ({ body: findDocuments(patient('lazio')) }),
    reason: 'denied patient',
    ini: 'PFC9 The assertion is not about the patient of the message',
    wss: 'wsse:FailedAuthentication',
  },
  {
    what: 'no patient in the assertion',
    knock: () => ({ claims: { attributes: { [attributeName.patient]: undefined } } }),
    reason: 'denied patient',
    ini: 'PFC9 The assertion is not about the patient of the message',
    wss: 'wsse:FailedAuthentication',
  },
  {
    what: 'a patient who cannot be',
    knock: () => ({ claims: { attributes: { [attributeName.patient]: 'ROSSI^^^&2.16.840.1.113883.2.9.4.3.2&ISO' } } }),
    reason: 'attributes patient-is-malformed',
    ini: 'PFC9 The assertion is not about the patient of the message',
    wss: 'wsse:InvalidSecurityToken',
  },
  {
    what: 'a role that may not search',
    knock: () => ({ claims: { role: 'OAM', purpose: 'SYSADMIN' } }),
    reason: 'denied role',
    ini: 'PFA14 This role has not the rights to access the service',
    wss: 'wsse:FailedAuthentication',
  },
  {
    what: 'another action than reading',
    knock: () => ({ claims: { action: 'DELETE' } }),
    reason: 'denied action',
    ini: 'PFA26 The assertion is not for reading',
    wss: 'wsse:FailedAuthentication',
  },
  {
    what: 'document types that are not named',
    knock: () => ({ claims: { documentTypes: ['34105-7^^2.16.840.1.113883.6.1'] }, body: typed('11502-2') }),
    reason: 'denied document-types',
    ini: 'PFA27 The query asks for document types the assertion does not name',
    wss: 'wsse:FailedAuthentication',
  },
]

const wsse = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
const elsewhere =
  '<saml2:AudienceRestriction><saml2:Audience>https://altrove.example</saml2:Audience></saml2:AudienceRestriction>'

/** What INI hands on was signed by region 050, as what that region brings itself. */
const from = (
  as: 'ini' | 'region-050',
  { claims, by = signerIn('region-050'), ...more }: Partial<Knock> = {},
): Knock => {
  return { assertions: [assertionOf({ by, ...(claims && { claims }) })], ...more, as }
}

describe('what is refused to INI, in its own fault with its own code', () => {
  beforeAll(async () => {
    expect((await door.knock({ assertions: [again] })).status).toBe('Success')
  })

  it.each(cases)('$what: $ini', async ({ knock, reason, ini }) => {
    const place = told.length
    const answer = await between(
      () => door.knock(from('ini')),
      () => door.knock(from('ini', knock())),
    )
    const { code, description, element, time } = policyFault(answer)
    expect(reasonsSince(place)).toEqual([reason])
    expect(`${code} ${description}`).toBe(ini)
    expect(element).toBe(ini.startsWith('PST') ? 'SecurityTokenUnavailable' : 'InvalidSecurityToken')
    expect(Math.abs(Date.parse(time ?? '') - Date.now())).toBeLessThan(10_000)
    // As INI itself sends them (ini.md §1.6 no. 3, §6.1).
    expect(answer.fault?.code).toBe('Receiver')
    expect(answer.http.status).toBe(500)
    expect(answer.relatesTo).toMatch(/^urn:uuid:/)
    expect(answer.http.text).not.toContain(patient('numeric').split('^')[0])
  })
})

describe('what is refused to a region, in the words of WS-Security', () => {
  beforeAll(async () => {
    expect((await door.knock({ as: 'ini', assertions: [mine] })).status).toBe('Success')
    expect((await door.knock(used)).status).toBe('Success')
  })
  const mine = assertionOf()

  it.each(cases)('$what: $wss', async ({ what, knock, reason, wss }) => {
    const place = told.length
    // Here the other presenter was INI.
    const more = what.includes('another presented') ? { assertions: [mine] } : knock()
    const answer = await between(
      () => door.knock(from('region-050')),
      () => door.knock(from('region-050', more)),
    )
    expect(reasonsSince(place)).toEqual([reason])
    expect(answer.fault).toMatchObject({ code: 'Sender', subcodes: [wss] })
    expect(answer.fault?.detail).not.toContain('ErrorCode')
    expect(answer.http.status).toBe(400)
  })

  it('a message that comes again: wsse:FailedAuthentication', async () => {
    const answer = await between(
      () => door.knock(),
      () => door.knock(used),
    )
    expect(answer.fault).toMatchObject({ code: 'Sender', subcodes: ['wsse:FailedAuthentication'] })
  })
})

describe('what is no matter of trust', () => {
  it.each([
    ['an unknown action', { action: 'urn:ihe:iti:2007:Nothing' }, 'wsa:ActionNotSupported'],
    ['a broken message', { change: (text: string) => text.slice(0, -9) }, undefined],
  ])('is told to INI as to everybody: %s', async (_, more, subcode) => {
    const answer = await between(
      () => door.knock(from('ini')),
      () => door.knock(from('ini', more)),
    )
    expect(answer.fault).toMatchObject({ code: 'Sender', subcodes: subcode === undefined ? [] : [subcode] })
    expect(answer.fault?.detail).not.toContain('ErrorCode')
  })

  it('is told to INI by a RegistryError where the standard wants it', async () => {
    const body = findDocuments(patient('numeric')).replace('$XDSDocumentEntryStatus', '$XDSDocumentEntryNothing')
    const answer = await door.knock(from('ini', { body }))
    expect(answer).toMatchObject({ status: 'Failure', issues: [{ code: 'XDSStoredQueryMissingParam' }] })
  })
})
