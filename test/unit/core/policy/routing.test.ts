import { describe, expect, it } from 'vitest'
import { homeCommunityId } from '../../../../src/core/model/identifiers.ts'
import type { StoredQuery } from '../../../../src/core/model/stored-query.ts'
import { authorityOf, type RoutingMode, route } from '../../../../src/core/policy/routing.ts'
import type { KnownPatient } from '../../../../src/core/ports.ts'
import { entry, findDocuments, homes, known, neighbours } from '../../../support/builders.ts'

const { tuscany, ini, veneto, lazio } = neighbours
const everybody = [tuscany, ini, veneto, lazio]
const { registry: _, ...silent } = { ...lazio, home: homes.campania, name: 'region-150' }
const byId = (more: object = {}): StoredQuery => ({ type: 'GetAssociations', ids: ['urn:uuid:1'], extra: [], ...more })

function asked(query: StoredQuery, person: KnownPatient = known(), mode: RoutingMode = 'assisted') {
  return route(query, person, [...everybody, silent], mode).map(({ name }) => name)
}

describe('a question about a person', () => {
  it.each<[string, Partial<KnownPatient>, readonly string[]]>([
    ['assisted by us', { assistedBy: homes.tuscany }, ['tuscany', 'region-050', 'region-120']],
    ['assisted by another region', { assistedBy: homes.veneto }, ['tuscany', 'ini', 'region-050', 'region-120']],
    ['assisted by nobody', { assistedBy: 'none' }, ['tuscany', 'ini', 'region-050', 'region-120']],
    ['of whom nothing is known', {}, ['tuscany', 'ini', 'region-050', 'region-120']],
  ])('%s goes to those who may tell', (_what, person, names) => {
    expect(asked(findDocuments(), known(person))).toEqual(names)
  })

  it('goes to everyone when the configuration says so', () => {
    const names = ['tuscany', 'ini', 'region-050', 'region-120']
    expect(asked(findDocuments(), known({ assistedBy: homes.tuscany }), 'everyone')).toEqual(names)
  })
})

describe('a question for one home', () => {
  it.each([
    ['a partner', homes.lazio, 'region-120'],
    ['our own', homes.tuscany, 'tuscany'],
    ['one that only INI reaches', homes.campania, 'ini'],
  ])('goes to %s alone', (_what, home, name) => {
    expect(asked(findDocuments({ home }))).toEqual([name])
    expect(asked(byId({ home }))).toEqual([name])
    expect(asked(findDocuments({ home }), known(), 'everyone')).toEqual([name])
  })

  it('about a person goes to the community itself, not to who reaches it as well', () => {
    const far = { ...ini, reaches: [homes.lazio] }
    expect(route(findDocuments({ home: homes.lazio }), known(), [far, lazio], 'assisted')).toEqual([lazio])
  })

  it('for objects by id goes to everybody who tells of its documents, since each has ids of its own', () => {
    const far = { ...ini, reaches: [homes.lazio] }
    expect(route(byId({ home: homes.lazio }), known(), [far, lazio], 'assisted')).toEqual([lazio, far])
  })

  it('is refused for a home nobody knows, and for one that answers no queries', () => {
    const unknown = expect.objectContaining({ code: 'community-unknown' })
    expect(() => asked(byId({ home: homeCommunityId('1.2.3') }))).toThrow(unknown)
    expect(() => route(byId({ home: homes.campania }), known(), [silent], 'assisted')).toThrow(unknown)
  })

  it('is refused when it names neither home nor patient', () => {
    const missing = expect.objectContaining({ code: 'community-missing' })
    for (const mode of ['assisted', 'everyone'] as const) expect(() => asked(byId(), known(), mode)).toThrow(missing)
  })
})

describe('whose word counts', () => {
  const producedIn = (region: number) => entry('d', { repositoryUniqueId: `2.16.840.1.113883.2.9.2.${region}.4.5.1` })
  const order = (person: KnownPatient, region: number) =>
    everybody
      .map((one) => [authorityOf(one, producedIn(region), person), one.name] as const)
      .sort(([a], [b]) => a - b)
      .map(([, name]) => name)

  it('the region of assistance, then INI, then the producer, then we, then the others', () => {
    expect(order(known({ assistedBy: homes.lazio }), 50)).toEqual(['region-120', 'ini', 'region-050', 'tuscany'])
  })

  it('the producer, then we, then INI, when nobody knows the region of assistance', () => {
    expect(order(known(), 120)).toEqual(['region-120', 'tuscany', 'ini', 'region-050'])
  })

  it('does not take region 12 for region 120', () => {
    const twelve = { ...lazio, home: homeCommunityId('2.16.840.1.113883.2.9.2.12') }
    expect(authorityOf(twelve, producedIn(120), known())).toBe(5)
  })

  it('tells the producer by the document id where no repository is named', () => {
    const own = entry('d', { uniqueId: '2.16.840.1.113883.2.9.2.120.4.4^1' })
    expect(authorityOf(lazio, own, known())).toBe(2)
  })
})
