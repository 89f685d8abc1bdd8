import { describe, expect, it } from 'vitest'
import type { Permit } from '../../../../src/core/model/call.ts'
import { timestamp } from '../../../../src/core/model/timestamp.ts'
import { citizenRoles, professionalRoles, systemRoles } from '../../../../src/core/policy/roles.ts'
import { isObscured, isVisible, seesObscured, visibilityTable } from '../../../../src/core/policy/visibility.ts'
import { entry, loinc } from '../../../support/builders.ts'

const coded = (confidentiality: string, ...events: string[]) =>
  entry('d', {
    confidentialityCodes: [{ code: confidentiality, scheme: '2.16.840.1.113883.5.25' }],
    eventCodes: events.map((code) => ({ code, scheme: '2.16.840.1.113883.2.9.3.3.6.1.3' })),
  })

const permit = (role: string, purposeOfUse: string, more: Partial<Permit> = {}): Permit => ({
  partition: 'p',
  viewer: { role, purposeOfUse, subject: 'somebody' },
  ...more,
})

const nobody = () => false
const always = () => true

const documents = {
  plain: coded('N'),
  restricted: coded('R'),
  obscured: coded('N', 'P99'),
  mostProtected: coded('V'),
  mostProtectedObscured: coded('V', 'P99'),
  mostProtectedInClear: coded('V', 'P00'),
  contradicting: coded('V', 'P00', 'P99'),
  fromParent: coded('N', 'P97'),
  fromAssisted: coded('N', 'P98'),
  fromBoth: coded('N', 'P97', 'P98'),
  fromAssistedAndObscured: coded('N', 'P98', 'P99'),
  inClear: coded('N', 'P00'),
  otherwiseCoded: coded('R', 'LP199190-2', 'P81'),
}

type Name = keyof typeof documents
const hidden: readonly Name[] = [
  'obscured',
  'mostProtected',
  'mostProtectedObscured',
  'contradicting',
  'fromAssistedAndObscured',
]
const viewers: readonly (readonly [role: string, purpose: string, cannotSee: readonly Name[]])[] = [
  ...[...professionalRoles].flatMap((role) =>
    ['TREATMENT', 'EMERGENCY', 'PUBEMERGENCY', 'UPDATE'].map((purpose) => [role, purpose, hidden] as const),
  ),
  ['GTW', 'UPDATE', hidden],
  ['INI', 'SYSADMIN', []],
  ['NOR', 'SYSADMIN', []],
  ['INI', 'TREATMENT', hidden],
  ['AAS', 'SYSADMIN', hidden],
  ['ASS', 'PERSONAL', ['fromAssisted', 'fromBoth', 'fromAssistedAndObscured']],
  ['GEN', 'PERSONAL', ['fromParent', 'fromAssisted', 'fromBoth', 'fromAssistedAndObscured']],
  ['TUT', 'PERSONAL', ['fromAssisted', 'fromBoth', 'fromAssistedAndObscured']],
  ['ING', 'PERSONAL', ['fromAssisted', 'fromBoth', 'fromAssistedAndObscured']],
]

describe('what a viewer may know of', () => {
  it('is told for every role', () => {
    const told = new Set(viewers.map(([role]) => role))
    expect(told).toEqual(new Set([...professionalRoles, ...citizenRoles, ...systemRoles]))
  })

  const table = viewers.flatMap(([role, purpose, cannotSee]) =>
    (Object.keys(documents) as Name[]).map((name) => [role, purpose, name, !cannotSee.includes(name)] as const),
  )
  it.each(table)('%s for %s, document %s: %s', (role, purpose, name, visible) => {
    expect(isVisible(documents[name], permit(role, purpose), nobody)).toBe(visible)
  })

  it.each(hidden)('the author knows of their own document: %s', (name) => {
    expect(isVisible(documents[name], permit('AAS', 'TREATMENT'), always)).toBe(true)
    expect(isVisible(documents[name], permit('AAS', 'TREATMENT'), (_, subject) => subject === 'somebody')).toBe(true)
    expect(isVisible(documents[name], permit('AAS', 'TREATMENT'), (_, subject) => subject === 'else')).toBe(false)
  })

  it.each(['fromParent', 'fromAssisted'] as const)('no author sees what is hidden from them expressly: %s', (name) => {
    const role = name === 'fromParent' ? 'GEN' : 'ASS'
    expect(isVisible(documents[name], permit(role, 'PERSONAL'), always)).toBe(false)
  })

  it.each(Object.entries(documents))('%s counts as obscured when professionals may not see it', (name, document) => {
    expect(isObscured(document)).toBe(hidden.includes(name as Name))
  })

  it.each(viewers)('%s for %s sees obscured documents or not', (role, purposeOfUse, cannotSee) => {
    expect(seesObscured({ role, purposeOfUse, subject: '' })).toBe(!cannotSee.includes('obscured'))
  })

  it('is said mark by mark, with its source', () => {
    expect(visibilityTable.map(({ mark }) => mark).sort()).toEqual(['P00', 'P97', 'P98', 'P99', 'V'])
    for (const { source } of visibilityTable) expect(source).toMatch(/§4\.[45]/)
  })

  it('one most protected code among several is enough', () => {
    const mixed = entry('d', {
      confidentialityCodes: ['N', 'V'].map((code) => ({ code, scheme: '2.16.840.1.113883.5.25' })),
    })
    expect(isVisible(mixed, permit('AAS', 'TREATMENT'), nobody)).toBe(false)
  })
})

describe('the types a permit names', () => {
  const reports = { documentTypes: [{ code: '11502-2', scheme: loinc }] }
  it.each([
    ['the named type', { code: '11502-2', scheme: loinc }, true],
    ['another type', { code: '57833-6', scheme: loinc }, false],
    ['the code of another scheme', { code: '11502-2', scheme: '1.2' }, false],
  ])('%s', (_what, typeCode, visible) => {
    expect(isVisible(entry('d', { typeCode }), permit('AAS', 'TREATMENT', reports), always)).toBe(visible)
  })
  it('an entry without type is not shown, not even to its author', () => {
    const { typeCode: _, ...untyped } = entry('d')
    expect(isVisible(untyped, permit('AAS', 'TREATMENT', reports), always)).toBe(false)
    expect(isVisible(untyped, permit('AAS', 'TREATMENT'), nobody)).toBe(true)
  })
  it('an empty list shows nothing', () => {
    expect(isVisible(entry('d'), permit('ASS', 'PERSONAL', { documentTypes: [] }), always)).toBe(false)
  })
})

describe('a permit for what the viewer wrote', () => {
  it('shows nothing else', () => {
    const own = permit('AAS', 'UPDATE', { authoredOnly: true })
    expect(isVisible(documents.plain, own, always)).toBe(true)
    expect(isVisible(documents.obscured, own, always)).toBe(true)
    expect(isVisible(documents.plain, own, nobody)).toBe(false)
  })
})

describe('a permit from a time on', () => {
  const since = permit('AAS', 'TREATMENT', { hiddenBefore: timestamp('20200519') })
  const { creationTime: _, ...timeless } = entry('d')
  it.each([
    ['made that day', entry('d', { creationTime: timestamp('20200519') }), true],
    ['made the day before', entry('d', { creationTime: timestamp('20200518235959') }), false],
    ['made in that year, nobody knows when', entry('d', { creationTime: timestamp('2020') }), false],
    [
      'made later about a service before',
      entry('d', { creationTime: timestamp('2021'), serviceStartTime: timestamp('2019') }),
      false,
    ],
    ['of no time', timeless, false],
    ['of a service later, made at no time', { ...timeless, serviceStartTime: timestamp('2021') }, true],
  ])('a document %s: %s', (_what, document, visible) => {
    expect(isVisible(document, since, nobody)).toBe(visible)
    expect(isVisible(document, since, always)).toBe(true)
  })
})
