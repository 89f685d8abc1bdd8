import { describe, expect, it } from 'vitest'
import type { Assertion } from '../../../../src/core/model/call.ts'
import { authorities, patientId } from '../../../../src/core/model/patient.ts'
import type { StoredQuery } from '../../../../src/core/model/stored-query.ts'
import { accessPolicy, citizenRoles, professionalRoles, systemRoles } from '../../../../src/core/policy/access.ts'
import { authenticated, citizen, findDocuments, loinc, otherCitizen } from '../../../support/builders.ts'

const ownSubject = `${citizen.value}^^^&${citizen.authority}&ISO`

function authorize(claims: Partial<Assertion>, query: StoredQuery = findDocuments()) {
  return accessPolicy.authorize(query, authenticated(claims))
}

const denied = expect.objectContaining({ code: 'access-denied', fault: 'trust' })

const roles = [...professionalRoles, ...citizenRoles, ...systemRoles]
const allowed: Readonly<Record<string, readonly string[]>> = {
  TREATMENT: [...professionalRoles],
  EMERGENCY: [...professionalRoles],
  PUBEMERGENCY: [...professionalRoles],
  PERSONAL: ['ASS', 'TUT', 'GEN', 'ING'],
  UPDATE: [...professionalRoles, 'GTW'],
  SYSADMIN: ['NOR', 'INI'],
  'ACCESS UPDATE': [],
  CONSENT: [],
  ADMINISTRATIVE: [],
}

describe('who may search', () => {
  it('is decided over the 22 roles of the affinity domain', () => {
    expect(new Set(roles).size).toBe(22)
  })

  const table = Object.entries(allowed).flatMap(([purposeOfUse, may]) =>
    roles.map((role) => [role, purposeOfUse, may.includes(role)] as const),
  )
  it.each(table)('%s for %s: %s', (role, purposeOfUse, may) => {
    const ask = () => authorize({ role, purposeOfUse, subject: ownSubject })
    if (may) expect(ask().permit.viewer).toEqual({ role, purposeOfUse, subject: ownSubject })
    else expect(ask).toThrow(denied)
  })

  it.each([
    ['an unknown role', { role: 'XXX' }],
    ['an unknown purpose', { purposeOfUse: 'CURIOSITY' }],
    ['a role in lower case', { role: 'aas' }],
    ['no role', { role: '' }],
    ['a purpose named like a part of every object', { purposeOfUse: 'constructor' }],
    ['a purpose named like the prototype', { purposeOfUse: '__proto__' }],
    ['an assertion for updating', { action: 'UPDATE' }],
    ['an assertion for deleting', { action: 'DELETE' }],
    ['an action in lower case', { action: 'read' }],
  ])('is refused with %s', (_what, claims) => {
    expect(() => authorize(claims)).toThrow(denied)
  })
})

describe('about whom', () => {
  it('only the patient of the assertion is asked', () => {
    expect(() => authorize({}, findDocuments({ patientId: otherCitizen }))).toThrow(denied)
    const elsewhere = patientId(citizen.value, authorities.ana)
    expect(() => authorize({}, findDocuments({ patientId: elsewhere }))).toThrow(denied)
  })

  it('an assertion without a patient asks nobody, also by id', () => {
    const { patientId: _, ...claims } = authenticated().assertion
    const byId: StoredQuery = { type: 'GetDocuments', documents: { by: 'entry-uuid', ids: ['urn:uuid:1'] }, extra: [] }
    for (const query of [findDocuments(), byId]) {
      expect(() => accessPolicy.authorize(query, { ...authenticated(), assertion: claims })).toThrow(denied)
    }
  })

  it('a citizen looks at no record but their own', () => {
    const personal = { role: 'ASS', purposeOfUse: 'PERSONAL' }
    expect(authorize({ ...personal, subject: ownSubject }).permit.viewer.role).toBe('ASS')
    for (const subject of [
      `${otherCitizen.value}^^^&${otherCitizen.authority}&ISO`,
      `${citizen.value}X^^^&${citizen.authority}&ISO`,
      ` ${ownSubject}`,
      '',
    ]) {
      expect(() => authorize({ ...personal, subject })).toThrow(denied)
    }
  })

  it.each(['TUT', 'GEN', 'ING'])('%s looks at the record of somebody else', (role) => {
    const subject = `${otherCitizen.value}^^^&${otherCitizen.authority}&ISO`
    expect(authorize({ role, purposeOfUse: 'PERSONAL', subject }).permit.viewer.subject).toBe(subject)
  })
})

describe('for which types of document', () => {
  const named = { documentTypes: [{ code: '11502-2', scheme: loinc }] }
  const asking = (...typeCodes: { code: string; scheme?: string }[]) => findDocuments({ filter: { typeCodes } })

  it('the types asked for must be among those named', () => {
    expect(authorize(named, asking({ code: '11502-2', scheme: loinc })).permit.documentTypes).toEqual(
      named.documentTypes,
    )
    expect(() => authorize(named, asking({ code: '57833-6', scheme: loinc }))).toThrow(denied)
    expect(() => authorize(named, asking({ code: '11502-2' }, { code: '57833-6' }))).toThrow(denied)
    expect(() => authorize(named, asking({ code: '11502-2', scheme: '1.2.3' }))).toThrow(denied)
  })

  it('a code without scheme is taken for the named one', () => {
    expect(authorize(named, asking({ code: '11502-2' })).permit.documentTypes).toEqual(named.documentTypes)
  })

  it('a query for all types is answered within those named', () => {
    expect(authorize(named).permit.documentTypes).toEqual(named.documentTypes)
  })

  it('naming none permits all', () => {
    expect(authorize({}, asking({ code: '57833-6' })).permit).not.toHaveProperty('documentTypes')
  })
})

describe('the partition of a permit', () => {
  const partition = (claims: Partial<Assertion>) => authorize(claims).permit.partition

  it('is the same for the same claims in another assertion', () => {
    expect(partition({ id: '_a2', validUntil: 5 })).toBe(partition({}))
    const types = [
      { code: 'a', scheme: 's' },
      { code: 'b', scheme: 's' },
    ]
    expect(partition({ documentTypes: types })).toBe(partition({ documentTypes: types.toReversed() }))
  })

  it.each<[string, Partial<Assertion>]>([
    ['role', { role: 'APR' }],
    ['purpose', { purposeOfUse: 'EMERGENCY' }],
    ['subject', { subject: 'other' }],
    ['organization', { organization: '050' }],
    ['care', { inCare: true }],
    ['no care', { inCare: false }],
    ['locality', { locality: 'x' }],
    ['application', { application: { id: 'i', vendor: 'v', version: '1' } }],
    ['types', { documentTypes: [{ code: 'a', scheme: 's' }] }],
    ['no types', { documentTypes: [] }],
  ])('differs with another %s', (_what, claims) => {
    expect(partition(claims)).not.toBe(partition({}))
  })
})
