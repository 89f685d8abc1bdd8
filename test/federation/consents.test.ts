import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { citizens } from '../network/citizens.ts'
import { type Network, startNetwork } from '../network/network.ts'
import { question, uniqueIds } from '../support/asking.ts'

let network: Network
beforeAll(async () => {
  network = await startNetwork({
    gateway: { consents: { source: 'ini', exempt: ['EMERGENCY'], pastBefore: '20250101' } },
  })
})
afterAll(() => network[Symbol.asyncDispose]())
beforeEach(async () => {
  for (const party of Object.values(network.parties)) await party.behave('normal')
  network.ini.consents.reset()
  await changed()
})

const [patient] = citizens.tuscan.identifiers
/** INI tells that consents have changed, so that what was known of them is forgotten. */
const changed = () => network.ini.push.notifyConsent({ patient, consents: { C1: true, C2: true } })
const found = async (role = 'AAS') => uniqueIds(await question(network, 'tuscan', { role }))

describe('the consents of somebody whom we assist', () => {
  it('given, let a doctor see', async () => {
    expect((await found()).length).toBeGreaterThan(0)
  })

  it('withdrawn, let no doctor see anything from the notification on, and INI is told by its own code', async () => {
    expect((await found()).length).toBeGreaterThan(0)
    network.ini.consents.give(patient, { C1: true, C2: false })
    expect(await changed()).toMatchObject({ status: 'Success' })
    await expect(found()).rejects.toThrow(/consent/)
    expect((await network.ini.push.searchAs('050', 'tuscan')).fault).toMatchObject({ iniCode: 'PFA11' })
  })

  it('withdrawn, leave the citizen their own record, and an emergency where it is exempt', async () => {
    network.ini.consents.give(patient, { C1: true, C2: false })
    await changed()
    expect((await found('ASS')).length).toBeGreaterThan(0)
    const urgent = await network.ini.push.searchAs('050', 'tuscan', { purpose: 'EMERGENCY' })
    expect(urgent.documents.length).toBeGreaterThan(0)
  })

  it('to what is past withheld, hide what is old', async () => {
    network.ini.consents.give(patient, { C1: true, C2: true, C3: true })
    await changed()
    const all = await found()
    network.ini.consents.give(patient, { C1: true, C2: true, C3: false })
    await changed()
    const recent = await found()
    expect(recent.length).toBeGreaterThan(0)
    expect(recent.length).toBeLessThan(all.length)
    expect(all).toEqual(expect.arrayContaining(recent))
  })

  it('that cannot be had close the record, and say so', async () => {
    await network.ini.behave({ behave: 'down', face: 'consents' })
    await expect(async () => {
      const reply = await question(network, 'tuscan')
      expect(reply.entries).toEqual([])
      if (reply.outcome === 'failure') throw new Error(reply.issues.map(({ text }) => text).join())
    }).rejects.toThrow(/consents/i)
    expect((await found('ASS')).length).toBeGreaterThan(0)
  })

  it('are INI’s to hold for somebody whom another region assists', async () => {
    await network.ini.behave({ behave: 'down', face: 'consents' })
    expect(uniqueIds(await question(network, 'lazio')).length).toBeGreaterThan(0)
  })
})
