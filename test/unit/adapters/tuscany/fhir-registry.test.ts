import { describe, expect, it } from 'vitest'
import { fhirRegistry } from '../../../../adapters/tuscany/fhir-registry.ts'
import type { QueryAnswer } from '../../../../src/core/model/answers.ts'
import type { PatientId } from '../../../../src/core/model/patient.ts'
import type { StoredQuery } from '../../../../src/core/model/stored-query.ts'
import { timestamp } from '../../../../src/core/model/timestamp.ts'
import { document, fixture } from '../../wire/fhir/samples.ts'
import { baseUrl, call, citizen, citizenOnce, outcome, type Reply, record, searchset } from './record.ts'

const seeded: Reply = { body: JSON.parse(new TextDecoder().decode(fixture('searchset-two-documents'))) }
const onePage: Reply = { body: { ...(seeded.body as object), link: [] } }
const uuid = (n: number) => `urn:uuid:0c287d32-01e3-4d87-9953-00000000000${n}`

function numbered(n: number, more: Record<string, unknown> = {}) {
  return document({
    id: String(n),
    identifier: [{ system: 'urn:ietf:rfc:3986', value: uuid(n) }],
    masterIdentifier: { system: 'urn:ietf:rfc:3986', value: `urn:oid:1.2.${n}` },
    ...more,
  })
}

const replaces = (n: number) => ({ relatesTo: [{ code: 'replaces', target: { reference: `DocumentReference/${n}` } }] })
const find = (more: object = {}): StoredQuery => ({
  type: 'FindDocuments',
  patientId: citizen,
  status: ['approved'],
  filter: {},
  extra: [],
  ...more,
})

async function ask(query: StoredQuery, replies: readonly Reply[], patientId?: PatientId) {
  const { tools, sent } = record(...replies)
  const registry = fhirRegistry({ baseUrl, tools })
  const answer: QueryAnswer = await registry.query(query, call(patientId === undefined ? {} : { patientId }))
  return { answer, sent, uuids: answer.entries.map(({ entryUuid }) => entryUuid) }
}

describe('FindDocuments from the FHIR record', () => {
  it('finds what was asked for and tells what the record warned of', async () => {
    const { answer } = await ask(find(), [onePage])
    expect(answer.entries.map(({ uniqueId }) => uniqueId)).toEqual(['2.16.840.1.113883.2.9.2.90.4.4^SYN.LAB.1'])
    expect(answer.issues).toEqual([
      { severity: 'warning', code: 'XDSRegistryError', text: 'One archive is being migrated' },
    ])
    expect(answer.associations).toEqual([])
  })

  it('tells how the documents it found replace each other', async () => {
    const { answer } = await ask(find({ status: ['approved', 'deprecated'] }), [onePage])
    expect(answer.entries).toHaveLength(2)
    expect(answer.associations).toMatchObject([{ type: 'replaces', source: answer.entries[0]?.entryUuid }])
  })

  it('finds nothing in an empty answer', async () => {
    expect((await ask(find(), [searchset([])])).answer).toEqual({
      entries: [],
      submissionSets: [],
      folders: [],
      associations: [],
      references: [],
      issues: [],
    })
  })

  it('looks itself at what FHIR cannot be asked', async () => {
    const period = { context: { period: { start: '2023-05-01' } } }
    const filter = { serviceStartTime: { from: timestamp('2024') } }
    expect((await ask(find({ filter }), [searchset([numbered(1), numbered(2, period)])])).uuids).toEqual([uuid(1)])
  })

  it('lets others have a turn while it reads a long answer', async () => {
    const many = Array.from({ length: 600 }, (_, n) => {
      const value = `urn:uuid:0c287d32-01e3-4d87-9953-${String(n).padStart(12, '0')}`
      return numbered(1, { id: String(n), identifier: [{ system: 'urn:ietf:rfc:3986', value }] })
    })
    let turns = 0
    const turn = () => {
      turns++
      waiting = setImmediate(turn)
    }
    let waiting = setImmediate(turn)
    const { uuids } = await ask(find(), [searchset(many)])
    clearImmediate(waiting)
    expect(new Set(uuids).size).toBe(600)
    expect(turns).toBeGreaterThanOrEqual(2)
  })

  it('finds by reference id', async () => {
    const related = [{ identifier: { system: 'urn:oid:1.2', value: '7' } }]
    const query = find({ type: 'FindDocumentsByReferenceId', referenceIds: [['7^^^&1.2&ISO']] })
    const { uuids, sent } = await ask(query, [searchset([numbered(1), numbered(2, { context: { related } })])])
    expect(uuids).toEqual([uuid(2)])
    expect(sent[0]?.form).toContainEqual(['related:identifier', 'urn:oid:1.2|7'])
  })

  it('asks who a patient is that documents name by reference only', async () => {
    const subject = { reference: 'Patient/7' }
    const identifier = [citizenOnce, citizen].map(({ value, authority }) => ({ system: `urn:oid:${authority}`, value }))
    const { answer, sent } = await ask(find(), [
      searchset([numbered(1, { subject }), numbered(2, { subject })]),
      searchset([{ resourceType: 'Patient', id: '7', identifier }]),
    ])
    expect(answer.entries.map(({ patientId }) => patientId)).toEqual([citizen, citizen])
    expect(sent[1]?.url).toBe('https://record.example/fhir/Patient/_search')
    expect(sent[1]?.form[0]).toEqual(['_id', '7'])
  })

  it('leaves out the documents of a patient nobody can name', async () => {
    const { answer } = await ask(find(), [
      searchset([numbered(1, { subject: { reference: 'Patient/7' } }), numbered(2)]),
      searchset([]),
    ])
    expect(answer.entries).toHaveLength(1)
    expect(answer.issues).toMatchObject([{ severity: 'warning', text: expect.stringContaining('DocumentReference/1') }])
  })

  it('fails as a whole when the record refuses', async () => {
    await expect(ask(find(), [outcome(403, 'forbidden')])).rejects.toMatchObject({ code: 'community-rejected' })
    await expect(ask(find(), [outcome(404, 'not-found')])).rejects.toMatchObject({ code: 'patient-unknown' })
  })

  it('keeps what it found beside what the record failed at', async () => {
    const failed = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'timeout' }] }
    const { answer } = await ask(find(), [searchset([numbered(1), failed])])
    expect(answer.entries).toHaveLength(1)
    expect(answer.issues).toMatchObject([{ severity: 'error' }])
  })
})

describe('GetAll from the FHIR record', () => {
  it('finds the documents of every asked status and how they relate', async () => {
    const query: StoredQuery = {
      type: 'GetAll',
      patientId: citizen,
      documentStatus: ['approved', 'deprecated'],
      submissionSetStatus: ['approved'],
      folderStatus: ['approved'],
      filter: {},
      extra: [],
    }
    const { answer, sent } = await ask(query, [
      searchset([numbered(1, replaces(2)), numbered(2, { status: 'superseded' })]),
    ])
    expect(answer.entries).toHaveLength(2)
    expect(answer.associations).toHaveLength(1)
    expect(sent[0]?.form).toContainEqual(['status', 'current,superseded'])
  })
})

describe('GetDocuments from the FHIR record', () => {
  const get = (ids: readonly string[], by: 'entry-uuid' | 'unique-id' | 'logical-id' = 'entry-uuid'): StoredQuery => ({
    type: 'GetDocuments',
    documents: { by, ids },
    extra: [],
  })

  it('finds by entryUUID and by uniqueId, and nothing that was not asked for', async () => {
    const both = searchset([numbered(1), numbered(2)])
    expect((await ask(get([uuid(2)]), [both])).uuids).toEqual([uuid(2)])
    expect((await ask(get(['1.2.1'], 'unique-id'), [both])).uuids).toEqual([uuid(1)])
  })

  it('finds a document by every entryUUID it had, and tells it under the one it has', async () => {
    const had = (n: number) => ({ use: 'old', system: 'urn:ietf:rfc:3986', value: uuid(n) })
    const now = { system: 'urn:ietf:rfc:3986', value: uuid(3) }
    const told = searchset([numbered(3, { identifier: [now, had(2), had(1)] }), numbered(4)])
    for (const n of [1, 2, 3]) {
      const { uuids, answer } = await ask(get([uuid(n)]), [told])
      expect(uuids).toEqual([uuid(3)])
      expect(answer.entries).toMatchObject([{ logicalId: uuid(1) }])
    }
    expect((await ask(get([uuid(5)]), [told])).uuids).toEqual([])
  })

  it('names the patient of the assertion, as MHD wants it', async () => {
    const { sent } = await ask(get([uuid(1)]), [searchset([])], citizen)
    expect(sent[0]?.form[0]).toEqual(['patient.identifier', 'urn:oid:2.16.840.1.113883.2.9.4.3.2|PRVCRC70A01D612G'])
  })

  it('asks for many in several searches', async () => {
    const ids = Array.from({ length: 101 }, (_, n) => `urn:uuid:${n}`)
    const { sent } = await ask(get(ids), [searchset([]), searchset([]), searchset([])])
    const asked = sent.flatMap(
      ({ form }) => new URLSearchParams(form.map((pair) => [...pair])).get('identifier')?.split(',') ?? [],
    )
    expect(asked).toEqual(ids.map((id) => `urn:ietf:rfc:3986|${id}`))
  })

  it('finds nothing where the patient is not known', async () => {
    expect((await ask(get([uuid(1)]), [outcome(404, 'not-found')], citizen)).answer.entries).toEqual([])
  })

  it('says that it knows no logical ids', async () => {
    const { answer, sent } = await ask(get([uuid(1)], 'logical-id'), [])
    expect(answer.issues).toMatchObject([{ severity: 'warning', code: 'XDSRegistryError' }])
    expect(sent).toEqual([])
  })
})

describe('GetDocumentsAndAssociations from the FHIR record', () => {
  const query: StoredQuery = {
    type: 'GetDocumentsAndAssociations',
    documents: { by: 'entry-uuid', ids: [uuid(2)] },
    extra: [],
  }

  it('tells what the document does to others and others to it', async () => {
    const { answer, uuids, sent } = await ask(query, [
      searchset([numbered(2, replaces(1))]),
      searchset([numbered(1), numbered(2, replaces(1)), numbered(3, replaces(2)), numbered(4, replaces(3))]),
    ])
    expect(uuids).toEqual([uuid(2)])
    expect(answer.associations.map(({ source, target }) => [source, target])).toEqual([
      [uuid(2), uuid(1)],
      [uuid(3), uuid(2)],
    ])
    expect(sent[1]?.form).toContainEqual(['status', 'current,superseded'])
  })

  it('tells what was done to a document under an entryUUID it had', async () => {
    const identifier = [
      { system: 'urn:ietf:rfc:3986', value: uuid(3) },
      { use: 'old', system: 'urn:ietf:rfc:3986', value: uuid(1) },
    ]
    const target = { identifier: { system: 'urn:ietf:rfc:3986', value: uuid(1) } }
    const addition = numbered(2, { relatesTo: [{ code: 'appends', target }] })
    const updated = numbered(3, { identifier })
    const query: StoredQuery = {
      type: 'GetDocumentsAndAssociations',
      documents: { by: 'entry-uuid', ids: [uuid(3)] },
      extra: [],
    }
    const { answer } = await ask(query, [searchset([updated]), searchset([addition, updated])])
    expect(answer.associations).toMatchObject([{ type: 'appends', source: uuid(2), target: uuid(3) }])
  })

  it('says when a relation points to something that cannot be named', async () => {
    const dangling = numbered(2, replaces(9))
    const { answer } = await ask(query, [searchset([dangling]), searchset([dangling])])
    expect(answer.issues).toMatchObject([{ severity: 'warning', text: expect.stringContaining('1 relations') }])
  })

  it('asks no further when the document is not there', async () => {
    expect((await ask(query, [searchset([])])).sent).toHaveLength(1)
  })
})

describe('queries the FHIR record has no answer to', () => {
  const by = { by: 'entry-uuid', ids: [uuid(1)] } as const
  const queries: readonly StoredQuery[] = [
    { type: 'FindSubmissionSets', patientId: citizen, status: ['approved'], extra: [] },
    { type: 'FindFolders', patientId: citizen, status: ['approved'], extra: [] },
    { type: 'GetFolders', folders: by, extra: [] },
    { type: 'GetAssociations', ids: [uuid(1)], extra: [] },
    { type: 'GetSubmissionSets', ids: [uuid(1)], extra: [] },
    { type: 'GetSubmissionSetAndContents', submissionSet: by, filter: {}, extra: [] },
    { type: 'GetFolderAndContents', folder: by, filter: {}, extra: [] },
    { type: 'GetFoldersForDocument', document: by, extra: [] },
    { type: 'GetRelatedDocuments', document: by, associationTypes: [], extra: [] },
  ]

  it.each(queries.map((query) => [query.type, query] as const))(
    '%s finds nothing and says why',
    async (type, query) => {
      const { answer, sent } = await ask(query, [])
      expect(sent).toEqual([])
      expect(answer.entries).toEqual([])
      expect(answer.issues).toMatchObject([{ severity: 'warning', text: expect.stringContaining(type) }])
    },
  )
})
