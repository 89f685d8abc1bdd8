import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { type CitizenKey, citizens } from '../network/citizens.ts'
import { expectations } from '../network/expectations.ts'
import { askedAbout } from '../network/federation-file.ts'
import { type Network, startNetwork } from '../network/network.ts'
import { patientOf, referencesOf, retrieval } from '../support/asking.ts'
import { homeOf } from '../support/gateway-config.ts'

let network: Network
beforeAll(async () => {
  network = await startNetwork({ gateway: { deliveries: { firstRetryMs: 10, longestRetryMs: 10, mostAttempts: 50 } } })
})
afterAll(() => network[Symbol.asyncDispose]())
beforeEach(async () => {
  for (const party of Object.values(network.parties)) await party.behave('normal')
})

/** Documents of our record that a hospital doctor of another region may see. */
function ours(key: CitizenKey) {
  const { visible } = expectations(network.seed, citizens[key], { asked: askedAbout(citizens[key]) })
  return referencesOf(network.seed, visible).filter(({ home }) => home === homeOf('tuscany'))
}

/** Looks until it is so. */
const until = <T>(look: () => T | Promise<T>) => vi.waitUntil(look, { timeout: 15_000, interval: 10 })

const told = (document: string) => network.ini.notices.told.find((notice) => notice.document === document)

async function waiting() {
  await using store = await sqliteStore({ path: network.gateway.store })
  return await store.outbox.list({ limit: 100 })
}

describe('a retrieval by another region', () => {
  it('is told to the region of assistance, through INI', async () => {
    const [first, second] = ours('lazio')
    if (first === undefined || second === undefined) throw new Error('The seed has too few documents')
    const answer = await retrieval(network, 'lazio', [first, second], { as: 'region-050' })
    expect(answer.documents).toHaveLength(2)
    const notice = await until(() => told(first.uniqueId))
    await until(() => told(second.uniqueId))
    expect(notice).toMatchObject({
      home: homeOf('region-120'),
      repository: first.repositoryUniqueId,
      role: 'AAS',
      purpose: 'TREATMENT',
      region: '120',
    })
    expect(notice.patient).toContain(patientOf('lazio').value)
    await until(async () => (await waiting()).length === 0)
  })

  it('is told as often as it takes, while INI is broken, and once', async () => {
    const [, , third] = ours('lazio')
    if (third === undefined) throw new Error('The seed has too few documents')
    await network.ini.behave({ behave: 'fault', face: 'notify', times: 3 })
    await retrieval(network, 'lazio', [third], { as: 'region-050' })
    expect(await until(() => told(third.uniqueId))).toMatchObject({ times: 1 })
  })

  it('waits for somebody to look at it where INI refuses the notice', async () => {
    const [, , , fourth] = ours('lazio')
    if (fourth === undefined) throw new Error('The seed has too few documents')
    await network.ini.behave({ behave: 'refuse', face: 'notify' })
    const answer = await retrieval(network, 'lazio', [fourth], { as: 'region-050' })
    expect(answer.documents).toHaveLength(1)
    const dead = await until(async () => (await waiting()).find(({ state }) => state === 'dead'))
    expect(dead).toMatchObject({ kind: 'notify-retrieve:ini', attempts: 1, reason: expect.stringContaining('PFA14') })
    expect(dead.content).toContain(fourth.uniqueId)
    expect(told(fourth.uniqueId)).toBeUndefined()
  })

  it('is not told when the region of assistance is ours, or nothing was given away, or we retrieved', async () => {
    const before = network.ini.asked.total
    const [tuscan] = ours('tuscan')
    const [good] = ours('lazio')
    if (tuscan === undefined || good === undefined) throw new Error('The seed has too few documents')
    const told = network.ini.notices.told.length
    expect((await retrieval(network, 'tuscan', [tuscan], { as: 'region-050' })).documents).toHaveLength(1)
    expect((await retrieval(network, 'lazio', [tuscan], { as: 'region-050' })).documents).toEqual([])
    expect((await retrieval(network, 'lazio', [good])).documents).toHaveLength(1)
    // A notice is kept before the answer leaves, so that there is nothing to wait for.
    expect((await waiting()).filter(({ state }) => state === 'waiting')).toEqual([])
    expect(network.ini.notices.told).toHaveLength(told)
    expect(network.ini.asked.total).toBeGreaterThanOrEqual(before)
  })
})
