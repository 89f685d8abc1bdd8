import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { GatewayError } from '../../src/core/errors.ts'
import { initiatingGateway } from '../../src/core/federation/initiating-gateway.ts'
import { discoverPatient } from '../../src/core/federation/patient-discovery.ts'
import { retrieveGateway } from '../../src/core/federation/retrieve.ts'
import type { DocumentEntry } from '../../src/core/model/metadata.ts'
import { authorities, type PatientId, patientId } from '../../src/core/model/patient.ts'
import type { StoredQuery } from '../../src/core/model/stored-query.ts'
import { timestamp } from '../../src/core/model/timestamp.ts'
import { accessPolicy } from '../../src/core/policy/access.ts'
import type { Community, KnownPatient, PatientLocator } from '../../src/core/ports.ts'
import { sealedHandles } from '../../src/http/api/document-handles.ts'
import { fhirApp } from '../../src/http/fhir/app.ts'
import { pages } from '../../src/http/fhir/pages.ts'
import { spool } from '../../src/spool/spool.ts'
import { isAuthor } from '../../src/wire/hl7/author.ts'
import { type OpenIdProvider, startOpenIdProvider } from '../network/openid-provider.ts'
import type { Received, Sent } from '../support/api-server.ts'
import {
  answer,
  citizen,
  clinician,
  community,
  entry,
  folder,
  homes,
  issue,
  link,
  loinc,
  otherCitizen,
  submissionSet,
} from '../support/builders.ts'
import * as shapes from '../support/fhir-shapes.ts'
import { certificates } from '../support/gateway-config.ts'
import { at, type Changes, creation, fseAudience, fseHeaders, pairOf, stopped } from '../support/jwt.ts'
import { type TokenGateway, tokenGateway } from '../support/token-gateway.ts'

const audience = 'https://crocevia.example'
const repositoryUniqueId = '2.16.840.1.113883.2.9.2.50.4.5.910'
const bytes = Buffer.from('%PDF-1.7 synthetic')
const uuid = (number: number) => `urn:uuid:00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
const code = (value: string, scheme = '2.16.840.1.113883.2.9.3.3.6.1.1') => ({ code: value, scheme, display: value })

/** A document with everything that MHD's comprehensive metadata ask for. */
function whole(number: number, more: Partial<DocumentEntry> = {}): DocumentEntry {
  return entry(`document-${number}`, {
    entryUuid: uuid(number),
    repositoryUniqueId,
    mimeType: 'application/pdf',
    hash: createHash('sha1').update(bytes).digest('hex'),
    size: bytes.length,
    languageCode: 'it-IT',
    title: [{ value: `Referto ${number}` }],
    creationTime: timestamp(`202403${String(number).padStart(2, '0')}101500`),
    classCode: code('REF'),
    formatCode: code('2.16.840.1.113883.2.9.10.1.1'),
    healthcareFacilityTypeCode: code('Ospedale'),
    practiceSettingCode: code('AD_PSC001'),
    authors: [
      {
        persons: ['VRDNNA75C03F839X^Verdì^Anna^^^^^^&2.16.840.1.113883.2.9.4.3.2&ISO'],
        institutions: ['Ospedale di prova^^^^^&2.16.840.1.113883.2.9.4.1.2&ISO^^^^090201'],
        roles: ['AAS'],
        specialties: [],
        telecommunications: [],
      },
    ],
    ...more,
  })
}

const flagged = { eventCodes: [{ code: 'P99', scheme: '2.16.840.1.113883.2.9.3.3.6.1.3' }] }
const ours = [1, 2, 3, 4, 5].map((number) => whole(number, { home: homes.tuscany }))
const theirs = [
  whole(11, { typeCode: code('57833-6', loinc), serviceStartTime: timestamp('20240310') }),
  whole(12, { status: 'deprecated' }),
  whole(13, { referenceIds: ['0900A4000000001^^^&2.16.840.1.113883.2.9.4.3.8&ISO^urn:ihe:iti:xds:2013:order'] }),
  // Both know this one, the region under its own id.
  { ...whole(3), entryUuid: uuid(23) },
]
const hidden = [whole(6, flagged), whole(14, flagged)]
const sparse = entry('sparse', { entryUuid: uuid(30), creationTime: timestamp('2023') })

/** A registry that keeps entries, and lists of them. */
function registryOf(kept: readonly DocumentEntry[]): Community['registry'] {
  const set = submissionSet('set', {
    entryUuid: uuid(kept.length + 500),
    status: 'approved',
    sourceId: '2.16.840.1.113883.2.9.2.90',
    submissionTime: timestamp('20240301120000'),
    contentTypeCode: code('PHR'),
    authors: [{ ...emptyAuthor, persons: ['VRDNNA75C03F839X^Verdì^Anna'] }],
    title: [{ value: 'Un invio' }],
  })
  const concealing = submissionSet('concealing', { entryUuid: uuid(kept.length + 600), status: 'approved' })
  const shelf = folder('7', { entryUuid: uuid(kept.length + 700), status: 'approved', codes: [code('LAB')] })
  const secret = kept.filter((one) => one.eventCodes.length > 0)
  const open = kept.filter((one) => one.eventCodes.length === 0)
  const links = [
    ...kept.map((one) => ({ ...link('x', 'has-member', 'y'), source: set.entryUuid, target: one.entryUuid })),
    ...secret.map((one) => ({ ...link('x', 'has-member', 'z'), source: concealing.entryUuid, target: one.entryUuid })),
    ...open.map((one) => ({ ...link('x', 'has-member', 'w'), source: shelf.entryUuid, target: one.entryUuid })),
    { ...link('x', 'replaces', 'v'), source: uuid(13), target: uuid(12) },
  ].map((one) => ({ ...one, entryUuid: `${one.source}/${one.target}` }))
  return {
    async query(query) {
      asked.push(query)
      switch (query.type) {
        case 'FindDocuments':
          return answer({
            entries: [...kept, ...odd].filter(({ status = '' }) => query.status.includes(status)),
            issues: remarks,
          })
        case 'FindSubmissionSets':
          return answer({ submissionSets: secret.length > 0 ? [set, concealing] : [set] })
        case 'FindFolders':
          return answer({ folders: [shelf] })
        case 'GetAssociations':
          return answer({
            associations: links.filter((one) => query.ids.some((id) => id === one.source || id === one.target)),
          })
        case 'GetDocuments': {
          const { by, ids } = query.documents
          return answer({
            entries: kept.filter((one) => ids.includes(by === 'entry-uuid' ? one.entryUuid : one.uniqueId)),
          })
        }
        default:
          return answer()
      }
    },
  }
}

const emptyAuthor = { persons: [], institutions: [], roles: [], specialties: [], telecommunications: [] }
const held = spool({ memoryBytes: 65_536 })
const asked: StoredQuery[] = []
let silent: GatewayError | undefined
let remarks: ReturnType<typeof issue>[] = []
let pushedGeneration = 1
let retrievals = 0
let odd: DocumentEntry[] = []
const clock = { at, now: () => clock.at }

const repository: Community['repository'] = {
  mostAtOnce: 4,
  async retrieve(references, call) {
    retrievals += 1
    const documents = await Promise.all(
      references.map(async ({ uniqueId }) => {
        const sink = held.begin({ maxBytes: 1024 * 1024, signal: call.signal })
        await sink.write(bytes)
        const content = await sink.end()
        call.held?.use(content)
        return { repositoryUniqueId, uniqueId, mimeType: 'application/pdf', content }
      }),
    )
    return { documents, issues: [] }
  },
}

const stp: PatientId = patientId('STP0900010000001', authorities.stp)
const person: KnownPatient = {
  patient: { identifiers: [citizen, stp], active: citizen },
  demographics: { names: [{ family: 'Prova', given: ['Anna'] }], birthDate: timestamp('19800101'), gender: 'female' },
}
const patients: PatientLocator = {
  async locate(id) {
    return [citizen, stp].some(({ value }) => value === id.value) ? person : undefined
  },
}

const communities: Community[] = [
  {
    ...community({ home: homes.tuscany, patients }),
    registry: registryOf([...ours, hidden[0] as DocumentEntry, sparse]) ?? never(),
    repository,
  },
  {
    ...community({ home: homes.veneto, name: 'region-050', relation: 'partner' }),
    registry: registryOf([...theirs, hidden[1] as DocumentEntry]) ?? never(),
    repository,
  },
  community({
    ...{ home: homes.lazio, name: 'region-120', relation: 'partner' },
    async query() {
      if (silent !== undefined) throw silent
      return answer()
    },
  }),
]

function never(): never {
  throw new Error('A registry is missing')
}

const rules = {
  ...{ policy: accessPolicy, isAuthor, clock, patients },
  pushes: {
    about: async () => ({ generation: pushedGeneration, sequence: 0, pushes: [] }),
    touching: async () => [],
  },
}
const index = initiatingGateway({ ...rules, communities, mode: 'everyone' })
const key = randomBytes(32)
const handles = sealedHandles({ key, lifetimeMs: 60_000, clock })
const documents = {
  gateway: retrieveGateway({
    ...{ policy: accessPolicy, clock, home: homes.tuscany, communities, mostDocuments: 8, index },
    unverified: () => 'deliver' as const,
  }),
  makeForm: async () => 'none' as const,
  ...{ handles, clock, deadlineMs: 10_000 },
}

const portalOrigin = 'https://portal.example'
let provider: OpenIdProvider
let gateway: TokenGateway
let byGet: TokenGateway
beforeAll(async () => {
  const clients = [{ id: 'desktop', audiences: [audience] }]
  provider = await startOpenIdProvider({ certificates, clock: stopped, clients })
  gateway = await started(false, [portalOrigin])
  byGet = await started(true)
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await byGet[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
  await held[Symbol.asyncDispose]()
})
afterEach(() => {
  silent = undefined
  remarks = []
  odd = []
  asked.length = 0
  clock.at = at
  pushedGeneration = 1
})

/** The face behind the guards of a portal and of a pair of FSE tokens. */
async function started(identifiersInUrls: boolean, origins: readonly string[] = []): Promise<TokenGateway> {
  const jwks = { url: provider.urls.jwks, anchors: [join(certificates, 'ca.pem')] }
  const portal = { profile: 'portal', issuer: provider.issuer, audience: [audience], jwks }
  const fse = { profile: 'fse', audience: fseAudience, anchors: [join(certificates, 'signing-ca.pem')] }
  const names = new Map([
    [homes.tuscany, 'Regione Toscana'],
    [homes.veneto, 'Regione Veneto'],
    [homes.lazio, 'Regione Lazio'],
  ])
  return await tokenGateway(
    [
      { party: 'portal', tokens: portal },
      { party: 'tuscany', tokens: fse },
    ],
    {
      clock,
      faces: [
        (parts) =>
          fhirApp(
            {
              ...{ gateway: index, handles, key, clock, identifiersInUrls, pageSize: 50 },
              pages: pages({ clock, keptMs: 60_000, mostKept: 20 }),
              isOvertaken: async ({ generation }) => generation !== pushedGeneration,
              maxAgeMs: (home) => (home === homes.veneto ? 30_000 : 0),
              nameOf: (home) => names.get(home),
              discover: (sought, call) => discoverPatient(sought, call, { policy: accessPolicy, clock, patients }),
              software: { name: 'CROCEVIA', version: '0.1' },
            },
            documents,
            { ...parts, origins },
          ),
      ],
    },
  )
}

async function bearer(more: Changes = {}): Promise<readonly [string, string]> {
  const claims = { ...creation, action_id: 'READ', sub: clinician, resource_hl7_type: undefined, ...more }
  return ['Authorization', `Bearer ${await provider.issue({ client: 'desktop', audience, claims })}`]
}

interface Asking extends Sent {
  readonly claims?: Changes
  readonly server?: TokenGateway
}

async function send(
  path: string,
  { claims = {}, headers = [], server = gateway, ...sent }: Asking = {},
): Promise<Received> {
  return await server.send({ path, headers: [await bearer(claims), ...headers], ...sent })
}

/** A search by POST. */
async function search(type: string, form: Changes | string, more: Asking = {}): Promise<Received> {
  const body = Buffer.from(new URLSearchParams(form as Record<string, string>).toString())
  const headers = [['Content-Type', 'application/x-www-form-urlencoded'] as const, ...(more.headers ?? [])]
  return await send(`/fhir/${type}/_search`, { method: 'POST', body, ...more, headers })
}

const asToken = ({ authority, value }: PatientId) => `urn:oid:${authority}|${value}`
const current = { 'patient.identifier': asToken(citizen), status: 'current' }
const both = { ...current, status: 'current,superseded' }

type Bundle = z.infer<typeof shapes.searchset>
type Document = z.infer<typeof shapes.documentReference>

/** A Bundle that is one to the letter. */
function bundleOf(received: Received): Bundle {
  expect([received.status, received.text.slice(0, 600)]).toEqual([200, expect.any(String)])
  expect(received.headers).toMatchObject({
    'content-type': 'application/fhir+json; charset=utf-8',
    'cache-control': 'no-store',
    'x-correlation-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
  })
  return shapes.searchset.parse(received.json)
}

function matchesIn({ entry = [] }: Bundle): Document[] {
  return entry.filter(({ search }) => search.mode === 'match').map(({ resource }) => resource as Document)
}

/** The numbers of the documents, as `whole` counts them. */
function numbersIn(bundle: Bundle): number[] {
  return matchesIn(bundle).map(({ masterIdentifier }) =>
    Number(/document-(\d+)/.exec(masterIdentifier.value)?.[1] ?? 0),
  )
}

/** Where a document is retrieved, without the server. */
function attachmentPath(document: Document | undefined): string {
  const url = document?.content[0]?.attachment.url ?? ''
  return url.slice(url.indexOf('/fhir/'))
}

function issuesIn({ entry = [] }: Bundle) {
  return entry.flatMap(({ resource }) => (resource.resourceType === 'OperationOutcome' ? resource.issue : []))
}

function nextOf({ link }: Bundle): string | undefined {
  const url = link.find(({ relation }) => relation === 'next')?.url
  return url?.slice(url.indexOf('/fhir/'))
}

/** A refusal, as an OperationOutcome and nothing else: `status issue-code`. */
function refusalOf(received: Received): string {
  expect(received.headers['content-type']).toBe('application/fhir+json; charset=utf-8')
  const { issue } = shapes.operationOutcome.parse(received.json)
  return `${received.status} ${issue[0]?.code}`
}

async function lastRecord() {
  return (await gateway.records()).at(-1)
}

describe('a search for documents', () => {
  it('finds what all communities know, each document once, in resources that are R4 and MHD to the letter', async () => {
    const received = await search('DocumentReference', current)
    const bundle = bundleOf(received)
    expect(numbersIn(bundle)).toEqual([13, 11, 5, 4, 3, 2, 1, 0])
    expect(bundle.total).toBe(8)
    const [first] = matchesIn(bundle)
    expect(first?.meta?.profile).toEqual([
      'https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.Comprehensive.DocumentReference',
    ])
    expect(first?.content[0]?.attachment).toMatchObject({
      contentType: 'application/pdf',
      url: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+\/fhir\/Binary\/[A-Za-z0-9_-]+$/),
      size: bytes.length,
      hash: createHash('sha1').update(bytes).digest('base64'),
    })
    expect(await lastRecord()).toMatchObject({
      ...{ transaction: 'ITI-67', request: 'FindDocuments', outcome: 'success', results: 8 },
      asked: expect.arrayContaining([{ home: homes.veneto, outcome: 'answered' }]),
    })
  })

  it('tells who knows a document, how fresh their word is, and what has replaced it', async () => {
    const documents = matchesIn(bundleOf(await search('DocumentReference', both)))
    const shared = documents.find(({ masterIdentifier }) => masterIdentifier.value.endsWith('document-3'))
    const told = (url: string) => shared?.extension?.filter((one) => JSON.stringify(one).includes(`"${url}"`)) ?? []
    expect(told('urn:crocevia:fhir:source')).toHaveLength(2)
    expect(told('urn:crocevia:fhir:source')).toEqual(
      expect.arrayContaining([
        {
          url: 'urn:crocevia:fhir:source',
          extension: [
            { url: 'home', valueOid: homes.tuscany },
            { url: 'name', valueString: 'Regione Toscana' },
            { url: 'entryUUID', valueUri: uuid(3) },
          ],
        },
        expect.objectContaining({ extension: expect.arrayContaining([{ url: 'entryUUID', valueUri: uuid(23) }]) }),
      ]),
    )
    const [newer, older] = documents
    const ofDocument = (number: number) => ({
      type: 'DocumentReference',
      identifier: { system: 'urn:ietf:rfc:3986', value: uuid(number) },
    })
    expect(newer?.relatesTo).toEqual([{ code: 'replaces', target: ofDocument(12) }])
    expect(older?.extension).toContainEqual({ url: 'urn:crocevia:fhir:replaced-by', valueReference: ofDocument(13) })
    expect(told('urn:crocevia:fhir:as-of')).toEqual([
      { url: 'urn:crocevia:fhir:as-of', valueInstant: new Date(at - 30_000).toISOString() },
    ])
  })

  it('does not claim a profile that a document’s metadata do not keep', async () => {
    const [document] = matchesIn(bundleOf(await search('DocumentReference', { ...current, creation: 'lt2024' })))
    expect(document?.meta).toBeUndefined()
    expect(document?.content[0]?.attachment).not.toHaveProperty('url')
  })

  it.each<[string, Changes, number[]]>([
    ['status', { ...current, status: 'superseded' }, [12]],
    ['several statuses', both, [13, 12, 11, 5, 4, 3, 2, 1, 0]],
    ['a status no document has', { ...current, status: 'entered-in-error' }, []],
    ['type', { ...current, type: 'http://loinc.org|57833-6' }, [11]],
    ['type without a system', { ...current, type: '57833-6' }, [11]],
    ['any type of a system', { ...current, type: 'http://loinc.org|' }, [13, 11, 5, 4, 3, 2, 1, 0]],
    ['type by an OID', { ...current, type: `urn:oid:${loinc}|57833-6,urn:oid:${loinc}|x` }, [11]],
    ['category', { ...current, category: 'urn:oid:2.16.840.1.113883.2.9.3.3.6.1.1|REF' }, [13, 11, 5, 4, 3, 2, 1]],
    ['setting', { ...current, setting: 'AD_PSC002' }, []],
    ['facility', { ...current, facility: 'Ospedale', creation: 'ge2024-03-12' }, [13]],
    ['format', { ...current, format: '2.16.840.1.113883.2.9.10.1.1', creation: 'lt2024-03-02' }, [1]],
    ['security-label', { ...current, 'security-label': 'V' }, []],
    ['event that is hidden', { ...current, event: 'P99' }, []],
    ['creation from', { ...current, creation: 'ge2024-03-11T10:15:00Z' }, [13, 11]],
    ['creation after', { ...current, creation: 'gt2024-03-11T10:15:00Z' }, [13]],
    ['creation on a day', { ...current, creation: '2024-03-04' }, [4]],
    ['creation in a zone', { ...current, creation: 'ge2024-03-13T11:15:00+01:00' }, [13]],
    ['creation not on a day', { ...both, creation: 'ne2024' }, [0]],
    ['date', { ...current, date: 'eb2024-03-02' }, [1, 0]],
    ['period', { ...current, period: 'ge2024-03-10' }, [11]],
    ['author.family', { ...current, 'author.family': 'verdi', creation: '2024-03-04' }, [4]],
    ['author.family to the letter', { ...current, 'author.family:exact': 'verdi' }, []],
    ['author.given', { ...current, 'author.given': 'ann', creation: '2024-03-04' }, [4]],
    ['related by identifier', { ...current, related: 'urn:oid:2.16.840.1.113883.2.9.4.3.8|0900A4000000001' }, [13]],
    ['related:identifier', { ...current, 'related:identifier': '0900A4000000001' }, [13]],
    ['identifier, the unique id', { ...current, identifier: 'urn:oid:2.16.840.1.113883.2.9.2.90.4.4|document-2' }, [2]],
    ['identifier, the entryUUID', { ...current, identifier: `urn:ietf:rfc:3986|${uuid(2)}` }, [2]],
    ['_id of nobody', { ...current, _id: 'x' }, []],
    ['patient:identifier', { 'patient:identifier': asToken(citizen), status: 'superseded' }, [12]],
    [
      'the codice fiscale as HL7 Italia names it',
      { 'patient.identifier': `http://hl7.it/sid/codiceFiscale|${citizen.value}`, status: 'superseded' },
      [12],
    ],
  ])('by %s', async (_name, form, expected) => {
    const bundle = bundleOf(await search('DocumentReference', form))
    expect(numbersIn(bundle)).toEqual(expected)
    expect(bundle.total).toBe(expected.length)
  })

  it('asks the communities by codes and times that XDS has words for', async () => {
    await search('DocumentReference', {
      ...{ ...current, type: 'http://loinc.org|57833-6', event: 'a,b', creation: 'ge2024-03', setting: 'x|' },
    })
    expect(asked.find(({ type }) => type === 'FindDocuments')).toMatchObject({
      status: ['approved'],
      filter: {
        kinds: ['stable', 'on-demand'],
        typeCodes: [{ code: '57833-6', scheme: loinc }],
        creationTime: { from: '20240101000000' },
      },
    })
  })

  it('asks for everything that may overlap, and for no time that an index cannot have', async () => {
    const cases = {
      'ge2024-06-01': { from: '20240101000000' },
      'gt2024-06-01': { from: '20240101000000' },
      'sa2024-06-01': { from: '20240101000000' },
      'lt2024-06-01': { to: '20240601000000' },
      'le9999-12-31': undefined,
      le9999: undefined,
      ge9999: { from: '99990101000000' },
      sa9999: undefined,
      'ge0000-01-01T00:00:00+01:00': undefined,
      '9999': { from: '99990101000000' },
    }
    for (const [creation, expected] of Object.entries(cases)) {
      asked.length = 0
      expect([creation, (await search('DocumentReference', { ...current, creation })).status]).toEqual([creation, 200])
      const question = asked.find(({ type }) => type === 'FindDocuments')
      expect([creation, question?.type === 'FindDocuments' ? question.filter.creationTime : 'none']).toEqual([
        creation,
        expected,
      ])
    }
  })

  it('finds a document of a year that overlaps, and none by a day that there is not', async () => {
    const found = async (form: Changes) => {
      return numbersIn(bundleOf(await search('DocumentReference', { ...current, ...form })))
    }
    odd = [
      whole(16, { creationTime: timestamp('2025') }),
      whole(17, { creationTime: timestamp('20250231'), serviceStartTime: timestamp('20250231') }),
    ]
    expect(await found({ creation: 'ge2025-06-01' })).toEqual([16])
    expect(await found({ creation: 'ge2025', date: 'le9999-12-31' })).toEqual([16])
    expect(await found({ period: 'ge2025' })).toEqual([11])
    expect(await found({})).toEqual(expect.arrayContaining([16, 17]))
  })

  it('names nobody in its links', async () => {
    const form = { ...current, 'author.family': 'Verdì', category: 'REF', _count: '2' }
    const { link } = bundleOf(await search('DocumentReference', form))
    expect(link.map(({ relation }) => relation)).toEqual(['self', 'next'])
    expect(link[0]?.url).toMatch(/\/fhir\/DocumentReference\?status=current&category=REF$/)
    for (const { url } of link) expect(decodeURIComponent(url)).not.toMatch(/PROVAX|Verd|patient|document-/)
  })
})

describe('pages', () => {
  it('lead through everything once, in the order of the whole', async () => {
    const numbers: number[] = []
    let bundle = bundleOf(await search('DocumentReference', { ...current, _count: '3' }))
    const askedForTheFirst = asked.length
    for (;;) {
      numbers.push(...numbersIn(bundle))
      expect(bundle.total).toBe(8)
      const next = nextOf(bundle)
      if (next === undefined) break
      bundle = bundleOf(await send(next))
    }
    expect(numbers).toEqual([13, 11, 5, 4, 3, 2, 1, 0])
    expect(asked).toHaveLength(askedForTheFirst)
    expect(await lastRecord()).toMatchObject({ transaction: 'ITI-67', request: 'FindDocuments page', results: 2 })
  })

  it('tell how many there are and nothing else to whoever wants none', async () => {
    const bundle = bundleOf(await search('DocumentReference', { ...current, _count: '0' }))
    expect(bundle).toMatchObject({ total: 8, link: [{ relation: 'self' }] })
    expect(bundle.entry).toBeUndefined()
  })

  it.each<[string, Changes]>([
    ['another user', { sub: 'CLNCXX75C03F839N^^^&2.16.840.1.113883.2.9.4.3.2&ISO' }],
    ['another purpose', { purpose_of_use: 'PUBEMERGENCY' }],
    ['another patient', { person_id: `${otherCitizen.value}^^^&${otherCitizen.authority}&ISO` }],
    ['a token for fewer types of documents', { resource_hl7_type: "('11502-2^^2.16.840.1.113883.6.1')" }],
  ])('are nobody’s but the viewer’s: %s', async (_who, claims) => {
    const next = nextOf(bundleOf(await search('DocumentReference', { ...current, _count: '3' }))) ?? ''
    expect(refusalOf(await send(next, { claims }))).toBe('410 expired')
    expect(bundleOf(await send(next)).total).toBe(8)
  })

  it('cannot be guessed: every altered cursor is as good as none, and so is one of another type', async () => {
    const next = nextOf(bundleOf(await search('DocumentReference', { ...current, _count: '3' }))) ?? ''
    const [, cursor = ''] = next.split('=')
    for (const place of [0, 15, 40, cursor.length - 1]) {
      const other = cursor[place] === 'A' ? 'B' : 'A'
      const altered = cursor.slice(0, place) + other + cursor.slice(place + 1)
      expect(refusalOf(await send(`/fhir/DocumentReference?_page=${altered}`))).toBe('410 expired')
    }
    expect(refusalOf(await send(`/fhir/List?_page=${cursor}`))).toBe('410 expired')
    expect(refusalOf(await send('/fhir/DocumentReference?_page='))).toBe('410 expired')
  })

  it('are gone after their time, when something was pushed about the person, and when others need the room', async () => {
    const form = { ...current, _count: '3' }
    const first = nextOf(bundleOf(await search('DocumentReference', form))) ?? ''
    pushedGeneration = 2
    expect(refusalOf(await send(first))).toBe('410 expired')
    const second = nextOf(bundleOf(await search('DocumentReference', form))) ?? ''
    expect((await send(second)).status).toBe(200)
    await search('DocumentReference', form)
    await search('DocumentReference', form)
    expect(refusalOf(await send(second))).toBe('410 expired')
    const third = nextOf(bundleOf(await search('DocumentReference', form))) ?? ''
    clock.at += 60_000
    expect(refusalOf(await send(third))).toBe('410 expired')
  })
})

describe('hidden documents', () => {
  it('are in no count, page or list, and are found by no id', async () => {
    const citizenView = {
      sub: `${citizen.value}^^^&${citizen.authority}&ISO`,
      subject_role: 'ASS',
      purpose_of_use: 'PERSONAL',
    }
    const own = bundleOf(await search('DocumentReference', current, { claims: citizenView }))
    expect(numbersIn(own)).toEqual([14, 13, 11, 6, 5, 4, 3, 2, 1, 0])
    expect(own.total).toBe(10)
    const received = await search('DocumentReference', { ...current, _count: '200' })
    expect(bundleOf(received).total).toBe(8)
    for (const one of hidden) expect(received.text).not.toContain(one.entryUuid)
    expect(received.text).not.toContain('P99')
    const ids = matchesIn(own).map(({ id }) => id)
    for (const id of ids) expect(refusalOf(await send(`/fhir/DocumentReference/${id}`))).toBe('404 not-found')
  })

  it('leave no trace in lists: not as members, and not as a list of nothing else', async () => {
    const received = await search('List', { 'patient.identifier': asToken(citizen), status: 'current' })
    const lists = (bundleOf(received).entry ?? []).map(({ resource }) => resource)
    expect(lists.map((one) => ('code' in one ? one.code.coding[0].code : ''))).toEqual(
      expect.arrayContaining(['submissionset', 'folder']),
    )
    expect(lists).toHaveLength(4)
    for (const one of hidden) expect(received.text).not.toContain(one.entryUuid)
  })
})

describe('partial answers', () => {
  it('come with what there is, and name in words who did not answer and what that means', async () => {
    silent = new GatewayError('community-timeout', 'Too late')
    const bundle = bundleOf(await search('DocumentReference', current))
    expect(bundle.total).toBe(8)
    const [silence, ...others] = issuesIn(bundle)
    expect(others).toEqual([])
    expect(silence).toMatchObject({ severity: 'warning', code: 'timeout' })
    expect(silence?.details.text).toBe(
      'Regione Lazio: One of those who keep the patient’s documents does not answer, so that documents may be missing.',
    )
    expect(JSON.stringify(silence?.details._text)).toContain('Regione Lazio: Una delle fonti')
    expect(await lastRecord()).toMatchObject({ outcome: 'partial-success', results: 8 })
  })

  it('do not repeat the words of a community', async () => {
    remarks = [
      issue('XDSRegistryError', { text: `no ${citizen.value} at 10.0.0.1` }),
      issue('<b>', { severity: 'warning' }),
    ]
    const received = await search('DocumentReference', current)
    const issues = issuesIn(bundleOf(received))
    expect(issues.map(({ severity }) => severity)).toEqual(expect.arrayContaining(['warning', 'information']))
    expect(received.text).not.toMatch(/10\.0\.0\.1|<b>|told by the community/)
  })

  it('tell of the parameters that mean nothing, unless whoever asks would rather be refused', async () => {
    const form = { ...current, custodian: 'x' }
    expect(issuesIn(bundleOf(await search('DocumentReference', form)))).toMatchObject([
      { severity: 'warning', code: 'not-supported' },
    ])
    const strict = { headers: [['Prefer', 'handling=strict']] as const }
    expect(refusalOf(await search('DocumentReference', form, strict))).toBe('400 value')
  })
})

describe('a document', () => {
  it('is read by its id, which is the same each time and the viewer’s alone', async () => {
    const [first] = matchesIn(bundleOf(await search('DocumentReference', current)))
    const { id = '' } = first ?? {}
    const received = await send(`/fhir/DocumentReference/${id}`)
    expect(received.status).toBe(200)
    const read = shapes.documentReference.parse(received.json)
    expect(read.id).toBe(id)
    expect(numbersIn(bundleOf(await search('DocumentReference', { ...current, _id: id })))).toEqual([13])
    const other = { sub: 'CLNCXX75C03F839N^^^&2.16.840.1.113883.2.9.4.3.2&ISO' }
    expect(refusalOf(await send(`/fhir/DocumentReference/${id}`, { claims: other }))).toBe('404 not-found')
    const head = await send(`/fhir/DocumentReference/${id}`, { method: 'HEAD' })
    expect([head.status, head.text]).toEqual([200, ''])
    expect(await lastRecord()).toMatchObject({ transaction: 'ITI-67', request: 'ReadDocumentReference', results: 1 })
  })

  it('is told with a handle that still opens it each time it is read, whatever state the reader knows', async () => {
    const [first] = matchesIn(bundleOf(await search('DocumentReference', current)))
    const path = `/fhir/DocumentReference/${first?.id}`
    const urlIn = ({ json }: Received) => attachmentPath(shapes.documentReference.parse(json))
    const before = await send(path)
    expect(before.headers.etag).toBeUndefined()
    clock.at += 61_000
    const after = await send(path, { headers: [['If-None-Match', '*']] })
    expect([after.status, after.headers.etag]).toEqual([200, undefined])
    expect((await send(urlIn(before))).status).toBe(404)
    expect((await send(urlIn(after))).status).toBe(200)
  })

  it('is not fetched for whoever takes nothing that it can be', async () => {
    const [first] = matchesIn(bundleOf(await search('DocumentReference', { ...current, creation: '2024-03-13' })))
    const url = attachmentPath(first)
    const before = retrievals
    for (const accept of ['application/fhir+json', 'application/json, application/fhir+xml', '*/*;q=0']) {
      expect(refusalOf(await send(url, { headers: [['Accept', accept]] }))).toBe('406 not-supported')
    }
    expect(retrievals).toBe(before)
    expect(await lastRecord()).toMatchObject({ transaction: 'ITI-68', outcome: 'failure' })
    expect((await send(url, { headers: [['Accept', 'application/fhir+json, application/pdf']] })).status).toBe(200)
    expect(retrievals).toBe(before + 1)
  })

  it('is retrieved where its attachment says', async () => {
    const [first] = matchesIn(bundleOf(await search('DocumentReference', { ...current, creation: '2024-03-13' })))
    const url = attachmentPath(first)
    const received = await send(url)
    expect(received).toMatchObject({ status: 200, text: bytes.toString() })
    expect(received.headers).toMatchObject({ 'content-type': 'application/pdf', 'cache-control': 'no-store' })
    expect(await lastRecord()).toMatchObject({ transaction: 'ITI-68', outcome: 'success', results: 1 })
    const { etag = '' } = received.headers
    expect((await send(url, { headers: [['If-None-Match', etag]] })).status).toBe(304)
    expect((await send(url, { method: 'HEAD' })).headers['content-length']).toBe(String(bytes.length))
    const wrong = await send(url, { headers: [['Accept', 'application/fhir+json']] })
    expect(refusalOf(wrong)).toBe('406 not-supported')
    expect((await send(url, { headers: [['Accept', 'application/fhir+json, application/*;q=0.1']] })).status).toBe(200)
    const other = { sub: 'CLNCXX75C03F839N^^^&2.16.840.1.113883.2.9.4.3.2&ISO' }
    expect(refusalOf(await send(url, { claims: other }))).toBe('404 not-found')
    expect(refusalOf(await send('/fhir/Binary/x'))).toBe('404 not-found')
    await expect.poll(() => held.usage().documents).toBe(0)
  })
})

describe('lists', () => {
  it('are submission sets with the documents in them', async () => {
    const form = {
      'patient.identifier': asToken(citizen),
      status: 'current',
      code: 'submissionset',
      'source.family': 'verdi',
    }
    const received = await search('List', form)
    const lists = (bundleOf(received).entry ?? []).map(({ resource }) => shapes.list.parse(resource))
    expect(lists).toHaveLength(2)
    const [set] = lists
    expect(set).toMatchObject({ title: 'Un invio', status: 'current', date: '2024-03-01T12:00:00Z' })
    expect(set?.meta?.profile?.[0]).toMatch(/IHE\.MHD\.Comprehensive\.SubmissionSet$/)
    const member = set?.entry?.[0]?.item.reference ?? ''
    expect((await send(`/fhir/${member}`)).status).toBe(200)
    const read = await send(`/fhir/List/${set?.id}`)
    expect(shapes.list.parse(read.json)).toEqual(set)
    expect(refusalOf(await send('/fhir/List/x'))).toBe('404 not-found')
    expect((await gateway.records()).slice(-1)).toMatchObject([{ transaction: 'ITI-66', outcome: 'failure' }])
  })

  it.each<[Changes, number]>([
    [{ code: 'folder' }, 2],
    [{ code: 'submissionset', date: 'lt2024' }, 0],
    [{ code: 'submissionset', designationType: 'PHR' }, 2],
    [{ sourceId: 'urn:ietf:rfc:3986|urn:oid:2.16.840.1.113883.2.9.2.90' }, 2],
    [{ code: 'x' }, 0],
    [{ status: 'retired' }, 0],
  ])('are searched by %o', async (form, expected) => {
    const all = { 'patient.identifier': asToken(citizen), status: 'current', ...form }
    expect(bundleOf(await search('List', all)).total).toBe(expected)
  })

  it('come in pages', async () => {
    const form = { 'patient.identifier': asToken(citizen), status: 'current', _count: '3' }
    const first = bundleOf(await search('List', form))
    const second = bundleOf(await send(nextOf(first) ?? ''))
    const ids = [first, second].flatMap(({ entry = [] }) => entry.map(({ fullUrl }) => fullUrl))
    expect([first.total, ids.length, new Set(ids).size]).toEqual([4, 4, 4])
  })
})

describe('people', () => {
  const found = async (form: Changes, more: Asking = {}) => {
    return (bundleOf(await search('Patient', form, more)).entry ?? []).map(({ resource }) =>
      shapes.patient.parse(resource),
    )
  }

  it('are found by identifier, and told as far as whoever asks may know', async () => {
    const [plain] = await found({ identifier: asToken(citizen) })
    expect(plain).toEqual({
      ...{ resourceType: 'Patient', id: expect.any(String), active: true },
      identifier: [{ use: 'official', system: `urn:oid:${citizen.authority}`, value: citizen.value }],
    })
    const [more] = await found({
      identifier: `${asToken(citizen)},urn:oid:${authorities.stp}|`,
      family: 'Prova',
      given: 'Anna',
    })
    expect(more).toMatchObject({
      identifier: [{ value: citizen.value }, { value: stp.value }],
      name: [{ family: 'Prova' }],
    })
    expect(await found({ identifier: asToken(citizen), family: 'Altro' })).toEqual([])
    expect(await lastRecord()).toMatchObject({ transaction: 'ITI-78', outcome: 'success', results: 0 })
    const { id = '' } = plain ?? {}
    expect((await send(`/fhir/Patient/${id}`)).json).toEqual(plain)
    expect(refusalOf(await send('/fhir/Patient/x'))).toBe('404 not-found')
    expect(
      numbersIn(bundleOf(await search('DocumentReference', { patient: `Patient/${id}`, status: 'superseded' }))),
    ).toEqual([12])
    expect(refusalOf(await search('DocumentReference', { patient: 'Patient/x', status: 'current' }))).toBe(
      '404 not-found',
    )
  })

  it('are told to nobody whose tokens are about somebody else', async () => {
    expect(refusalOf(await search('Patient', { identifier: asToken(otherCitizen) }))).toBe('403 forbidden')
  })

  const pix = async (parameter: readonly object[], more: Asking = {}) => {
    const body = Buffer.from(JSON.stringify({ resourceType: 'Parameters', parameter }))
    const headers = [['Content-Type', 'application/fhir+json'] as const]
    return await send('/fhir/Patient/$ihe-pix', { method: 'POST', body, headers, ...more })
  }
  const source = (id: PatientId) => ({ name: 'sourceIdentifier', valueString: asToken(id) })

  it('are known by identifiers of other domains, never by the one asked with', async () => {
    const received = await pix([source(citizen)])
    expect(received.status).toBe(200)
    expect(shapes.parameters.parse(received.json).parameter).toEqual([
      { name: 'targetIdentifier', valueIdentifier: { system: `urn:oid:${stp.authority}`, value: stp.value } },
      { name: 'targetId', valueReference: { reference: expect.stringMatching(/^Patient\/[0-9a-f]{40}$/) } },
    ])
    const narrowed = await pix([source(citizen), { name: 'targetSystem', valueUri: `urn:oid:${authorities.eni}` }])
    expect(shapes.parameters.parse(narrowed.json).parameter.map(({ name }) => name)).toEqual(['targetId'])
    expect(await lastRecord()).toMatchObject({ transaction: 'ITI-83', outcome: 'success' })
  })

  it.each<[string, readonly object[], string]>([
    ['a domain that is none', [{ name: 'sourceIdentifier', valueString: 'http://x|1' }], '400 code-invalid'],
    ['a target that is none', [source(citizen), { name: 'targetSystem', valueUri: 'http://x' }], '403 code-invalid'],
    ['nobody', [], '400 required'],
    ['somebody else', [source(otherCitizen)], '403 forbidden'],
  ])('are not for %s', async (_name, parameter, expected) => {
    expect(refusalOf(await pix(parameter))).toBe(expected)
  })
})

describe('an address', () => {
  it.each([
    `/fhir/DocumentReference?patient.identifier=${encodeURIComponent(asToken(citizen))}&status=current`,
    '/fhir/DocumentReference?author.family=Verdi&status=current',
    `/fhir/List?patient.identifier=${encodeURIComponent(asToken(citizen))}&status=current&code=submissionset`,
    `/fhir/Patient?identifier=${encodeURIComponent(asToken(citizen))}`,
    `/fhir/Patient/$ihe-pix?sourceIdentifier=${encodeURIComponent(asToken(citizen))}`,
  ])('names nobody: %s', async (path) => {
    const received = await send(path)
    expect(refusalOf(received)).toBe('400 business-rule')
    expect(received.text).toMatch(/POST \/fhir\/(DocumentReference|List|Patient)\/(_search|\$ihe-pix)/)
    expect(received.text).not.toContain(citizen.value)
    const allowed = await send(path, { server: byGet })
    expect([allowed.status, path]).toEqual([path.includes('author.family') ? 400 : 200, path])
  })
})

describe('what is not JSON', () => {
  it.each<[string, Asking, number]>([
    ['Accept: application/fhir+xml', { headers: [['Accept', 'application/fhir+xml']] }, 406],
    [
      'Accept: text/html, application/fhir+json;q=0',
      { headers: [['Accept', 'text/html, application/fhir+json;q=0']] },
      406,
    ],
    ['another version', { headers: [['Accept', 'application/fhir+json; fhirVersion=3.0']] }, 406],
    ['Accept: application/fhir+xml, */*;q=0.1', { headers: [['Accept', 'application/fhir+xml, */*;q=0.1']] }, 200],
    [
      'Accept: application/fhir+json; fhirVersion=4.0',
      { headers: [['Accept', 'application/fhir+json; fhirVersion=4.0']] },
      200,
    ],
  ])('is not had: %s', async (_name, more, status) => {
    const received = await search('DocumentReference', current, more)
    expect(received.status).toBe(status)
    if (status === 406) expect(refusalOf(received)).toBe('406 not-supported')
  })

  it('is not had by _format either, which counts more than Accept', async () => {
    expect(refusalOf(await search('DocumentReference', { ...current, _format: 'xml' }))).toBe('406 not-supported')
    const xml = { headers: [['Accept', 'application/fhir+xml']] as const }
    expect((await search('DocumentReference', { ...current, _format: 'json' }, xml)).status).toBe(200)
    expect(refusalOf(await send('/fhir/metadata?_format=xml'))).toBe('406 not-supported')
  })
})

describe('refusals', () => {
  it.each<[string, Changes, Changes, string]>([
    ['no patient', { status: 'current' }, {}, '400 required'],
    ['no status', { 'patient.identifier': asToken(citizen) }, {}, '400 required'],
    [
      'two patients',
      { ...current, 'patient.identifier': `${asToken(citizen)},${asToken(otherCitizen)}` },
      {},
      '400 value',
    ],
    ['an identifier without a domain', { ...current, 'patient.identifier': citizen.value }, {}, '400 value'],
    [
      'an identifier that cannot be',
      { ...current, 'patient.identifier': `urn:oid:${citizen.authority}|X` },
      {},
      '400 value',
    ],
    ['a date that is none', { ...current, creation: '2024-02-31' }, {}, '400 value'],
    ['a modifier that is none', { ...current, 'type:not': 'x' }, {}, '400 value'],
    ['a count that is none', { ...current, _count: '-1' }, {}, '400 value'],
    [
      'another patient than the token’s',
      { ...current, 'patient.identifier': asToken(otherCitizen) },
      {},
      '403 forbidden',
    ],
    ['a role that may not', current, { subject_role: 'GTW' }, '403 forbidden'],
    ['an emergency without a reason', current, { purpose_of_use: 'EMERGENCY' }, '400 required'],
  ])('are OperationOutcomes: %s', async (_name, form, claims, expected) => {
    const received = await search('DocumentReference', form, { claims })
    expect(refusalOf(received)).toBe(expected)
    expect(received.headers['cache-control']).toBe('no-store')
    expect(received.text).not.toMatch(new RegExp(`${citizen.value}|${otherCitizen.value}`))
    expect(await lastRecord()).toMatchObject({
      transaction: 'ITI-67',
      outcome: expected.startsWith('403') ? 'refused' : 'failure',
    })
  })

  it('an emergency is let through with its reason, which is audited', async () => {
    const headers = [['Emergency-Reason', 'physical-incapacity']] as const
    const claims = { purpose_of_use: 'EMERGENCY' }
    expect((await search('DocumentReference', current, { claims, headers })).status).toBe(200)
    expect(await lastRecord()).toMatchObject({ emergencyReason: 'physical-incapacity' })
  })

  it('challenge whoever comes without a token, and say nothing of what there is', async () => {
    const received = await gateway.send({ path: '/fhir/DocumentReference/x' })
    expect(refusalOf(received)).toBe('401 login')
    expect(received.headers['www-authenticate']).toBe('Bearer realm="crocevia"')
    expect((await gateway.send({ as: 'region-050', path: '/fhir/Binary/x' })).status).toBe(403)
  })

  it('keep the published words of tokens of the FSE', async () => {
    const own = { subject_organization_id: '090', subject_organization: 'Regione Toscana', action_id: 'READ' }
    const signature = { ...own, attachment_hash: undefined }
    const good = await gateway.send({
      ...{ as: 'tuscany', method: 'POST', path: '/fhir/DocumentReference/_search' },
      body: Buffer.from(new URLSearchParams(current).toString()),
      headers: [
        ['Content-Type', 'application/x-www-form-urlencoded'],
        ...fseHeaders({ pair: pairOf('portal'), signature }),
      ],
    })
    expect([good.status, good.json.resourceType]).toEqual([200, 'Bundle'])
    const received = await gateway.send({ as: 'tuscany', path: '/fhir/DocumentReference/x' })
    expect(refusalOf(received)).toBe('403 login')
  })

  it('of everybody at once are told with everybody’s name', async () => {
    const broken = communities.map(({ registry }) => registry)
    silent = new GatewayError('community-unavailable', 'Down')
    for (const one of communities) Object.assign(one, { registry: communities[2]?.registry })
    const received = await search('DocumentReference', current)
    for (const [place, one] of communities.entries()) Object.assign(one, { registry: broken[place] })
    expect(refusalOf(received)).toBe('502 transient')
    const { issue: issues } = shapes.operationOutcome.parse(received.json)
    const told = issues.map(({ details }) => details.text?.split(':')[0]).sort()
    expect(told).toEqual(['Regione Lazio', 'Regione Toscana', 'Regione Veneto'])
  })

  it('are the same for forms that are none', async () => {
    const body = Buffer.from('<Parameters/>')
    const xml = await send('/fhir/DocumentReference/_search', {
      method: 'POST',
      body,
      headers: [['Content-Type', 'text/xml']],
    })
    expect(refusalOf(xml)).toBe('415 not-supported')
    const large = Buffer.alloc(70_000, 'a')
    expect(refusalOf(await send('/fhir/DocumentReference/_search', { method: 'POST', body: large }))).toBe(
      '413 too-long',
    )
  })

  it.each([
    ['POST', '/fhir/DocumentReference', 405, 'GET, HEAD'],
    ['GET', '/fhir/DocumentReference/_search', 405, 'POST'],
    ['OPTIONS', '/fhir/Patient/$ihe-pix', 405, 'POST, GET, HEAD'],
    ['DELETE', '/fhir/metadata', 405, 'GET, HEAD'],
    ['GET', '/fhir/Observation', 404, undefined],
  ])('%s %s', async (method, path, status, allow) => {
    const received = await send(path, { method })
    expect([received.status, received.headers.allow]).toEqual([status, allow])
    shapes.operationOutcome.parse(received.json)
  })
})

describe('what the face can', () => {
  it('is told without a token', async () => {
    const received = await gateway.send({ path: '/fhir/metadata' })
    expect(received.status).toBe(200)
    const statement = shapes.capabilityStatement.parse(received.json)
    const types = statement.rest[0].resource.map(({ type }) => type)
    expect(types).toEqual(['DocumentReference', 'List', 'Binary', 'Patient', 'OperationDefinition'])
    const names = statement.rest[0].resource[0]?.searchParam?.map(({ name }) => name)
    for (const name of [
      'patient',
      'patient.identifier',
      'status',
      'date',
      'creation',
      'author.given',
      'period',
      'related',
    ]) {
      expect(names).toContain(name)
    }
    const definition = statement.rest[0].resource[3]?.operation?.[0]?.definition ?? ''
    const told = await gateway.send({ path: definition.slice(definition.indexOf('/fhir/')) })
    expect(shapes.operationDefinition.parse(told.json).code).toBe('ihe-pix')
    const { etag = '' } = received.headers
    expect((await gateway.send({ path: '/fhir/metadata', headers: [['If-None-Match', etag]] })).status).toBe(304)
  })
})

describe('pages of the origin that is named', () => {
  it.each(['/fhir/metadata', '/fhir/OperationDefinition/patient-ihe-pix', '/fhir/Observation'])(
    'may read %s, and may ask first',
    async (path) => {
      const asking = [['Origin', portalOrigin] as const, ['Access-Control-Request-Method', 'GET'] as const]
      const asked = await gateway.send({ path, method: 'OPTIONS', headers: asking })
      expect([asked.status, asked.headers['access-control-allow-origin']]).toEqual([204, portalOrigin])
      for (const method of ['GET', 'HEAD']) {
        const { headers } = await gateway.send({ path, method, headers: [['Origin', portalOrigin]] })
        expect([headers['access-control-allow-origin'], headers.vary]).toEqual([portalOrigin, 'Origin'])
      }
      const { headers } = await byGet.send({ path, headers: [['Origin', portalOrigin]] })
      expect(headers).not.toHaveProperty('access-control-allow-origin')
    },
  )

  it('are told so by what the face can', async () => {
    const told = async (server: TokenGateway) => (await server.send({ path: '/fhir/metadata' })).text
    expect(await told(gateway)).toContain('"cors":true')
    expect(await told(byGet)).toContain('"cors":false')
  })
})

it('an address may say how a search is answered, which is passed over', async () => {
  const path = '/fhir/DocumentReference/_search?_sort=-date&_summary=false&_elements=id&_lastUpdated=ge2024'
  const body = Buffer.from(new URLSearchParams(current).toString())
  const headers = [['Content-Type', 'application/x-www-form-urlencoded'] as const]
  const bundle = bundleOf(await send(path, { method: 'POST', body, headers }))
  expect(issuesIn(bundle)).toMatchObject([{ severity: 'warning', code: 'not-supported' }])
})

it('nothing of the face logs whom it is about', () => {
  for (const line of [...gateway.logged, ...byGet.logged]) expect(line).not.toContain(citizen.value)
})
