import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { citizens } from '../network/citizens.ts'
import { documentBytes } from '../network/documents.ts'
import { expectations } from '../network/expectations.ts'
import { askedAbout } from '../network/federation-file.ts'
import { type Network, startNetwork } from '../network/network.ts'
import type { Reference, Retrieval } from '../network/retrieve.ts'
import { referencesOf, retrieval } from '../support/asking.ts'
import { homeOf, type PartyName } from '../support/gateway-config.ts'

let network: Network
beforeAll(async () => {
  network = await startNetwork({
    throughIni: ['region-120', 'region-150'],
    gateway: { retrieval: { maxDocuments: 40 } },
    communities: {
      tuscany: { retrieval: { unverified: 'refuse' } },
      'region-050': { retrieval: { unverified: 'deliver', mostAtOnce: 1 } },
      ini: { retrieval: { mostAtOnce: 7 } },
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

const asked = askedAbout(citizens.lazio)
const visible = (of: PartyName, key: 'lazio' | 'tuscan' = 'lazio') =>
  referencesOf(network.seed, expectations(network.seed, citizens[key], { asked }).visible).filter(
    ({ home }) => home === homeOf(of),
  )
const requests = (of: PartyName, face: string) =>
  network.parties[of].asked.last.filter((one) => one.face === face).map(({ documents }) => documents)

function expectExactly(answer: Retrieval, references: readonly Reference[]): void {
  expect(answer.documents.map(({ uniqueId }) => uniqueId)).toEqual(references.map(({ uniqueId }) => uniqueId))
  for (const { bytes, uniqueId } of answer.documents) {
    expect(bytes.equals(documentBytes(network.seed.name, uniqueId)), uniqueId).toBe(true)
  }
}

describe('documents of regions that INI speaks for', () => {
  it('come through INI, whole and in order, as many at once as it takes', async () => {
    const references = [...visible('region-150'), ...visible('region-120'), ...visible('ini')].filter(knownToRda)
    expect(references.length).toBeGreaterThan(15)
    const answer = await retrieval(network, 'lazio', references)
    expect(answer.issues).toEqual([])
    expectExactly(answer, references)
    const counts = requests('ini', 'retrieve').map((count = 0) => count)
    expect(Math.max(...counts)).toBe(7)
    expect(counts.reduce((sum, count) => sum + count)).toBe(references.length)
    for (const party of ['region-120', 'region-150'] as const) expect(requests(party, 'xcr')).toEqual([])
  })

  it('do not come when INI cannot have found them', async () => {
    const [reference] = visible('region-150').filter((one) => !knownToRda(one))
    if (reference === undefined) throw new Error('The seed has no such document')
    const answer = await retrieval(network, 'lazio', [reference])
    expectExactly(answer, [])
    expect(answer.issues).toMatchObject([{ code: 'RTW2', severity: 'Error', location: reference.uniqueId }])
    expect(requests('ini', 'retrieve').length).toBeLessThanOrEqual(2)
  })

  it('come with those of others, and cost nothing else when INI is down', async () => {
    await network.ini.behave({ behave: 'reset', face: 'retrieve' })
    const [good, lost] = [visible('region-050')[0], visible('region-120')[0]]
    if (good === undefined || lost === undefined) throw new Error('The seed has no such documents')
    const answer = await retrieval(network, 'lazio', [lost, good])
    expectExactly(answer, [good])
    expect(answer.issues.map(({ code, location }) => ({ code, location }))).toEqual([
      { code: 'XDSUnavailableCommunity', location: lost.uniqueId },
    ])
  })
})

describe('how many documents are asked for at once', () => {
  it('is as the configuration of each holder says', async () => {
    const references = [...visible('region-050').slice(0, 3), ...visible('tuscany').slice(0, 6)]
    expectExactly(await retrieval(network, 'lazio', references), references)
    expect(requests('region-050', 'xcr')).toEqual([1, 1, 1])
    expect(requests('tuscany', 'repository')).toEqual([5, 1])
  })

  it('costs only the request that failed', async () => {
    await network.regions['region-050'].behave({ behave: 'reset', face: 'xcr', times: 1 })
    const references = visible('region-050').slice(0, 3)
    const answer = await retrieval(network, 'lazio', references)
    // A connection that breaks before an answer may be tried once more.
    const lost = answer.issues.map(({ location }) => location)
    expect(lost.length).toBeLessThanOrEqual(1)
    expectExactly(
      answer,
      references.filter(({ uniqueId }) => !lost.includes(uniqueId)),
    )
  })

  it('does not go beyond what one request may name', async () => {
    const all = [...visible('tuscany'), ...visible('region-050'), ...visible('region-150')]
    expect(all.length).toBeGreaterThan(40)
    expect((await retrieval(network, 'lazio', all.slice(0, 41))).status).toBe('Failure')
    expect(requests('tuscany', 'repository')).toEqual([])
    expectExactly(await retrieval(network, 'lazio', all.slice(0, 40)), all.slice(0, 40))
  })
})

describe('a document whose entry states neither hash nor size', () => {
  it('is delivered with a warning where its holder’s documents may be', async () => {
    const only = venetoAlone()
    const verified = await retrieval(network, 'lazio', [only])
    expect(verified.issues).toEqual([])
    await network.regions['region-050'].behave({ behave: 'unhashed', face: 'xca' })
    const answer = await retrieval(network, 'lazio', [only])
    expectExactly(answer, [only])
    expect(answer.status).toBe('Success')
    expect(answer.issues).toMatchObject([{ code: 'XDSRepositoryError', severity: 'Warning', location: only.uniqueId }])
  })

  it('is an error where they may not', async () => {
    const [reference] = visible('tuscany', 'tuscan')
    if (reference === undefined) throw new Error('The seed has no such document')
    expectExactly(await retrieval(network, 'tuscan', [reference]), [reference])
    await network.record.behave({ behave: 'unhashed', face: 'xds' })
    const answer = await retrieval(network, 'tuscan', [reference])
    expectExactly(answer, [])
    expect(answer.status).toBe('Failure')
    expect(answer.issues).toMatchObject([
      { code: 'XDSRepositoryError', severity: 'Error', location: reference.uniqueId },
    ])
  })

  it('is held against what others say of it', async () => {
    // The region of assistance tells of it too, with the hash.
    const [reference] = visible('region-050').filter(knownToRda)
    if (reference === undefined) throw new Error('The seed has no such document')
    await network.regions['region-050'].behave({ behave: 'unhashed', face: 'xca' })
    const answer = await retrieval(network, 'lazio', [reference])
    expectExactly(answer, [reference])
    expect(answer.issues).toEqual([])
  })
})

/** A document of Veneto's that the index of the region of assistance has not heard of. */
function venetoAlone(): Required<Reference> {
  const [only] = visible('region-050').filter((one) => !knownToRda(one))
  if (only === undefined) throw new Error('The seed has no such document')
  return only
}

function knownToRda(reference: Reference): boolean {
  return network.seed.holdings['region-120'].entries.some(({ uniqueId }) => uniqueId === reference.uniqueId)
}
