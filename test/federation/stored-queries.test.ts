import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { homeCommunityId } from '../../src/core/model/identifiers.ts'
import type { StoredQuery } from '../../src/core/model/stored-query.ts'
import { citizens } from '../network/citizens.ts'
import { expectations } from '../network/expectations.ts'
import { type Network, startNetwork } from '../network/network.ts'
import { patientOf, question, uniqueIds } from '../support/asking.ts'
import { homeOf } from '../support/gateway-config.ts'

let network: Network
beforeAll(async () => {
  network = await startNetwork()
})
afterAll(() => network[Symbol.asyncDispose]())

const tuscany = homeCommunityId(homeOf('tuscany'))
const ask = (query: StoredQuery, as = 'portal') => question(network, 'tuscan', { query, as })

describe('queries for one community', () => {
  it('give a document by the id found before', async () => {
    const found = await question(network, 'tuscan')
    const entry = found.entries.find(({ home }) => home === tuscany)
    const ids = [entry?.entryUuid ?? '']
    const reply = await ask({ type: 'GetDocuments', documents: { by: 'entry-uuid', ids }, home: tuscany, extra: [] })
    expect(uniqueIds(reply)).toEqual([entry?.uniqueId])
  })

  it.each(['lazio', 'tuscan', 'renamed', 'two-codes'] as const)(
    'give every document of %s again by the id and the home it was told with',
    async (key) => {
      const found = await question(network, key)
      const byHome = Map.groupBy(found.entries, ({ home }) => home)
      expect(byHome.size).toBeGreaterThan(1)
      for (const [home, entries] of byHome) {
        const ids = entries.map(({ entryUuid }) => entryUuid)
        const query = { type: 'GetDocuments', documents: { by: 'entry-uuid', ids }, extra: [] } as const
        const again = await question(network, key, { query: home === undefined ? query : { ...query, home } })
        expect(uniqueIds(again), home).toEqual(entries.map(({ uniqueId }) => uniqueId).sort())
      }
    },
  )

  it('need the name of the community', async () => {
    const reply = await ask({ type: 'GetDocuments', documents: { by: 'unique-id', ids: ['1.2.3'] }, extra: [] })
    expect(reply.issues.map(({ code }) => code)).toEqual(['XDSMissingHomeCommunityId'])
  })

  it('answer for a hidden document as for one that does not exist', async () => {
    const { hidden } = expectations(network.seed, citizens.tuscan, { asked: ['tuscany'] })
    expect(hidden.length).toBeGreaterThan(0)
    const reply = await ask({
      type: 'GetDocuments',
      documents: { by: 'unique-id', ids: hidden },
      home: tuscany,
      extra: [],
    })
    const absent = await ask({
      type: 'GetDocuments',
      documents: { by: 'unique-id', ids: ['1.2.3.4.5'] },
      home: tuscany,
      extra: [],
    })
    const { outcome, entries, issues } = reply
    expect({ outcome, entries, issues }).toEqual({ outcome: absent.outcome, entries: [], issues: absent.issues })
  })

  it('never tell of another patient', async () => {
    const other = await question(network, 'two-codes')
    const ids = other.entries.map(({ entryUuid }) => entryUuid).slice(0, 1)
    const reply = await ask({ type: 'GetDocuments', documents: { by: 'entry-uuid', ids }, home: tuscany, extra: [] })
    expect(reply.entries).toEqual([])
    // The Tuscan record refuses such a question itself; neither its words nor ours may say whose document it is.
    expect(JSON.stringify(reply)).not.toContain(patientOf('two-codes').value)
  })

  it('leave no link to a hidden document', async () => {
    const { hidden } = expectations(network.seed, citizens.tuscan, { asked: ['tuscany'] })
    const concealed = network.seed.holdings.tuscany.entries
      .filter(({ uniqueId }) => hidden.includes(uniqueId))
      .map(({ entryUuid }) => entryUuid)
    const all = await ask({
      type: 'GetAll',
      patientId: patientOf('tuscan'),
      documentStatus: ['approved', 'deprecated'],
      submissionSetStatus: ['approved'],
      folderStatus: ['approved'],
      filter: {},
      home: tuscany,
      extra: [],
    })
    expect(all.entries.length).toBeGreaterThan(100)
    const links = await ask({ type: 'GetAssociations', ids: concealed, home: tuscany, extra: [] })
    expect(links.outcome).toBe('success')
    expect(links.entries).toEqual([])
    for (const id of concealed) expect(JSON.stringify([all, links])).not.toContain(id)
  })

  it('find replaced versions when they are asked for, right after what replaced them', async () => {
    const current = await question(network, 'lazio')
    const all = await question(network, 'lazio', { query: { status: ['approved', 'deprecated'] } })
    expect(all.entries.length).toBeGreaterThan(current.entries.length)
  })

  it('find by several criteria at once', async () => {
    const reply = await question(network, 'tuscan', {
      query: { filter: { typeCodes: [{ code: '11502-2', scheme: '2.16.840.1.113883.6.1' }] } },
    })
    expect(reply.entries.length).toBeGreaterThan(0)
    for (const { typeCode } of reply.entries) expect(typeCode?.code).toBe('11502-2')
  })

  it('tell only of the document types an assertion is for', async () => {
    const reply = await question(network, 'tuscan', { types: ['11502-2'] })
    expect(new Set(reply.entries.map(({ typeCode }) => typeCode?.code))).toEqual(new Set(['11502-2']))
  })
})
