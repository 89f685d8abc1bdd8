import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Reply } from '../../src/cli/ask.ts'
import { CliError } from '../../src/cli/exit.ts'
import { sourcesOf } from '../../src/cli/present.ts'
import type { StoredQuery } from '../../src/core/model/stored-query.ts'
import type { Behaviour } from '../network/behaviour.ts'
import { type CitizenKey, citizens } from '../network/citizens.ts'
import { expectations } from '../network/expectations.ts'
import { askedAbout } from '../network/federation-file.ts'
import { homesByName, type Network, startNetwork } from '../network/network.ts'
import { question as ask, failing, uniqueIds, type Wishes } from '../support/asking.ts'
import { homeOf, type PartyName } from '../support/gateway-config.ts'

let network: Network

beforeAll(async () => {
  network = await startNetwork({
    gateway: { deadlineMs: 3_000 },
    communities: Object.fromEntries(
      [...homesByName.keys()].map((name) => [name, { guard: { timeoutMs: 1_500, minimumCalls: 10_000 } }]),
    ),
  })
})
afterAll(() => network[Symbol.asyncDispose]())
beforeEach(async () => {
  for (const party of Object.values(network.parties)) {
    await party.behave('normal')
    party.asked.clear()
  }
})

const question = (key: CitizenKey, wishes: Wishes = {}): Promise<Reply> => ask(network, key, wishes)

describe('a federated query', () => {
  it.each(Object.keys(citizens) as CitizenKey[])('gives every visible document of %s exactly once', async (key) => {
    const citizen = citizens[key]
    const asked = askedAbout(citizen)
    const expected = expectations(network.seed, citizen, { asked })
    const reply = await question(key)
    expect(uniqueIds(reply)).toEqual(expected.visible)
    for (const hidden of expected.hidden) expect(uniqueIds(reply)).not.toContain(hidden)
    expect(reply.outcome).toBe('success')
  })

  it('keeps who told of each document', async () => {
    const citizen = citizens.lazio
    const { toldBy } = expectations(network.seed, citizen, { asked: askedAbout(citizen) })
    const reply = await question('lazio')
    for (const entry of reply.entries) {
      const homes = (toldBy[entry.uniqueId] ?? []).map((holder) => homeOf(holder))
      expect([...sourcesOf(entry)].sort(), entry.uniqueId).toEqual(homes.sort())
    }
  })

  it('names the home of every document', async () => {
    const reply = await question('lazio')
    expect(reply.entries.length).toBeGreaterThan(20)
    for (const entry of reply.entries) expect(entry.home).toMatch(/^urn:oid:/)
  })

  it('asks INI only about those whom another region assists, or none', async () => {
    await question('tuscan')
    expect(network.ini.asked.total).toBe(0)
    await question('none')
    expect(network.ini.asked.total).toBe(1)
  })

  it('tells the citizen of the documents hidden from professionals', async () => {
    const citizen = citizens.tuscan
    const expected = expectations(network.seed, citizen, { asked: askedAbout(citizen), role: 'ASS' })
    expect(uniqueIds(await question('tuscan', { role: 'ASS' }))).toEqual(expected.visible)
  })

  it('signs anew for each community and sends no assertion twice', async () => {
    await question('lazio')
    await question('lazio')
    const ids = Object.values(network.parties).flatMap(({ asked }) =>
      asked.last.filter(({ face }) => face !== 'rda').flatMap(({ assertionIds }) => assertionIds),
    )
    expect(ids.length).toBeGreaterThan(6)
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('a community that does not answer', () => {
  const ways: readonly Behaviour[] = [
    'down',
    'hang',
    'drip',
    'reset',
    'refuse',
    'garbage',
    'wrong-patient',
    'oversize',
    'malformed',
    'fault',
  ]
  it.each(ways)('costs nothing but its own documents and is named: %s', async (way) => {
    await network.parties['region-050'].behave(way)
    const citizen = citizens.tuscan
    const asked = askedAbout(citizen)
    const expected = expectations(network.seed, citizen, { asked, down: ['region-050'] })
    const reply = await question('tuscan')
    expect(uniqueIds(reply)).toEqual(expected.visible)
    expect(reply.outcome).toBe('partial-success')
    expect(failing(reply)).toEqual([homeOf('region-050')])
  })

  it('is told beside what it did find when it answers in part', async () => {
    await network.parties['region-050'].behave('partial')
    const reply = await question('tuscan')
    expect(reply.outcome).toBe('partial-success')
    expect(failing(reply)).toEqual([homeOf('region-050')])
    expect(reply.asked.find(({ name }) => name === 'region-050')?.outcome).toBe('partial')
  })

  it('costs one odd entry alone, with a warning', async () => {
    const before = await question('tuscan')
    await network.parties['region-050'].behave('odd-entry')
    const reply = await question('tuscan')
    expect(reply.outcome).toBe('success')
    expect(reply.entries.length).toBeGreaterThanOrEqual(before.entries.length - 1)
    expect(reply.issues.some(({ severity }) => severity === 'warning')).toBe(true)
  })

  it('is failure when nobody answers', async () => {
    // Without the patient index nobody knows whose the citizen is, and INI is asked as well.
    for (const name of [
      'tuscany',
      'ini',
      'region-050',
      'region-120',
      'region-150',
    ] as const satisfies readonly PartyName[]) {
      await network.parties[name].behave('down')
    }
    const reply = await question('tuscan')
    expect(reply.outcome).toBe('failure')
    expect(reply.entries).toEqual([])
  })
})

describe('the door for other communities', () => {
  it('tells a region of Tuscany’s own documents only, and asks nobody else', async () => {
    const citizen = citizens.tuscan
    const expected = expectations(network.seed, citizen, { asked: ['tuscany'] })
    const reply = await question('tuscan', { as: 'region-050' })
    expect(uniqueIds(reply)).toEqual(expected.visible)
    for (const entry of reply.entries) expect(entry.home).toBe(homeOf('tuscany'))
    expect(network.ini.asked.total + network.regions['region-120'].asked.total).toBe(0)
  })

  it('refuses a home that is not ours', async () => {
    const reply = await question('tuscan', {
      as: 'region-050',
      query: { home: homeOf('region-120') } as Partial<StoredQuery>,
    })
    expect(reply.outcome).toBe('failure')
    expect(reply.issues.map(({ code }) => code)).toEqual(['XDSUnknownCommunity'])
  })

  it('refuses a stranger, whoever vouches for them', async () => {
    await expect(question('tuscan', { as: 'stranger' })).rejects.toThrow(CliError)
  })
})
