import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { citizens } from '../network/citizens.ts'
import { expectations } from '../network/expectations.ts'
import { askedAbout } from '../network/federation-file.ts'
import { type Network, startNetwork } from '../network/network.ts'
import { referencesOf, retrieval } from '../support/asking.ts'
import { homeOf } from '../support/gateway-config.ts'

let network: Network
beforeAll(async () => {
  network = await startNetwork()
})
afterAll(() => network[Symbol.asyncDispose]())
beforeEach(async () => {
  for (const party of Object.values(network.parties)) await party.behave('normal')
})

/** Documents of our own record that a doctor may see. */
function ours() {
  const { visible } = expectations(network.seed, citizens.tuscan, { asked: askedAbout(citizens.tuscan) })
  return referencesOf(network.seed, visible).filter(({ home }) => home === homeOf('tuscany'))
}

describe('a document under way', () => {
  it('is not given away when it is hidden before it leaves, and others are', async () => {
    const [first, second] = ours()
    if (first === undefined || second === undefined) throw new Error('The seed has too few documents')
    await network.record.behave({ behave: 'slow', delayMs: 1_500, face: 'repository' })
    const retrieving = retrieval(network, 'tuscan', [first, second])
    await vi.waitUntil(() => network.record.asked.last.some(({ face }) => face === 'repository'), { interval: 5 })
    const [patient] = citizens.tuscan.identifiers
    const told = await network.ini.push.notifyHiding({ patient, document: first.uniqueId })
    expect(told).toMatchObject({ status: 'Success' })
    const answer = await retrieving
    expect(answer.documents.map(({ uniqueId }) => uniqueId)).toEqual([second.uniqueId])
    expect(answer.issues.map(({ code }) => code)).toEqual(['XDSDocumentUniqueIdError'])
  })
})
