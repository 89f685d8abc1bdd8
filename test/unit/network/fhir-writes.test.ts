import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type CitizenKey, citizens } from '../../network/citizens.ts'
import { documentReference } from '../../network/document-reference.ts'
import { makeDocument } from '../../network/documents.ts'
import type { DocumentFacts, Entry } from '../../network/entry.ts'
import { kindOf } from '../../network/kinds.ts'
import { send } from '../../network/soap-client.ts'
import { bearerToken } from '../../network/token.ts'
import { startTuscanRecord, type TuscanRecord } from '../../network/tuscan-record.ts'
import { event } from '../../network/value-sets.ts'
import { ask, certificates, gateway, patient, seed, uniqueIds } from './asking.ts'

let record: TuscanRecord
let base: string
beforeAll(async () => {
  record = await startTuscanRecord({ certificates, seed })
  base = record.urls.fhir
})
afterAll(() => record.close())
beforeEach(async () => {
  await record.behave('normal')
  record.registered.clear()
})

let number = 7000
function fresh(key: CitizenKey = 'tuscan', change: Partial<DocumentFacts> = {}): DocumentFacts {
  const { value, authority } = citizens[key].identifiers[0]
  const kind = kindOf('11488-4')
  const wanted = { citizen: citizens[key], keeper: '050', kind, under: { value, authority }, number: ++number }
  return { ...makeDocument(seed.name, wanted), sourcePatientInfo: [], ...change }
}

type Resource = Readonly<Record<string, unknown>>

/** A DocumentReference of a document that the record has not given an id. */
function resourceOf(facts: DocumentFacts, replaced?: string): Resource {
  const entryUuid = `urn:uuid:${crypto.randomUUID()}`
  const entry: Entry = { ...facts, entryUuid, logicalId: entryUuid, version: '1', status: 'Approved' }
  const holdings = { entries: [entry], submissionSets: [], folders: [], associations: [] }
  const { id: _id, meta: _meta, ...resource } = documentReference(entry, base, holdings)
  const target = { type: 'DocumentReference', reference: `DocumentReference/${replaced?.replace('urn:uuid:', '')}` }
  return { ...resource, ...(replaced !== undefined && { relatesTo: [{ code: 'replaces', target }] }) }
}

interface Wish {
  readonly key?: CitizenKey
  readonly claims?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

async function call(method: string, path: string, resource?: unknown, wish: Wish = {}) {
  const { key = 'tuscan', claims, headers } = wish
  const action = method === 'DELETE' ? 'DELETE' : method === 'GET' ? 'READ' : method === 'PUT' ? 'UPDATE' : 'CREATE'
  const purpose = method === 'POST' ? 'TREATMENT' : 'UPDATE'
  const given = { action_id: action, purpose_of_use: purpose, ...claims }
  const token = await bearerToken({ audience: base, patient: patient(key), claims: given }, gateway.signer)
  const sent = {
    authorization: `Bearer ${token}`,
    ...(resource !== undefined && { 'content-type': 'application/fhir+json' }),
    ...headers,
  }
  const { status, text } = await send(base + path, gateway.channel, {
    method,
    headers: sent,
    ...(resource !== undefined && { body: JSON.stringify(resource) }),
  })
  return { status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) }
}

const bundle = (...entry: readonly Resource[]) => ({ resourceType: 'Bundle', type: 'transaction', entry })
const creation = (resource: Resource, more: Resource = {}) => ({
  resource,
  request: { method: 'POST', url: 'DocumentReference', ...more },
})
const known = (uniqueId: string): Entry =>
  record.holdings.entries.find((entry) => entry.uniqueId === uniqueId && entry.status === 'Approved') ??
  expect.fail(`${uniqueId} is not known`)
const idOf = ({ entryUuid }: Entry): string => entryUuid.replace('urn:uuid:', '')
const create = async (facts: DocumentFacts, key: CitizenKey = 'tuscan'): Promise<Entry> => {
  expect((await call('POST', '/DocumentReference', resourceOf(facts), { key })).status).toBe(201)
  return known(facts.uniqueId)
}
const issueOf = ({ body }: { readonly body: Resource }) =>
  (body.issue as readonly { readonly code: string }[] | undefined)?.[0]?.code

describe('the FHIR face of the Tuscan record takes', () => {
  it('new documents, which its other face tells of too', async () => {
    const facts = fresh('tuscan', {
      otherSlots: { languageCode: ['it-IT'], 'urn:ita:fse:2025:EDSpublished': ['TRUE'] },
    })
    const { status, body } = await call('POST', '/DocumentReference', resourceOf(facts))
    expect(status).toBe(201)
    expect(body).toMatchObject({ resourceType: 'DocumentReference', status: 'current', meta: { versionId: '1' } })
    expect(known(facts.uniqueId)).toMatchObject(facts)
    expect(uniqueIds(await ask({ to: record.urls.registry, about: patient('tuscan') }))).toContain(facts.uniqueId)
    expect(record.registered.last).toMatchObject([{ by: 'FHIR', change: 'create', uniqueId: facts.uniqueId }])
  })

  it('transactions, whole: a replacement and what becomes of the replaced document', async () => {
    const older = await create(fresh())
    const facts = fresh()
    const superseded = { ...resourceOf(older), id: idOf(older), identifier: [], status: 'superseded' }
    const { status, body } = await call(
      'POST',
      '',
      bundle(creation(resourceOf(facts, older.entryUuid)), {
        resource: superseded,
        request: { method: 'PUT', url: `DocumentReference/${idOf(older)}`, ifMatch: 'W/"1"' },
      }),
      { claims: { action_id: 'UPDATE', purpose_of_use: 'UPDATE' } },
    )
    expect(status).toBe(200)
    expect(body).toMatchObject({
      type: 'transaction-response',
      entry: [{ response: { status: '201', etag: 'W/"1"' } }, { response: { status: '200' } }],
    })
    expect(record.holdings.entries.filter(({ uniqueId }) => uniqueId === older.uniqueId)).toMatchObject([
      { status: 'Deprecated' },
    ])
    expect(known(facts.uniqueId).status).toBe('Approved')
    expect(record.registered.last.map(({ change }) => change)).toEqual(['create', 'replace'])
  })

  it('updates under the same id, by version, keeping what was known before', async () => {
    const facts = fresh()
    const former = await create(facts)
    const path = `/DocumentReference/${idOf(former)}`
    const obscured = { ...resourceOf({ ...facts, events: [event('P99')] }), id: idOf(former), identifier: [] }
    const answer = await call('PUT', path, obscured, { headers: { 'if-match': 'W/"1"' } })
    expect(answer).toMatchObject({ status: 200, body: { id: idOf(former), meta: { versionId: '2' } } })
    expect(known(facts.uniqueId)).toMatchObject({
      entryUuid: former.entryUuid,
      version: '2',
      events: [{ code: 'P99' }],
    })
    expect(
      record.holdings.entries.filter(({ uniqueId }) => uniqueId === facts.uniqueId).map(({ status }) => status),
    ).toEqual(['Deprecated', 'Approved'])
    expect(await call('PUT', path, obscured, { headers: { 'if-match': 'W/"1"' } })).toMatchObject({ status: 412 })
    expect((await call('GET', path)).body).toMatchObject({ meta: { versionId: '2' } })
  })

  it('creations and updates on a condition', async () => {
    const facts = fresh()
    const [root, extension] = facts.uniqueId.split('^')
    const condition = `identifier=${encodeURIComponent(`urn:oid:${root}|${extension}`)}`
    const made = await call('POST', '', bundle(creation(resourceOf(facts), { ifNoneExist: condition })))
    expect(made.body).toMatchObject({ entry: [{ response: { status: '201' } }] })
    const again = await call('POST', '', bundle(creation(resourceOf(facts), { ifNoneExist: condition })))
    expect(again.body).toMatchObject({ entry: [{ response: { status: '200' } }] })
    const { identifier: _own, ...update } = resourceOf({ ...facts, events: [event('P99')] })
    expect((await call('PUT', `/DocumentReference?${condition}`, update)).status).toBe(200)
    expect(known(facts.uniqueId).version).toBe('2')
    expect(record.registered.total).toBe(2)
  })

  it('deletions, of what is not there too', async () => {
    const facts = fresh()
    const entry = await create(facts)
    await call('PUT', `/DocumentReference/${idOf(entry)}`, { ...resourceOf(facts), id: idOf(entry), identifier: [] })
    expect((await call('DELETE', `/DocumentReference/${idOf(entry)}`)).status).toBe(204)
    expect(record.holdings.entries.some(({ uniqueId }) => uniqueId === facts.uniqueId)).toBe(false)
    expect((await call('DELETE', `/DocumentReference/${idOf(entry)}`)).status).toBe(204)
    expect((await call('GET', `/DocumentReference/${idOf(entry)}`)).status).toBe(404)
    expect(record.registered.last.map(({ change }) => change)).toEqual(['create', 'update', 'remove', 'remove'])
  })
})

describe('the FHIR face of the Tuscan record refuses', () => {
  it.each<[string, (resource: Resource) => unknown, number]>([
    ['an element that R4 has not', (resource) => ({ ...resource, colour: 'blue' }), 400],
    ['a document without a type', ({ type: _type, ...resource }) => resource, 400],
    ['a status of neither kind', (resource) => ({ ...resource, status: 'entered-in-error' }), 400],
    ['a document about nobody', (resource) => ({ ...resource, subject: { type: 'Patient' } }), 422],
    ['an author who did not come along', (resource) => ({ ...resource, contained: [] }), 422],
    ['another resource', () => ({ resourceType: 'Patient' }), 400],
    ['a new document that is superseded', (resource) => ({ ...resource, status: 'superseded' }), 422],
    [
      'a replacement of what it does not know',
      (resource) => ({
        ...resource,
        relatesTo: [
          { code: 'replaces', target: { reference: 'DocumentReference/00000000-0000-4000-8000-000000000000' } },
        ],
      }),
      422,
    ],
  ])('%s', async (_, change, expected) => {
    const facts = fresh()
    expect(await call('POST', '/DocumentReference', change(resourceOf(facts)))).toMatchObject({
      status: expected,
      body: { resourceType: 'OperationOutcome' },
    })
    expect(record.registered.total).toBe(0)
    expect(record.holdings.entries.some(({ uniqueId }) => uniqueId === facts.uniqueId)).toBe(false)
  })

  it('a document it has, and one whose address is another’s', async () => {
    const facts = fresh()
    const entry = await create(facts)
    expect(await call('POST', '/DocumentReference', resourceOf(facts))).toMatchObject({ status: 409 })
    const other = { ...resourceOf(facts), id: crypto.randomUUID() }
    expect(await call('PUT', `/DocumentReference/${idOf(entry)}`, other)).toMatchObject({ status: 400 })
    const changed = { ...resourceOf({ ...facts, hash: 'ab'.repeat(20) }), id: idOf(entry), identifier: [] }
    expect(await call('PUT', `/DocumentReference/${idOf(entry)}`, changed)).toMatchObject({ status: 422 })
  })

  it('a transaction of which one part is wrong, whole', async () => {
    const [good, bad] = [fresh(), fresh()]
    const answer = await call(
      'POST',
      '',
      bundle(creation(resourceOf(good)), creation({ ...resourceOf(bad), status: 'superseded' })),
    )
    expect(answer.status).toBe(422)
    expect(record.holdings.entries.some(({ uniqueId }) => uniqueId === good.uniqueId)).toBe(false)
    expect(record.registered.total).toBe(0)
    expect((await call('POST', '', { ...bundle(creation(resourceOf(good))), type: 'batch' })).status).toBe(400)
  })

  it.each<[string, Wish]>([
    ['a token about somebody else', { key: 'lazio' }],
    ['a token for reading', { claims: { action_id: 'READ' } }],
    ['a citizen', { claims: { subject_role: 'ASS' } }],
    ['the wrong purpose', { claims: { purpose_of_use: 'PERSONAL' } }],
  ])('%s', async (_, wish) => {
    const answer = await call('POST', '/DocumentReference', resourceOf(fresh()), wish)
    expect(answer.status).toBe(403)
    expect(issueOf(answer)).toBe('forbidden')
  })

  it('deletions of somebody else’s documents, and other media types', async () => {
    const entry = await create(fresh())
    expect((await call('DELETE', `/DocumentReference/${idOf(entry)}`, undefined, { key: 'lazio' })).status).toBe(403)
    const headers = { 'content-type': 'application/json' }
    expect((await call('POST', '/DocumentReference', resourceOf(fresh()), { headers })).status).toBe(415)
  })
})

describe('the FHIR face of the Tuscan record, told to', () => {
  it('refuse, be busy or forget, does so in FHIR', async () => {
    await record.behave({ behave: 'refuse', issues: [{ code: 'R56', text: 'display' }], face: 'fhir-write' })
    const refused = await call('POST', '/DocumentReference', resourceOf(fresh()))
    expect(refused).toMatchObject({
      status: 422,
      body: { issue: [{ details: { coding: [{ code: 'R56' }], text: 'display' } }] },
    })
    await record.behave('busy')
    expect(await call('POST', '/DocumentReference', resourceOf(fresh()))).toMatchObject({ status: 503 })
    await record.behave('forgetful')
    const facts = fresh()
    expect((await call('POST', '/DocumentReference', resourceOf(facts))).status).toBe(201)
    expect(record.holdings.entries.some(({ uniqueId }) => uniqueId === facts.uniqueId)).toBe(false)
    expect(record.registered.total).toBe(0)
  })
})
