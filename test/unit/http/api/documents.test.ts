import { createHash } from 'node:crypto'
import { request } from 'node:https'
import { afterEach, describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import type { RetrieveGateway } from '../../../../src/core/federation/retrieve.ts'
import type { Assertion } from '../../../../src/core/model/call.ts'
import type { DeliveredDocument, DocumentReference, FederatedRetrieval } from '../../../../src/core/model/retrieval.ts'
import type { AuditEvent, HeldDocument } from '../../../../src/core/ports.ts'
import { admission } from '../../../../src/http/admission.ts'
import type { MakeForm } from '../../../../src/http/api/document-forms.ts'
import { type DocumentRouteParts, documentRoutes } from '../../../../src/http/api/documents.ts'
import type { ApiParts } from '../../../../src/http/api/endpoint.ts'
import type { Caller, PresentedRequest } from '../../../../src/http/api/guard.ts'
import { createEvents } from '../../../../src/telemetry/events.ts'
import { createLog } from '../../../../src/telemetry/log.ts'
import { createMetrics } from '../../../../src/telemetry/metrics.ts'
import { type ApiServer, apiServer, identityOf } from '../../../support/api-server.ts'
import { assertion, citizen, clinician, entry, homes } from '../../../support/builders.ts'
import { handleOf, handles } from '../../../support/handles.ts'
import { type Fetched, fetched, problemIn, type Wanted } from './documents-door.ts'

const opened: ApiServer[] = []
afterEach(async () => {
  for (const server of opened.splice(0)) await server[Symbol.asyncDispose]()
})

const clock = { now: () => Date.now() }
const reference: DocumentReference = {
  home: homes.veneto,
  repositoryUniqueId: '2.16.840.1.113883.2.9.2.50.4.5.910',
  uniqueId: '2.16.840.1.113883.2.9.2.50.4.4^R050D1',
}
const path = `/api/v1/documents/${handleOf(reference)}`
const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251))
const sha1 = createHash('sha1').update(bytes).digest('hex')

/** A document that says whether it is still held. */
class Held implements HeldDocument {
  readonly size: number = bytes.length
  readonly sha1 = sha1
  isHeld = true
  readonly #pieces: AsyncIterable<Uint8Array> | undefined
  constructor(pieces?: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces
  }
  async *read() {
    if (this.#pieces !== undefined) return yield* this.#pieces
    for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
  }
  async [Symbol.asyncDispose]() {
    this.isHeld = false
  }
}

function delivered(content: HeldDocument, more: Partial<DeliveredDocument> = {}): FederatedRetrieval {
  const { repositoryUniqueId, uniqueId } = reference
  const found = { ...entry('d'), sources: [] }
  const document = { reference, repositoryUniqueId, uniqueId, mimeType: 'application/pdf', content, entry: found }
  return {
    documents: [{ ...document, verified: true, ...more }],
    failures: [],
    asked: [{ home: homes.veneto, name: 'region-050', durationMs: 1, outcome: 'answered' }],
  }
}

function failed(error: GatewayError): FederatedRetrieval {
  const leg = { home: homes.veneto, name: 'region-050', durationMs: 1, outcome: 'failed' } as const
  return { documents: [], failures: [{ reference, error }], asked: [leg] }
}

interface Setting extends Partial<Pick<DocumentRouteParts, 'makeForm' | 'deadlineMs'>> {
  readonly retrieve?: RetrieveGateway['retrieve']
  /** `none`: the tokens name no user. */
  readonly claims?: Partial<Assertion> | 'none'
  readonly parts?: Partial<ApiParts>
}

async function doors(setting: Setting = {}) {
  const audited: AuditEvent[] = []
  const logged: string[] = []
  const presented: PresentedRequest[] = []
  const asked: { readonly references: readonly DocumentReference[]; readonly assertion: Assertion }[] = []
  const content = new Held()
  const { claims = {}, retrieve = async () => delivered(content), parts = {} } = setting
  const caller: Caller = {
    profile: 'portal',
    ...(claims === 'none' ? {} : { assertion: assertion(claims) }),
    subject: clinician,
    validUntil: 4_102_444_800_000,
    signer: 'jwk:x',
    tokens: [],
  }
  const gateway: RetrieveGateway = {
    async retrieve(references, call) {
      asked.push({ references, assertion: call.assertion })
      return await retrieve(references, call)
    },
  }
  const makeForm: MakeForm = async () => 'none'
  const server = await apiServer({
    routes: documentRoutes({ gateway, handles, makeForm, clock, deadlineMs: 5_000, ...setting }),
    identify: ({ fingerprint, subject }) => ({ name: 'portal', home: homes.tuscany, subject, fingerprint }),
    guardOf: () => ({
      schemes: ['Bearer'],
      async authenticate(one) {
        presented.push(one)
        return caller
      },
    }),
    audit: { record: async (event) => void audited.push(event) },
    events: createEvents(
      createLog({ level: 'debug', destination: { write: (line: string) => void logged.push(line) } }),
      createMetrics({ process: false }),
    ),
    clock,
    ...parts,
  })
  opened.push(server)
  const get = (query = '', wanted: Wanted = {}) => fetched(server.port, path + query, wanted)
  return { ...server, asked, audited, content, get, logged, presented }
}

describe('a document', () => {
  it('is given as it is, with what its content is told by', async () => {
    const { asked, content, get, presented } = await doors()
    const answer = await get()
    expect(answer).toMatchObject({ status: 200, isWhole: true })
    expect(answer.bytes.equals(bytes)).toBe(true)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/pdf',
      'content-length': String(bytes.length),
      etag: `"${sha1}"`,
      'x-document-verified': 'true',
      'accept-ranges': 'none',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringMatching(/default-src 'none'.*sandbox/),
      'content-disposition': expect.stringMatching(/^inline; filename="document-[0-9a-f]{12}\.pdf"$/),
      'x-correlation-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    expect(asked).toMatchObject([{ references: [reference], assertion: { patientId: citizen, role: 'AAS' } }])
    expect(presented[0]?.matter).toEqual({ operation: 'read' })
    await expect.poll(() => content.isHeld).toBe(false)
  })

  it('is accounted for before a byte of it leaves', async () => {
    let settle: () => void = () => undefined
    const recorded: AuditEvent[] = []
    const record = (event: AuditEvent) =>
      new Promise<void>((resolve) => {
        recorded.push(event)
        settle = resolve
      })
    let isRead = false
    const pieces = (async function* () {
      isRead = true
      yield Buffer.from(bytes)
    })()
    const { get } = await doors({ retrieve: async () => delivered(new Held(pieces)), parts: { audit: { record } } })
    const answer = get()
    await expect.poll(() => recorded.length).toBe(1)
    expect(isRead).toBe(false)
    settle()
    expect((await answer).bytes.equals(bytes)).toBe(true)
    expect(recorded[0]).toMatchObject({
      transaction: 'ITI-68',
      request: 'RetrieveDocument',
      documents: [reference],
      asked: [{ home: homes.veneto, outcome: 'answered' }],
      outcome: 'success',
      results: 1,
    })
  })

  it('that cannot be accounted for is not given, and not kept', async () => {
    const audit = { record: () => Promise.reject(new Error('the disk is full')) }
    const { content, get } = await doors({ parts: { audit } })
    const answer = await get()
    expect(answer.status).toBe(500)
    expect(problemIn(answer).type).toBe('urn:crocevia:problem:internal')
    expect(content.isHeld).toBe(false)
  })

  it('is told by its head alone, where that is asked', async () => {
    const { audited, content, get } = await doors()
    const whole = await get()
    const head = await get('', { method: 'HEAD' })
    expect(head.status).toBe(200)
    expect(head.bytes).toHaveLength(0)
    const same = ({ headers: { date, connection, 'x-correlation-id': id, 'keep-alive': alive, ...more } }: Fetched) =>
      more
    expect(same(head)).toEqual(same(whole))
    expect(audited).toMatchObject([{ outcome: 'success' }, { outcome: 'success', documents: [reference] }])
    expect(content.isHeld).toBe(false)
  })

  it('is given whole though a part of it is asked for', async () => {
    const { get } = await doors()
    const answer = await get('', { headers: { range: 'bytes=0-9' } })
    expect(answer.status).toBe(200)
    expect(answer.bytes).toHaveLength(bytes.length)
  })

  it('that could not be verified says so', async () => {
    const { get } = await doors({ retrieve: async () => delivered(new Held(), { verified: false }) })
    expect((await get()).headers['x-document-verified']).toBe('false')
  })

  it.each([
    ['application/pdf+text/x-cda-r2+xml', 'application/pdf', 'pdf'],
    ['text/x-cda-r2+xml', 'text/x-cda-r2+xml', 'xml'],
    [`application/pdf; name="${citizen.value}.pdf"`, 'application/pdf', 'pdf'],
    ['application/pdf\r\nX-Injected: yes', 'application/octet-stream', 'bin'],
    ['', 'application/octet-stream', 'bin'],
  ])('whose holder says that it is %j is told as %s', async (mimeType, told, extension) => {
    const { get } = await doors({ retrieve: async () => delivered(new Held(), { mimeType }) })
    const { headers, status } = await get()
    expect(status).toBe(200)
    expect(headers['content-type']).toBe(told)
    expect(headers['content-disposition']).toMatch(new RegExp(`\\.${extension}"$`))
    expect(headers).not.toHaveProperty('x-injected')
  })

  it('puts nothing of a person into headers and logs', async () => {
    const { get, logged } = await doors({ makeForm: async () => ({ mediaType: 'text/html', bytes }) })
    const answers = [await get(), await get('?form=readable'), await get('', { method: 'HEAD' })]
    const told = JSON.stringify([answers.map(({ headers }) => headers), logged])
    for (const personal of [citizen.value, clinician.slice(0, 16), reference.uniqueId, 'R050D1']) {
      expect(told).not.toContain(personal)
    }
  })
})

describe('a form of a document', () => {
  const policy = "default-src 'none'; style-src 'sha256-x'"

  it.each([
    ['cda', 'application/xml', 'xml', expect.stringContaining('sandbox')],
    ['readable', 'text/html; charset=utf-8', 'html', policy],
    ['body', 'image/png', 'png', expect.stringContaining('sandbox')],
  ])('%s is made of the document and told as what it is', async (form, mediaType, extension, told) => {
    const made = Buffer.from(`a ${form}`)
    const given: unknown[] = []
    const makeForm: MakeForm = async (name, document) => {
      given.push(name, document.size)
      return { mediaType, bytes: made, ...(name === 'readable' ? { contentSecurityPolicy: policy } : {}) }
    }
    const { audited, content, get } = await doors({ makeForm })
    const answer = await get(`?form=${form}`)
    expect(answer.status).toBe(200)
    expect(answer.bytes.equals(made)).toBe(true)
    expect(answer.headers).toMatchObject({
      'content-type': mediaType,
      'content-length': String(made.length),
      'content-security-policy': told,
      etag: `"${createHash('sha256').update(made).digest('hex')}"`,
      'content-disposition': expect.stringMatching(new RegExp(`\\.${extension}"$`)),
    })
    expect(given).toEqual([form, bytes.length])
    expect(audited).toMatchObject([{ request: `RetrieveDocument ${form}`, outcome: 'success', results: 1 }])
    await expect.poll(() => content.isHeld).toBe(false)
  })

  it.each([
    ['none', 404, 'form-unknown'],
    ['too-large', 422, 'document-too-large-for-this-form'],
    ['inflates-too-much', 422, 'document-too-complex-for-this-form'],
    ['too-complex', 422, 'document-too-complex-for-this-form'],
    ['too-slow', 422, 'document-too-complex-for-this-form'],
    ['ambiguous', 422, 'document-not-readable'],
    ['encrypted', 422, 'document-not-readable'],
    ['damaged', 422, 'document-not-readable'],
    ['encoding-unsupported', 422, 'document-not-readable'],
    ['xml-refused', 422, 'document-not-readable'],
    ['body-malformed', 422, 'document-not-readable'],
    ['body-elsewhere', 422, 'document-not-readable'],
    ['busy', 503, 'forms-busy'],
    ['reader-failed', 500, 'form-failed'],
  ] as const)('that cannot be given (%s) is a problem of status %i', async (reason, status, word) => {
    const makeForm: MakeForm = async () => (reason === 'none' ? reason : { refused: reason })
    const { audited, content, get } = await doors({ makeForm })
    const answer = await get('?form=cda')
    expect(answer.status).toBe(status)
    expect(problemIn(answer)).toMatchObject({ type: `urn:crocevia:problem:${word}`, status, reason })
    expect(answer.headers['retry-after']).toBe(status === 503 ? '5' : undefined)
    expect(audited).toMatchObject([{ outcome: 'failure', documents: [reference] }])
    expect(audited[0]).not.toHaveProperty('results')
    expect(content.isHeld).toBe(false)
  })

  it('is not waited for beyond the deadline', async () => {
    const makeForm: MakeForm = (_form, _document, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const { content, get } = await doors({ makeForm, deadlineMs: 200 })
    const answer = await get('?form=readable')
    expect(problemIn(answer)).toMatchObject({ status: 503, reason: 'busy' })
    expect(content.isHeld).toBe(false)
  })

  it.each([
    ['?form=pdf', 'parameter-invalid'],
    ['?form=', 'parameter-invalid'],
    ['?form=cda&form=body', 'parameter-count'],
  ])('%s is none there is', async (query, word) => {
    const { asked, get } = await doors()
    const answer = await get(query)
    expect(problemIn(answer)).toMatchObject({ status: 400, type: `urn:crocevia:problem:${word}` })
    expect(asked).toEqual([])
  })
})

describe('a document that is not the caller’s to know', () => {
  const { instance: _, ...unknown } = {
    type: 'urn:crocevia:problem:document-unknown',
    title: 'The document is not known',
    status: 404,
    detail: 'No such document is known',
    instance: '',
  }

  it.each([
    'document-unknown',
    'repository-unknown',
    'community-unknown',
    'access-denied',
    'patient-mismatch',
  ] as const)('is answered alike, be it %s', async (code) => {
    const { audited, get } = await doors({ retrieve: async () => failed(new GatewayError(code, 'told otherwise')) })
    const answer = await get()
    const { instance, ...told } = problemIn(answer)
    expect(instance).toBe(`urn:uuid:${answer.headers['x-correlation-id']}`)
    expect(told).toEqual(unknown)
    expect(audited).toMatchObject([{ outcome: 'failure', error: { code: 'document-unknown' }, documents: [reference] }])
  })

  it.each([
    ['is no base64url', 'e30='],
    ['is nothing', 'e30'],
    ['is too long', 'a'.repeat(1025)],
    ['is of another form', Buffer.from('{"repository":"1.2","document":"3","patient":"x"}').toString('base64url')],
  ])('is answered alike when its handle %s', async (_what, handle) => {
    const { asked, port } = await doors()
    const answer = await fetched(port, `/api/v1/documents/${handle}`)
    const { instance, ...told } = problemIn(answer)
    expect(told).toEqual(unknown)
    expect(asked).toEqual([])
  })

  it('is not told by a HEAD either', async () => {
    const { get } = await doors({ retrieve: async () => failed(new GatewayError('document-unknown', 'x')) })
    const { headers, status } = await get('', { method: 'HEAD' })
    expect(status).toBe(404)
    expect(headers).not.toHaveProperty('etag')
  })
})

describe('a failure', () => {
  it.each([
    ['community-unavailable', 502],
    ['community-rejected', 502],
    ['community-misbehaved', 502],
    ['document-altered', 502],
    ['community-busy', 503],
    ['community-timeout', 504],
  ] as const)('of a holder, %s, has status %i', async (code, status) => {
    const { audited, get } = await doors({ retrieve: async () => failed(new GatewayError(code, 'a sentence')) })
    expect(problemIn(await get())).toMatchObject({ type: `urn:crocevia:problem:${code}`, status })
    expect(audited).toMatchObject([{ outcome: 'failure', asked: [{ home: homes.veneto, outcome: 'failed' }] }])
  })

  it('to be allowed at all is told as such', async () => {
    const denied = () => Promise.reject(new GatewayError('access-denied', 'The role may not'))
    expect(problemIn(await (await doors({ retrieve: denied })).get())).toMatchObject({ status: 403 })
    const { asked, get } = await doors({ claims: 'none' })
    expect(problemIn(await get())).toMatchObject({ status: 403, type: 'urn:crocevia:problem:access-denied' })
    expect(asked).toEqual([])
  })

  it('to read on ends the connection: what arrived is not taken for the document', async () => {
    const pieces = (async function* () {
      yield bytes.subarray(0, 100_000)
      throw new Error('the disk is gone')
    })()
    const content = new Held(pieces)
    const { get } = await doors({ retrieve: async () => delivered(content) })
    expect((await get()).isWhole).toBe(false)
    await expect.poll(() => content.isHeld).toBe(false)
  })
})

describe('a caller who leaves', () => {
  it('while the document is fetched leaves nothing behind', async () => {
    const content = new Held()
    const reached = Promise.withResolvers<void>()
    const { audited, port } = await doors({
      parts: { admission: admission(1) },
      retrieve: (_references, { held, signal }) => {
        held?.use(content)
        reached.resolve()
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      },
    })
    const outgoing = request({ host: '127.0.0.1', port, path, ...identityOf('portal') })
    outgoing.on('error', () => undefined).end()
    await reached.promise
    outgoing.destroy()
    await expect.poll(() => content.isHeld).toBe(false)
    expect(audited).toMatchObject([{ outcome: 'failure', error: { code: 'caller-gone' }, documents: [reference] }])
  })

  it('while the document is sent leaves nothing behind, and its place to another', async () => {
    let isEnded = false
    const endless = (async function* () {
      try {
        for (;;) yield bytes.subarray(0, 65_536)
      } finally {
        isEnded = true
      }
    })()
    const content = new Held(endless)
    Object.defineProperty(content, 'size', { value: 1e12 })
    const contents = [content, new Held()]
    const { get, port } = await doors({
      parts: { admission: admission(1) },
      retrieve: async () => delivered(contents.shift() ?? new Held()),
    })
    const outgoing = request({ host: '127.0.0.1', port, path, agent: false, ...identityOf('portal') })
    outgoing.on('error', () => undefined).end()
    const incoming = await new Promise<import('node:http').IncomingMessage>((resolve) => {
      outgoing.on('response', resolve)
    })
    incoming.on('error', () => undefined)
    expect(problemIn(await get())).toMatchObject({ status: 503, type: 'urn:crocevia:problem:overloaded' })
    incoming.destroy()
    await expect.poll(() => [isEnded, content.isHeld]).toEqual([true, false])
    expect((await get()).status).toBe(200)
  })
})
