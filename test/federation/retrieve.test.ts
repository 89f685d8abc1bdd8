import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { Behaviour } from '../network/behaviour.ts'
import { type CitizenKey, citizens } from '../network/citizens.ts'
import { sha1 } from '../network/contents.ts'
import { documentBytes } from '../network/documents.ts'
import { expectations } from '../network/expectations.ts'
import { askedAbout } from '../network/federation-file.ts'
import { homesByName, type Network, startNetwork } from '../network/network.ts'
import type { Reference, Retrieval } from '../network/retrieve.ts'
import { type RetrievalWishes, referencesOf, retrieval } from '../support/asking.ts'
import { homeOf, type PartyName } from '../support/gateway-config.ts'

const tolerant = { guard: { minimumCalls: 10_000 } }
let network: Network
beforeAll(async () => {
  network = await startNetwork({
    communities: {
      ...Object.fromEntries([...homesByName.keys()].map((name) => [name, tolerant])),
      'region-050': { ...tolerant, retrieval: { timeoutMs: 800 } },
    },
  })
})
afterAll(() => network[Symbol.asyncDispose]())
beforeEach(async () => {
  for (const party of Object.values(network.parties)) {
    await party.behave('normal')
    party.asked.clear()
  }
})

const retrieve = (key: CitizenKey, references: readonly Reference[], wishes: RetrievalWishes = {}) =>
  retrieval(network, key, references, wishes)

/** Where the documents lie that a hospital doctor is shown of a citizen, in no particular order. */
function visible(key: CitizenKey, of?: PartyName): Required<Reference>[] {
  const expected = expectations(network.seed, citizens[key], { asked: askedAbout(citizens[key]) })
  const all = referencesOf(network.seed, expected.visible)
  return of === undefined ? all : all.filter(({ home }) => home === homeOf(of))
}

/** The n-th of them that a community keeps. */
function one(key: CitizenKey, of: PartyName, n = 0): Required<Reference> {
  const reference = visible(key, of)[n]
  if (reference === undefined) throw new Error('The seed has no such document')
  return reference
}

const idsOf = (references: readonly Reference[]) => references.map(({ uniqueId }) => uniqueId)
const delivered = (answer: Retrieval) => idsOf(answer.documents)
const errors = ({ issues }: Retrieval) =>
  issues.filter(({ severity }) => severity === 'Error').map(({ code, location }) => ({ code, location }))

/** Every document of an answer is what its repository keeps, to the byte. */
function expectExact({ documents }: Retrieval): void {
  for (const { uniqueId, bytes } of documents) {
    const kept = documentBytes(network.seed.name, uniqueId)
    expect(sha1(bytes), uniqueId).toBe(sha1(kept))
    expect(bytes.equals(kept), uniqueId).toBe(true)
  }
}

describe('a retrieval by a Tuscan consumer', () => {
  it.each<CitizenKey>(['tuscan', 'lazio', 'two-codes', 'renamed', 'none', 'stp', 'numeric'])(
    'gives every visible document of %s as its repository keeps it',
    async (key) => {
      const all = visible(key)
      expect(all.length).toBeGreaterThan(1)
      for (let from = 0; from < all.length; from += 64) {
        const references = all.slice(from, from + 64)
        const answer = await retrieve(key, references)
        expect(answer.issues).toEqual([])
        expect(answer.status).toBe('Success')
        expect(delivered(answer)).toEqual(idsOf(references))
        expectExact(answer)
      }
    },
  )

  it('takes documents of several holders in one request and gives them in its order', async () => {
    const parties: PartyName[] = ['region-150', 'tuscany', 'ini', 'region-050', 'region-120', 'tuscany', 'region-050']
    const references = parties.map((party, index) => one('lazio', party, index > 4 ? 1 : 0))
    const answer = await retrieve('lazio', references)
    expect(delivered(answer)).toEqual(idsOf(references))
    expect(answer.documents.map(({ home }) => home)).toEqual(parties.map(homeOf))
    expectExact(answer)
  })

  it('is answered in the packaging of its request, with the same documents', async () => {
    const references = [one('lazio', 'tuscany'), one('lazio', 'region-150')]
    const packaged = await retrieve('lazio', references)
    const plain = await retrieve('lazio', references, { packaging: 'plain' })
    expect([packaged.packaged, plain.packaged]).toEqual([true, false])
    expect(delivered(packaged)).toEqual(idsOf(references))
    expect(delivered(plain)).toEqual(idsOf(references))
    expectExact(packaged)
    expectExact(plain)
  })

  it('tells what kind of document each is, as its entry does', async () => {
    const answer = await retrieve('lazio', [one('lazio', 'tuscany'), one('lazio', 'ini')])
    expect(answer.documents.map(({ mimeType }) => mimeType)).toEqual([
      'application/pdf+text/x-cda-r2+xml',
      'text/x-cda-r2+xml',
    ])
  })

  it('finds a document of ours that is named without its home, and names none in return', async () => {
    const { home: _home, ...reference } = one('tuscan', 'tuscany')
    const answer = await retrieve('tuscan', [reference])
    expect(delivered(answer)).toEqual([reference.uniqueId])
    expect(answer.documents[0]?.home).toBeUndefined()
    expectExact(answer)
  })

  it('gives a document once that is named twice', async () => {
    const reference = one('numeric', 'tuscany')
    const answer = await retrieve('numeric', [reference, reference])
    expect(delivered(answer)).toEqual([reference.uniqueId])
  })

  it('asks a holder for no more documents at once than it takes', async () => {
    const references = visible('tuscan', 'tuscany').slice(0, 12)
    const answer = await retrieve('tuscan', references)
    expect(delivered(answer)).toEqual(idsOf(references))
    const asked = network.record.asked.last.filter(({ face }) => face === 'repository')
    expect(asked.map(({ documents }) => documents)).toEqual([5, 5, 2])
  })

  it('is refused when it names more documents than may be, and nobody is asked', async () => {
    const answer = await retrieve('tuscan', visible('tuscan').slice(0, 65))
    expect(answer.status).toBe('Failure')
    expect(answer.issues).toHaveLength(1)
    expect(delivered(answer)).toEqual([])
    expect(network.record.asked.total).toBe(0)
  })

  it('gives what it can and one error for each document that it cannot', async () => {
    const [good, other] = [one('lazio', 'tuscany'), one('lazio', 'region-050')]
    const lost = { ...good, uniqueId: `${good.uniqueId}1` }
    const misplaced = { ...other, repositoryUniqueId: `${other.repositoryUniqueId}1` }
    const answer = await retrieve('lazio', [lost, good, misplaced, other])
    expect(answer.status).toBe('PartialSuccess')
    expect(delivered(answer)).toEqual(idsOf([good, other]))
    expect(errors(answer)).toEqual([
      { code: 'XDSDocumentUniqueIdError', location: lost.uniqueId },
      { code: 'XDSDocumentUniqueIdError', location: misplaced.uniqueId },
    ])
    expectExact(answer)
  })

  it('fails with one error for each document when there is none', async () => {
    const reference = one('lazio', 'tuscany')
    const lost = [1, 2].map((n) => ({ ...reference, uniqueId: `${reference.uniqueId}${n}` }))
    const answer = await retrieve('lazio', lost)
    expect(answer.status).toBe('Failure')
    expect(errors(answer).map(({ location }) => location)).toEqual(idsOf(lost))
  })

  it('names a community that nobody here speaks for', async () => {
    const good = one('lazio', 'tuscany')
    const answer = await retrieve('lazio', [{ ...good, home: 'urn:oid:1.2.3.4' }, good])
    expect(delivered(answer)).toEqual([good.uniqueId])
    expect(errors(answer)).toEqual([{ code: 'XDSUnknownCommunity', location: good.uniqueId }])
  })
})

describe('a retrieval by another community', () => {
  it.each(['region-050', 'ini'])('gives %s our own documents', async (as) => {
    const references = visible('lazio', 'tuscany')
    const answer = await retrieve('lazio', references, { as })
    expect(answer.status).toBe('Success')
    expect(delivered(answer)).toEqual(idsOf(references))
    expect(answer.documents.every(({ home }) => home === homeOf('tuscany'))).toBe(true)
    expectExact(answer)
    const others = Object.values(network.parties).filter(({ name }) => name !== 'tuscany')
    // INI is told of it (retrieve-notices.test.ts), and asked for nothing.
    const asked = others.flatMap(({ asked }) => asked.last).filter(({ face }) => face !== 'notify')
    expect(asked).toEqual([])
  })

  it('takes a request that is no package, and answers with none', async () => {
    const answer = await retrieve('lazio', [one('lazio', 'tuscany')], { as: 'region-050', packaging: 'plain' })
    expect(answer.packaged).toBe(false)
    expect(answer.documents).toHaveLength(1)
    expectExact(answer)
  })

  it('is for our own documents only', async () => {
    const [own, foreign] = [one('lazio', 'tuscany'), one('lazio', 'region-150')]
    const answer = await retrieve('lazio', [foreign, own], { as: 'region-050' })
    expect(answer.status).toBe('PartialSuccess')
    expect(delivered(answer)).toEqual([own.uniqueId])
    const [error, ...more] = errors(answer)
    expect(more).toEqual([])
    expect(error?.code).toBe('XDSUnknownCommunity')
    expect(error?.location).toContain(foreign.uniqueId)
    expect(error?.location).toContain(homeOf('tuscany'))
    expect(network.regions['region-150'].asked.total).toBe(0)
  })

  it('must name the home of each document', async () => {
    const { home: _home, ...reference } = one('lazio', 'tuscany')
    const answer = await retrieve('lazio', [reference], { as: 'region-050' })
    expect(delivered(answer)).toEqual([])
    expect(errors(answer).map(({ code }) => code)).toEqual(['XDSMissingHomeCommunityId'])
  })
})

describe('a holder that hands out something else', () => {
  const faces: readonly [PartyName, string, PartyName][] = [
    ['region-050', 'xcr', 'tuscany'],
    ['tuscany', 'repository', 'region-050'],
    ['ini', 'retrieve', 'tuscany'],
  ]
  describe.each(faces)('%s', (party, face, other) => {
    it.each<Behaviour>(['altered', 'wrong-document', 'missing-part'])(
      'costs that document alone: %s',
      async (behave) => {
        await network.parties[party].behave({ behave, face })
        const [bad, good, elsewhere] = [one('lazio', party), one('lazio', party, 1), one('lazio', other)]
        const answer = await retrieve('lazio', [bad, good, elsewhere])
        expect(answer.status).toBe('PartialSuccess')
        expect(delivered(answer)).toEqual(idsOf([good, elsewhere]))
        expect(errors(answer).map(({ location }) => location)).toEqual([bad.uniqueId])
        expectExact(answer)
      },
    )

    it('gives nobody a document that was not asked for', async () => {
      await network.parties[party].behave({ behave: 'extra-document', face })
      const [mine, good] = [[one('lazio', party), one('lazio', party, 1)], one('lazio', other)]
      const answer = await retrieve('lazio', [...mine, good])
      // Whoever hands out more than was asked for may be believed in the rest, or not at all.
      expect([idsOf([...mine, good]), [good.uniqueId]]).toContainEqual(delivered(answer))
      expectExact(answer)
    })
  })

  const broken: Behaviour[] = [
    'truncated',
    'short',
    'malformed',
    'base64-broken',
    'garbage',
    'reset',
    'fault',
    'refuse',
  ]
  it.each(broken)('costs what was asked of it and nothing else, and gives no bytes: %s', async (behave) => {
    await network.parties['region-050'].behave({ behave, face: 'xcr' })
    const [lost, good] = [one('lazio', 'region-050'), one('lazio', 'tuscany')]
    const answer = await retrieve('lazio', [lost, good])
    expect(answer.status).toBe('PartialSuccess')
    expect(delivered(answer)).toEqual([good.uniqueId])
    expect(errors(answer).map(({ location }) => location)).toEqual([lost.uniqueId])
    expectExact(answer)
  })

  it.each<Behaviour>(['hang', 'drip'])('is not waited for beyond its time: %s', async (behave) => {
    await network.parties['region-050'].behave({ behave, face: 'xcr' })
    const [lost, good] = [one('lazio', 'region-050'), one('lazio', 'tuscany')]
    const answer = await retrieve('lazio', [lost, good])
    expect(delivered(answer)).toEqual([good.uniqueId])
    expect(errors(answer)).toEqual([{ code: 'XDSUnavailableCommunity', location: lost.uniqueId }])
  })

  it('is taken as it comes when it is slow and in time', async () => {
    await network.parties['region-050'].behave({ behave: 'slow-drip', delayMs: 4, face: 'xcr' })
    const answer = await retrieve('lazio', [one('lazio', 'region-050')])
    expect(answer.status).toBe('Success')
    expectExact(answer)
  })

  it('tells its own reason for a document that it does not hand out', async () => {
    await network.parties['region-050'].behave({ behave: 'partial', face: 'xcr' })
    const [lost, good] = [one('lazio', 'region-050'), one('lazio', 'region-050', 1)]
    const answer = await retrieve('lazio', [lost, good])
    expect(delivered(answer)).toEqual([good.uniqueId])
    expect(errors(answer)).toEqual([{ code: 'XDSRepositoryError', location: lost.uniqueId }])
  })

  it('costs its documents only when it is down', async () => {
    await network.parties['region-150'].behave('down')
    const lost = visible('lazio', 'region-150').slice(0, 3)
    const good = [one('lazio', 'tuscany'), one('lazio', 'region-050'), one('lazio', 'ini')]
    const answer = await retrieve('lazio', [...lost, ...good])
    expect(answer.status).toBe('PartialSuccess')
    expect(delivered(answer)).toEqual(idsOf(good))
    expect(errors(answer)).toEqual(idsOf(lost).map((location) => ({ code: 'XDSUnavailableCommunity', location })))
    expectExact(answer)
  })
})

describe('INI as holder', () => {
  const searches = () => network.ini.asked.last.filter(({ face }) => face === 'search').length
  const retrievals = () => network.ini.asked.last.filter(({ face }) => face === 'retrieve').length

  it('is asked once where a search has just found the document', async () => {
    expect((await retrieve('lazio', [one('lazio', 'ini')])).status).toBe('Success')
    expect(retrievals()).toBe(1)
  })

  it('is searched again and asked again when it knows of no search', async () => {
    await network.ini.behave({ behave: 'unsearched', face: 'retrieve', times: 1 })
    const before = searches()
    const answer = await retrieve('lazio', [one('lazio', 'ini')])
    expect(answer.status).toBe('Success')
    expectExact(answer)
    expect(retrievals()).toBe(2)
    expect(searches()).toBeGreaterThan(before)
  })

  it.each<[Behaviour, string]>([
    ['unsearched', 'RTW2'],
    ['unnotified', 'RtRE3'],
    ['refuse', 'PFA11'],
  ])('gives its reason when it goes on saying no: %s', async (behave, code) => {
    await network.ini.behave({ behave, face: 'retrieve' })
    const [lost, good] = [one('lazio', 'ini'), one('lazio', 'tuscany')]
    const answer = await retrieve('lazio', [lost, good])
    expect(answer.status).toBe('PartialSuccess')
    expect(delivered(answer)).toEqual([good.uniqueId])
    expect(errors(answer)).toEqual([{ code, location: lost.uniqueId }])
    expect(retrievals()).toBeLessThanOrEqual(2)
  })

  it('sends to our own repository: a document our own record does not know is told in its words', async () => {
    await network.ini.behave({ behave: 'with-caller', face: 'retrieve' })
    const lost = one('lazio', 'ini')
    const answer = await retrieve('lazio', [lost])
    expect(network.record.asked.last.filter(({ face }) => face === 'xds').length).toBeGreaterThan(0)
    expect(network.record.asked.last.filter(({ face }) => face === 'repository')).toEqual([])
    expect(answer.status).toBe('Failure')
    expect(errors(answer).map(({ code, location }) => [code, location])).toEqual([['RTW1', lost.uniqueId]])
  })
})

describe('the audit trail', () => {
  it('names the documents of a retrieval, who was asked for them, and how it went', async () => {
    await using store = await sqliteStore({ path: network.gateway.store })
    const { sequence: after } = await store.latest()
    const [good, foreign] = [one('lazio', 'tuscany'), one('lazio', 'region-050')]
    const lost = { ...good, uniqueId: `${good.uniqueId}1` }
    await retrieve('lazio', [good, foreign, lost])
    await retrieve('lazio', [good], { as: 'region-050' })
    const records = (await store.read({ after, limit: 10 })).map(({ record }) => record)
    const named = ({ home, repositoryUniqueId: repository, uniqueId: document }: Reference) => {
      return { home, repository, document }
    }
    expect(records).toMatchObject([
      {
        transaction: 'ITI-43',
        request: 'RetrieveDocumentSet',
        outcome: 'partial-success',
        results: 2,
        documents: [good, foreign, lost].map(named),
      },
      { transaction: 'ITI-39', outcome: 'success', results: 1, documents: [named(good)] },
    ])
    expect(records[0]?.asked.map(({ home }) => home).sort()).toEqual([homeOf('region-050'), homeOf('tuscany')])
    expect(records[0]?.caller?.patient).toContain(citizens.lazio.identifiers[0].value)
  })
})
