import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ensureCertificates } from '../../certs-dev/make.ts'
import { attributeAssertion, type Claims } from '../network/assertion.ts'
import { type CitizenKey, citizens } from '../network/citizens.ts'
import { documentBytes } from '../network/documents.ts'
import { cx, type Entry, isObscured } from '../network/entry.ts'
import { type Ini, startIni } from '../network/ini.ts'
import { writePackage } from '../network/mtom.ts'
import { organization } from '../network/organizations.ts'
import { type Region, startRegion } from '../network/region.ts'
import type { Holder } from '../network/registry-book.ts'
import {
  crossGatewayRetrieve,
  type Reference,
  readRetrieval,
  retrieveDocumentSet,
  retrieveRequest,
} from '../network/retrieve.ts'
import { sow } from '../network/seed.ts'
import { adhocQuery, type Identity, postSoap, readIdentity, sendForBytes, soapRequest } from '../network/soap-client.ts'
import { startTuscanRecord, type TuscanRecord } from '../network/tuscan-record.ts'

const seed = sow()
const { directory: certificates } = await ensureCertificates()
const clock = { ahead: 0, now: () => Date.now() + clock.ahead }
let gateway: Identity
let portal: Identity
let record: TuscanRecord
let plain: TuscanRecord
let veneto: Region
let lazio: Region
let ini: Ini
let cautious: Ini
beforeAll(async () => {
  gateway = await readIdentity(certificates, 'gateway')
  portal = await readIdentity(certificates, 'portal')
  const common = { certificates, seed, clock }
  record = await startTuscanRecord(common)
  plain = await startTuscanRecord({ ...common, packaging: 'always-plain' })
  veneto = await startRegion({ ...common, region: '050' })
  lazio = await startRegion({ ...common, region: '120' })
  const registries = { '120': lazio.urls.registry, '050': veneto.urls.registry }
  ini = await startIni({ ...common, registries })
  cautious = await startIni({ ...common, registries, mustRegionSearch: true })
})
afterAll(() => Promise.all([record, plain, veneto, lazio, ini, cautious].map((party) => party.close())))
beforeEach(() => {
  clock.ahead = 0
})

const about = (key: CitizenKey) => cx(citizens[key].identifiers[0])

interface Wish {
  readonly key?: CitizenKey
  readonly claims?: Partial<Claims>
  readonly by?: Identity
  readonly packaging?: 'mtom' | 'plain'
  /** What becomes of the package before it is sent. */
  readonly change?: (text: string) => string
}

/** Retrieves as the gateway does. */
async function retrieve(to: string, references: readonly Reference[], wish: Wish = {}) {
  const { key = 'lazio', claims, by = gateway, packaging = 'mtom', change = (text) => text } = wish
  const action = to.includes('/xca/') ? crossGatewayRetrieve : retrieveDocumentSet
  const documentTypes = [
    ...new Set(seed.holdings.tuscany.entries.map(({ typeCode }) => `${typeCode.code}^^${typeCode.scheme}`)),
  ]
  const assertion = attributeAssertion({ patient: about(key), documentTypes, now: clock.now(), ...claims }, by.signer)
  const message = soapRequest({ to, action, assertions: [assertion], body: retrieveRequest(references) })
  const sent = packaging === 'mtom' ? writePackage(message, []) : { contentType: 'application/soap+xml', body: message }
  const body = change(sent.body.toString())
  return readRetrieval(await sendForBytes(to, by.channel, { headers: { 'content-type': sent.contentType }, body }))
}

const find = (holder: Holder, keeper: string, key: CitizenKey, right: (entry: Entry) => boolean = () => true) => {
  const entry = seed.holdings[holder].entries.find(
    (one) => one.keeper === keeper && one.patient.value === citizens[key].identifiers[0].value && right(one),
  )
  if (entry === undefined) throw new Error('The seed has no such document')
  const { repositoryUniqueId, uniqueId } = entry
  return { home: organization(keeper).home, repositoryUniqueId, uniqueId }
}
const codes = ({ issues }: Awaited<ReturnType<typeof retrieve>>) => issues.map(({ code, location }) => [code, location])

describe('the Tuscan record', () => {
  const { home: _home, ...mine } = find('tuscany', '090', 'lazio', (entry) => !isObscured(entry))
  const to = () => record.urls.repository

  it('hands out what it keeps, obscured or not, as the request is packaged', async () => {
    const { home: _h, ...hidden } = find('tuscany', '090', 'lazio', isObscured)
    for (const packaging of ['mtom', 'plain'] as const) {
      const answer = await retrieve(to(), [mine, hidden], { packaging })
      expect(answer).toMatchObject({ status: 'Success', packaged: packaging === 'mtom', issues: [] })
      for (const { bytes, uniqueId } of answer.documents) expect(bytes).toEqual(documentBytes(seed.name, uniqueId))
      expect(answer.documents.map(({ uniqueId }) => uniqueId)).toEqual([mine.uniqueId, hidden.uniqueId])
    }
    expect((await retrieve(plain.urls.repository, [mine])).packaged).toBe(false)
  })

  it('names each document that it does not hand out', async () => {
    const lost = { ...mine, uniqueId: '1.2.3' }
    const elsewhere = { repositoryUniqueId: '1.2.3', uniqueId: '4.5.6' }
    const answer = await retrieve(to(), [lost, mine, elsewhere])
    expect(answer.status).toBe('PartialSuccess')
    expect(codes(answer)).toEqual([
      ['XDSDocumentUniqueIdError', '1.2.3'],
      ['XDSUnknownRepositoryId', '4.5.6'],
    ])
    expect((await retrieve(to(), [lost])).status).toBe('Failure')
  })

  it.each<[string, Wish]>([
    ['somebody else’s patient', { key: 'tuscan' }],
    ['another action than reading', { claims: { action: 'CREATE' } }],
    ['a type that the assertion does not name', { claims: { documentTypes: ['0-0^^2.16.840.1.113883.6.1'] } }],
    ['a package of another type', { change: (text) => text.replaceAll('application/xop+xml', 'text/xml') }],
    ['a package without an end', { change: (text) => text.slice(0, -4) }],
    ['a tampered assertion', { change: (text) => text.replace('>AAS<', '>DRS<') }],
  ])('refuses %s', async (_, wish) => {
    expect((await retrieve(to(), [mine])).status).toBe('Success')
    expect((await retrieve(to(), [mine], wish)).fault).toMatchObject({ code: 'Sender' })
  })

  it('is for the gateway alone', async () => {
    await expect(retrieve(to(), [mine], { by: portal })).rejects.toThrow()
  })
})

describe('a region', () => {
  const theirs = find('region-050', '050', 'lazio')
  const to = () => veneto.urls.crossGatewayRetrieve

  it('hands out what it keeps, at the address at which it is asked', async () => {
    expect(to()).toBe(veneto.urls.crossGatewayQuery)
    const answer = await retrieve(to(), [theirs])
    expect(answer.documents).toEqual([
      { ...theirs, mimeType: expect.any(String), bytes: documentBytes(seed.name, theirs.uniqueId) },
    ])
  })

  it('wants its own home named, and says both ids where it does not hand out', async () => {
    const { home, ...homeless } = theirs
    const lost = { ...theirs, uniqueId: '1.2.3' }
    const answer = await retrieve(to(), [homeless, { ...theirs, home: lazio.home }, lost, theirs])
    expect(answer.status).toBe('PartialSuccess')
    expect(codes(answer)).toEqual([
      ['XDSMissingHomeCommunityId', `${home} ${theirs.uniqueId}`],
      ['XDSUnknownCommunity', `${home} ${theirs.uniqueId}`],
      ['XDSDocumentUniqueIdError', `${home} 1.2.3`],
    ])
  })

  it('hands out no obscured document', async () => {
    const hidden = find('region-120', '120', 'lazio', isObscured)
    const answer = await retrieve(lazio.urls.crossGatewayRetrieve, [hidden])
    expect(codes(answer)).toEqual([['XDSDocumentUniqueIdError', `${lazio.home} ${hidden.uniqueId}`]])
  })
})

describe('INI', () => {
  const kept = find('region-120', '000', 'lazio')
  const minutes = 60_000

  async function search(star: Ini, key: CitizenKey, claims: Partial<Claims> = {}) {
    const assertion = attributeAssertion({ patient: about(key), now: clock.now(), ...claims }, gateway.signer)
    const body = adhocQuery('FindDocuments', {
      $XDSDocumentEntryPatientId: about(key),
      $XDSDocumentEntryStatus: ['urn:oasis:names:tc:ebxml-regrep:StatusType:Approved'],
    })
    const action = 'urn:ihe:iti:2007:RegistryStoredQuery'
    return await postSoap({ to: star.urls.search, action, assertions: [assertion], body }, gateway.channel)
  }
  const get = (star: Ini, reference: Reference, wish: Wish = {}) => retrieve(star.urls.retrieve, [reference], wish)

  it('hands out what a search of the same asker found in the previous 20 minutes', async () => {
    expect(await get(ini, kept)).toMatchObject({ status: 'Failure', issues: [{ code: 'RTW2', severity: 'Warning' }] })
    await search(ini, 'lazio')
    const answer = await get(ini, kept)
    expect(answer.documents[0]?.bytes).toEqual(documentBytes(seed.name, kept.uniqueId))
    const other = 'ALTRO^^^&2.16.840.1.113883.2.9.4.3.2&ISO'
    expect((await get(ini, kept, { claims: { subject: other } })).issues[0]?.code).toBe('RTW2')
    clock.ahead = 20 * minutes - 1_000
    expect((await get(ini, kept)).status).toBe('Success')
    clock.ahead = 20 * minutes + 1_000
    expect((await get(ini, kept)).issues[0]?.code).toBe('RTW2')
    await search(ini, 'lazio')
    expect((await get(ini, kept)).status).toBe('Success')
  })

  it('says that a document lies with who asks', async () => {
    await search(ini, 'lazio')
    const answer = await get(ini, find('tuscany', '090', 'lazio'))
    expect(answer).toMatchObject({ status: 'Failure', issues: [{ code: 'RTW1', severity: 'Warning' }] })
  })

  it('lets a region retrieve for those it assists without a search, unless told not to', async () => {
    const reference = find('tuscany', '000', 'tuscan')
    expect((await get(ini, reference, { key: 'tuscan' })).status).toBe('Success')
    await search(cautious, 'tuscan')
    expect((await get(cautious, reference, { key: 'tuscan' })).issues[0]?.code).toBe('RTW2')
  })

  it('does not hand out when it cannot tell the region of assistance', async () => {
    await search(ini, 'lazio')
    await ini.behave({ behave: 'unnotified', face: 'retrieve', times: 1 })
    expect((await get(ini, kept)).issues).toMatchObject([{ code: 'RtRE3', severity: 'Error' }])
    expect((await get(ini, kept)).status).toBe('Success')
  })

  it('refuses roles that may not consult', async () => {
    const answer = await get(ini, kept, { claims: { role: 'NOR', purpose: 'SYSADMIN' } })
    expect(answer.fault).toMatchObject({ code: 'Receiver', detail: expect.stringContaining('PFA14') })
  })
})
