import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { attributeAssertion, type Claims } from '../../network/assertion.ts'
import { type CitizenKey, citizens } from '../../network/citizens.ts'
import { makeDocument } from '../../network/documents.ts'
import { cx, type DocumentFacts } from '../../network/entry.ts'
import { type Ini, startIni } from '../../network/ini.ts'
import { kindOf } from '../../network/kinds.ts'
import { readRegistryAnswer } from '../../network/push-answer.ts'
import { type Region, startRegion } from '../../network/region.ts'
import { adhocQuery, type Identity, postSoap, readIdentity } from '../../network/soap-client.ts'
import {
  nationalDelete,
  type Purpose,
  registerDocumentSet,
  removeObjectsRequest,
  submissionOf,
  submitObjectsRequest,
  updateDocumentSet,
} from '../../network/submission.ts'
import { certificates, registryStoredQuery, seed } from './asking.ts'

let ini: Ini
let lazio: Region
let gateway: Identity
beforeAll(async () => {
  gateway = await readIdentity(certificates, 'gateway')
  lazio = await startRegion({ certificates, seed, region: '120' })
  ini = await startIni({
    ...{ certificates, seed, registries: { '120': lazio.urls.registry }, changes: { '120': lazio.urls } },
    registryTimeoutMs: 500,
  })
})
afterAll(() => Promise.all([ini, lazio].map((counterpart) => counterpart.close())))
beforeEach(() => Promise.all([ini, lazio].map((counterpart) => counterpart.behave('normal'))))

let number = 700
function document(key: CitizenKey = 'lazio'): DocumentFacts {
  const { value, authority } = citizens[key].identifiers[0]
  return makeDocument(seed.name, {
    ...{ citizen: citizens[key], under: { value, authority }, keeper: '090', kind: kindOf('11502-2') },
    number: ++number,
  })
}

async function say(to: string, action: string, facts: DocumentFacts, body: string, claims: Partial<Claims>) {
  const { author, typeCode, patient } = facts
  const assertion = attributeAssertion(
    {
      ...{ patient: cx(patient), subject: cx(author.person), role: author.role },
      documentTypes: [`${typeCode.code}^^${typeCode.scheme}`],
      ...claims,
    },
    gateway.signer,
  )
  const sent = { to, action, assertions: [assertion], body, messageId: `urn:uuid:${randomUUID()}` }
  return readRegistryAnswer(await postSoap(sent, gateway.channel))
}

const bodyOf = (facts: DocumentFacts, purpose: Purpose = { kind: 'create' }) =>
  submitObjectsRequest(submissionOf(facts, purpose))
const creating = { action: 'CREATE', purpose: 'TREATMENT' }
const updating = { action: 'UPDATE', purpose: 'UPDATE' }
const deleting = { action: 'DELETE', purpose: 'UPDATE' }
const create = (facts: DocumentFacts, claims: Partial<Claims> = creating) =>
  say(ini.urls.register, registerDocumentSet, facts, bodyOf(facts), claims)
const codes = ({ issues }: { readonly issues: readonly { readonly code: string }[] }) => issues.map(({ code }) => code)

async function known(facts: DocumentFacts) {
  expect(await create(facts)).toMatchObject({ status: 'Success' })
  const { entry } = await lazio.registered.until(({ uniqueId }) => uniqueId === facts.uniqueId)
  return entry
}

describe('INI, told of documents of somebody whom Lazio assists', () => {
  it('has Lazio index them, and says R224 when it is told again', async () => {
    const facts = document()
    await known(facts)
    expect(codes(await create(facts))).toEqual(['R224'])
  })

  it('has them updated and removed there', async () => {
    const facts = document()
    const former = await known(facts)
    const body = bodyOf({ ...facts, title: 'Referto corretto' }, { kind: 'update', former })
    expect(await say(ini.urls.update, updateDocumentSet, facts, body, updating)).toMatchObject({ status: 'Success' })
    expect(codes(await say(ini.urls.update, updateDocumentSet, facts, body, updating))).toEqual(['R224'])
    const stale = bodyOf(facts, { kind: 'update', former })
    expect(codes(await say(ini.urls.update, updateDocumentSet, facts, stale, updating))).toEqual(['R221'])
    const removal = removeObjectsRequest([former.entryUuid])
    expect(await say(ini.urls.delete, nationalDelete, facts, removal, deleting)).toMatchObject({ status: 'Success' })
  })

  it('tells references at an address of its own', async () => {
    const facts = document()
    const { entryUuid } = await known(facts)
    const body = adhocQuery(
      'GetDocuments',
      { $XDSDocumentEntryUniqueId: [facts.uniqueId] },
      { returnType: 'ObjectRef' },
    )
    const reading = { action: 'READ', purpose: 'UPDATE' }
    const told = await say(ini.urls.references, registryStoredQuery, facts, body, reading)
    expect(told.references).toEqual([entryUuid])
  })

  it('can have done it, and say that it does not know (CRF1)', async () => {
    const facts = document()
    await ini.behave({ behave: 'unheard', times: 1 })
    expect(await create(facts)).toMatchObject({ status: 'Failure', issues: [{ code: 'CRF1', severity: /Error$/ }] })
    expect(codes(await create(facts))).toEqual(['R224'])
  })

  it('cannot reach Lazio (CRF1), or gets no answer from it that is one (CRF2)', async () => {
    await lazio.behave('down')
    expect(codes(await create(document()))).toEqual(['CRF1'])
    await lazio.behave('fault')
    expect(codes(await create(document()))).toEqual(['CRF2'])
  })

  it('says what it is told to say', async () => {
    const issues = [{ code: 'XDSRegistryError', text: 'Internal Error 1011' }]
    await ini.behave({ behave: 'refuse', issues, times: 1 })
    expect(await create(document())).toMatchObject({ status: 'Failure', issues })
  })
})

describe('INI, told of documents of others', () => {
  it('leaves those of the asking region to it (R220), as a warning beside a failure', async () => {
    expect(await create(document('tuscan'))).toMatchObject({ status: 'Failure', issues: [{ code: 'R220' }] })
  })

  it('keeps those of whom nobody assists itself', async () => {
    const facts = document('none')
    expect(await create(facts)).toMatchObject({ status: 'Success' })
    expect(ini.temporary.registered.last.at(-1)?.uniqueId).toBe(facts.uniqueId)
  })
})

describe('INI, told of a change in the wrong place', () => {
  const unknown = /ResourceUnknownFault/

  it.each([
    ['ITI-57 where documents are registered', 'register', updateDocumentSet, updating],
    ['ITI-42 where they are updated', 'update', registerDocumentSet, creating],
    ['ITI-62 where they are updated', 'update', nationalDelete, deleting],
    ['ITI-57 where they are removed', 'delete', updateDocumentSet, updating],
    ['ITI-42 where references are told', 'references', registerDocumentSet, creating],
  ] as const)('answers %s as INI was seen to', async (_, face, action, claims) => {
    const facts = document()
    const told = await say(ini.urls[face], action, facts, bodyOf(facts), claims)
    expect(told.fault).toMatchObject({ code: /Receiver$/, detail: unknown })
  })

  it.each([
    ['a removal of an index transfer', 'delete', nationalDelete, { ...deleting, role: 'NOR', purpose: 'SYSADMIN' }],
    ['a new document of the national gateway', 'register', registerDocumentSet, { ...creating, role: 'GTW' }],
    ['a citizen’s update', 'update', updateDocumentSet, { ...updating, role: 'ASS' }],
    ['a consultation’s purpose', 'delete', nationalDelete, { ...deleting, purpose: 'TREATMENT' }],
  ] as const)('answers %s with PFA14', async (_, face, action, claims) => {
    const facts = document()
    const body = action === nationalDelete ? removeObjectsRequest([`urn:uuid:${randomUUID()}`]) : bodyOf(facts)
    const told = await say(ini.urls[face], action, facts, body, claims)
    expect(told.fault).toMatchObject({ iniCode: 'PFA14' })
  })
})
