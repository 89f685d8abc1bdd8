import { describe, expect, it } from 'vitest'
import type { Assertion } from '../../../../src/core/model/call.ts'
import type { MetadataChange, Submission } from '../../../../src/core/model/change.ts'
import type { HomeCommunityId } from '../../../../src/core/model/identifiers.ts'
import { authorities, patientId } from '../../../../src/core/model/patient.ts'
import type { StoredQuery } from '../../../../src/core/model/stored-query.ts'
import { type AccessOptions, accessPolicy, accessPolicyOf } from '../../../../src/core/policy/access.ts'
import {
  authenticated,
  citizen,
  entry,
  findDocuments,
  folder,
  homes,
  known,
  loinc,
  otherCitizen,
  submissionSet,
} from '../../../support/builders.ts'

const ownSubject = `${citizen.value}^^^&${citizen.authority}&ISO`

function authorize(claims: Partial<Assertion>, query: StoredQuery = findDocuments()) {
  return accessPolicy.authorize(query, authenticated(claims))
}

const about = (what: string) => expect.objectContaining({ code: 'access-denied', details: { about: what } })

const denied = expect.objectContaining({ code: 'access-denied', fault: 'trust' })

describe('who may search', () => {
  it('is told to whoever answers, as far as it matters what they may see', () => {
    const subject = ownSubject
    expect(authorize({ role: 'APR', subject }).permit.viewer).toEqual({
      role: 'APR',
      purposeOfUse: 'TREATMENT',
      subject,
    })
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
    ['no care', { inCare: false, purposeOfUse: 'EMERGENCY' }],
    ['index transfer', { indexTransferId: 'urn:uuid:1' }],
    ['locality', { locality: 'x' }],
    ['application', { application: { id: 'i', vendor: 'v', version: '1' } }],
    ['types', { documentTypes: [{ code: 'a', scheme: 's' }] }],
    ['no types', { documentTypes: [] }],
  ])('differs with another %s', (_what, claims) => {
    expect(partition(claims)).not.toBe(partition({}))
  })
})

describe('a person whom a registry knows by several identifiers', () => {
  const patientKnownAs = { identifiers: [citizen, otherCitizen] }

  it('is the same under each of them', () => {
    const query = findDocuments({ patientId: otherCitizen })
    expect(() => authorize({ patientKnownAs }, query)).not.toThrow()
    const old = `${otherCitizen.value}^^^&${otherCitizen.authority}&ISO`
    const personal = { role: 'ASS', purposeOfUse: 'PERSONAL', subject: old }
    expect(() => authorize({ ...personal, patientKnownAs })).not.toThrow()
    expect(() => authorize(personal)).toThrow(about('patient'))
  })
})

describe('the care of a patient', () => {
  const asked = (care: AccessOptions['care'], claims: Partial<Assertion>) => () =>
    accessPolicyOf(care === undefined ? {} : { care }).authorize(findDocuments(), authenticated(claims))

  it.each([
    [undefined, true, true],
    [undefined, undefined, true],
    [undefined, false, false],
    ['claimed', true, true],
    ['claimed', undefined, false],
    ['claimed', false, false],
    ['ignored', false, true],
  ] as const)('by the rule %s, claimed as %s: treatment is allowed: %s', (care, inCare, allowed) => {
    const claims = inCare === undefined ? {} : { inCare }
    if (allowed) expect(asked(care, claims)).not.toThrow()
    else expect(asked(care, claims)).toThrow(about('role'))
  })

  it('matters for treatment, and for no other purpose', () => {
    for (const claims of [
      { purposeOfUse: 'EMERGENCY' },
      { purposeOfUse: 'UPDATE' },
      { role: 'ASS', purposeOfUse: 'PERSONAL', subject: ownSubject },
    ]) {
      expect(asked('claimed', { ...claims, inCare: false })).not.toThrow()
    }
  })

  it('matters for retrieving too', () => {
    expect(() => accessPolicy.authorizeRetrieval(authenticated({ inCare: false }))).toThrow(about('role'))
  })
})

describe('a citizen whom a region vouches for', () => {
  const regionOf = (organization: string) => (organization === '050' ? homes.veneto : undefined)
  const asked = (claims: Partial<Assertion>) => () =>
    accessPolicyOf({ regionOf }).authorize(
      findDocuments(),
      authenticated({ role: 'ASS', purposeOfUse: 'PERSONAL', subject: ownSubject, organization: '050', ...claims }),
    )
  const assisted = (assistedBy: typeof homes.veneto) => ({ patientKnownAs: { identifiers: [citizen], assistedBy } })

  it('must be assisted by it, where that is known', () => {
    expect(asked(assisted(homes.veneto))).not.toThrow()
    expect(asked(assisted(homes.lazio))).toThrow(about('role'))
  })

  it('may be anybody where it is not', () => {
    expect(asked({})).not.toThrow()
    expect(asked({ patientKnownAs: { identifiers: [citizen] } })).not.toThrow()
    expect(asked({ ...assisted(homes.lazio), organization: '970' })).not.toThrow()
  })

  it.each(['TUT', 'GEN', 'ING'])('does not matter to %s', (role) => {
    expect(asked({ ...assisted(homes.lazio), role })).not.toThrow()
  })
})

describe('the matrix of roles and document types', () => {
  const [laboratory, prescription, exemption] = ['11502-2', '57833-6', '57827-8'].map((code) => ({
    code,
    scheme: loinc,
  }))
  const all = [laboratory, prescription, exemption].flatMap((type) => type ?? [])
  const [one, two, three] = all as [(typeof all)[0], (typeof all)[0], (typeof all)[0]]
  const matrix = [
    { roles: ['FAR'], types: [two] },
    { roles: ['FAR', 'OAM'], purposes: ['TREATMENT'], types: [three] },
  ]
  const permitted = (claims: Partial<Assertion>, query: StoredQuery = findDocuments()) =>
    accessPolicyOf({ matrix }).authorize(query, authenticated(claims)).permit.documentTypes

  it('shows a role the types of all its rows', () => {
    expect(permitted({ role: 'FAR' })).toEqual([two, three])
    expect(permitted({ role: 'FAR', purposeOfUse: 'EMERGENCY' })).toEqual([two])
  })

  it('leaves roles alone that it does not name for the purpose', () => {
    expect(permitted({ role: 'AAS' })).toBeUndefined()
    expect(permitted({ role: 'OAM', purposeOfUse: 'EMERGENCY' })).toBeUndefined()
  })

  it('narrows what the claim names, to nothing if need be', () => {
    expect(permitted({ role: 'FAR', documentTypes: [one, two] })).toEqual([two])
    expect(permitted({ role: 'FAR', documentTypes: [one] })).toEqual([])
  })

  it('lets nobody ask for more', () => {
    const asking = (type: typeof one) => () =>
      permitted({ role: 'FAR' }, findDocuments({ filter: { typeCodes: [type] } }))
    expect(asking(two)).not.toThrow()
    expect(asking(one)).toThrow(about('document-types'))
  })
})

describe('a push', () => {
  const making: Partial<Assertion> = { action: 'CREATE' }
  const submission = (more: Partial<Submission> = {}): Submission => {
    return { submissionSet: submissionSet('s'), entries: [entry('d')], folders: [], associations: [], ...more }
  }
  const push =
    (change: MetadataChange, claims: Partial<Assertion> = making) =>
    () =>
      accessPolicy.authorizeChange(change, authenticated(claims))
  const submit = (more: Partial<Submission> = {}, claims: Partial<Assertion> = making) =>
    push({ type: 'submit', submission: submission(more) }, claims)
  const stranger = { patientId: otherCitizen }

  it('about the patient of the claim is permitted', () => {
    expect(submit()().permit.viewer.role).toBe('AAS')
  })

  it.each<[string, Partial<Submission>]>([
    ['submission set', { submissionSet: submissionSet('s', stranger) }],
    ['document', { entries: [entry('d'), entry('e', stranger)] }],
    ['folder', { folders: [folder('f', stranger)] }],
  ])('is refused when one %s is about somebody else', (_what, more) => {
    expect(submit(more)).toThrow(about('patient'))
    const patientKnownAs = { identifiers: [citizen, otherCitizen] }
    expect(submit(more, { ...making, patientKnownAs })).not.toThrow()
  })

  it('is refused when it removes or hides what is somebody else’s', () => {
    const remove = (patientId = citizen): MetadataChange => {
      return { type: 'remove', ids: ['urn:uuid:d'], entries: [entry('c'), entry('d', { patientId })] }
    }
    const deleting = { action: 'DELETE', purposeOfUse: 'UPDATE' }
    expect(push(remove(), deleting)).not.toThrow()
    expect(push(remove(otherCitizen), deleting)).toThrow(about('patient'))
    const hiding = { action: 'UPDATE', purposeOfUse: 'ACCESS UPDATE' }
    const hide = (patientId = citizen): MetadataChange => ({ type: 'hide', patientId, uniqueId: 'd' })
    expect(push(hide(), hiding)).not.toThrow()
    expect(push(hide(otherCitizen), hiding)).toThrow(about('patient'))
  })

  it('needs a claim about a patient', () => {
    const { patientId: _, ...assertion } = authenticated(making).assertion
    const change: MetadataChange = { type: 'submit', submission: submission() }
    expect(() => accessPolicy.authorizeChange(change, { ...authenticated(), assertion })).toThrow(about('patient'))
  })

  it('tells of no other types than the claim names', () => {
    const [laboratory, other] = ['11502-2', '57833-6'].map((code) => ({ code, scheme: loinc }))
    const naming = (type: typeof laboratory) => ({ ...making, documentTypes: type === undefined ? [] : [type] })
    expect(submit({}, naming(laboratory))).not.toThrow()
    expect(submit({}, naming(other))).toThrow(about('document-types'))
    const { typeCode: _, ...untyped } = entry('d')
    expect(submit({ entries: [entry('e'), untyped] }, naming(laboratory))).toThrow(about('document-types'))
  })

  it('is refused for another action in its own words', () => {
    expect(submit({}, { action: 'READ' })).toThrow(about('action'))
    expect(submit({}, { action: 'READ' })).toThrow('not for this action')
    expect(() => authorize({ action: 'CREATE' })).toThrow('not for reading')
  })

  it('is the service that follows from it, unless another is given', () => {
    const updating = { action: 'UPDATE', purposeOfUse: 'UPDATE' }
    const update: MetadataChange = { type: 'update', submission: submission() }
    expect(push(update, updating)).not.toThrow()
    expect(() => accessPolicy.authorizeChange(update, authenticated(updating), 'hide')).toThrow(about('role'))
  })
})

describe('the roles of national systems', () => {
  const national = accessPolicyOf({ searches: ['search', 'hiding-chain'], national: new Set([homes.ini]) })
  const asked = (claims: Partial<Assertion>, from: HomeCommunityId) => () =>
    national.authorize(
      findDocuments(),
      authenticated(claims, { peer: { home: from, subject: 'CN=x', fingerprint: '00' } }),
    )
  const ini = { role: 'INI', purposeOfUse: 'SYSADMIN' }
  const gateway = { role: 'GTW', purposeOfUse: 'UPDATE' }

  it('are believed of INI, through its own connection', () => {
    expect(asked({ ...ini, community: homes.ini }, homes.ini)).not.toThrow()
    expect(asked({ ...gateway, community: homes.veneto }, homes.ini)).not.toThrow()
  })

  it('are believed of nobody else, whoever brings them', () => {
    expect(asked({ ...ini, community: homes.veneto }, homes.ini)).toThrow(about('role'))
    expect(asked({ ...ini, community: homes.ini }, homes.veneto)).toThrow(about('role'))
    expect(asked({ ...ini, community: homes.veneto }, homes.veneto)).toThrow(about('role'))
    expect(asked({ ...gateway, community: homes.veneto }, homes.veneto)).toThrow(about('role'))
    expect(asked({ ...gateway, community: homes.tuscany }, homes.tuscany)).toThrow(about('role'))
  })
})

describe('a citizen, once it is known who assists them', () => {
  const regions = new Map([
    ['050', homes.veneto],
    ['090', homes.tuscany],
  ])
  const policy = accessPolicyOf({ home: homes.tuscany, regionOf: (organization) => regions.get(organization) })
  const admitted = (claims: Partial<Assertion>, assistedBy: HomeCommunityId | 'none' | undefined) => () => {
    const subject = `${citizen.value}^^^&${citizen.authority}&ISO`
    const call = policy.authorize(
      findDocuments(),
      authenticated({ role: 'ASS', purposeOfUse: 'PERSONAL', subject, ...claims }),
    )
    policy.admit(call, known(assistedBy === undefined ? {} : { assistedBy }))
  }
  const ofVeneto = { organization: '050', community: homes.veneto }

  it('is vouched for by their own region only (#1804)', () => {
    expect(admitted(ofVeneto, homes.veneto)).not.toThrow()
    expect(admitted(ofVeneto, homes.tuscany)).toThrow(about('role'))
  })

  it('is let in where nobody is known to assist them, and by our own domain', () => {
    expect(admitted(ofVeneto, undefined)).not.toThrow()
    expect(admitted(ofVeneto, 'none')).not.toThrow()
    expect(admitted({ organization: '090' }, homes.veneto)).not.toThrow()
  })
})
