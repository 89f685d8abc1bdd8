import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { clientOf, connect, toolmaker } from '../../src/communities.ts'
import { loadConfig } from '../../src/config/load.ts'
import { type ConsentRegisterGateway, consentRegisterGateway } from '../../src/core/federation/consent-register.ts'
import type { AuthenticatedCall } from '../../src/core/model/call.ts'
import type { ConsentSet } from '../../src/core/model/consents.ts'
import { oid } from '../../src/core/model/identifiers.ts'
import { type PatientId, patientId } from '../../src/core/model/patient.ts'
import { accessPolicy } from '../../src/core/policy/access.ts'
import type { Community } from '../../src/core/ports.ts'
import { spool } from '../../src/spool/spool.ts'
import { createEvents } from '../../src/telemetry/events.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { loadTrustMaterial } from '../../src/trust-material.ts'
import { formatCx } from '../../src/wire/hl7/cx.ts'
import { citizens } from '../network/citizens.ts'
import { type Network, startNetwork } from '../network/network.ts'
import { question, uniqueIds } from '../support/asking.ts'
import { assertion, authenticated, homes, otherCitizen } from '../support/builders.ts'
import { type MemoryJournal, memoryJournal } from '../support/push-journal.ts'

let network: Network
let ini: Community
let running: AsyncDisposableStack
let journal: MemoryJournal
let register: ConsentRegisterGateway
const clock = { now: () => Date.now() }

beforeAll(async () => {
  await using opened = new AsyncDisposableStack()
  network = opened.use(await startNetwork({ gateway: { consents: { source: 'ini' } } }))
  // INI's adapter as the gateway makes it, on connections of its own.
  const config = loadConfig(network.gateway.config)
  const index = config.federation.communities.findIndex(({ name }) => name === 'ini')
  const entry = config.federation.communities[index]
  if (entry === undefined) throw new Error('INI must be configured')
  const material = await loadTrustMaterial(config, AbortSignal.timeout(60_000))
  const client = opened.use(clientOf(entry, config, () => material, clock))
  const documents = opened.use(spool())
  const events = createEvents(createLog({ level: 'silent' }), createMetrics())
  const tools = toolmaker(config, { clock, events, spool: documents, signer: () => material.signer })
  const { organDonation } = network.ini.urls
  const options = {
    ...(entry.options as object),
    ...{ consentRegister: true, disclosures: network.ini.urls.disclosures, organDonation: true },
    paths: { organDonation: new URL(organDonation).pathname },
  }
  ini = opened.use(connect({ ...entry, options }, tools(entry, client), index))
  const { consentRegister } = ini
  if (consentRegister === undefined) throw new Error('INI must take consents')
  journal = memoryJournal()
  register = consentRegisterGateway({
    ...{ register: consentRegister, policy: accessPolicy, journal, clock, newId: () => randomUUID(), spell: formatCx },
    hash: (text) => createHash('sha256').update(text).digest('hex'),
    onJournaled: () => undefined,
  })
  running = opened.move()
})
afterAll(() => running.disposeAsync())
beforeEach(async () => {
  await network.ini.behave('normal')
  network.ini.consents.reset()
  await network.ini.push.notifyConsent({ patient: identifier, consents: { C1: true, C2: true } })
})

const [identifier] = citizens.tuscan.identifiers
const patient: PatientId = patientId(identifier.value, oid(identifier.authority))
const operator = assertion().subjectId ?? otherCitizen
const today = '2026-05-19'

const setOf = (c2: boolean, more: Partial<ConsentSet> = {}): ConsentSet => ({
  ...{ patientId: patient, operator, operatorRole: 'OGC', requestor: patient, disclosure: '1' },
  consents: ['C1', 'C2', 'C3'].map((name) => ({ name, given: name === 'C2' ? c2 : true, date: today })),
  ...more,
})

function caller(more: Parameters<typeof assertion>[0] = {}, ms = 15_000): AuthenticatedCall {
  const locality = 'Ambulatorio di prova^^^^^&2.16.840.1.113883.2.9.4.1.3&ISO^^^^090202'
  const claims = { role: 'OGC', purposeOfUse: 'CONSENT', action: 'UPDATE', patientId: patient, locality, ...more }
  return authenticated(claims, { signal: AbortSignal.timeout(ms), deadline: Date.now() + ms })
}

const permitted = (more: Parameters<typeof assertion>[0] = {}) =>
  accessPolicy.authorizeService('consents', caller(more))

describe('consents set at INI', () => {
  it('are in force there, on the notice that was seen, and told as they were set', async () => {
    expect(await register.register(setOf(false), caller())).toEqual({ assistedBy: homes.tuscany, repeated: false })
    expect(network.ini.consents.sets).toMatchObject([
      { operator: formatCx(operator), role: 'OGC', claimed: { purpose: 'CONSENT', action: 'UPDATE' } },
    ])
    expect(await register.state(patient, caller({ action: 'READ' }))).toEqual({
      consents: setOf(false).consents,
      disclosure: '1',
      currentDisclosure: '1',
    })
    expect(journal.pushes.at(-1)).toMatchObject({ transaction: 'RegisterConsentSet', patients: [patient] })
  })

  it('close the record to doctors once INI has told our gateway of it', async () => {
    expect(uniqueIds(await question(network, 'tuscan')).length).toBeGreaterThan(0)
    const told = Promise.withResolvers<unknown>()
    network.ini.consents.afterSet(({ consents }) => {
      const values = Object.fromEntries(consents.map(({ name, value }) => [name, value]))
      told.resolve(network.ini.push.notifyConsent({ patient: identifier, consents: values }))
    })
    await register.register(setOf(false), caller())
    expect(await told.promise).toMatchObject({ status: 'Success' })
    await expect(question(network, 'tuscan').then(uniqueIds)).rejects.toThrow(/consent/)
  })

  it('are not sent when INI would refuse them', async () => {
    const short = setOf(false, { consents: setOf(false).consents.slice(0, 2) })
    await expect(register.register(short, caller())).rejects.toMatchObject({ issues: [{ code: 'AU1' }] })
    network.ini.consents.give(identifier, { C1: true, C2: true, C5: { value: false, date: 'never' } })
    const undated = [...setOf(true).consents.slice(0, 2), { name: 'C5', given: true }]
    const unsent = setOf(true, { consents: undated })
    await expect(register.register(unsent, caller())).rejects.toMatchObject({ issues: [{ code: 'CON13' }] })
    expect(network.ini.consents.sets).toEqual([])
  })

  it.each([
    ['AU1', setOf(false, { consents: setOf(false).consents.slice(0, 2) }), {}],
    ['CON5', setOf(false, { requestor: otherCitizen, operatorRole: 'ING' }), { role: 'ING' }],
    ['PFA14', setOf(false, { operatorRole: 'AAS' }), { role: 'AAS' }],
  ])('are refused by INI with %s where they are sent all the same, in its own words', async (code, set, claims) => {
    const { permit } = permitted()
    const call = { ...caller(claims), permit }
    await expect(ini.consentRegister?.register(set, call)).rejects.toMatchObject({
      code: 'community-rejected',
      message: 'INI did not set the consents of a patient',
      issues: [{ code }],
    })
  })

  it('are read back when the answer was lost, and set once', async () => {
    await network.ini.behave({ behave: 'truncated', face: 'consent-sets' })
    expect(await register.register(setOf(false), caller())).toEqual({ repeated: false })
    expect(await register.register(setOf(false), caller())).toEqual({ repeated: true })
    expect(network.ini.consents.sets).toHaveLength(1)
  })

  it('are told not to be set when INI takes the message and does nothing, in time', async () => {
    await network.ini.behave({ behave: 'hang', face: 'consent-sets' })
    await expect(register.register(setOf(false), caller({}, 1_500))).rejects.toMatchObject({
      code: 'community-unavailable',
      details: { reason: 'consents-not-in-force' },
    })
    await network.ini.behave('normal')
    expect(await register.register(setOf(false), caller())).toMatchObject({ repeated: false })
    expect(network.ini.consents.sets).toHaveLength(1)
  })

  it.each([
    ['refuse', 'ConsentError', 'Internal Error init service'],
    ['fault', 'Server', 'it.sogei.services.interfaces.InputBuilder'],
  ] as const)('may be tried again after “%s”, whose own words are kept', async (behave, code, text) => {
    await network.ini.behave({ behave, face: 'consent-sets' })
    await expect(ini.consentRegister?.register(setOf(false), permitted())).rejects.toMatchObject({
      code: 'community-unavailable',
      issues: [{ code, text }],
    })
  })

  it('are set by a parent in their own name', async () => {
    const parent = formatCx(otherCitizen)
    const set = setOf(false, { operator: otherCitizen, requestor: otherCitizen, operatorRole: 'GEN' })
    await register.register(set, caller({ role: 'GEN', subject: parent, subjectId: otherCitizen }))
    expect(network.ini.consents.sets).toMatchObject([{ claimed: { subject: parent, patient: parent } }])
  })
})

describe('information notices at INI', () => {
  it('are told, and had again as they were told', async () => {
    const documents = ['BREVE', 'ESTESA'].map((type) => ({
      ...{ content: Buffer.from(`Informativa ${type}`), mediaType: 'text/plain', type },
    }))
    const id = await ini.disclosures?.communicate(documents, permitted())
    expect(await ini.disclosures?.retrieve(id ?? '', permitted())).toEqual({ id, documents })
    expect(await ini.disclosures?.retrieve('090^last', permitted())).toMatchObject({ id })
  })

  it('that nobody knows are refused in INI’s words, and one document is none', async () => {
    await expect(ini.disclosures?.retrieve('99', permitted())).rejects.toMatchObject({
      code: 'community-rejected',
      issues: [{ code: 'DisclosureError' }],
    })
    const one = [{ content: Buffer.from('x'), mediaType: 'text/plain', type: 'BREVE' }]
    await expect(ini.disclosures?.communicate(one, permitted())).rejects.toMatchObject({ code: 'parameter-count' })
  })
})

describe('what somebody declared about giving organs', () => {
  it('is told by INI, by its words', async () => {
    network.ini.organDonation.declare(identifier, { given: true, date: '2019-09-17', place: 'Firenze' })
    expect(await ini.organDonation?.declared(patient, permitted())).toEqual({
      given: true,
      date: '2019-09-17',
      channel: { code: '1', name: 'COMUNE' },
      place: 'Firenze',
    })
  })

  it('may be nothing, and may not be had while the system behind is down', async () => {
    const [nobody] = citizens['two-codes'].identifiers
    const about = patientId(nobody.value, oid(nobody.authority))
    expect(await ini.organDonation?.declared(about, permitted())).toBeUndefined()
    await network.ini.behave({ behave: 'refuse', face: 'organ-donation' })
    await expect(ini.organDonation?.declared(patient, permitted())).rejects.toMatchObject({
      code: 'community-unavailable',
      issues: [{ text: 'Internal Error' }],
    })
  })
})
