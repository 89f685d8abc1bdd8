import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { ask } from '../../../../src/core/federation/ask.ts'
import { initiatingGateway } from '../../../../src/core/federation/initiating-gateway.ts'
import type { FederationParts } from '../../../../src/core/federation/query.ts'
import { respondingGateway } from '../../../../src/core/federation/responding-gateway.ts'
import { nothingFound, type QueryAnswer, statusOf } from '../../../../src/core/model/answers.ts'
import { authorities, patientId } from '../../../../src/core/model/patient.ts'
import { namesPatient, type StoredQuery } from '../../../../src/core/model/stored-query.ts'
import { accessPolicy } from '../../../../src/core/policy/access.ts'
import type { Community, KnownPatient, PatientLocator } from '../../../../src/core/ports.ts'
import {
  answer,
  authenticated,
  authorized,
  citizen,
  community,
  entry,
  findDocuments,
  folder,
  homes,
  issue,
  known,
  link,
  neighbours,
  obscured,
  otherCitizen,
  recording,
  stoppedClock,
  submissionSet,
} from '../../../support/builders.ts'

const { tuscany, ini, veneto, lazio } = neighbours
const secondId = patientId('RSSMRA85T10A56NH', authorities.codiceFiscale)
const person = known({ patient: { identifiers: [citizen, secondId], active: secondId } })

const basis: FederationParts = { policy: accessPolicy, isAuthor: () => false, clock: stoppedClock }

function gateway(communities: readonly Community[], more: Partial<FederationParts> = {}) {
  return initiatingGateway({ ...basis, communities, mode: 'assisted', ...more })
}

const answering = (of: Community, reply: QueryAnswer | ((query: StoredQuery) => QueryAnswer)): Community => ({
  ...of,
  registry: { query: async (query) => (typeof reply === 'function' ? reply(query) : reply) },
})
const failing = (of: Community, error: unknown): Community => ({
  ...of,
  registry: { query: () => Promise.reject(error) },
})
const locating = (locate: PatientLocator['locate']): Partial<FederationParts> => ({ patients: { locate } })
const uniqueIds = (entries: readonly { readonly uniqueId: string }[]) =>
  entries.map(({ uniqueId }) => uniqueId.split('^')[1])

describe('asking one community about a person', () => {
  it('goes once per identifier where people are filed under each, and joins what is found', async () => {
    const registry = recording((query) =>
      answer({ entries: namesPatient(query) ? [entry(query.patientId.value, { patientId: query.patientId })] : [] }),
    )
    const found = await ask(community({ query: registry.query }), findDocuments(), person, authorized())
    expect(registry.asked).toEqual([findDocuments(), findDocuments({ patientId: secondId })])
    expect(uniqueIds(found.entries)).toEqual([citizen.value, secondId.value])
  })

  it('goes once, under the identifier in force, where the community knows the others itself', async () => {
    const registry = recording(() => nothingFound)
    await ask(community({ identifiers: 'active', query: registry.query }), findDocuments(), person, authorized())
    expect(registry.asked).toEqual([findDocuments({ patientId: secondId })])
  })

  it('goes once for a query that names nobody', async () => {
    const query: StoredQuery = { type: 'GetAssociations', ids: ['urn:uuid:a'], extra: [] }
    const registry = recording(() => nothingFound)
    await ask(community({ query: registry.query }), query, person, authorized())
    expect(registry.asked).toEqual([query])
  })

  it('that answers for some of the identifiers is an answer with an error', async () => {
    const half = answering(tuscany, (query) => {
      if (namesPatient(query) && query.patientId === secondId) throw new GatewayError('community-busy', 'no')
      return answer({ entries: [entry('a')] })
    })
    const found = await ask(half, findDocuments(), person, authorized())
    expect(uniqueIds(found.entries)).toEqual(['a'])
    expect(found.issues).toMatchObject([{ severity: 'error', text: expect.stringContaining('community-busy') }])
    expect(JSON.stringify(found.issues)).not.toContain(secondId.value)
  })

  it('that answers for none fails as it failed first', async () => {
    const error = new GatewayError('community-rejected', 'no')
    await expect(ask(failing(tuscany, error), findDocuments(), person, authorized())).rejects.toBe(error)
  })

  it.each<[string, QueryAnswer]>([
    ['entry', answer({ entries: [entry('a'), entry('b', { patientId: otherCitizen })] })],
    ['submission set', answer({ submissionSets: [submissionSet('s', { patientId: otherCitizen })] })],
    ['folder', answer({ folders: [folder('f', { patientId: otherCitizen })] })],
    [
      'omocode',
      answer({ entries: [entry('a', { patientId: patientId('RSSMRA85T10A562S', authorities.codiceFiscale) })] }),
    ],
    [
      'same value of another authority',
      answer({ entries: [entry('a', { patientId: { ...citizen, authority: authorities.ana } })] }),
    ],
  ])('is refused whole when one %s is about somebody else', async (_what, reply) => {
    await expect(ask(answering(veneto, reply), findDocuments(), person, authorized())).rejects.toMatchObject({
      code: 'community-misbehaved',
      details: { reason: 'wrong-patient' },
    })
  })
})

describe('the initiating gateway', () => {
  it('asks the communities at once and gives one index with who was asked and who failed', async () => {
    const { entries, failures, asked, ...rest } = await gateway([
      answering(tuscany, answer({ entries: [entry('a'), entry('b')] })),
      failing(ini, new GatewayError('community-unavailable', 'down')),
      answering(veneto, answer({ entries: [entry('b')] })),
    ]).query(findDocuments(), authenticated())
    expect(uniqueIds(entries)).toEqual(['a', 'b'])
    expect(failures).toMatchObject([{ home: homes.ini, error: { code: 'community-unavailable' } }])
    expect(asked.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
      'tuscany answered',
      'ini failed',
      'region-050 answered',
    ])
    expect(statusOf({ entries, failures, asked, ...rest })).toBe('partial-success')
  })

  it('reaches nobody without a right to', async () => {
    const registry = recording(() => nothingFound)
    let located = 0
    const one = gateway(
      [community({ query: registry.query })],
      locating(async () => {
        located++
        return undefined
      }),
    )
    for (const call of [
      authenticated({ role: 'INI' }),
      authenticated({ patientId: otherCitizen }),
      authenticated({ action: 'CREATE' }),
    ]) {
      await expect(async () => one.query(findDocuments(), call)).rejects.toMatchObject({ code: 'access-denied' })
    }
    expect(registry.asked).toEqual([])
    expect(located).toBe(0)
  })

  it('names the wrong patient as a failure of that community and shows the others', async () => {
    const { entries, failures } = await gateway([
      answering(tuscany, answer({ entries: [entry('a')] })),
      answering(veneto, answer({ entries: [entry('x', { patientId: otherCitizen })] })),
    ]).query(findDocuments(), authenticated())
    expect(uniqueIds(entries)).toEqual(['a'])
    expect(failures).toMatchObject([{ home: homes.veneto, error: { code: 'community-misbehaved' } }])
  })

  it('tells of each leg and each disagreement, with the call they belong to', async () => {
    const legs: string[] = []
    const disagreements: unknown[] = []
    await gateway(
      [
        answering(tuscany, answer({ entries: [entry('a', { mimeType: 'x' })] })),
        answering(veneto, answer({ entries: [entry('a')] })),
      ],
      {
        onLeg: ({ correlationId }, leg) => legs.push(`${correlationId} ${leg.name}`),
        onDisagreement: ({ correlationId }, { what }) => disagreements.push([correlationId, what]),
      },
    ).query(findDocuments(), authenticated())
    expect(legs.sort()).toEqual(['c-1 region-050', 'c-1 tuscany'])
    expect(disagreements).toEqual([['c-1', ['mimeType']]])
  })
})

describe('the patient index', () => {
  const everywhere = [tuscany, ini, veneto]
  const names = async (locate: PatientLocator['locate']) =>
    (await gateway(everywhere, locating(locate)).query(findDocuments(), authenticated())).asked.map(({ name }) => name)

  it('decides by the region of assistance who is asked', async () => {
    expect(await names(async () => ({ ...known(), assistedBy: homes.tuscany }))).toEqual(['tuscany', 'region-050'])
    expect(await names(async () => undefined)).toEqual(['tuscany', 'ini', 'region-050'])
  })

  it.each(['community-unavailable', 'community-timeout', 'community-busy', 'community-misbehaved'] as const)(
    'that fails with %s leaves the identifier asked about, and a warning',
    async (code) => {
      const registry = recording(() => answer({ entries: [entry('a')] }))
      const down = locating(() => Promise.reject(new GatewayError(code, 'x')))
      const result = await gateway([veneto, community({ query: registry.query })], down).query(
        findDocuments(),
        authenticated(),
      )
      expect(registry.asked[0]).toEqual(findDocuments())
      expect(result.issues).toMatchObject([{ severity: 'warning', code: 'XDSRegistryError', home: homes.tuscany }])
      expect(statusOf(result)).toBe('success')
      expect(uniqueIds(result.entries)).toEqual(['a'])
    },
  )

  it('that answers about somebody else is not believed', async () => {
    const registry = recording(() => nothingFound)
    const other = async (): Promise<KnownPatient> => ({
      patient: { identifiers: [otherCitizen], active: otherCitizen },
    })
    const { issues } = await gateway([community({ query: registry.query })], locating(other)).query(
      findDocuments(),
      authenticated(),
    )
    expect(registry.asked).toEqual([findDocuments()])
    expect(issues).toMatchObject([{ severity: 'warning' }])
  })

  it('that fails by a mistake of ours fails the question', async () => {
    const asking = gateway(
      everywhere,
      locating(() => Promise.reject(new TypeError('ours'))),
    ).query(findDocuments(), authenticated())
    await expect(asking).rejects.toMatchObject({ code: 'internal' })
  })

  it('that is deaf ends with the deadline', async () => {
    const deaf = locating(() => new Promise(() => undefined))
    const result = await gateway([tuscany], deaf).query(
      findDocuments(),
      authenticated({}, { deadline: stoppedClock.now() + 20 }),
    )
    expect(result.issues).toMatchObject([{ severity: 'warning' }])
    expect(result.asked).toHaveLength(1)
  })

  it('does not hold a caller who leaves', async () => {
    const caller = new AbortController()
    const deaf = locating(() => new Promise(() => undefined))
    const asking = gateway([tuscany], deaf).query(findDocuments(), authenticated({}, { signal: caller.signal }))
    caller.abort()
    await expect(asking).rejects.toMatchObject({ code: 'caller-gone' })
  })
})

describe('the responding gateway', () => {
  const registry = recording(() => answer({ entries: [entry('a')] }))
  const responding = respondingGateway({ ...basis, own: community({ query: registry.query }) })
  const byId: StoredQuery = { type: 'GetDocuments', documents: { by: 'entry-uuid', ids: ['urn:uuid:a'] }, extra: [] }

  it('answers from our own community, home named or not', async () => {
    for (const query of [findDocuments(), findDocuments({ home: homes.tuscany }), { ...byId, home: homes.tuscany }]) {
      const { asked, entries } = await responding.query(query, authenticated())
      expect(asked.map(({ name }) => name)).toEqual(['tuscany'])
      expect(entries).toHaveLength(1)
    }
  })

  it.each([
    ['another home', findDocuments({ home: homes.lazio }), 'community-unknown'],
    ['neither home nor patient', byId, 'community-missing'],
  ])('refuses %s', async (_what, query, code) => {
    await expect(responding.query(query, authenticated())).rejects.toMatchObject({ code })
  })

  it('holds the caller to the same policy', async () => {
    await expect(async () =>
      responding.query(findDocuments(), authenticated({ role: 'MDS', purposeOfUse: 'PERSONAL' })),
    ).rejects.toMatchObject({ code: 'access-denied' })
  })
})

describe('a hidden document', () => {
  const getAll: StoredQuery = {
    type: 'GetAll',
    patientId: citizen,
    documentStatus: ['approved'],
    submissionSetStatus: ['approved'],
    folderStatus: ['approved'],
    filter: {},
    extra: [],
  }
  const seen = async (communities: readonly Community[], query: StoredQuery = getAll, claims = {}) =>
    gateway(communities).query(query, authenticated(claims))

  it('leaves no trace in entries, links, submission sets, folders and issues', async () => {
    const whole = answer({
      entries: [entry('open'), obscured('secret'), entry('alone')],
      submissionSets: [submissionSet('s-secret'), submissionSet('s-both')],
      folders: [folder('f-secret'), folder('f-open')],
      associations: [
        link('s-secret', 'has-member', 'secret'),
        link('s-both', 'has-member', 'secret'),
        link('s-both', 'has-member', 'open'),
        link('f-secret', 'has-member', 'secret'),
        link('f-open', 'has-member', 'open'),
        link('s-secret', 'has-member', 'f-secret'),
        link('open', 'appends', 'secret'),
        link('secret', 'replaces', 'alone'),
        link('nobody', 'signs', 'unknown'),
      ],
      references: [{ id: 'urn:uuid:secret' }],
      issues: [
        issue('W', { severity: 'warning', text: 'odd title in urn:uuid:secret' }),
        issue('W', { severity: 'warning', text: 'odd', location: entry('secret').uniqueId }),
        issue('W', { severity: 'warning', text: 'odd title in urn:uuid:open' }),
      ],
    })
    const result = await seen([answering(tuscany, whole)])
    expect(uniqueIds(result.entries).sort()).toEqual(['alone', 'open'])
    expect(result.submissionSets.map(({ entryUuid }) => entryUuid)).toEqual(['urn:uuid:s-both'])
    expect(result.folders.map(({ entryUuid }) => entryUuid)).toEqual(['urn:uuid:f-open'])
    expect(result.associations.map(({ entryUuid }) => entryUuid)).toEqual([
      'urn:uuid:s-both-has-member-open',
      'urn:uuid:f-open-has-member-open',
    ])
    expect(JSON.stringify(result)).not.toContain('secret')
  })

  it('answers exactly as one that does not exist', async () => {
    const without = await seen([answering(tuscany, answer({ entries: [entry('open')] }))])
    const { asked: _, ...told } = await seen([
      answering(tuscany, answer({ entries: [entry('open'), obscured('secret')] })),
    ])
    const { asked: __, ...expected } = without
    expect(told).toEqual(expected)
  })

  it('is hidden whoever else tells of it openly: the strictest word counts', async () => {
    for (const order of [
      [answering(tuscany, answer({ entries: [obscured('d')] })), answering(veneto, answer({ entries: [entry('d')] }))],
      [answering(tuscany, answer({ entries: [entry('d')] })), answering(veneto, answer({ entries: [obscured('d')] }))],
    ]) {
      const result = await seen(order)
      expect(result.entries).toEqual([])
      expect(result.issues).toEqual([])
    }
  })

  it('is shown to the citizen whose record it is', async () => {
    const own = { role: 'ASS', purposeOfUse: 'PERSONAL', subject: `${citizen.value}^^^&${citizen.authority}&ISO` }
    const result = await seen([answering(tuscany, answer({ entries: [obscured('d')] }))], getAll, own)
    expect(uniqueIds(result.entries)).toEqual(['d'])
  })

  it('is not betrayed by containers and links that come without it: their members are asked for', async () => {
    const registry = recording((query) => {
      if (query.type === 'FindSubmissionSets') {
        return answer({ submissionSets: [submissionSet('s-secret'), submissionSet('s-open')] })
      }
      if (query.type === 'GetAssociations') {
        return answer({
          associations: [link('s-secret', 'has-member', 'secret'), link('s-open', 'has-member', 'open')],
        })
      }
      return answer({ entries: [obscured('secret'), entry('open')] })
    })
    const query: StoredQuery = { type: 'FindSubmissionSets', patientId: citizen, status: ['approved'], extra: [] }
    const result = await seen([community({ query: registry.query })], query)
    expect(result.submissionSets.map(({ entryUuid }) => entryUuid)).toEqual(['urn:uuid:s-open'])
    expect(result.entries).toEqual([])
    expect(registry.asked.slice(1)).toEqual([
      { type: 'GetAssociations', ids: ['urn:uuid:s-secret', 'urn:uuid:s-open'], home: homes.tuscany, extra: [] },
      {
        type: 'GetDocuments',
        documents: { by: 'entry-uuid', ids: ['urn:uuid:secret', 'urn:uuid:open'] },
        home: homes.tuscany,
        extra: [],
      },
    ])
  })

  it('stays hidden when its members cannot be had: the community has failed', async () => {
    const registry = recording((query) => {
      if (query.type === 'FindFolders') return answer({ folders: [folder('f')] })
      throw new GatewayError('community-unavailable', 'down')
    })
    const query: StoredQuery = { type: 'FindFolders', patientId: citizen, status: ['approved'], extra: [] }
    const result = await seen([community({ query: registry.query })], query)
    expect(result.folders).toEqual([])
    expect(result.failures).toMatchObject([{ error: { code: 'community-unavailable' } }])
  })

  it('stays hidden when the community tells of its members in part only', async () => {
    const registry = recording((query) => {
      if (query.type === 'FindFolders') return answer({ folders: [folder('f')] })
      return answer({ issues: [issue('XDSRegistryError')] })
    })
    const query: StoredQuery = { type: 'FindFolders', patientId: citizen, status: ['approved'], extra: [] }
    const result = await seen([community({ query: registry.query })], query)
    expect(result.folders).toEqual([])
    expect(result.failures).toMatchObject([{ error: { fault: 'community' } }])
  })

  it('leaves no container whose answer lists only what may be seen of it', async () => {
    const registry = recording((query) => {
      if (query.type === 'GetAssociations') return answer({ associations: [link('f', 'has-member', 'secret')] })
      if (query.type === 'GetDocuments') return answer({ entries: [obscured('secret')] })
      return answer({ folders: [folder('f')], associations: [link('f', 'has-member', 'unknown')] })
    })
    const result = await seen([community({ query: registry.query })])
    expect(result.folders).toEqual([])
    expect(result.associations).toEqual([])
  })

  it('costs an answer of entries alone no further question', async () => {
    const registry = recording(() => answer({ entries: [entry('a')] }))
    await seen([community({ query: registry.query })])
    expect(registry.asked).toHaveLength(1)
  })

  it('of a type the claim does not name is no less hidden', async () => {
    const documentTypes = [{ code: '57833-6', scheme: '2.16.840.1.113883.6.1' }]
    const result = await seen([answering(lazio, answer({ entries: [entry('report')] })), tuscany], getAll, {
      documentTypes,
    })
    expect(result.entries).toEqual([])
  })
})
