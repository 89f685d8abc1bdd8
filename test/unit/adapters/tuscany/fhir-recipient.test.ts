import { describe, expect, it } from 'vitest'
import { fhirRecipient } from '../../../../adapters/tuscany/fhir-recipient.ts'
import type { FhirTools } from '../../../../adapters/tuscany/fhir-search.ts'
import { GatewayError } from '../../../../src/core/errors.ts'
import type { HideChange, MetadataChange, Submission } from '../../../../src/core/model/change.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import { decodeDocumentReference, encodeDocumentReference } from '../../../../src/wire/fhir/document-reference.ts'
import { isObject, type Json } from '../../../../src/wire/fhir/types.ts'
import { authorized, citizen, entry, link, submissionSet } from '../../../support/builders.ts'

const baseUrl = 'https://record.example/fhir'
const hash = 'a'.repeat(40)

type Request = Parameters<FhirTools['send']>[0]
type Answer = Awaited<ReturnType<FhirTools['send']>>
type Vouched = Parameters<FhirTools['vouch']>[0]

interface Part {
  readonly resource?: Json
  readonly request: {
    readonly method: string
    readonly url: string
    readonly ifNoneExist?: string
    readonly ifMatch?: string
  }
}

const reply = (status: number, body: unknown): Answer => ({
  status,
  headers: {},
  body: Buffer.from(JSON.stringify(body)),
})

/** A FHIR server with searches by identifier and transactions. `interferes` is called before each transaction. */
class FhirRecord {
  readonly resources = new Map<string, Json>()
  readonly transactions: (readonly Part[])[] = []
  readonly sent: Request[] = []
  readonly vouched: Vouched[] = []
  interferes: (transaction: number) => Answer | undefined = () => undefined
  #last = 0

  readonly tools: FhirTools = {
    vouch: async (request) => {
      this.vouched.push(request)
      return `token-${this.vouched.length}`
    },
    send: async (request) => {
      this.sent.push(request)
      return request.url.endsWith('/_search') ? this.#search(String(request.body)) : this.#transact(request)
    },
  }

  store(resource: Json, id = `r${++this.#last}`): string {
    const { meta } = this.resources.get(id) ?? {}
    const version = isObject(meta) ? Number(meta.versionId) + 1 : 1
    const told = isObject(resource.meta) ? resource.meta : {}
    this.resources.set(id, { ...resource, id, meta: { ...told, versionId: String(version) } })
    return id
  }

  /** The documents there are, as entries. */
  get entries(): readonly DocumentEntry[] {
    return [...this.resources.values()].map((resource) => decodeDocumentReference(resource).entry)
  }

  #found(tokens: readonly string[]): readonly Json[] {
    return [...this.resources.values()].filter(({ masterIdentifier, identifier }) =>
      [masterIdentifier, ...(Array.isArray(identifier) ? identifier : [])].some(
        (one) => isObject(one) && tokens.includes(`${one.system}|${one.value}`),
      ),
    )
  }

  #search(form: string): Answer {
    const tokens = (new URLSearchParams(form).get('identifier') ?? '').split(',')
    const found = this.#found(tokens).map((resource) => ({ resource, search: { mode: 'match' } }))
    return reply(200, { resourceType: 'Bundle', type: 'searchset', entry: found })
  }

  #transact({ url, body }: Request): Answer {
    if (url !== baseUrl) throw new Error('A transaction goes to the base address')
    const { entry: parts } = JSON.parse(String(body)) as { readonly entry: readonly Part[] }
    this.transactions.push(parts)
    const interference = this.interferes(this.transactions.length)
    if (interference !== undefined) return interference
    const stale = parts.some(
      ({ request: { ifMatch, url: place } }) => ifMatch !== undefined && ifMatch !== this.#tag(place),
    )
    if (stale) return reply(412, {})
    const responses = parts.map((part) => ({ response: { status: this.#do(part) } }))
    return reply(200, { resourceType: 'Bundle', type: 'transaction-response', entry: responses })
  }

  #tag(place: string): string {
    const { meta } = this.resources.get(place.replace('DocumentReference/', '')) ?? {}
    return `W/"${isObject(meta) ? meta.versionId : ''}"`
  }

  #do({ resource = {}, request }: Part): string {
    const id = request.url.replace('DocumentReference/', '')
    if (request.method === 'DELETE') return this.resources.delete(id) ? '204 No Content' : '404'
    if (request.method === 'PUT') return `200 ${this.store(resource, id)}`
    const condition = new URLSearchParams(request.ifNoneExist).get('identifier') ?? ''
    return this.#found(condition.split(',')).length > 0 ? '200 OK' : `201 ${this.store(resource)}`
  }
}

function recordWith(...entries: readonly DocumentEntry[]) {
  const record = new FhirRecord()
  for (const one of entries) record.store(encodeDocumentReference(one, { url: `${baseUrl}/Binary/kept` }))
  const recipient = fhirRecipient({ baseUrl, binaries: `${baseUrl}/Binary`, tools: record.tools })
  const accept = (change: MetadataChange) => recipient.accept(change, authorized())
  const failure = async (change: MetadataChange): Promise<GatewayError> => {
    const error = await accept(change).then(
      () => expect.fail('it was accepted'),
      (thrown: unknown) => thrown,
    )
    if (error instanceof GatewayError) return error
    throw error
  }
  return { record, accept, failure }
}

const uuid = (digit: string) => `urn:uuid:${digit.repeat(8)}-0000-4000-8000-000000000000`
const document = (name: string, more: Partial<DocumentEntry> = {}): DocumentEntry =>
  entry(name, { entryUuid: uuid(name), hash, size: 9, repositoryUniqueId: '2.16.840.1.113883.2.9.2.90.4.5.1', ...more })
const between = (source: string, type: 'replaces' | 'appends', target: string) => ({
  ...link(source, type, target),
  source: uuid(source),
  target: uuid(target),
})

function submission(entries: readonly DocumentEntry[], ...links: Submission['associations']): Submission {
  return { submissionSet: submissionSet('s'), entries, folders: [], associations: links }
}

const submit = (...args: Parameters<typeof submission>): MetadataChange => ({
  type: 'submit',
  submission: submission(...args),
})
const policy = (code: string) => ({ code, scheme: '2.16.840.1.113883.2.9.3.3.6.1.3' })

describe('a submission to the FHIR record', () => {
  it('creates the document on the condition that it is not there', async () => {
    const { record, accept } = recordWith()
    await accept(submit([document('a')]))
    expect(record.transactions).toHaveLength(1)
    expect(record.transactions[0]).toMatchObject([{ request: { method: 'POST', url: 'DocumentReference' } }])
    const condition = new URLSearchParams(record.transactions[0]?.[0]?.request.ifNoneExist)
    expect(condition.get('identifier')).toContain('urn:oid:2.16.840.1.113883.2.9.2.90.4.4|a')
    expect(record.entries).toMatchObject([{ ...document('a'), repositoryUniqueId: document('a').repositoryUniqueId }])
  })

  it('is one message in a body, with a token that claims what is done', async () => {
    const { record, accept } = recordWith()
    await accept(submit([document('a')]))
    expect(record.vouched.map(({ does }) => does)).toEqual([undefined, 'CREATE'])
    expect(record.sent.at(-1)).toMatchObject({
      url: baseUrl,
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json', authorization: 'Bearer token-2' },
    })
    for (const { url } of record.sent) expect(url).not.toContain(citizen.value)
  })

  it('does nothing when it is told again', async () => {
    const { record, accept } = recordWith()
    await accept(submit([document('a')]))
    await accept(submit([document('a')]))
    expect(record.transactions).toHaveLength(1)
  })

  it('is rejected when the record has another document of the name', async () => {
    const { record, failure } = recordWith(document('a', { hash: 'b'.repeat(40) }))
    const error = await failure(submit([document('a')]))
    expect(error).toMatchObject({ code: 'community-rejected', issues: [{ code: 'XDSNonIdenticalHash' }] })
    expect(record.transactions).toEqual([])
  })

  it('is looked at again when somebody created the document meanwhile', async () => {
    const same = recordWith()
    same.record.interferes = () => {
      same.record.store(encodeDocumentReference(document('a'), { url: baseUrl }))
      return undefined
    }
    await same.accept(submit([document('a')]))
    expect(same.record.entries).toHaveLength(1)
    const other = recordWith()
    other.record.interferes = () => {
      other.record.store(encodeDocumentReference(document('a', { hash: 'b'.repeat(40) }), { url: baseUrl }))
      return undefined
    }
    expect((await other.failure(submit([document('a')]))).issues).toMatchObject([{ code: 'XDSNonIdenticalHash' }])
  })

  it('supersedes what it replaces, and says what it does to others', async () => {
    const { record, accept } = recordWith(document('1'), document('2'))
    const change = submit([document('a')], between('a', 'replaces', '1'), between('a', 'appends', '2'))
    await accept(change)
    expect(record.vouched.at(-1)?.does).toBe('UPDATE')
    expect(record.entries.map(({ uniqueId, status }) => [uniqueId.at(-1), status])).toEqual([
      ['1', 'deprecated'],
      ['2', 'approved'],
      ['a', 'approved'],
    ])
    const created = [...record.resources.values()].at(-1) ?? {}
    expect(decodeDocumentReference(created).associations).toMatchObject([
      { type: 'replaces', target: uuid('1') },
      { type: 'appends', target: uuid('2') },
    ])
    await accept(change)
    expect(record.transactions).toHaveLength(1)
  })

  it('is rejected when it replaces a document that is not there', async () => {
    const { failure } = recordWith()
    expect(await failure(submit([document('a')], between('a', 'replaces', '1')))).toMatchObject({
      code: 'community-rejected',
      issues: [{ code: 'UnresolvedReferenceException', location: uuid('1') }],
    })
  })

  it('fails as the record fails', async () => {
    const outcome = {
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'error', code: 'invalid', diagnostics: 'No' }],
    }
    const cases = [
      [reply(503, {}), 'community-busy'],
      [reply(500, {}), 'community-unavailable'],
      [reply(403, {}), 'community-rejected'],
      [reply(422, outcome), 'community-rejected'],
      [reply(200, {}), 'community-misbehaved'],
      [reply(200, { resourceType: 'Bundle', type: 'transaction-response', entry: [] }), 'community-misbehaved'],
      [
        reply(200, {
          resourceType: 'Bundle',
          type: 'transaction-response',
          entry: [{ response: { status: '400 Bad Request', outcome } }],
        }),
        'community-misbehaved',
      ],
    ] as const
    for (const [answer, code] of cases) {
      const { record, failure } = recordWith()
      record.interferes = () => answer
      expect((await failure(submit([document('a')]))).code).toBe(code)
    }
    const { record, failure } = recordWith()
    record.interferes = () => reply(422, outcome)
    expect((await failure(submit([document('a')]))).issues).toMatchObject([{ text: 'No' }])
  })
})

describe('an update of the FHIR record', () => {
  const update = (...entries: readonly DocumentEntry[]): MetadataChange => ({
    type: 'update',
    submission: submission(entries),
  })

  it('says anew what is known of the document, and leaves what is the server’s', async () => {
    const { record, accept } = recordWith(document('1'))
    const [id = ''] = record.resources.keys()
    record.store({ ...record.resources.get(id), custodian: { display: 'ASL' }, meta: { profile: ['urn:p'] } }, id)
    await accept(update(document('f', { uniqueId: document('1').uniqueId, version: '2', eventCodes: [policy('pay')] })))
    expect(record.vouched.at(-1)?.does).toBe('UPDATE')
    expect(record.transactions[0]).toMatchObject([
      { request: { method: 'PUT', url: `DocumentReference/${id}`, ifMatch: 'W/"2"' }, resource: { id } },
    ])
    expect(record.entries).toMatchObject([{ entryUuid: uuid('f'), eventCodes: [policy('pay')], status: 'approved' }])
    expect(record.resources.get(id)).toMatchObject({
      custodian: { display: 'ASL' },
      meta: { profile: ['urn:p'], versionId: '3' },
      content: [{ attachment: { url: `${baseUrl}/Binary/kept` } }],
    })
  })

  it('does nothing when it is told again', async () => {
    const { record, accept } = recordWith(document('1'))
    const change = update(document('f', { uniqueId: document('1').uniqueId, eventCodes: [policy('pay')] }))
    await accept(change)
    await accept(change)
    expect(record.transactions).toHaveLength(1)
  })

  it('leaves the document known by every id it had', async () => {
    const { record, accept } = recordWith(document('1'))
    const { uniqueId } = document('1')
    await accept(update(document('e', { uniqueId, eventCodes: [policy('pay')] })))
    // Only the id is new: it has been handed out, and must be found.
    await accept(update(document('f', { uniqueId, eventCodes: [policy('pay')] })))
    expect(record.entries).toMatchObject([{ entryUuid: uuid('f'), logicalId: uuid('1'), version: '3' }])
    await accept(submit([document('a')], between('a', 'replaces', 'e')))
    expect(record.entries.map(({ status }) => status)).toEqual(['deprecated', 'approved'])
    await accept({ type: 'remove', ids: [uuid('1'), uuid('e'), uuid('f')], entries: [] })
    expect(record.entries).toMatchObject([{ entryUuid: uuid('a') }])
  })

  it('is known to be made by its id, however the record writes down what it says', async () => {
    const { record, accept } = recordWith(document('1'))
    const [id = ''] = record.resources.keys()
    const change = update(document('f', { uniqueId: document('1').uniqueId, logicalId: uuid('1') }))
    await accept(change)
    record.store({ ...record.resources.get(id), description: 'As the record puts it' }, id)
    await accept(change)
    expect(record.transactions).toHaveLength(1)
  })

  it('gives no two documents one id, where several bear one unique id', async () => {
    const { uniqueId } = document('1')
    const { record, accept } = recordWith(document('1'), document('2', { uniqueId }))
    await accept(update(document('f', { uniqueId, logicalId: uuid('2'), eventCodes: [policy('P99')] })))
    expect(record.entries.map(({ entryUuid }) => entryUuid)).toEqual([uuid('1'), uuid('f')])
    for (const { eventCodes } of record.entries) expect(eventCodes).toEqual([policy('P99')])
  })

  it('is made from what the record has by then', async () => {
    const { record, accept } = recordWith(document('1'))
    const [id = ''] = record.resources.keys()
    record.interferes = (transaction) => {
      if (transaction === 1) record.store({ ...record.resources.get(id), custodian: { display: 'ASL' } }, id)
      return undefined
    }
    await accept(update(document('1', { eventCodes: [policy('pay')] })))
    expect(record.transactions).toHaveLength(2)
    expect(record.resources.get(id)).toMatchObject({ custodian: { display: 'ASL' } })
  })

  it('may be told again later when the record goes on being changed', async () => {
    const { record, failure } = recordWith(document('1'))
    record.interferes = () => reply(409, {})
    expect((await failure(update(document('1', { eventCodes: [policy('pay')] })))).code).toBe('community-busy')
    expect(record.transactions).toHaveLength(3)
  })

  it('is rejected when the record does not know the document', async () => {
    expect((await recordWith().failure(update(document('1')))).code).toBe('community-rejected')
  })

  it('is not blamed for a document of the record that cannot be understood', async () => {
    const { record, failure } = recordWith(document('1'))
    const [id = ''] = record.resources.keys()
    record.store({ ...record.resources.get(id), status: 'entered-in-error' }, id)
    expect((await failure(update(document('1')))).code).toBe('community-misbehaved')
  })
})

describe('a removal from the FHIR record', () => {
  it('deletes what is there of what it names', async () => {
    const { record, accept } = recordWith(document('1'), document('2'))
    const change: MetadataChange = { type: 'remove', ids: [uuid('1'), uuid('9')], entries: [] }
    await accept(change)
    expect(record.vouched.at(-1)?.does).toBe('DELETE')
    expect(record.entries.map(({ entryUuid }) => entryUuid)).toEqual([uuid('2')])
    await accept(change)
    expect(record.transactions).toHaveLength(1)
  })
})

describe('a hiding in the FHIR record', () => {
  const hiding: HideChange = { type: 'hide', patientId: citizen, uniqueId: document('1').uniqueId }

  it('replaces the visibility policy and touches nothing else', async () => {
    const events = [policy('pay'), policy('P00'), { code: 'P98', scheme: '' }]
    const { record, accept } = recordWith(document('1', { eventCodes: events }))
    const [id = ''] = record.resources.keys()
    const before = record.resources.get(id) ?? {}
    await accept(hiding)
    expect(record.vouched.at(-1)).toMatchObject({ does: 'UPDATE', purposeOfUse: 'ACCESS UPDATE' })
    const after = record.resources.get(id) ?? {}
    expect({ ...after, context: undefined, meta: undefined }).toEqual({
      ...before,
      context: undefined,
      meta: undefined,
    })
    expect(record.entries[0]?.eventCodes).toMatchObject([policy('pay'), policy('P99')])
  })

  it('leaves the other codes of a concept', async () => {
    const { record, accept } = recordWith(document('1'))
    const [id = ''] = record.resources.keys()
    const coding = [
      { system: 'urn:oid:2.16.840.1.113883.2.9.3.3.6.1.3', code: 'P97' },
      { system: 'http://loinc.org', code: '90768-3' },
    ]
    record.store({ ...record.resources.get(id), context: { event: [{ coding, text: 'x' }] } }, id)
    await accept(hiding)
    expect(record.resources.get(id)?.context).toMatchObject({
      event: [{ coding: [{ code: '90768-3' }], text: 'x' }, { coding: [{ code: 'P99' }] }],
    })
  })

  it('does nothing when the document is hidden', async () => {
    const { record, accept } = recordWith(document('1', { eventCodes: [policy('P99')] }))
    await accept(hiding)
    expect(record.transactions).toEqual([])
  })

  it('is rejected when the record knows no such document', async () => {
    const error = await recordWith().failure(hiding)
    expect(error).toMatchObject({ code: 'document-unknown' })
  })
})
