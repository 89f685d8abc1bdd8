import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readSigningRoot } from '../../network/certificate.ts'
import { citizens } from '../../network/citizens.ts'
import { type Entry, isObscured } from '../../network/entry.ts'
import type { IniPushes } from '../../network/ini-driver.ts'
import { notices } from '../../network/ini-notices.ts'
import { iniPaths, iniPushes } from '../../network/ini-pushes.ts'
import { codeOf, registryFace, registryStoredQuery } from '../../network/registry-face.ts'
import { type Counterpart, type Face, type PeerRequest, startCounterpart, systemClock } from '../../network/server.ts'
import { registerDocumentSet } from '../../network/submission.ts'
import { submissionFace } from '../../network/submission-face.ts'
import { event } from '../../network/value-sets.ts'
import { type WritableRegistry, writableRegistry } from '../../network/writable-registry.ts'
import { certificates, seed } from './asking.ts'

/** A region as INI knows it, made of the parts of this network: what the gateway is to be. */
let region: Counterpart
let registry: WritableRegistry
let push: IniPushes
const heard: PeerRequest[] = []

beforeAll(async () => {
  const root = await readSigningRoot(certificates)
  const whole = writableRegistry(seed.holdings.tuscany, { clock: systemClock, errorNames: 'national' })
  registry = whole
  const common = {
    dialect: 'ini',
    addressing: 'minimal',
    admits: (name: string) => codeOf(name) === '000',
    trust: {
      root,
      now: () => Date.now(),
      maySign: (signer: string, issuer: string) => codeOf(signer) === (issuer === 'ANA' ? '000' : issuer),
    },
  } as const
  const search = (path: string): Face => {
    const face = registryFace({
      ...common,
      name: 'search',
      path,
      action: registryStoredQuery,
      reading: 'tolerant',
      holdings: whole.holdings,
      identification: () => [],
      refuse: () => new Error('never') as never,
    })
    return { ...face, serves: (served, { body }) => served === path && body.includes(registryStoredQuery) }
  }
  const change = (path: string, what: 'register' | 'update' | 'delete'): Face => {
    const face = submissionFace({ ...common, change: what, path, registry: whole })
    return {
      ...face,
      serves: (served, { body }) => served === path && (what !== 'register' || body.includes(registerDocumentSet)),
    }
  }
  const ear: Face = {
    name: 'ear',
    contentType: 'text/xml',
    serves: (served) => Object.values(notices).some(({ path }) => path === served),
    admits: (name) => codeOf(name) === '000',
    respond: async (request) => {
      heard.push(request)
      return {
        status: 200,
        contentType: 'text/xml',
        body:
          '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><r:Response xmlns:r="urn:example">' +
          '<r:Status>Failure</r:Status><r:Error codeContext="no" errorCode="AU1"/></r:Response></e:Body></e:Envelope>',
      }
    },
  }
  region = await startCounterpart({ certificates, party: 'tuscany' }, (origin) => ({
    faces: [
      search(iniPaths.registry),
      search(iniPaths.references),
      search(iniPaths.transferSearch),
      change(iniPaths.registry, 'register'),
      change(iniPaths.update, 'update'),
      change(iniPaths.delete, 'delete'),
      change(iniPaths.transferDelete, 'delete'),
      ear,
    ],
    urls: { origin },
  }))
  push = await iniPushes({
    certificates,
    seed: seed.name,
    origin: region.urls.origin ?? '',
    iniOrigin: 'https://ini.example',
  })
})
afterAll(() => region.close())
beforeEach(async () => {
  await region.behave('normal')
  registry.registered.clear()
  region.asked.clear()
  heard.length = 0
})

const entry = (uniqueId: string, status = 'Approved'): Entry | undefined =>
  registry.holdings.entries.find((one) => one.uniqueId === uniqueId && one.status === status)
const known = (uniqueId: string): Entry => entry(uniqueId) ?? expect.fail(`${uniqueId} is not known`)

describe('INI, calling a region', () => {
  it('creates, replaces, updates and removes documents for the regions that keep them', async () => {
    const first = push.document()
    expect(await push.create(first)).toMatchObject({ status: 'Success', issues: [], tries: 1 })
    expect(region.asked.last.at(-1)).toMatchObject({ issuer: '050', role: first.author.role, purpose: 'TREATMENT' })
    expect(known(first.uniqueId)).toMatchObject({ version: '1', hash: first.hash, references: first.references })

    const second = push.document()
    expect(await push.replace(second, known(first.uniqueId))).toMatchObject({ status: 'Success' })
    expect(entry(first.uniqueId)).toBeUndefined()

    const obscured = { ...second, events: [event('P99')] }
    expect(await push.update(obscured, known(second.uniqueId))).toMatchObject({ status: 'Success' })
    expect(region.asked.last.at(-1)?.purpose).toBe('ACCESS UPDATE')
    expect(known(second.uniqueId)).toMatchObject({ version: '2' })
    expect(isObscured(known(second.uniqueId))).toBe(true)
    expect(await push.update(second, { ...known(second.uniqueId), version: '1' })).toMatchObject({
      status: 'Failure',
      issues: [{ code: 'R221', severity: 'Error' }],
    })

    expect(await push.remove('tuscan', [known(second.uniqueId).entryUuid])).toMatchObject({ status: 'Success' })
    expect(entry(second.uniqueId)).toBeUndefined()
    expect(registry.registered.last.map(({ change }) => change)).toEqual(['create', 'replace', 'update', 'remove'])
  })

  it('writes the old update as a document that replaces itself', async () => {
    const facts = push.document()
    await push.create(facts)
    const { entryUuid } = known(facts.uniqueId)
    const { sent } = await push.updateOldWay(facts, known(facts.uniqueId))
    expect(sent).toMatch(new RegExp(`sourceObject="${entryUuid}" targetObject="${entryUuid}"`))
    expect(sent).toContain(`<rim:ExtrinsicObject id="${entryUuid}"`)
  })

  it('searches for a region, with its own word on the person where that is wished', async () => {
    const answer = await push.searchAs('120', 'tuscan', { identified: true })
    expect(answer.status).toBe('Success')
    expect(answer.documents.length).toBeGreaterThan(100)
    expect(region.asked.last.at(-1)).toMatchObject({ issuer: '120' })
    expect(region.asked.last.at(-1)?.assertionIds).toHaveLength(2)
  })

  it('looks for references as the author of a document', async () => {
    const facts = push.document()
    await push.create(facts)
    const answer = await push.references(facts)
    expect(answer.references).toEqual([known(facts.uniqueId).entryUuid])
    expect(answer.sent).toContain(facts.author.person.value)
  })

  it('can say the same in the same message, or in another', async () => {
    const facts = push.document()
    const first = await push.create(facts)
    const again = await first.again()
    expect(again.sent).toBe(first.sent)
    // The assertion was used.
    expect(again.fault).toMatchObject({ code: 'Receiver' })
    const afresh = await first.afresh()
    expect(afresh.sent).not.toBe(first.sent)
    expect(afresh.issues).toMatchObject([{ code: 'R224' }])
  })

  it('loses patience and calls again', async () => {
    await region.behave('hang')
    const answer = await push.create(push.document(), { impatient: { afterMs: 50, tries: 2 } })
    expect(answer).toMatchObject({ unanswered: true, tries: 2 })
    expect(answer.status).toBeUndefined()
    expect(region.asked.total).toBe(2)
  })

  it('calls again after its answer was cut off, and hears that it was heard', async () => {
    await region.behave({ behave: 'truncated', times: 1 })
    const facts = push.document()
    const first = await push.create(facts)
    expect(first).toMatchObject({ unanswered: true })
    expect((await first.afresh()).issues).toMatchObject([{ code: 'R224' }])
  })

  it('reads the fault of who is refused', async () => {
    const answer = await push.create(push.document(), { role: 'ASS' })
    expect(answer).toMatchObject({ fault: { code: 'Receiver', iniCode: 'PFA14' }, issues: [] })
    expect(answer.fault?.description).toContain('rights')
  })

  it('spells messages as it was seen to', async () => {
    const facts = push.document()
    const answer = await push.create(facts, { headers: 'minimal', messageId: 'uuid' })
    expect(answer.status).toBe('Success')
    expect(answer.sent).toMatch(/<wsa:MessageID>uuid:/)
    expect(answer.sent).not.toContain('wsa:To')
    expect(answer.relatesTo).toMatch(/^uuid:/)
  })

  it('moves an index in chunks, deletions following', async () => {
    const before = registry.holdings.entries.filter(
      ({ patient }) => patient.value === citizens.lazio.identifiers[0].value,
    )
    const moved = await push.indexTransfer('lazio', { chunk: 7, chunks: 2 })
    expect(moved.search.references).toHaveLength(before.length)
    expect(moved.chunks).toHaveLength(2)
    expect(moved.documents).toHaveLength(14)
    expect(moved.removals.map(({ status }) => status)).toEqual(['Success', 'Success'])
    expect(region.asked.last.map(({ role, purpose }) => `${role} ${purpose}`)).toEqual(Array(5).fill('NOR SYSADMIN'))
    expect(moved.search.sent).toContain(moved.transferId)
    const after = registry.holdings.entries.filter(
      ({ patient }) => patient.value === citizens.lazio.identifiers[0].value,
    )
    expect(after).toHaveLength(before.length - 14)
  })

  it('gives an index over, document by document', async () => {
    const answer = await push.transferIn(push.document({ keeper: '120' }))
    expect(answer.status).toBe('Success')
    expect(registry.holdings.submissionSets.at(-1)?.contentType.code).toBe('INI')
  })

  it('runs a chain of hiding from an obscured report', async () => {
    const { nre, prescription, reports, dispensing } = push.prescribed('tuscan')
    const [hidden, open] = reports
    if (hidden === undefined || open === undefined) throw new Error('Two reports are needed')
    for (const facts of [prescription, dispensing, open]) await push.create(facts)
    expect((await push.hidingChain('tuscan', nre)).notices).toEqual([])
    await push.create({ ...hidden, events: [event('P99')] })
    const chain = await push.hidingChain('tuscan', nre)
    expect(chain.obscured.sent).toContain('<rim:Value>P99</rim:Value>')
    expect(chain.obscured.documents.map(({ uniqueId }) => uniqueId)).toEqual([hidden.uniqueId])
    expect([...chain.hidden].sort()).toEqual([prescription, dispensing, open].map(({ uniqueId }) => uniqueId).sort())
    expect(heard).toHaveLength(3)
    expect(heard[0]?.body).toContain(`<SourceDocumentId>${hidden.uniqueId}</SourceDocumentId>`)
  })
})

describe('INI, telling a region', () => {
  const [patient] = citizens.tuscan.identifiers

  it('sends notices of SOAP 1.1, addressed to its own relay and without an assertion', async () => {
    const notice = { patient, document: '1.2^3', repository: '1.2.4' }
    const answer = await push.notifySubmit(notice)
    expect(answer).toMatchObject({ status: 'Failure', error: { code: 'AU1', text: 'no' }, tries: 1 })
    const [request] = heard
    expect(request?.headers).toMatchObject({ soapaction: '"urn:fse:NotifySubmitObjects"' })
    expect(request?.body).toContain('<wsa:To>https://ini.example/FSEININotificheWeb/')
    expect(request?.body).not.toContain('Assertion')
    await answer.again()
    await answer.afresh()
    expect(heard[1]?.body).toBe(heard[0]?.body)
    expect(heard[2]?.body).not.toBe(heard[0]?.body)
  })

  it('spells them as it was seen to', async () => {
    const common = { patient, document: '1.2^3', repository: '1.2.4' }
    await push.notifySubmit({ ...common, region: '030', homeSpelling: 'code', patientSpelling: 'bare' })
    expect(heard[0]?.body).toContain('<HomeCommunityId>030</HomeCommunityId>')
    expect(heard[0]?.body).toContain(`<PatientId>${patient.value}</PatientId>`)
    await push.notifySubmit({ ...common, homeSpelling: 'empty' })
    expect(heard[1]?.body).toContain('<HomeCommunityId></HomeCommunityId>')
    await push.notifyRetrieve({ ...common, typeSpelling: 'doubled' })
    expect(heard[2]?.body).toContain("<TypeCode>('11502-2^^2.16.840.1.113883.6.1')^^2.16.840.1.113883.6.1</TypeCode>")
    const at = Date.UTC(2026, 5, 12, 10, 55, 42, 964)
    await push.notifyHiding({ patient, document: '1.2^3', at, dateSpelling: 'iso', patientSpelling: 'cx' })
    expect(heard[3]?.body).toContain('<HidingDate>2026-06-12T10:55:42.964+00:00</HidingDate>')
    expect(heard[3]?.body).toContain('<SourceDocumentId>1.2^3</SourceDocumentId>')
    await push.notifyHiding({ patient, document: '1.2^3', at })
    expect(heard[4]?.body).toContain('<HidingDate>20260612105542+0000</HidingDate>')
    await push.notifyConsent({ patient, consents: { C1: true, C2: { value: false, date: '2026-02-03' } } })
    expect(heard[5]?.body).toContain('<Consent date="2026-02-03" name="C2"><value>false</value><note></note></Consent>')
    await push.straySubmit()
    expect(heard[6]?.body).toContain(citizens.renamed.identifiers[0].value)
  })
})
