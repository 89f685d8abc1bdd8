import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { attributeAssertion, type Claims } from '../../network/assertion.ts'
import { type CitizenKey, citizens } from '../../network/citizens.ts'
import { makeDocument } from '../../network/documents.ts'
import { cx, type DocumentFacts, type Entry } from '../../network/entry.ts'
import { kindOf } from '../../network/kinds.ts'
import { readRegistryAnswer } from '../../network/push-answer.ts'
import { postSoap } from '../../network/soap-client.ts'
import {
  deleteDocumentSet,
  nationalDelete,
  type Purpose,
  registerDocumentSet,
  removeObjectsRequest,
  type SubmissionWishes,
  submissionOf,
  submitObjectsRequest,
  updateDocumentSet,
} from '../../network/submission.ts'
import { startTuscanRecord, type TuscanRecord } from '../../network/tuscan-record.ts'
import { event } from '../../network/value-sets.ts'
import { ask, bothStatuses, certificates, findDocuments, gateway, patient, seed, uniqueIds } from './asking.ts'

let record: TuscanRecord
let national: TuscanRecord
beforeAll(async () => {
  record = await startTuscanRecord({ certificates, seed })
  national = await startTuscanRecord({ certificates, seed, errorNames: 'national' })
})
afterAll(() => Promise.all([record.close(), national.close()]))
beforeEach(async () => {
  await record.behave('normal')
  record.registered.clear()
  record.asked.clear()
})

let number = 8000
function fresh(citizen: CitizenKey = 'tuscan', change: Partial<DocumentFacts> = {}): DocumentFacts {
  const { value, authority } = citizens[citizen].identifiers[0]
  const kind = kindOf('11502-2')
  const wanted = { citizen: citizens[citizen], keeper: '050', kind, under: { value, authority }, number: ++number }
  return { ...makeDocument(seed.name, wanted), ...change }
}

interface Wish extends SubmissionWishes {
  readonly claims?: Partial<Claims>
  /** What becomes of the body. */
  readonly change?: (body: string) => string
  readonly of?: TuscanRecord
  readonly action?: string
}

const claimsFor = {
  create: { action: 'CREATE', purpose: 'TREATMENT' },
  replace: { action: 'UPDATE', purpose: 'UPDATE' },
  update: { action: 'UPDATE', purpose: 'ACCESS UPDATE' },
  'replace-itself': { action: 'UPDATE', purpose: 'UPDATE' },
} as const

/** Tells the record of a document, as the gateway does. */
async function tell(facts: DocumentFacts, purpose: Purpose = { kind: 'create' }, wish: Wish = {}) {
  const { claims, change = (body) => body, of = record } = wish
  const updates = purpose.kind === 'update'
  const assertions = [
    attributeAssertion({ patient: cx(facts.patient), ...claimsFor[purpose.kind], ...claims }, gateway.signer),
  ]
  const answered = await postSoap(
    {
      to: updates ? of.urls.update : of.urls.register,
      action: wish.action ?? (updates ? updateDocumentSet : registerDocumentSet),
      assertions,
      body: change(submitObjectsRequest(submissionOf(facts, purpose, wish))),
    },
    gateway.channel,
  )
  return readRegistryAnswer(answered)
}

async function forget(ids: readonly string[], wish: Wish & { readonly key?: CitizenKey } = {}) {
  const { key = 'tuscan', claims, change = (body) => body, of = record, action = deleteDocumentSet } = wish
  const given = { patient: patient(key), action: 'DELETE', purpose: 'UPDATE', ...claims }
  const assertions = [attributeAssertion(given, gateway.signer)]
  const body = change(removeObjectsRequest(ids))
  return readRegistryAnswer(await postSoap({ to: of.urls.delete, action, assertions, body }, gateway.channel))
}

const known = (uniqueId: string, of = record): Entry =>
  of.holdings.entries.find((entry) => entry.uniqueId === uniqueId && entry.status === 'Approved') ??
  expect.fail(`${uniqueId} is not known`)
const refusedWith = (code: string) => ({ status: 'Failure', issues: [{ code, severity: 'Error' }] })

describe('the Tuscan record takes', () => {
  it('new documents, tells of them at once, and of every word that was said', async () => {
    const facts = fresh('tuscan', {
      otherSlots: { languageCode: ['it-IT'], 'urn:ita:fse:2025:EDSpublished': ['TRUE'] },
    })
    const answer = await tell(facts)
    expect(answer).toMatchObject({ status: 'Success', issues: [], action: `${registerDocumentSet}Response` })
    const entry = known(facts.uniqueId)
    expect(entry).toEqual({
      ...facts,
      entryUuid: expect.stringMatching(/^urn:uuid:/),
      logicalId: entry.entryUuid,
      version: '1',
      status: 'Approved',
      home: 'urn:oid:2.16.840.1.113883.2.9.2.50',
    })
    const found = await ask({ to: record.urls.registry, about: patient('tuscan') })
    const told = found.documents.find(({ uniqueId }) => uniqueId === facts.uniqueId)
    expect(told?.xml).toContain('urn:ita:fse:2025:EDSpublished')
    expect(record.registered).toMatchObject({ total: 1, last: [{ by: 'ITI-42', change: 'create', version: '1' }] })
  })

  it('replacements: the older document is deprecated, and gives its folders to the newer', async () => {
    const folder = record.holdings.folders[0] ?? expect.fail()
    const { target = '' } = record.holdings.associations.find(({ source }) => source === folder.entryUuid) ?? {}
    const older = record.holdings.entries.find(({ entryUuid }) => entryUuid === target) ?? expect.fail()
    const facts = fresh()
    expect((await tell(facts, { kind: 'replace', older })).status).toBe('Success')
    const { entryUuid } = known(facts.uniqueId)
    expect(record.holdings.entries.find((entry) => entry.entryUuid === older.entryUuid)?.status).toBe('Deprecated')
    expect(
      record.holdings.associations.some(({ source, target: to }) => source === folder.entryUuid && to === entryUuid),
    ).toBe(true)
    expect(record.registered.last).toMatchObject([{ change: 'replace', uniqueId: facts.uniqueId }])
    expect(await tell(fresh(), { kind: 'replace', older })).toMatchObject(
      refusedWith('XDSRegistryDeprecatedDocumentError'),
    )
  })

  it('updates, keeping what was known before', async () => {
    const facts = fresh()
    await tell(facts)
    const former = known(facts.uniqueId)
    const obscured = { ...facts, events: [event('P99')] }
    expect((await tell(obscured, { kind: 'update', former })).status).toBe('Success')
    const found = await ask({
      to: record.urls.registry,
      about: patient('tuscan'),
      body: findDocuments(patient('tuscan'), { $XDSDocumentEntryStatus: bothStatuses }),
    })
    const versions = found.documents.filter(({ uniqueId }) => uniqueId === facts.uniqueId).map(({ xml }) => xml)
    expect(versions).toHaveLength(2)
    expect(versions.map((xml) => /versionName="(\d)"/.exec(xml)?.[1])).toEqual(['1', '2'])
    expect(versions.map((xml) => xml.includes('P99'))).toEqual([false, true])
    expect(known(facts.uniqueId)).toMatchObject({ version: '2', logicalId: former.logicalId })
    expect(known(facts.uniqueId).entryUuid).not.toBe(former.entryUuid)
  })

  it('removals by either name of the action, and lets go of what was associated', async () => {
    const [one, other] = [fresh(), fresh()]
    await tell(one)
    await tell(other)
    const { entryUuid } = known(one.uniqueId)
    const answer = await forget([entryUuid], { action: nationalDelete })
    expect(answer).toMatchObject({ status: 'Success', action: nationalDelete.replace('Request', 'Response') })
    expect((await forget([known(other.uniqueId).entryUuid])).status).toBe('Success')
    const { associations, submissionSets } = record.holdings
    expect(associations.some(({ source, target }) => [source, target].includes(entryUuid))).toBe(false)
    expect(submissionSets.every(({ entryUuid: set }) => associations.some(({ source }) => source === set))).toBe(true)
    expect(uniqueIds(await ask({ to: record.urls.registry, about: patient('tuscan') }))).not.toContain(one.uniqueId)
    expect(record.registered.last.map(({ change }) => change)).toEqual(['create', 'create', 'remove', 'remove'])
  })

  it('what nobody told it before, and leaves the seed alone', async () => {
    const before = seed.holdings.tuscany.entries.length
    await tell(fresh())
    expect(seed.holdings.tuscany.entries).toHaveLength(before)
  })

  it('documents of nobody’s own doing, under the roles of systems', async () => {
    const claims = { role: 'NOR', purpose: 'SYSADMIN' }
    expect((await tell(fresh(), { kind: 'create' }, { claims })).status).toBe('Success')
  })
})

describe('the Tuscan record refuses', () => {
  const without = (pattern: RegExp) => (body: string) => {
    expect(body).toMatch(pattern)
    return body.replace(pattern, '')
  }
  const association = /<rim:Association [^>]*HasMember.*?<\/rim:Association>/s

  it.each<[string, string, Wish]>([
    ['a document that is no member of the submission', 'XDSRegistryMetadataError', { change: without(association) }],
    [
      'a document without a type',
      'XDSRegistryMetadataError',
      { change: without(/<rim:Classification [^>]*f0306f51.*?<\/rim:Classification>/s) },
    ],
    [
      'a document without a hash',
      'XDSRegistryMetadataError',
      { change: without(/<rim:Slot name="hash">.*?<\/rim:Slot>/s) },
    ],
    [
      'a document without a uniqueId',
      'XDSRegistryMetadataError',
      { change: without(/<rim:ExternalIdentifier [^>]*2e82c1f6.*?<\/rim:ExternalIdentifier>/s) },
    ],
    [
      'a submission without a submission set',
      'XDSRegistryMetadataError',
      { change: without(/<rim:RegistryPackage .*?<\/rim:RegistryPackage>/s) },
    ],
    [
      'a classification of another object',
      'XDSRegistryMetadataError',
      { change: (body) => body.replace('classifiedObject="Document1"', 'classifiedObject="Document2"') },
    ],
    [
      'a document about another patient than its submission',
      'XDSPatientIdDoesNotMatch',
      {
        change: (body) => body.replace(/(58a6f841[^>]*value=")[A-Z0-9]+/, `$1${citizens.lazio.identifiers[0].value}`),
      },
    ],
  ])('%s', async (_, code, wish) => {
    const facts = fresh()
    const answer = await tell(facts, { kind: 'create' }, wish)
    expect(answer).toMatchObject(refusedWith(code))
    expect(record.holdings.entries.some(({ uniqueId }) => uniqueId === facts.uniqueId)).toBe(false)
    expect(record.registered.total).toBe(0)
  })

  it('what it has, and another document under a name it has', async () => {
    const facts = fresh()
    await tell(facts)
    expect(await tell(facts)).toMatchObject(refusedWith('XDSDuplicateUniqueIdInRegistry'))
    expect(await tell({ ...facts, hash: 'a'.repeat(40) })).toMatchObject(refusedWith('XDSNonIdenticalHash'))
    expect(await tell({ ...facts, size: facts.size + 1 })).toMatchObject(refusedWith('XDSNonIdenticalSize'))
    const setUniqueId = '2.16.840.1.113883.2.9.2.50.4.3.4711'
    expect((await tell(fresh(), { kind: 'create' }, { setUniqueId })).status).toBe('Success')
    const again = await tell(fresh(), { kind: 'create' }, { setUniqueId })
    expect(again).toMatchObject(refusedWith('XDSDuplicateUniqueIdInRegistry'))
  })

  it('a replacement of what it does not know, or of somebody else’s document, and of the document itself', async () => {
    const older = { entryUuid: 'urn:uuid:00000000-0000-4000-8000-000000000000' }
    expect(await tell(fresh(), { kind: 'replace', older })).toMatchObject(refusedWith('UnresolvedReferenceException'))
    const other = fresh('lazio')
    await tell(other)
    const foreign = await tell(fresh(), { kind: 'replace', older: known(other.uniqueId) })
    expect(foreign).toMatchObject(refusedWith('XDSPatientIdDoesNotMatch'))
    const facts = fresh()
    await tell(facts)
    const itself = await tell(facts, { kind: 'replace-itself', former: known(facts.uniqueId) })
    expect(itself.status).toBe('Failure')
  })

  it('updates of another version, of what it does not know, and of what makes a document another', async () => {
    const facts = fresh()
    await tell(facts)
    const former = known(facts.uniqueId)
    const stale = { ...former, version: '7' }
    expect(await tell(facts, { kind: 'update', former: stale })).toMatchObject(refusedWith('XDSMetadataVersionError'))
    const unknown = { entryUuid: 'urn:uuid:00000000-0000-4000-8000-000000000000' }
    expect(await tell(facts, { kind: 'update', former: unknown })).toMatchObject(
      refusedWith('UnresolvedReferenceException'),
    )
    const other = { ...facts, uniqueId: `${facts.uniqueId}0` }
    expect(await tell(other, { kind: 'update', former })).toMatchObject(refusedWith('XDSMetadataUpdateError'))
    const [lazio] = citizens.lazio.identifiers
    const moved = { ...facts, patient: { value: lazio.value, authority: lazio.authority } }
    expect(await tell(moved, { kind: 'update', former })).toMatchObject(refusedWith('XDSPatientIDReconciliationError'))
    await tell(fresh(), { kind: 'replace', older: former })
    expect(await tell(facts, { kind: 'update', former })).toMatchObject(refusedWith('XDSMetadataUpdateError'))
  })

  it('removals of what it does not know, whole, and of somebody else’s', async () => {
    const facts = fresh()
    await tell(facts)
    const { entryUuid } = known(facts.uniqueId)
    const mixed = await forget([entryUuid, 'urn:uuid:00000000-0000-4000-8000-000000000000'])
    expect(mixed).toMatchObject(refusedWith('UnresolvedReferenceException'))
    expect((await forget([entryUuid], { key: 'lazio' })).fault).toMatchObject({ code: 'Sender' })
    expect(
      (await forget([entryUuid], { change: (body) => body.replaceAll('ObjectRefList', 'AdhocQuery') })).fault,
    ).toMatchObject({ code: 'Sender' })
    expect(known(facts.uniqueId).entryUuid).toBe(entryUuid)
  })

  it('somebody whom nobody knows', async () => {
    expect(await tell(fresh('unknown'))).toMatchObject(refusedWith('XDSUnknownPatientId'))
  })

  it.each<[string, Partial<Claims>]>([
    ['somebody else’s assertion', { patient: patient('lazio') }],
    ['the wrong action', { action: 'READ' }],
    ['an update of what is new', { action: 'UPDATE', purpose: 'UPDATE' }],
    ['a citizen', { role: 'ASS' }],
    ['the national gateway, which only reads', { role: 'GTW' }],
    ['a system without its purpose', { role: 'NOR', purpose: 'TREATMENT' }],
    ['the wrong purpose', { purpose: 'PERSONAL' }],
    ['an assertion that does not name the type', { documentTypes: ['60591-5^^2.16.840.1.113883.6.1'] }],
  ])('%s', async (_, claims) => {
    expect((await tell(fresh(), { kind: 'create' }, { claims })).fault).toMatchObject({ code: 'Sender' })
    expect(record.registered.total).toBe(0)
  })

  it('another action, or a body that is none', async () => {
    expect((await tell(fresh(), { kind: 'create' }, { action: updateDocumentSet })).fault?.subcodes).toEqual([
      'wsa:ActionNotSupported',
    ])
    const change = (body: string) => body.replaceAll('SubmitObjectsRequest', 'SubmitObjects')
    expect((await tell(fresh(), { kind: 'create' }, { change })).fault).toMatchObject({ code: 'Sender' })
  })

  it('in the words of the Italian registries, where it is told to', async () => {
    const of = national
    const facts = fresh()
    expect(await tell(facts, { kind: 'create' }, { of, change: without(association) })).toMatchObject(
      refusedWith('R153'),
    )
    await tell(facts, { kind: 'create' }, { of })
    expect(await tell(facts, { kind: 'create' }, { of })).toMatchObject(refusedWith('R224'))
    const former = { ...known(facts.uniqueId, of), version: '2' }
    expect(await tell(facts, { kind: 'update', former }, { of })).toMatchObject(refusedWith('R221'))
  })
})

describe('the Tuscan record, told to', () => {
  it('refuse, says what it was told to say', async () => {
    const issues = [{ code: 'R56', text: 'Wrong format data of display name' }]
    await record.behave({ behave: 'refuse', issues, face: 'register', times: 1 })
    const facts = fresh()
    expect(await tell(facts)).toMatchObject({ status: 'Failure', issues })
    expect((await tell(facts)).status).toBe('Success')
  })

  it('remark, takes the document and remarks', async () => {
    await record.behave({ behave: 'remark', issues: [{ code: 'XDSExtraMetadataNotSaved', text: 'A slot' }], times: 1 })
    const facts = fresh()
    expect(await tell(facts)).toMatchObject({
      status: 'Success',
      issues: [{ code: 'XDSExtraMetadataNotSaved', severity: 'Warning' }],
    })
    expect(known(facts.uniqueId).version).toBe('1')
  })

  it('be busy, asks to be tried again', async () => {
    await record.behave('busy')
    expect(await tell(fresh())).toMatchObject(refusedWith('XDSRegistryBusy'))
  })

  it('forget, says yes and stores nothing, though it refuses what is wrong', async () => {
    await record.behave('forgetful')
    const facts = fresh()
    expect((await tell(facts)).status).toBe('Success')
    expect(record.holdings.entries.some(({ uniqueId }) => uniqueId === facts.uniqueId)).toBe(false)
    expect(record.registered.total).toBe(0)
    const older = { entryUuid: 'urn:uuid:00000000-0000-4000-8000-000000000000' }
    expect(await tell(fresh(), { kind: 'replace', older })).toMatchObject(refusedWith('UnresolvedReferenceException'))
  })

  it('cut the answer off, has stored what it does not say', async () => {
    await record.behave({ behave: 'truncated', times: 1 })
    const facts = fresh()
    await expect(tell(facts)).rejects.toThrow()
    expect(known(facts.uniqueId).version).toBe('1')
  })

  it('break the connection, or be down, has stored nothing', async () => {
    await record.behave({ behave: 'reset', times: 1 })
    await expect(tell(fresh())).rejects.toThrow()
    await record.behave('down')
    await expect(tell(fresh())).rejects.toThrow()
    expect(record.registered.total).toBe(0)
  })
})

describe('what was registered', () => {
  it('can be waited for, whether it has come or is to come', async () => {
    const [one, other] = [fresh(), fresh()]
    const second = record.registered.until(2)
    const known = record.registered.until(({ uniqueId }) => uniqueId === other.uniqueId)
    await tell(one)
    await tell(other)
    expect((await second).uniqueId).toBe(other.uniqueId)
    expect((await known).uniqueId).toBe(other.uniqueId)
    expect((await record.registered.until(1)).uniqueId).toBe(one.uniqueId)
    await expect(record.registered.until(3, AbortSignal.abort())).rejects.toThrow('2 documents')
  })
})
