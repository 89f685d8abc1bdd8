import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Network, startNetwork } from '../network/network.ts'
import { question, uniqueIds } from '../support/asking.ts'

let network: Network
beforeAll(async () => {
  network = await startNetwork({ sistemaTs: {}, gateway: { citizens: { source: 'sistema-ts', maxAgeMs: 0 } } })
})
afterAll(() => network[Symbol.asyncDispose]())
beforeEach(async () => {
  for (const party of Object.values(network.parties)) await party.behave('normal')
  await network.sistemaTs?.behave('normal')
})

const lookUps = () => network.sistemaTs?.asked.last.filter(({ face }) => face === 'citizens').length ?? 0

describe('the registry of citizens', () => {
  it('is asked with our index about every person, and changes nothing where both agree', async () => {
    const before = lookUps()
    const reply = await question(network, 'tuscan')
    expect(lookUps()).toBeGreaterThan(before)
    expect(reply.outcome).toBe('success')
    expect(reply.issues).toEqual([])
  })

  it('knows the former identifier of somebody when our index is silent', async () => {
    const whole = uniqueIds(await question(network, 'two-codes'))
    await network.record.behave({ behave: 'reset', face: 'fhir' })
    const reply = await question(network, 'two-codes')
    expect(uniqueIds(reply)).toEqual(whole)
    expect(reply.issues.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/index of patients did not answer/),
    )
  })

  it('is missed with a warning when it is silent', async () => {
    await network.sistemaTs?.behave('down')
    const reply = await question(network, 'tuscan')
    expect(reply.entries.length).toBeGreaterThan(0)
    expect(reply.issues.map(({ text }) => text)).toContainEqual(expect.stringMatching(/registry of citizens/))
  })
})
