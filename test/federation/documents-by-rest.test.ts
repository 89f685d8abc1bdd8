import { createHash } from 'node:crypto'
import { request } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/core/errors.ts'
import { initiatingGateway } from '../../src/core/federation/initiating-gateway.ts'
import { retrieveGateway } from '../../src/core/federation/retrieve.ts'
import type { Assertion } from '../../src/core/model/call.ts'
import type { HomeCommunityId } from '../../src/core/model/identifiers.ts'
import type { DocumentEntry } from '../../src/core/model/metadata.ts'
import type { DocumentReference } from '../../src/core/model/retrieval.ts'
import { accessPolicy } from '../../src/core/policy/access.ts'
import type { Community, DocumentRepository } from '../../src/core/ports.ts'
import { documentForms } from '../../src/documents/forms.ts'
import { contentSecurityPolicy } from '../../src/documents/page.ts'
import { servedForms } from '../../src/documents/served-forms.ts'
import { documentRoutes } from '../../src/http/api/documents.ts'
import { spool } from '../../src/spool/spool.ts'
import { isAuthor } from '../../src/wire/hl7/author.ts'
import { type OpenIdProvider, startOpenIdProvider } from '../network/openid-provider.ts'
import { identityOf } from '../support/api-server.ts'
import {
  answer,
  assertion,
  citizen,
  clinician,
  community,
  entry,
  homes,
  obscured,
  otherCitizen,
} from '../support/builders.ts'
import { certificates } from '../support/gateway-config.ts'
import { expired, handleOf, handles } from '../support/handles.ts'
import { at, creation, fseAudience, fseHeaders, pairOf, stopped } from '../support/jwt.ts'
import { objectsWith, pdfOf, pdfWith, signed } from '../support/pdf.ts'
import { type TokenGateway, tokenGateway } from '../support/token-gateway.ts'
import { clinicalDocument, section, structured } from '../unit/documents/clinical-document.ts'
import { type Fetched, fetched, problemIn } from '../unit/http/api/documents-door.ts'

const audience = 'https://crocevia.example'
const repositoryUniqueId = '2.16.840.1.113883.2.9.2.50.4.5.910'

const cda = clinicalDocument(structured(section('Nella norma')))
const objects = objectsWith([{ name: 'cda.xml', bytes: cda }], 'name-tree')
const injected = signed(pdfOf(objects), String(objects[0]))
const plain = pdfWith([])
const wrapped = `<text mediaType="application/pdf" representation="B64">${plain.toString('base64')}</text>`
const inVeneto = { repositoryUniqueId, home: homes.veneto }

interface Kept {
  readonly entry: DocumentEntry
  readonly bytes: Buffer
}

/** A registered document; what its entry says of its bytes is true unless said otherwise. */
function kept(name: string, bytes: Buffer, mimeType: string, more: Partial<DocumentEntry> = {}): Kept {
  const hash = createHash('sha1').update(bytes).digest('hex')
  return { entry: entry(name, { ...inVeneto, mimeType, hash, size: bytes.length, ...more }), bytes }
}

const pdfWithCda = 'application/pdf+text/x-cda-r2+xml'
const documents = {
  injected: kept('injected', injected, pdfWithCda),
  cda: kept('cda', clinicalDocument(`<nonXMLBody>${wrapped}</nonXMLBody>`), 'text/x-cda-r2+xml'),
  plain: kept('plain', plain, 'application/pdf'),
  large: kept('large', Buffer.concat([plain, Buffer.alloc(33 * 1024 * 1024, ' ')]), 'application/pdf'),
  hidden: { entry: obscured('hidden', { ...inVeneto, mimeType: pdfWithCda }), bytes: injected },
  others: kept('others', injected, pdfWithCda, { patientId: otherCitizen }),
  altered: kept('altered', injected, pdfWithCda, { hash: 'ab'.repeat(20) }),
  refused: kept('refused', plain, 'application/pdf'),
  ours: kept('ours', injected, pdfWithCda, { home: homes.tuscany }),
} satisfies Record<string, Kept>

const held = spool({ memoryBytes: 65_536 })
const forms = documentForms()

/** A community that keeps these documents, and hands them out through the spool as a client would. */
function keeper(home: HomeCommunityId, more: Partial<Community> = {}): Community {
  const all = Object.values(documents).filter((one) => one.entry.home === home)
  const repository: DocumentRepository = {
    mostAtOnce: 1,
    async retrieve([reference], call) {
      const found = all.find((one) => one.entry.uniqueId === reference?.uniqueId)
      if (found === undefined) return { documents: [], issues: [] }
      if (found === documents.refused) throw new GatewayError('community-unavailable', 'The community failed')
      const sink = held.begin({ maxBytes: 64 * 1024 * 1024, signal: call.signal })
      await sink.write(found.bytes)
      const content = await sink.end()
      call.held?.use(content)
      const { mimeType = '', uniqueId } = found.entry
      return { documents: [{ repositoryUniqueId, uniqueId, mimeType, content }], issues: [] }
    },
  }
  const registry: Community['registry'] = {
    async query(query) {
      if (query.type !== 'GetDocuments') return answer()
      const { ids } = query.documents
      if (ids.some((id) => id.endsWith('^silent'))) throw new GatewayError('community-timeout', 'Too late')
      // A registry by the book tells of a patient's documents, whoever asks for them by id.
      return answer({ entries: all.map((one) => one.entry).filter((one) => ids.includes(one.uniqueId)) })
    },
  }
  return { ...community({ home, ...more }), registry, repository }
}

const communities = [
  keeper(homes.tuscany),
  keeper(homes.veneto, { name: 'region-050', relation: 'partner', home: homes.veneto }),
]
const clock = { now: () => Date.now() }
const rules = { policy: accessPolicy, isAuthor, clock }
const routes = documentRoutes({
  gateway: retrieveGateway({
    ...{ policy: accessPolicy, clock, home: homes.tuscany, communities, mostDocuments: 8 },
    index: initiatingGateway({ ...rules, communities, mode: 'assisted' }),
    unverified: () => 'deliver',
  }),
  handles,
  makeForm: servedForms(forms),
  clock,
  deadlineMs: 10_000,
})

let provider: OpenIdProvider
let gateway: TokenGateway
beforeAll(async () => {
  provider = await startOpenIdProvider({
    ...{ certificates, clock: stopped },
    clients: [{ id: 'desktop', audiences: [audience] }],
  })
  const jwks = { url: provider.urls.jwks, anchors: [join(certificates, 'ca.pem')] }
  const portal = { profile: 'portal', issuer: provider.issuer, audience: [audience], jwks }
  const fse = { profile: 'fse', audience: fseAudience, anchors: [join(certificates, 'signing-ca.pem')] }
  gateway = await tokenGateway(
    [
      { party: 'portal', tokens: portal },
      { party: 'tuscany', tokens: fse },
    ],
    { clock: { now: () => at }, routes },
  )
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
  forms[Symbol.dispose]()
  await held[Symbol.asyncDispose]()
})

/** Whom the tokens of a clinician make the caller, as far as handles are bound to it. */
const viewer: Partial<Assertion> = { organization: '050' }
const assistedCitizen = `${citizen.value}^^^&${citizen.authority}&ISO`
const assisted: Partial<Assertion> = {
  ...viewer,
  ...{ subject: assistedCitizen, role: 'ASS', purposeOfUse: 'PERSONAL' },
}

function pathOf(name: keyof typeof documents, query = '', by = viewer): string {
  return pathTo(referenceOf(name), by) + query
}

function referenceOf(name: keyof typeof documents): DocumentReference {
  const { home, uniqueId } = documents[name].entry
  return { ...(home === homes.veneto ? { home } : {}), repositoryUniqueId, uniqueId }
}

function pathTo(reference: DocumentReference, by = viewer): string {
  return `/api/v1/documents/${handleOf(reference, by)}`
}

async function bearing(more: Readonly<Record<string, unknown>> = {}): Promise<{ readonly authorization: string }> {
  const claims = { ...creation, action_id: 'READ', sub: clinician, ...more }
  return { authorization: `Bearer ${await provider.issue({ client: 'desktop', audience, claims })}` }
}

async function get(path: string, method = 'GET', claims = {}): Promise<Fetched> {
  return await fetched(gateway.port, path, { method, headers: await bearing(claims) })
}

const nothingHeld = { documents: 0, memoryBytes: 0, diskBytes: 0 }

describe('a clinician opens', () => {
  it.each(['injected', 'cda', 'plain', 'large', 'ours'] as const)('a document as it is: %s', async (name) => {
    const { bytes } = documents[name]
    const received = await get(pathOf(name))
    expect(received).toMatchObject({ status: 200, isWhole: true })
    expect(received.bytes.equals(bytes)).toBe(true)
    expect(received.headers).toMatchObject({
      etag: `"${createHash('sha1').update(bytes).digest('hex')}"`,
      'content-length': String(bytes.length),
      'content-type': name === 'cda' ? 'text/x-cda-r2+xml' : 'application/pdf',
      'x-document-verified': 'true',
    })
    await expect.poll(() => held.usage()).toEqual(nothingHeld)
    expect((await gateway.records()).at(-1)).toMatchObject({
      transaction: 'ITI-68',
      outcome: 'success',
      results: 1,
      documents: [{ repository: repositoryUniqueId, document: documents[name].entry.uniqueId }],
    })
  })

  it('the clinical document in a signed PDF', async () => {
    const received = await get(pathOf('injected', '?form=cda'))
    expect(received.headers['content-type']).toBe('application/xml')
    expect(received.bytes.equals(cda)).toBe(true)
  })

  it('a page made of it', async () => {
    const received = await get(pathOf('injected', '?form=readable'))
    expect(received.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': contentSecurityPolicy,
    })
    expect(received.bytes.toString('utf8')).toContain('Nella norma')
  })

  it('the file in a CDA that wraps one', async () => {
    const received = await get(pathOf('cda', '?form=body'))
    expect(received.headers['content-type']).toBe('application/pdf')
    expect(received.bytes.equals(plain)).toBe(true)
  })

  it('a document with the two tokens of the FSE', async () => {
    const own = { subject_organization_id: '090', subject_organization: 'Regione Toscana', action_id: 'READ' }
    const { attachment_hash: _, ...claims } = creation
    const signature = { ...claims, ...own, attachment_hash: undefined }
    const headers = Object.fromEntries(fseHeaders({ pair: pairOf('portal'), signature }))
    const received = await fetched(gateway.port, pathOf('plain', '', { organization: '090' }), {
      as: 'tuscany',
      headers,
    })
    expect(received.status).toBe(200)
    expect(received.bytes.equals(plain)).toBe(true)
  })

  it('nothing with a token that is not for reading', async () => {
    const received = await get(pathOf('plain'), 'GET', { action_id: 'CREATE' })
    expect(problemIn(received)).toMatchObject({ status: 403, type: 'urn:crocevia:problem:access-denied' })
  })

  it('only the head of a document', async () => {
    const head = await get(pathOf('large'), 'HEAD')
    expect(head).toMatchObject({ status: 200, headers: { 'content-length': String(documents.large.bytes.length) } })
    expect(head.bytes).toHaveLength(0)
    expect(held.usage()).toEqual(nothingHeld)
  })
})

describe('a form there is not', () => {
  it.each([
    ['large', 'readable', 422, 'document-too-large-for-this-form'],
    ['plain', 'cda', 404, 'form-unknown'],
    ['plain', 'readable', 404, 'form-unknown'],
    ['injected', 'body', 404, 'form-unknown'],
  ] as const)('%s as %s', async (name, form, status, word) => {
    const received = await get(pathOf(name, `?form=${form}`))
    expect(problemIn(received)).toMatchObject({ status, type: `urn:crocevia:problem:${word}` })
    expect(held.usage()).toEqual(nothingHeld)
  })
})

describe('what is not the caller’s', () => {
  it('is answered alike: hidden, somebody else’s, of a home or a repository nobody knows, unknown', async () => {
    const { uniqueId } = documents.plain.entry
    const paths = [
      pathOf('hidden'),
      pathOf('others'),
      pathTo({ repositoryUniqueId, home: homes.veneto, uniqueId: '1.2.3' }),
      pathTo({ repositoryUniqueId, home: homes.lazio, uniqueId }),
      pathTo({ repositoryUniqueId: '1.2.3', home: homes.veneto, uniqueId }),
      '/api/v1/documents/e30',
      pathOf('plain', '', { ...viewer, role: 'INF' }),
      pathOf('plain', '', { ...viewer, patientId: otherCitizen }),
      pathOf('plain').slice(0, -1),
      `/api/v1/documents/${expired.seal(referenceOf('plain'), assertion(viewer))}`,
    ]
    const told = []
    for (const path of paths) {
      const { instance, ...problem } = problemIn(await get(path))
      told.push(problem)
    }
    expect(told[0]).toMatchObject({ status: 404, type: 'urn:crocevia:problem:document-unknown' })
    for (const problem of told) expect(problem).toEqual(told[0])
    expect(held.usage()).toEqual(nothingHeld)
  })

  it('is the patient’s own: a document that is obscured from others', async () => {
    const sub = assistedCitizen
    const received = await get(pathOf('hidden', '', assisted), 'GET', {
      sub,
      subject_role: 'ASS',
      purpose_of_use: 'PERSONAL',
    })
    expect(received.status).toBe(200)
    // Its entry states no hash.
    expect(received.headers['x-document-verified']).toBe('false')
  })
})

describe('a failure', () => {
  it.each([
    ['of the repository', pathOf('refused'), 502, 'community-unavailable'],
    ['to be the document that was registered', pathOf('altered'), 502, 'document-altered'],
    [
      'of the registry',
      pathTo({ repositoryUniqueId, home: homes.veneto, uniqueId: '1.2^silent' }),
      504,
      'community-timeout',
    ],
  ])('%s is told as the holder’s', async (_what, path, status, word) => {
    expect(problemIn(await get(path))).toMatchObject({ status, type: `urn:crocevia:problem:${word}` })
    expect(held.usage()).toEqual(nothingHeld)
  })
})

it('holds nothing for a caller who leaves', async () => {
  const headers = await bearing()
  const options = { host: '127.0.0.1', port: gateway.port, agent: false, headers, ...identityOf('portal') }
  const outgoing = request({ ...options, path: pathOf('large') })
  outgoing.on('error', () => undefined)
  await new Promise<void>((resolve) => {
    outgoing.on('response', (incoming) => {
      incoming.on('error', () => undefined)
      incoming.once('data', () => {
        incoming.pause()
        resolve()
      })
    })
    outgoing.end()
  })
  expect(held.usage().documents).toBe(1)
  outgoing.destroy()
  await expect.poll(() => held.usage()).toEqual(nothingHeld)
})
