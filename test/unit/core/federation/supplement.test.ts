import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { initiatingGateway } from '../../../../src/core/federation/initiating-gateway.ts'
import { merge } from '../../../../src/core/federation/merge.ts'
import { homeCommunityId } from '../../../../src/core/model/identifiers.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import { accessPolicyOf } from '../../../../src/core/policy/access.ts'
import { route } from '../../../../src/core/policy/routing.ts'
import type { Community, DocumentRegistry, KnownPatient } from '../../../../src/core/ports.ts'
import { isAuthor } from '../../../../src/wire/hl7/author.ts'
import {
  answer,
  authenticated,
  entry,
  findDocuments,
  homes,
  known,
  neighbours,
  recording,
  stoppedClock,
} from '../../../support/builders.ts'

const { tuscany, ini, veneto } = neighbours
const home = homeCommunityId('urn:oid:2.16.840.1.113883.2.9.2.970')
const sistemaTs: Community = { ...veneto, home, name: 'sistema-ts', relation: 'supplement', reaches: [] }

const uniqueId = '2.16.840.1.113883.2.9.4.3.8^0900A4000000001_PREFARM'
const { hash: _, size: __, creationTime: ___, ...bare } = entry('p', { uniqueId })
const made: DocumentEntry = { ...bare, kind: 'on-demand', entryUuid: 'urn:uuid:made' }
const registered = entry('p', { uniqueId, repositoryUniqueId: '2.16.840.1.113883.2.9.2.0.4.5.3', mimeType: 'x/y' })
const hidden = { ...registered, eventCodes: [{ code: 'P99', scheme: '2.16.840.1.113883.2.9.3.3.6.1.3' }] }

describe('a community that adds to our index', () => {
  const asked = (person: Partial<KnownPatient>, mode: 'assisted' | 'everyone' = 'assisted') =>
    route(findDocuments(), known(person), [tuscany, ini, sistemaTs], mode).map(({ name }) => name)

  it('is asked about those we assist, and about those of whom nobody knows who does', () => {
    expect(asked({ assistedBy: homes.tuscany })).toEqual(['tuscany', 'sistema-ts'])
    expect(asked({})).toEqual(['tuscany', 'ini', 'sistema-ts'])
  })

  it('is asked about nobody else, unless everybody is asked about everyone', () => {
    expect(asked({ assistedBy: homes.veneto })).toEqual(['tuscany', 'ini'])
    expect(asked({ assistedBy: 'none' })).toEqual(['tuscany', 'ini'])
    expect(asked({ assistedBy: homes.veneto }, 'everyone')).toEqual(['tuscany', 'ini', 'sistema-ts'])
  })

  it('is asked when it is named', () => {
    const targets = route(
      findDocuments({ home }),
      known({ assistedBy: homes.veneto }),
      [tuscany, sistemaTs],
      'assisted',
    )
    expect(targets).toEqual([sistemaTs])
  })
})

describe('a document that would be made of what is registered elsewhere', () => {
  it.each([
    ['our own record', tuscany],
    ['INI', ini],
  ])('stands back behind %s, without a word about what differs', (_who, teller) => {
    for (const person of [known(), known({ assistedBy: homes.tuscany })]) {
      const answers = [
        { from: sistemaTs, answer: answer({ entries: [made] }) },
        { from: teller, answer: answer({ entries: [registered] }) },
      ]
      const { answer: merged, disagreements } = merge(answers, person)
      expect(merged.entries).toHaveLength(1)
      expect(merged.entries[0]).toMatchObject({ kind: 'stable', repositoryUniqueId: registered.repositoryUniqueId })
      expect(merged.entries[0]?.sources.map((source) => source.home)).toEqual([teller.home, home])
      expect(disagreements).toEqual([])
      expect(merged.issues).toEqual([])
    }
  })
})

describe('a prescription told by who has not heard of what is hidden', () => {
  const told: DocumentRegistry = { query: async () => answer({ entries: [made] }) }
  const seen = async (ours: DocumentRegistry, role = 'AAS') => {
    const gateway = initiatingGateway({
      policy: accessPolicyOf({}),
      isAuthor,
      clock: stoppedClock,
      mode: 'assisted',
      communities: [
        { ...tuscany, registry: ours },
        { ...sistemaTs, registry: told },
      ],
      patients: { locate: async () => known({ assistedBy: homes.tuscany }) },
    })
    const claims = role === 'AAS' ? {} : { role, purposeOfUse: 'PERSONAL' }
    const query = findDocuments({ filter: { kinds: ['on-demand'] } })
    return (await gateway.query(query, authenticated(claims))).entries.map((one) => one.uniqueId)
  }

  it('is held against our index, though the question itself finds nothing there', async () => {
    const ours = recording((query) => answer({ entries: query.type === 'GetDocuments' ? [hidden] : [] }))
    expect(await seen(ours)).toEqual([])
    expect(
      await seen(recording((query) => answer({ entries: query.type === 'GetDocuments' ? [registered] : [] }))),
    ).toEqual([uniqueId])
  })

  it('is shown when our index does not know of it', async () => {
    expect(await seen(recording(() => answer()))).toEqual([uniqueId])
  })

  it('is not shown while our index is silent', async () => {
    const silent: DocumentRegistry = {
      query: () => Promise.reject(new GatewayError('community-unavailable', 'Nobody listens')),
    }
    expect(await seen(silent)).toEqual([])
  })
})
