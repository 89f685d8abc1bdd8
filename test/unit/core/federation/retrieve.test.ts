import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { GatewayError, type Issue } from '../../../../src/core/errors.ts'
import { initiatingGateway } from '../../../../src/core/federation/initiating-gateway.ts'
import { respondingGateway } from '../../../../src/core/federation/responding-gateway.ts'
import { type RetrieveParts, retrieveGateway } from '../../../../src/core/federation/retrieve.ts'
import type { HomeCommunityId } from '../../../../src/core/model/identifiers.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import {
  type DocumentReference,
  type FederatedRetrieval,
  type RetrieveAnswer,
  type RetrievedDocument,
  type RetrieveIssue,
  retrievalStatus,
} from '../../../../src/core/model/retrieval.ts'
import { accessPolicy } from '../../../../src/core/policy/access.ts'
import type { Community, DocumentRepository } from '../../../../src/core/ports.ts'
import {
  answer,
  assertion,
  authenticated,
  entry,
  homes,
  neighbours,
  obscured,
  otherCitizen,
  stoppedClock,
} from '../../../support/builders.ts'

const repository = '2.16.840.1.113883.2.9.2.90.4.5.1'
const otherRepository = '2.16.840.1.113883.2.9.2.90.4.5.2'
const sha1 = (text: string) => createHash('sha1').update(text).digest('hex')

/** What a document is named by, its home only where it is given. */
function named(name: string, more: Partial<DocumentReference> = {}): DocumentReference {
  return { repositoryUniqueId: repository, uniqueId: entry(name).uniqueId, ...more }
}

/** An entry of a document whose content is its name. */
function filed(name: string, more: Partial<DocumentEntry> = {}): DocumentEntry {
  return entry(name, { repositoryUniqueId: repository, hash: sha1(name), size: name.length, ...more })
}

type Held = RetrievedDocument & { readonly text: string; disposed: boolean }

function held(reference: DocumentReference, text: string): Held {
  const document: Held = {
    repositoryUniqueId: reference.repositoryUniqueId,
    uniqueId: reference.uniqueId,
    mimeType: 'application/pdf',
    text,
    disposed: false,
    content: {
      size: text.length,
      sha1: sha1(text),
      async *read() {
        yield Buffer.from(text)
      },
      async [Symbol.asyncDispose]() {
        document.disposed = true
      },
    },
  }
  return document
}

type Reply = (references: readonly DocumentReference[]) => Partial<RetrieveAnswer> | Promise<Partial<RetrieveAnswer>>

const nameOf = ({ uniqueId }: { readonly uniqueId: string }) => uniqueId.split('^')[1] ?? ''
const asAsked: Reply = (references) => ({ documents: references.map((one) => held(one, nameOf(one))) })

/** A repository that keeps what it was asked and what it handed out. */
function holding(reply: Reply = asAsked, mostAtOnce = 10) {
  const asked: (readonly DocumentReference[])[] = []
  const handedOut: Held[] = []
  const actor: DocumentRepository = {
    mostAtOnce,
    async retrieve(references, call) {
      asked.push(references)
      const { documents = [], issues = [] } = await reply(references)
      handedOut.push(...(documents as Held[]))
      for (const { content } of documents) call.held?.use(content)
      return { documents, issues }
    },
  }
  return { actor, asked, handedOut }
}

interface Side {
  readonly entries?: readonly DocumentEntry[]
  readonly issues?: readonly Issue[]
  readonly registry?: 'down'
  readonly repository?: DocumentRepository
}

function side(of: Community, { entries = [], issues = [], registry, repository }: Side): Community {
  return {
    ...of,
    registry: {
      query: async () => {
        if (registry === 'down') throw new GatewayError('community-unavailable', 'down')
        return answer({ entries, issues })
      },
    },
    ...(repository === undefined ? {} : { repository }),
  }
}

const federation = { policy: accessPolicy, isAuthor: () => false, clock: stoppedClock }

function gateway(communities: readonly Community[], more: Partial<RetrieveParts> = {}) {
  return retrieveGateway({
    policy: accessPolicy,
    clock: stoppedClock,
    home: homes.tuscany,
    communities,
    index: initiatingGateway({ ...federation, communities, mode: 'assisted' }),
    unverified: () => 'deliver',
    mostDocuments: 8,
    ...more,
  })
}

const { tuscany, veneto, ini } = neighbours
const outcomes = ({ documents, failures }: FederatedRetrieval) => ({
  documents: documents.map(({ reference }) => nameOf(reference)),
  failures: failures.map(({ reference, error }) => `${nameOf(reference)} ${error.code}`),
})

describe('documents of several holders', () => {
  it('are asked for at each holder once, and told in the order they were asked for', async () => {
    const [own, theirs] = [holding(), holding()]
    const result = await gateway([
      side(tuscany, { entries: [filed('a'), filed('c')], repository: own.actor }),
      side(veneto, { entries: [filed('b'), filed('d')], repository: theirs.actor }),
    ]).retrieve(
      [named('d', { home: homes.veneto }), named('c'), named('b', { home: homes.veneto }), named('a')],
      authenticated(),
    )
    expect(outcomes(result)).toEqual({ documents: ['d', 'c', 'b', 'a'], failures: [] })
    expect(result.documents.map(({ verified }) => verified)).toEqual([true, true, true, true])
    expect(retrievalStatus(result)).toBe('success')
    expect(own.asked.map((one) => one.map(nameOf))).toEqual([['c', 'a']])
    expect(theirs.asked.map((one) => one.map(nameOf))).toEqual([['d', 'b']])
    expect(theirs.asked[0]?.[0]).toEqual(named('d', { home: homes.veneto }))
    expect(own.asked[0]?.[0]).toEqual(named('c', { home: homes.tuscany }))
    expect(result.asked.map(({ name, outcome }) => `${name} ${outcome}`).sort()).toEqual([
      'region-050 answered',
      'tuscany answered',
    ])
  })

  it('are asked for in requests as long as the holder takes them, and one that fails costs its own only', async () => {
    let requests = 0
    const own = holding((references) => {
      if (++requests === 2) throw new GatewayError('community-unavailable', 'down')
      return asAsked(references)
    }, 2)
    const names = ['a', 'b', 'c', 'd', 'e']
    const result = await gateway([
      side(tuscany, { entries: names.map((name) => filed(name)), repository: own.actor }),
    ]).retrieve(
      names.map((name) => named(name)),
      authenticated(),
    )
    expect(own.asked.map((one) => one.map(nameOf))).toEqual([['a', 'b'], ['c', 'd'], ['e']])
    expect(outcomes(result)).toEqual({
      documents: ['a', 'b', 'e'],
      failures: ['c community-unavailable', 'd community-unavailable'],
    })
    expect(result.asked).toMatchObject([{ outcome: 'partial' }])
    expect(retrievalStatus(result)).toBe('partial-success')
  })

  it('of which none came are a failure, and so is a leg none of whose requests was answered', async () => {
    const own = holding(() => Promise.reject(new GatewayError('community-busy', 'busy')), 1)
    const legs: unknown[] = []
    const result = await gateway([side(tuscany, { entries: [filed('a'), filed('b')], repository: own.actor })], {
      onLeg: (_call, { name, outcome }, _community, error) => legs.push([name, outcome, error?.code]),
    }).retrieve([named('a'), named('b'), named('x')], authenticated())
    expect(outcomes(result)).toEqual({
      documents: [],
      failures: ['a community-busy', 'b community-busy', 'x document-unknown'],
    })
    expect(legs).toEqual([['tuscany', 'failed', 'community-busy']])
    expect(retrievalStatus(result)).toBe('failure')
  })

  it('that came before the time was up are delivered when the rest does not come', async () => {
    const late = Promise.withResolvers<Partial<RetrieveAnswer>>()
    const own = holding(
      (references) => (nameOf(references[0] ?? named('')) === 'a' ? asAsked(references) : late.promise),
      1,
    )
    const call = authenticated({}, { deadline: stoppedClock.now() + 50, held: new AsyncDisposableStack() })
    const result = await gateway([
      side(tuscany, { entries: [filed('a'), filed('b')], repository: own.actor }),
    ]).retrieve([named('a'), named('b')], call)
    expect(outcomes(result)).toEqual({ documents: ['a'], failures: ['b community-timeout'] })
    expect(result.asked).toMatchObject([{ outcome: 'failed' }])
    late.resolve(asAsked([named('b')]))
    await late.promise
    expect(result.documents).toHaveLength(1)
    await call.held?.disposeAsync()
    expect(own.handedOut.map(({ disposed }) => disposed)).not.toContain(false)
  })

  it('are nobody’s when the caller leaves: what was there goes with the exchange', async () => {
    const caller = new AbortController()
    const asked = Promise.withResolvers<void>()
    const own = holding((references) => {
      if (nameOf(references[0] ?? named('')) === 'a') return asAsked(references)
      asked.resolve()
      return new Promise(() => undefined)
    }, 1)
    const call = authenticated({}, { signal: caller.signal, held: new AsyncDisposableStack() })
    const retrieving = gateway([side(tuscany, { entries: [filed('a'), filed('b')], repository: own.actor })]).retrieve(
      [named('a'), named('b')],
      call,
    )
    await asked.promise
    caller.abort()
    await expect(retrieving).rejects.toMatchObject({ code: 'caller-gone' })
    await call.held?.disposeAsync()
    expect(own.handedOut).toMatchObject([{ text: 'a', disposed: true }])
  })

  it.each([
    ['no document', [], 'parameter-missing'],
    ['more documents than may be', [...'abcdefghi'].map((name) => named(name)), 'parameter-count'],
  ])('are refused before anybody is asked when the request names %s', async (_what, references, code) => {
    const own = holding()
    const asking = gateway([side(tuscany, { repository: own.actor })]).retrieve(references, authenticated())
    await expect(asking).rejects.toMatchObject({ code })
    expect(own.asked).toEqual([])
  })

  it('are for those with a right to read', async () => {
    const own = holding()
    const { retrieve } = gateway([side(tuscany, { entries: [filed('a')], repository: own.actor })])
    for (const claims of [{ role: 'INI' }, { action: 'CREATE' }]) {
      await expect(retrieve([named('a')], authenticated(claims))).rejects.toMatchObject({ code: 'access-denied' })
    }
    const { patientId: _, ...nobody } = assertion()
    await expect(retrieve([named('a')], { ...authenticated(), assertion: nobody })).rejects.toMatchObject({
      code: 'access-denied',
    })
    expect(own.asked).toEqual([])
  })
})

describe('what may not be known', () => {
  it.each<[string, readonly DocumentEntry[], Parameters<typeof assertion>[0]?]>([
    ['unknown', []],
    ['somebody else’s', [filed('a', { patientId: otherCitizen })]],
    ['hidden', [obscured('a', { repositoryUniqueId: repository })]],
    [
      'of a type the claim does not name',
      [filed('a')],
      { documentTypes: [{ code: '57833-6', scheme: '2.16.840.1.113883.6.1' }] },
    ],
    ['of another repository', [filed('a', { repositoryUniqueId: otherRepository })]],
    ['filed without a repository', [entry('a')]],
  ])(
    'a document that is %s answers as one that does not exist, and nobody is asked for it',
    async (_what, entries, claims) => {
      const own = holding()
      const { documents, failures, asked } = await gateway([
        side(tuscany, { entries, repository: own.actor }),
      ]).retrieve([named('a')], authenticated(claims))
      expect(documents).toEqual([])
      expect(failures).toEqual([
        { reference: named('a'), error: new GatewayError('document-unknown', 'No such document is known') },
      ])
      expect(failures[0]?.error).toMatchObject({ details: {}, issues: [] })
      expect(asked).toEqual([])
      expect(own.asked).toEqual([])
    },
  )

  it('does not hold up what may be known beside it, which alone shows who was asked', async () => {
    const own = holding()
    const secret = obscured('s', { repositoryUniqueId: repository })
    const result = await gateway([side(tuscany, { entries: [secret, filed('a')], repository: own.actor })]).retrieve(
      [named('s'), named('a')],
      authenticated(),
    )
    expect(outcomes(result)).toEqual({ documents: ['a'], failures: ['s document-unknown'] })
    expect(own.asked).toEqual([[named('a', { home: homes.tuscany })]])
  })

  it('is the failure of a community that did not answer, known or hidden there alike', async () => {
    const result = await gateway([
      side(tuscany, {}),
      side(veneto, { registry: 'down', repository: holding().actor }),
    ]).retrieve([named('a', { home: homes.veneto })], authenticated())
    expect(outcomes(result).failures).toEqual(['a community-unavailable'])
    expect(result.asked).toEqual([])
  })

  it('stays hidden to whoever names it by the home of another who tells of it openly', async () => {
    const own = holding()
    const communities = [
      side(tuscany, { entries: [obscured('a', { repositoryUniqueId: repository })], repository: own.actor }),
      // INI has not heard yet that the document was hidden.
      side(ini, { entries: [filed('a', { home: homes.tuscany })], repository: holding().actor }),
    ]
    for (const home of [homes.ini, homes.campania]) {
      const result = await gateway(communities).retrieve([named('a', { home })], authenticated())
      expect(outcomes(result)).toEqual({ documents: [], failures: ['a document-unknown'] })
      expect(result.asked).toEqual([])
    }
    expect(own.asked).toEqual([])
  })
})

describe('where a document lies', () => {
  it('is what its entry says, when that home says so too', async () => {
    const [own, theirs] = [holding(), holding()]
    const result = await gateway([
      side(tuscany, { entries: [filed('a')], repository: own.actor }),
      side(ini, { entries: [filed('a', { home: homes.tuscany })], repository: theirs.actor }),
    ]).retrieve([named('a', { home: homes.ini })], authenticated())
    expect(outcomes(result)).toEqual({ documents: ['a'], failures: [] })
    expect(result.documents[0]?.reference).toEqual(named('a', { home: homes.ini }))
    expect(own.asked).toEqual([[named('a', { home: homes.tuscany })]])
    expect(theirs.asked).toEqual([])
  })

  it('is reached through the national infrastructure where nobody else hands its documents out', async () => {
    const national = holding()
    const result = await gateway([
      side(tuscany, { repository: holding().actor }),
      side(ini, { entries: [filed('a', { home: homes.campania })], repository: national.actor }),
    ]).retrieve([named('a', { home: homes.campania })], authenticated())
    expect(outcomes(result)).toEqual({ documents: ['a'], failures: [] })
    expect(national.asked).toEqual([[named('a', { home: homes.campania })]])
  })

  it('may be where nobody hands out documents, which is said', async () => {
    const result = await gateway([
      side(tuscany, { repository: holding().actor }),
      side(veneto, { entries: [filed('a')] }),
    ]).retrieve([named('a', { home: homes.veneto }), named('b', { home: homes.lazio })], authenticated())
    expect(outcomes(result).failures).toEqual(['a community-unknown', 'b community-unknown'])
    expect(retrievalStatus(result)).toBe('failure')
  })

  it('is ours alone for other communities', async () => {
    const own = holding()
    const communities = [
      side(tuscany, { entries: [filed('a'), filed('b', { home: homes.veneto })], repository: own.actor }),
    ]
    const index = respondingGateway({ ...federation, own: communities[0] ?? tuscany })
    const result = await gateway(communities, { index }).retrieve(
      [named('a', { home: homes.tuscany }), named('b'), named('a', { home: homes.veneto })],
      authenticated(),
    )
    expect(outcomes(result)).toEqual({ documents: ['a'], failures: ['b community-unknown', 'a community-unknown'] })
    expect(own.asked.flat().map(nameOf)).toEqual(['a'])
  })
})

describe('documents that are named alike', () => {
  it('are asked for once when they are named twice, and answered once', async () => {
    const own = holding()
    const result = await gateway([side(tuscany, { entries: [filed('a')], repository: own.actor })]).retrieve(
      [named('a'), named('a')],
      authenticated(),
    )
    expect(outcomes(result)).toEqual({ documents: ['a'], failures: [] })
    expect(own.asked).toEqual([[named('a', { home: homes.tuscany })]])
  })

  it('are asked for once when one is named with its home and without, and answered as each was named', async () => {
    const own = holding()
    const result = await gateway([side(tuscany, { entries: [filed('a')], repository: own.actor })]).retrieve(
      [named('a'), named('a', { home: homes.tuscany })],
      authenticated(),
    )
    expect(result.documents.map(({ reference }) => reference)).toEqual([
      named('a'),
      named('a', { home: homes.tuscany }),
    ])
    expect(own.asked).toEqual([[named('a', { home: homes.tuscany })]])
    expect(own.handedOut).toMatchObject([{ disposed: false }])
  })

  it('in two repositories are told apart', async () => {
    const own = holding((references) => ({
      documents: [...references].reverse().map((one) => held(one, one.repositoryUniqueId)),
    }))
    const both = [repository, otherRepository]
    const result = await gateway([
      side(tuscany, {
        entries: both.map((one) =>
          entry('a', { entryUuid: `urn:uuid:${one}`, repositoryUniqueId: one, hash: sha1(one), size: one.length }),
        ),
        repository: own.actor,
      }),
    ]).retrieve(
      both.map((repositoryUniqueId) => named('a', { repositoryUniqueId })),
      authenticated(),
    )
    expect(result.failures).toEqual([])
    expect(result.documents.map((one) => (one as unknown as Held).text)).toEqual(both)
  })

  it('in two communities behind one holder are asked for one after the other: an answer need not tell its home', async () => {
    const texts = new Map<HomeCommunityId | undefined, string>([
      [homes.campania, 'of Campania'],
      [homes.lazio, 'of Lazio'],
    ])
    const national = holding((references) => ({
      documents: references.map((one) => held(one, texts.get(one.home) ?? '')),
    }))
    const entries = [...texts].flatMap(([home, text]) => {
      if (home === undefined) return []
      return filed('a', { home, entryUuid: `urn:uuid:${home}`, hash: sha1(text), size: text.length })
    })
    const reaching: Community = { ...ini, reaches: [homes.campania, homes.lazio] }
    const result = await gateway([side(tuscany, {}), side(reaching, { entries, repository: national.actor })]).retrieve(
      [named('a', { home: homes.lazio }), named('a', { home: homes.campania })],
      authenticated(),
    )
    expect(result.failures).toEqual([])
    expect(result.documents.map((one) => (one as unknown as Held).text)).toEqual(['of Lazio', 'of Campania'])
    expect(national.asked.map((one) => one.map(({ home }) => home))).toEqual([[homes.lazio], [homes.campania]])
  })
})

describe('what a holder hands out', () => {
  const asking = async (reply: Reply, names = ['a'], more: Partial<RetrieveParts> = {}) => {
    const own = holding(reply)
    const entries = names.map((name) => filed(name))
    const result = await gateway([side(tuscany, { entries, repository: own.actor })], more).retrieve(
      names.map((name) => named(name)),
      authenticated(),
    )
    return { result, handedOut: own.handedOut }
  }

  it('is given away only when it is what was registered, and given up otherwise', async () => {
    const { result, handedOut } = await asking(
      (references) => ({ documents: references.map((one) => held(one, nameOf(one) === 'b' ? 'B' : nameOf(one))) }),
      ['a', 'b'],
    )
    expect(outcomes(result)).toEqual({ documents: ['a'], failures: ['b document-altered'] })
    expect(result.failures[0]?.error.details).toEqual({ reason: 'hash-differs' })
    expect(handedOut.map(({ disposed }) => disposed)).toEqual([false, true])
    expect(result.asked).toMatchObject([{ outcome: 'partial' }])
  })

  it('is forgotten when nobody asked for it, and does no harm even when it cannot be given up', async () => {
    const stubborn = held(named('x'), 'x')
    stubborn.content[Symbol.asyncDispose] = () => Promise.reject(new Error('the file is stuck'))
    const { result, handedOut } = await asking((references) => ({
      documents: [
        held(named('y'), 'y'),
        stubborn,
        ...references.map((one) => held(one, nameOf(one))),
        held(named('a'), 'a'),
        held(named('a', { repositoryUniqueId: otherRepository }), 'a'),
      ],
    }))
    expect(outcomes(result)).toEqual({ documents: ['a'], failures: [] })
    expect(handedOut.map(({ disposed }) => disposed)).toEqual([true, false, false, true, true])
  })

  it('is known by its repository however that is spelt', async () => {
    const { result } = await asking((references) => ({
      documents: references.map((one) => ({
        ...held(one, nameOf(one)),
        repositoryUniqueId: `urn:oid:${one.repositoryUniqueId}`,
      })),
    }))
    expect(outcomes(result)).toEqual({ documents: ['a'], failures: [] })
    expect(result.documents[0]?.reference).toEqual(named('a'))
  })

  const said = (code: string, more: Partial<RetrieveIssue> = {}): RetrieveIssue => {
    return { severity: 'error', code, text: `the community says ${code}`, ...more }
  }
  const { uniqueId } = named('a')
  const other = named('b').uniqueId

  it.each<[string, readonly RetrieveIssue[], string, string | undefined]>([
    ['names the document', [said('X'), said('Y', { uniqueId })], 'community-rejected', 'Y'],
    ['names none', [said('W', { severity: 'warning' }), said('X')], 'community-rejected', 'X'],
    ['names something that was not asked for', [said('X', { uniqueId: 'java.lang.Error' })], 'community-rejected', 'X'],
    ['names another document', [said('X', { uniqueId: other })], 'community-misbehaved', undefined],
    ['is a warning about it', [said('X', { uniqueId, severity: 'warning' })], 'community-rejected', 'X'],
    ['is a warning about nothing', [said('X', { severity: 'warning' })], 'community-misbehaved', undefined],
    ['says nothing', [], 'community-misbehaved', undefined],
  ])('instead of the document, when it %s', async (_what, issues, code, own) => {
    const { result } = await asking(() => ({ documents: [held(named('b'), 'b')], issues }), ['a', 'b'])
    expect(outcomes(result)).toEqual({ documents: ['b'], failures: [`a ${code}`] })
    expect(result.failures[0]?.error.issues.map((one) => one.code)).toEqual(own === undefined ? [] : [own])
  })

  it.each([
    ['deliver', ['a'], []],
    ['refuse', [], ['a document-altered']],
  ] as const)('without a hash to compare: %s', async (unverified, documents, failures) => {
    const own = holding()
    const bare = filed('a', { hash: undefined, size: undefined } as object)
    const result = await gateway([side(tuscany, { entries: [bare], repository: own.actor })], {
      unverified: () => unverified,
    }).retrieve([named('a')], authenticated())
    expect(outcomes(result)).toEqual({ documents, failures })
    expect(result.documents.map(({ verified }) => verified)).toEqual(documents.map(() => false))
  })
})

describe('a document that another community says is ours', () => {
  const home = homes.veneto
  const says: Reply = (references) => ({
    issues: references.map(({ uniqueId }) => ({
      severity: 'error',
      code: 'RTW1',
      text: 'The document is in the own repository of the requestor',
      uniqueId,
      advice: 'own-repository',
    })),
  })

  it('comes from our own repository, by the entry of our own record', async () => {
    const [own, theirs] = [holding(), holding(says)]
    const result = await gateway([
      side(tuscany, { entries: [filed('a')], repository: own.actor }),
      side(veneto, { entries: [filed('a', { hash: sha1('before') })], repository: theirs.actor }),
    ]).retrieve([named('a', { home })], authenticated())
    expect(outcomes(result)).toEqual({ documents: ['a'], failures: [] })
    expect(result.documents[0]?.reference).toEqual(named('a', { home }))
    expect(result.documents[0]?.verified).toBe(true)
    expect(own.asked).toEqual([[named('a', { home: homes.tuscany })]])
    expect(result.asked.map((leg) => leg.home)).toEqual([homes.veneto, homes.tuscany])
  })

  it('is not fetched when our own record hides it or does not know it', async () => {
    const cases = [
      { entries: [filed('a', { eventCodes: obscured('a').eventCodes })], said: 'document-unknown', asked: 0 },
      { entries: [], said: 'RTW1', asked: 1 },
    ]
    for (const { asked, entries, said } of cases) {
      const [own, theirs] = [holding(), holding(says)]
      const result = await gateway([
        side(tuscany, { entries, repository: own.actor }),
        side(veneto, { entries: [filed('a')], repository: theirs.actor }),
      ]).retrieve([named('a', { home })], authenticated())
      expect(result.documents).toEqual([])
      expect(result.failures.map(({ reference, error }) => [reference, error.issues[0]?.code ?? error.code])).toEqual([
        [named('a', { home }), said],
      ])
      expect(own.asked).toEqual([])
      expect(theirs.asked).toHaveLength(asked)
    }
  })

  it('is not asked for again where our own repository says so of itself', async () => {
    const own = holding(says)
    const result = await gateway([side(tuscany, { entries: [filed('a')], repository: own.actor })]).retrieve(
      [named('a')],
      authenticated(),
    )
    expect(outcomes(result)).toEqual({ documents: [], failures: ['a community-rejected'] })
    expect(own.asked).toHaveLength(1)
  })
})

describe('a registry that refuses a question', () => {
  /** Refuses whatever names somebody else's document, as a whole. */
  const refusing = (own: ReturnType<typeof holding>): Community => ({
    ...side(tuscany, { repository: own.actor }),
    registry: {
      query: async (query) => {
        const ids = query.type === 'GetDocuments' ? query.documents.ids : []
        if (ids.includes(entry('theirs').uniqueId)) throw new GatewayError('community-rejected', 'not yours')
        return answer({ entries: ids.includes(entry('a').uniqueId) ? [filed('a')] : [] })
      },
    },
  })

  it('costs the others nothing, and does not tell that there was something to refuse', async () => {
    const own = holding()
    const result = await gateway([refusing(own)]).retrieve(
      [named('theirs'), named('a'), named('nobodys')],
      authenticated(),
    )
    expect(outcomes(result)).toEqual({
      documents: ['a'],
      failures: ['theirs document-unknown', 'nobodys document-unknown'],
    })
    const [refused, unknown] = result.failures
    expect(refused?.error.message).toBe(unknown?.error.message)
    expect(own.asked).toEqual([[named('a', { home: homes.tuscany })]])
  })
})

describe('whoever wants to hear of what was given away', () => {
  it('hears of the documents that go out, before they do, and can keep them in', async () => {
    const own = holding((references) => ({ documents: references.slice(1).map((one) => held(one, nameOf(one))) }))
    const communities = [side(tuscany, { entries: [filed('a'), filed('b')], repository: own.actor })]
    const heard: string[][] = []
    const telling = gateway(communities, {
      onDelivered: async (_call, documents) => {
        heard.push(documents.map(({ reference }) => nameOf(reference)))
      },
    })
    await telling.retrieve([named('a'), named('b')], authenticated())
    expect(heard).toEqual([['b']])
    const full = new GatewayError('overloaded', 'no room')
    const failing = gateway(communities, { onDelivered: () => Promise.reject(full) })
    await expect(failing.retrieve([named('b')], authenticated())).rejects.toBe(full)
  })
})
