import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Reply } from '../../src/cli/ask.ts'
import type { GetDocuments } from '../../src/core/model/stored-query.ts'
import { type CitizenKey, citizens } from '../network/citizens.ts'
import { expectations } from '../network/expectations.ts'
import { askedAbout } from '../network/federation-file.ts'
import { type Network, startNetwork } from '../network/network.ts'
import type { SistemaTs } from '../network/sistema-ts.ts'
import { documentsOf, type TsPrescription } from '../network/sistema-ts-prescriptions.ts'
import { failing, question, retrieval, uniqueIds } from '../support/asking.ts'

const home = 'urn:oid:2.16.840.1.113883.2.9.2.970'
const repositoryUniqueId = '2.16.840.1.113883.2.9.2.970.4.5.1'
const everyKind = { filter: { kinds: ['stable', 'on-demand'] as const } }

let network: Network
let sistemaTs: SistemaTs

async function started(options: Parameters<typeof startNetwork>[0] & object): Promise<void> {
  network = await startNetwork(options)
  if (network.sistemaTs === undefined) throw new Error('Sistema TS was not started')
  sistemaTs = network.sistemaTs
}

const asked = (key: CitizenKey, query: object = everyKind): Promise<Reply> => question(network, key, { query })

/** What Sistema TS tells of a citizen, current documents only. */
function toldOf(key: CitizenKey): string[] {
  const under = citizens[key].identifiers.flatMap(({ value, authority }) =>
    sistemaTs.prescriptionsOf({ value, authority }),
  )
  return under.filter(({ state }) => state !== '4').flatMap(documentsOf)
}

function expectedOf(key: CitizenKey): string[] {
  const others = expectations(network.seed, citizens[key], { asked: askedAbout(citizens[key]) }).visible
  return [...new Set([...others, ...toldOf(key)])].sort()
}

/** A prescription that nobody else tells of. */
function onlyThere(key: CitizenKey, fits: (one: TsPrescription) => boolean = () => true): TsPrescription {
  const [{ value, authority }] = citizens[key].identifiers
  const found = sistemaTs.prescriptionsOf({ value, authority }).find((one) => one.nre.includes('A4900') && fits(one))
  if (found === undefined) throw new Error('There is no such prescription')
  return found
}

describe('prescriptions that Sistema TS tells of', () => {
  beforeAll(() => started({ sistemaTs: {} }))
  afterAll(() => network[Symbol.asyncDispose]())
  beforeEach(() => sistemaTs.asked.clear())
  afterEach(() => sistemaTs.behave('normal'))

  it.each(['tuscan', 'two-codes'] as const)('stand in the record of %s once each, beside all the rest', async (key) => {
    const reply = await asked(key)
    expect(uniqueIds(reply)).toEqual(expectedOf(key))
    expect(reply.outcome).toBe('success')
    expect(toldOf(key).length).toBeGreaterThan(0)
  })

  it('do not contradict what is registered: who holds the document is believed, without a word', async () => {
    const reply = await asked('tuscan')
    const shared = reply.entries.filter(({ uniqueId }) => toldOf('tuscan').includes(uniqueId))
    const registered = shared.filter(({ kind }) => kind === 'stable')
    expect(registered.length).toBeGreaterThan(5)
    for (const { hash } of registered) expect(hash).toMatch(/^[0-9a-f]{40}$/)
    for (const { home: where } of shared.filter(({ kind }) => kind === 'on-demand')) expect(where).toBe(home)
    expect(reply.issues).toEqual([])
  })

  it('are told to those alone who want documents that are made on demand', async () => {
    await asked('tuscan', {})
    expect(sistemaTs.asked.total).toBe(0)
  })

  it('are not asked for about somebody whom another region assists', async () => {
    await asked('lazio')
    expect(sistemaTs.asked.total).toBe(0)
  })

  it('become documents when they are retrieved, the same bytes for the same data', async () => {
    const one = onlyThere('tuscan', ({ state }) => state === '3')
    const [uniqueId = ''] = documentsOf(one)
    const first = await retrieval(network, 'tuscan', [{ home, repositoryUniqueId, uniqueId }])
    const again = await retrieval(network, 'tuscan', [{ home, repositoryUniqueId, uniqueId }])
    const [document] = first.documents
    expect(document?.mimeType).toBe('text/x-cda-r2+xml')
    const text = Buffer.from(document?.bytes ?? []).toString('utf8')
    expect(text).toContain(`extension="${one.nre}_PREFARM"`)
    expect(text).toContain(one.name)
    expect(again.documents[0]?.bytes).toEqual(document?.bytes)
  })

  it('do not name who wants their name shown to dispensers on request only', async () => {
    const one = onlyThere('tuscan', ({ hidesName }) => hidesName)
    const [uniqueId = ''] = documentsOf(one)
    const { documents } = await retrieval(network, 'tuscan', [{ home, repositoryUniqueId, uniqueId }])
    const text = Buffer.from(documents[0]?.bytes ?? []).toString('utf8')
    expect(text).toContain(one.nre)
    expect(text).not.toContain('<patient>')
    expect(text).not.toContain('CIPRESSI')
  })

  it('are nobody’s who is asked about with another person’s number', async () => {
    const [uniqueId = ''] = documentsOf(onlyThere('tuscan'))
    const { documents, issues } = await retrieval(network, 'numeric', [{ home, repositoryUniqueId, uniqueId }])
    expect(documents).toEqual([])
    expect(issues.length).toBeGreaterThan(0)
    const query: GetDocuments = {
      type: 'GetDocuments',
      documents: { by: 'unique-id', ids: [uniqueId] },
      home: home as never,
      extra: [],
    }
    expect((await asked('numeric', query)).entries).toEqual([])
  })

  it.each(['down', 'fault', 'reset', 'refuse', 'garbage', 'wrong-patient'] as const)(
    'cost nothing but themselves when Sistema TS does not answer: %s',
    async (way) => {
      await sistemaTs.behave(way)
      const reply = await asked('tuscan')
      const others = expectations(network.seed, citizens.tuscan, { asked: askedAbout(citizens.tuscan) })
      expect(uniqueIds(reply)).toEqual(others.visible)
      expect(reply.outcome).toBe('partial-success')
      expect(failing(reply)).toEqual([home])
    },
  )

  it('are not shown while the record is silent about whether they are hidden', async () => {
    await network.record.behave({ behave: 'refuse', face: 'xds' })
    try {
      const reply = await asked('tuscan')
      expect(uniqueIds(reply).filter((id) => id.startsWith('2.16.840.1.113883.2.9.4.3.8^'))).toEqual([])
      const citizen = await question(network, 'tuscan', { query: everyKind, role: 'ASS' })
      expect(uniqueIds(citizen).filter((id) => id.startsWith('2.16.840.1.113883.2.9.4.3.8^')).length).toBeGreaterThan(3)
    } finally {
      await network.record.behave('normal')
    }
  })

  it('were read, and nothing was locked', () => {
    expect(sistemaTs.lockingAttempts).toEqual([])
  })
})

describe('a region’s own list of prescriptions', () => {
  beforeAll(() => started({ sistemaTs: { community: { options: { list: 'sar' } } } }))
  afterAll(() => network[Symbol.asyncDispose]())

  it('tells of prescriptions with one question for each of a citizen’s codes', async () => {
    const reply = await asked('tuscan')
    const prescriptions = toldOf('tuscan').filter((id) => id.includes('_PRE'))
    expect(uniqueIds(reply)).toEqual(expect.arrayContaining(prescriptions))
    expect(sistemaTs.asked.last.map(({ query }) => query)).toEqual(['visualizzaPrescrittoPazienteSOL'])
  })
})

describe('a direct user of Sistema TS', () => {
  beforeAll(() => started({ sistemaTs: { as: 'user' } }))
  afterAll(() => network[Symbol.asyncDispose]())

  it('is known by name, password, pincode and a session that is asked for once', async () => {
    expect(uniqueIds(await asked('tuscan'))).toEqual(expectedOf('tuscan'))
    expect(uniqueIds(await asked('two-codes'))).toEqual(expectedOf('two-codes'))
    expect(sistemaTs.sessions.all.map(({ state }) => state)).toEqual(['active'])
  })
})

describe('the two documents about a user’s authentication', () => {
  it.each([
    ['forte25', 'forte25', []],
    ['a2f26', 'forte25', [home]],
    ['forte25', 'a2f26', [home]],
  ] as const)('are the configuration’s choice: %s told to who wants %s', async (authnContext, wanted, failed) => {
    await started({ sistemaTs: { authnContext: wanted, community: { authnContext } } })
    await using _running = network
    expect(failing(await asked('tuscan'))).toEqual(failed)
    expect(sistemaTs.credentials.refusals).toBe(failed.length)
  })
})

describe('wrong credentials', () => {
  beforeAll(() => started({ sistemaTs: { as: 'user', community: { secrets: { password: 'Sbagliata1' } } } }))
  afterAll(() => network[Symbol.asyncDispose]())

  it('are presented once, however many ask, so that the account is not locked', async () => {
    const replies = await Promise.all([asked('tuscan'), asked('two-codes'), asked('tuscan')])
    for (const reply of replies) expect(failing(reply)).toEqual([home])
    expect((await asked('tuscan')).outcome).toBe('partial-success')
    expect(sistemaTs.credentials.refusals).toBe(1)
    expect(sistemaTs.credentials.locked).toBe(false)
  })
})
