import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { DocumentFacts } from '../network/entry.ts'
import { type Network, startNetwork } from '../network/network.ts'
import { nationalDelete } from '../network/submission.ts'
import { confidentiality, contentType, event } from '../network/value-sets.ts'
import { type Producer, producerOf } from '../support/producing.ts'

let network: Network
let producer: Producer
beforeAll(async () => {
  network = await startNetwork({
    gateway: { deliveries: { firstRetryMs: 10, longestRetryMs: 10, mostAttempts: 1_000, timeoutMs: 2_000 } },
    counterparts: { ini: { contentType: 'application/soap-xml' } },
  })
  producer = await producerOf(network)
})
afterAll(() => network[Symbol.asyncDispose]())
beforeEach(async () => {
  for (const party of Object.values(network.parties)) await party.behave('normal')
})

const lazio = () => network.regions['region-120']
const document = (wishes: Parameters<Network['ini']['push']['document']>[0] = {}) =>
  network.ini.push.document({ citizen: 'lazio', keeper: '090', ...wishes })
const codes = (answer: { readonly issues: readonly { readonly code: string }[] }) =>
  answer.issues.map(({ code }) => code)
const ours = (of: DocumentFacts) => network.record.registered.until(({ uniqueId }) => uniqueId === of.uniqueId)
const theirs = (of: DocumentFacts) => lazio().registered.until(({ uniqueId }) => uniqueId === of.uniqueId)
/** What INI was told since, by the face it was told at. */
const told = (since: number) => {
  const { last, total } = network.ini.asked
  return last.slice(last.length - (total - since)).map(({ face, role, purpose }) => ({ face, role, purpose }))
}
const until = <T>(look: () => T | Promise<T>) => vi.waitUntil(look, { timeout: 15_000, interval: 10 })
const waiting = async () => {
  await using store = await sqliteStore({ path: network.gateway.store })
  return await store.outbox.list({ limit: 100 })
}
const settled = () => until(async () => (await waiting()).length === 0)

/** A document that our record and the region of assistance have. */
async function published(wishes: Parameters<typeof document>[0] = {}) {
  const facts = document(wishes)
  expect(await producer.create(facts)).toMatchObject({ status: 'Success', issues: [] })
  const [own, other] = [await ours(facts), await theirs(facts)]
  await settled()
  return { facts, own: own.entry, other: other.entry }
}

describe('a document that a Tuscan producer makes about a citizen of Lazio', () => {
  it('is in our record, and by INI in the index of Lazio', async () => {
    const since = network.ini.asked.total
    const { own, other, facts } = await published()
    expect(other).toMatchObject({ uniqueId: facts.uniqueId, hash: facts.hash, size: facts.size, home: own.home })
    expect(other.otherSlots).toMatchObject({
      'urn:ita:2022:documentSigned': ['true^Documento firmato'],
      'urn:ihe:iti:xds:2024:SubjectApplication': [expect.any(String)],
    })
    expect(told(since)).toEqual([{ face: 'register', role: facts.author.role, purpose: 'TREATMENT' }])
  })

  it('replaces another in both, whose id INI is asked for', async () => {
    const { facts, own } = await published()
    const newer = document()
    const since = network.ini.asked.total
    expect(await producer.replace(newer, own)).toMatchObject({ status: 'Success' })
    expect((await theirs(newer)).change).toBe('replace')
    await settled()
    expect(told(since).map(({ face }) => face)).toEqual(['references', 'register'])
    const former = lazio().holdings.entries.find(({ uniqueId }) => uniqueId === facts.uniqueId)
    expect(former?.status).toBe('Deprecated')
  })

  it('is updated in both, from the version each of them has', async () => {
    const { facts, own } = await published()
    const since = network.ini.asked.total
    const changed = { ...facts, title: 'Referto corretto' }
    expect(await producer.update(changed, own)).toMatchObject({ status: 'Success' })
    const { entry } = await lazio().registered.until((one) => one.uniqueId === facts.uniqueId && one.version === '2')
    expect(entry.title).toBe('Referto corretto')
    await settled()
    expect(told(since)).toEqual([
      { face: 'search', role: facts.author.role, purpose: 'UPDATE' },
      { face: 'update', role: facts.author.role, purpose: 'UPDATE' },
    ])
  })

  it('is obscured in both, for the purpose that is for that, and updated all the same afterwards', async () => {
    const { facts, own } = await published()
    const hidden = { ...facts, events: [event('P99')] }
    const since = network.ini.asked.total
    expect(await producer.update(hidden, own)).toMatchObject({ status: 'Success' })
    const now = await lazio().registered.until((one) => one.uniqueId === facts.uniqueId && one.version === '2')
    expect(now.entry.events.map(({ code }) => code)).toEqual(['P99'])
    expect(told(since).at(-1)).toMatchObject({ face: 'update', purpose: 'ACCESS UPDATE' })
    const mine = await network.record.registered.until((one) => one.uniqueId === facts.uniqueId && one.version === '2')
    const again = await producer.update({ ...hidden, title: 'Referto corretto' }, mine.entry)
    expect(again).toMatchObject({ status: 'Success' })
    await lazio().registered.until((one) => one.uniqueId === facts.uniqueId && one.version === '3')
  })

  it.each([['IHE’s'], ['INI’s']])('is removed from both, by %s name of the action', async (whose) => {
    const { facts, own } = await published()
    const since = network.ini.asked.total
    const wishes = whose === 'INI’s' ? { actionUri: nationalDelete } : {}
    expect(await producer.remove(facts, [own.entryUuid], wishes)).toMatchObject({ status: 'Success' })
    await lazio().registered.until((one) => one.uniqueId === facts.uniqueId && one.change === 'remove')
    await settled()
    expect(told(since)).toEqual([
      { face: 'references', role: facts.author.role, purpose: 'UPDATE' },
      { face: 'delete', role: facts.author.role, purpose: 'UPDATE' },
    ])
  })

  it('is told of in the order in which it was changed, however late INI hears', async () => {
    await network.ini.behave('down')
    const [first, second] = [document(), document()]
    expect((await producer.create(first)).status).toBe('Success')
    const { entry } = await ours(first)
    expect((await producer.replace(second, entry)).status).toBe('Success')
    const { entry: newer } = await ours(second)
    expect((await producer.update({ ...second, title: 'Referto corretto' }, newer)).status).toBe('Success')
    await network.record.registered.until((one) => one.uniqueId === second.uniqueId && one.version === '2')
    expect((await waiting()).every(({ kind }) => kind === 'publish:ini')).toBe(true)
    await network.ini.behave('normal')
    await lazio().registered.until((one) => one.uniqueId === second.uniqueId && one.version === '2')
    await settled()
  })
})

describe('what INI answers', () => {
  it('with CRF1 after it was done is done when it is told again (R224)', async () => {
    await network.ini.behave({ behave: 'unheard', times: 1, face: 'register' })
    const since = network.ini.asked.total
    await published()
    expect(told(since).map(({ face }) => face)).toEqual(['register', 'register'])
  })

  it('with CRF1 after an update or a removal is recognised by what is there', async () => {
    const { facts, own } = await published()
    await network.ini.behave({ behave: 'unheard', times: 1, face: 'update' })
    await producer.update({ ...facts, title: 'Referto corretto' }, own)
    await lazio().registered.until((one) => one.uniqueId === facts.uniqueId && one.version === '2')
    await settled()
    expect(lazio().holdings.entries.filter(({ uniqueId }) => uniqueId === facts.uniqueId)).toHaveLength(2)
    await network.ini.behave({ behave: 'unheard', times: 1, face: 'delete' })
    const mine = network.record.holdings.entries.filter(({ uniqueId }) => uniqueId === facts.uniqueId)
    await producer.remove(
      facts,
      mine.map(({ entryUuid }) => entryUuid),
    )
    await lazio().registered.until((one) => one.uniqueId === facts.uniqueId && one.change === 'remove')
    await settled()
  })

  it.each(['hang', 'reset', 'garbage'] as const)('is asked for again after %s', async (behave) => {
    await network.ini.behave({ behave, times: 1, face: 'register' })
    await published()
  })

  it('of its own trouble passes', async () => {
    const issues = [{ code: 'XDSRegistryError', text: 'Internal Error 1011' }]
    await network.ini.behave({ behave: 'refuse', issues, times: 2, face: 'register' })
    await published()
  })

  it.each([
    ['CRF2', 'RDA generated an internal error.'],
    ['R50', 'Wrong value of DocumentEntry.healthcareFacilityCode'],
  ])('with %s ends the attempts, and an operator reads it word for word', async (code, text) => {
    await network.ini.behave({ behave: 'refuse', issues: [{ code, text }], face: 'register' })
    const facts = document()
    await producer.create(facts)
    await until(async () => (await waiting()).some(({ state }) => state === 'dead'))
    const [dead] = await waiting()
    expect(dead).toMatchObject({ kind: 'publish:ini', attempts: 1, reason: `community-rejected: ${code} ${text}` })
    await network.ini.behave('normal')
    const id = encodeURIComponent(dead?.id ?? '')
    const response = await fetch(`${network.gateway.operator}/deliveries/${id}/retry`, {
      method: 'POST',
      headers: { operator: 'anna', 'content-type': 'application/json' },
    })
    expect(response.status).toBeLessThan(300)
    await theirs(facts)
    await settled()
  })
})

it('INI decides whose patient it is when our index of persons does not tell, and leaves ours to us (R220)', async () => {
  await network.record.behave({ behave: 'refuse', face: 'fhir' })
  const since = network.ini.asked.total
  const facts = network.ini.push.document({ citizen: 'tuscan', keeper: '090' })
  expect(await producer.create(facts)).toMatchObject({ status: 'Success' })
  await ours(facts)
  await settled()
  expect(told(since).map(({ face }) => face)).toEqual(['register'])
  expect(network.ini.asked.last.at(-1)?.outcome).toBe('refused')
})

describe('INI is told nothing', () => {
  it('of whom we assist', async () => {
    const since = network.ini.asked.total
    const facts = network.ini.push.document({ citizen: 'tuscan', keeper: '090' })
    expect(await producer.create(facts)).toMatchObject({ status: 'Success' })
    await ours(facts)
    await settled()
    expect(told(since)).toEqual([])
  })

  it('of what it pushed to us itself', async () => {
    const since = network.ini.asked.total
    const facts = network.ini.push.document({ citizen: 'lazio', keeper: '050' })
    expect((await network.ini.push.create(facts)).status).toBe('Success')
    await ours(facts)
    await settled()
    expect(told(since)).toEqual([])
  })

  it('of metadata that are not those of the affinity domain, which are refused with its code', async () => {
    const since = network.ini.asked.total
    const facts = document({ events: [], confidentiality: confidentiality('V') })
    const answer = await producer.create(facts)
    expect(answer.status).toBe('Failure')
    expect(codes(answer)).toEqual(['R227'])
    await settled()
    expect(told(since)).toEqual([])
    expect(network.record.holdings.entries.some(({ uniqueId }) => uniqueId === facts.uniqueId)).toBe(false)
  })

  it.each([
    ['in a role that makes none', { role: 'NOR' }],
    ['for another purpose', { purpose: 'PERSONAL' }],
    ['as if an index were transferred', { role: 'NOR', content: contentType('INI') }],
  ])('of a document that is pushed %s', async (_, wishes) => {
    expect((await producer.create(document(), wishes)).fault).toBeDefined()
  })
})

describe('whom nobody is known to assist', () => {
  it('INI has in its temporary index', async () => {
    const facts = network.ini.push.document({ citizen: 'none', keeper: '090' })
    expect(await producer.create(facts)).toMatchObject({ status: 'Success' })
    await network.ini.temporary.registered.until(({ uniqueId }) => uniqueId === facts.uniqueId)
  })
})
