import { afterAll, beforeAll, expect, it } from 'vitest'
import { type CitizenKey, citizens } from '../network/citizens.ts'
import { expectations } from '../network/expectations.ts'
import { askedAbout } from '../network/federation-file.ts'
import { type Network, startNetwork } from '../network/network.ts'
import { question, uniqueIds } from '../support/asking.ts'

let network: Network
beforeAll(async () => {
  network = await startNetwork({ protocol: 'fhir' })
})
afterAll(() => network[Symbol.asyncDispose]())

it.each(['tuscan', 'lazio', 'two-codes', 'stp', 'empty'] as const satisfies readonly CitizenKey[])(
  'gives the same index of %s when the Tuscan record is asked by FHIR',
  async (key) => {
    const citizen = citizens[key]
    const { visible, hidden } = expectations(network.seed, citizen, { asked: askedAbout(citizen) })
    const reply = await question(network, key)
    expect(uniqueIds(reply)).toEqual(visible)
    for (const id of hidden) expect(uniqueIds(reply)).not.toContain(id)
  },
)
