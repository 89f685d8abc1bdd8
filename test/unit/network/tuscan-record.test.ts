import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { attributeAssertion, attributeName } from '../../network/assertion.ts'
import { citizens } from '../../network/citizens.ts'
import { expectations } from '../../network/expectations.ts'
import { soap11 } from '../../network/faults.ts'
import { adhocQuery, postSoap, readIdentity, send, soapRequest } from '../../network/soap-client.ts'
import { startTuscanRecord, type TuscanRecord } from '../../network/tuscan-record.ts'
import {
  approved,
  ask,
  bothStatuses,
  certificates,
  findDocuments,
  gateway,
  patient,
  type Question,
  read,
  registryStoredQuery,
  schemasPresent,
  seed,
  uniqueIds,
  validate,
  withoutSchemas,
} from './asking.ts'

let record: TuscanRecord
let to: string
beforeAll(async () => {
  record = await startTuscanRecord({ certificates, seed })
  to = record.urls.registry
})
afterAll(() => record.close())
beforeEach(() => record.asked.clear())

describe('the Tuscan record, asked by ITI-18', () => {
  it('tells the gateway of every document it has, obscured ones included, and no community', async () => {
    const answer = await ask({ to, about: patient('lazio') })
    expect(answer.http.status).toBe(200)
    expect(answer.http.contentType).toMatch(/^application\/soap\+xml/)
    expect(answer.status).toBe('Success')
    const { visible, hidden } = expectations(seed, citizens.lazio, { asked: ['tuscany'] })
    expect(uniqueIds(answer)).toEqual([...visible, ...hidden].sort())
    expect(answer.documents.every(({ home }) => home === undefined)).toBe(true)
  })

  it('tells of replaced documents and former metadata when their status is asked for', async () => {
    const body = findDocuments(patient('lazio'), { $XDSDocumentEntryStatus: bothStatuses })
    const answer = await ask({ to, body })
    const mine = seed.holdings.tuscany.entries.filter(
      (entry) => entry.patient.value === citizens.lazio.identifiers[0].value,
    )
    expect(answer.documents.length).toBe(mine.length)
    expect(new Set(uniqueIds(answer)).size).toBeLessThan(answer.documents.length)
  })

  it('knows people by the identifier they are filed under', async () => {
    const now = await ask({ to, about: patient('two-codes', 0) })
    const before = await ask({ to, about: patient('two-codes', 1) })
    expect(now.documents.length).toBe(10)
    expect(before.documents.length).toBe(8)
  })

  it('answers with success and nothing about somebody nobody knows', async () => {
    expect(await ask({ to, about: patient('unknown') })).toMatchObject({ status: 'Success', objects: 0 })
  })

  it('answers a query without a patient about the one in the assertion, and about nobody else', async () => {
    const other = seed.holdings.tuscany.entries.find(
      ({ patient: { value } }) => value === citizens.tuscan.identifiers[0].value,
    )
    const own = seed.holdings.tuscany.entries.find(
      ({ patient: { value } }) => value === citizens.lazio.identifiers[0].value,
    )
    const body = (id = '') => adhocQuery('GetDocuments', { $XDSDocumentEntryUniqueId: [id] })
    expect(uniqueIds(await ask({ to, body: body(own?.uniqueId) }))).toEqual([own?.uniqueId])
    const links = adhocQuery('GetAssociations', { $uuid: [other?.entryUuid ?? ''] })
    for (const foreign of [body(other?.uniqueId), links]) {
      expect((await ask({ to, body: foreign })).fault).toMatchObject({ subcodes: ['wsse:FailedAuthentication'] })
    }
  })

  it.skipIf(!schemasPresent)(`answers what the ebRS schemas accept${withoutSchemas}`, async () => {
    const about = patient('tuscan')
    const all = { $patientId: about, ...statuses(['DocumentEntry', 'SubmissionSet', 'Folder']) }
    for (const body of [
      findDocuments(about),
      adhocQuery(
        'FindDocuments',
        { $XDSDocumentEntryPatientId: about, $XDSDocumentEntryStatus: approved },
        { returnType: 'ObjectRef' },
      ),
      adhocQuery('GetAll', all),
      adhocQuery('GetDocuments', {}),
    ]) {
      const { http, fault } = await ask({ to, about, body })
      expect(fault).toBeUndefined()
      expect(() => validate(http)).not.toThrow()
    }
  })
})

const statuses = (kinds: readonly string[]) =>
  Object.fromEntries(kinds.map((kind) => [`$XDS${kind}Status`, bothStatuses]))

describe('the Tuscan record refuses', () => {
  const about = patient('lazio')
  const claimsOf = (question: Partial<Question>): Question => ({ to, about, ...question })
  const signedBy = async (party: string) => [
    attributeAssertion({ patient: about }, (await readIdentity(certificates, party)).signer),
  ]
  const failed = { code: 'Sender', subcodes: ['wsse:FailedAuthentication'] }

  it('a message without an assertion', async () => {
    expect((await ask(claimsOf({ assertions: [] }))).fault).toMatchObject({ subcodes: ['wsse:InvalidSecurity'] })
    expect((await ask(claimsOf({ without: ['Security'] }))).fault).toMatchObject({ subcodes: ['wsse:InvalidSecurity'] })
  })

  it('an assertion that nobody signed, and one whose signature was taken from another', async () => {
    const good = attributeAssertion({ patient: about }, gateway.signer)
    const unsigned = good.replace(/<ds:Signature.*<\/ds:Signature>/s, '')
    expect((await ask(claimsOf({ assertions: [unsigned] }))).fault).toMatchObject({
      subcodes: ['wsse:InvalidSecurity'],
    })
    const changed = good.replace('>AAS<', '>APR<')
    expect((await ask(claimsOf({ assertions: [changed] }))).fault).toMatchObject({ subcodes: ['wsse:FailedCheck'] })
  })

  it('two assertions', async () => {
    const two = [1, 2].map(() => attributeAssertion({ patient: about }, gateway.signer))
    expect((await ask(claimsOf({ assertions: two }))).fault).toMatchObject({ subcodes: ['wsse:InvalidSecurity'] })
  })

  it('an assertion wrapped into a signed one', async () => {
    const good = attributeAssertion({ patient: about }, gateway.signer)
    const evil = good.replace(/ID="[^"]+"/, 'ID="_evil"').replace(/<ds:Signature.*<\/ds:Signature>/s, '')
    const wrapped = evil.replace('</saml2:Assertion>', `<saml2:Advice>${good}</saml2:Advice></saml2:Assertion>`)
    expect((await ask(claimsOf({ assertions: [wrapped] }))).fault).toMatchObject({ subcodes: ['wsse:InvalidSecurity'] })
    const signature = /<ds:Signature.*<\/ds:Signature>/s.exec(good)?.[0] ?? ''
    const moved = evil.replace('</saml2:Issuer>', `</saml2:Issuer>${signature}`)
    expect((await ask(claimsOf({ assertions: [moved] }))).fault).toMatchObject({ subcodes: ['wsse:InvalidSecurity'] })
  })

  it.each([
    'region-050',
    'portal',
    'stranger',
    'bad/unknown-ca',
    'bad/expired',
    'bad/wrong-eku',
    'bad/weak',
    'bad/self-signed',
  ])('an assertion signed by %s', async (party) => {
    expect((await ask(claimsOf({ assertions: await signedBy(party) }))).fault).toMatchObject(failed)
  })

  it('an assertion that has expired or is not valid yet', async () => {
    const now = Date.now()
    expect((await ask(claimsOf({ claims: { notOnOrAfter: now - 1 } }))).fault).toMatchObject({
      subcodes: ['wsu:MessageExpired'],
    })
    expect((await ask(claimsOf({ claims: { notBefore: now + 60_000 } }))).fault).toMatchObject({
      subcodes: ['wsse:InvalidSecurityToken'],
    })
    expect((await ask(claimsOf({ claims: { notBefore: now + 20_000 } }))).status).toBe('Success')
  })

  it('an assertion it has seen before', async () => {
    const assertions = [attributeAssertion({ patient: about }, gateway.signer)]
    expect((await ask(claimsOf({ assertions }))).status).toBe('Success')
    expect((await ask(claimsOf({ assertions }))).fault).toMatchObject({ reason: 'The assertion was already used' })
  })

  it('an assertion about another patient than the query', async () => {
    const assertions = [attributeAssertion({ patient: patient('tuscan') }, gateway.signer)]
    expect((await ask(claimsOf({ assertions }))).fault).toMatchObject(failed)
  })

  it.each(Object.values(attributeName))('an assertion without %s', async (name) => {
    const { fault } = await ask(claimsOf({ claims: { attributes: { [name]: undefined } } }))
    expect(fault).toMatchObject({ code: 'Sender', subcodes: ['wsse:InvalidSecurityToken'] })
  })

  it.each([
    [attributeName.organization, 'Toscana'],
    [attributeName.organizationId, '190'],
    [attributeName.role, 'DOC'],
    [attributeName.purpose, 'CURIOSITY'],
    [attributeName.locality, '090202'],
    [attributeName.inCare, 'forse'],
    [attributeName.documentTypes, '11502-2'],
  ])('an assertion whose %s is %s', async (name, value) => {
    const { fault } = await ask(claimsOf({ claims: { attributes: { [name]: value } } }))
    expect(fault).toMatchObject({ subcodes: ['wsse:InvalidSecurityToken'] })
  })

  it('an assertion for document types other than those asked for', async () => {
    const body = findDocuments(about, { $XDSDocumentEntryTypeCode: ['60591-5^^2.16.840.1.113883.6.1'] })
    expect((await ask(claimsOf({ body }))).fault).toMatchObject(failed)
    const claims = { documentTypes: ['11502-2^^2.16.840.1.113883.6.1', '60591-5^^2.16.840.1.113883.6.1'] }
    expect((await ask(claimsOf({ body, claims }))).status).toBe('Success')
  })

  it('an assertion that is no one’s to make: issued for another region', async () => {
    expect((await ask(claimsOf({ claims: { issuer: '050' } }))).fault).toMatchObject(failed)
  })

  it('everybody but the gateway', async () => {
    for (const party of ['portal', 'ini', 'region-050', 'stranger', 'tuscany']) {
      const { channel, signer } = await readIdentity(certificates, party)
      const assertions = [attributeAssertion({ patient: about }, signer)]
      const answer = await postSoap(
        { to, action: registryStoredQuery, assertions, body: findDocuments(about) },
        channel,
      )
      expect(answer.status).toBe(403)
    }
    await expect(send(to, { ...gateway.channel, cert: '', key: '' }, { body: '' })).rejects.toThrow()
  })

  it.each([
    ['Action', 'wsa:MessageAddressingHeaderRequired'],
    ['MessageID', 'wsa:MessageAddressingHeaderRequired'],
    ['To', 'wsa:MessageAddressingHeaderRequired'],
    ['ReplyTo', 'wsa:MessageAddressingHeaderRequired'],
  ])('a message without %s', async (name, subcode) => {
    const answer = await ask(claimsOf({ without: [name] }))
    expect(answer.http.status).toBe(400)
    expect(answer.fault).toMatchObject({ code: 'Sender', subcodes: [subcode] })
  })

  it('a message with a header twice, an unknown action, another addressee or an id of another form', async () => {
    const twice = '<wsa:MessageID>urn:uuid:00000000-0000-4000-8000-000000000000</wsa:MessageID>'
    expect((await ask(claimsOf({ with: twice }))).fault?.subcodes).toEqual([
      'wsa:InvalidAddressingHeader',
      'wsa:InvalidCardinality',
    ])
    expect((await ask(claimsOf({ action: 'urn:ihe:iti:2007:RegisterDocumentSet-b' }))).fault?.subcodes).toEqual([
      'wsa:ActionNotSupported',
    ])
    expect((await ask(claimsOf({ messageId: 'uuid:00000000-0000-4000-8000-000000000000' }))).fault?.subcodes).toEqual([
      'wsa:InvalidAddressingHeader',
    ])
    const assertions = [attributeAssertion({ patient: about }, gateway.signer)]
    const elsewhere = soapRequest({
      to: 'https://elsewhere.example/x',
      action: registryStoredQuery,
      assertions,
      body: findDocuments(about),
    })
    const headers = { 'content-type': 'application/soap+xml' }
    expect(read(await send(to, gateway.channel, { headers, body: elsewhere })).fault?.subcodes).toEqual([
      'wsa:DestinationUnreachable',
    ])
  })

  it('a header it must understand and does not', async () => {
    const strange = '<x:Strange xmlns:x="urn:example" env:mustUnderstand="1"/>'
    expect((await ask(claimsOf({ with: strange }))).fault).toMatchObject({ code: 'MustUnderstand' })
  })

  it('SOAP 1.1, and says so in SOAP 1.1', async () => {
    const { http } = await ask(claimsOf({ namespace: soap11 }))
    expect(http.status).toBe(500)
    expect(http.text).toContain('VersionMismatch')
    expect(http.text).toContain('SupportedEnvelope')
  })

  it('what is not XML, has a document type, or is of another media type', async () => {
    const post = (body: string, type = 'application/soap+xml') =>
      send(to, gateway.channel, { headers: { 'content-type': type }, body })
    expect(read(await post('<a')).fault).toMatchObject({ code: 'Sender' })
    expect(read(await post('<!DOCTYPE a><a/>')).fault).toMatchObject({ code: 'Sender' })
    expect((await post('{}', 'application/json')).status).toBe(415)
    expect((await send(to, gateway.channel, { method: 'GET' })).status).toBe(405)
  })

  it('queries that break the rules, by the codes of the standard', async () => {
    const codeFor = async (body: string) => (await ask(claimsOf({ body }))).issues[0]?.code
    const raw = (parameters: Record<string, string | string[]>) =>
      adhocQuery('FindDocuments', parameters, { raw: true })
    const status = [`('${approved[0]}')`]
    expect(await codeFor(adhocQuery('FindDocuments', { $XDSDocumentEntryPatientId: about }))).toBe(
      'XDSStoredQueryMissingParam',
    )
    expect(await codeFor(findDocuments(about).replace('14d4debf', '00000000'))).toBe('XDSUnknownStoredQuery')
    expect(await codeFor(raw({ $XDSDocumentEntryPatientId: about, $XDSDocumentEntryStatus: status }))).toBe(
      'XDSRegistryError',
    )
    expect(
      await codeFor(
        raw({
          $XDSDocumentEntryPatientId: `'${about}'`,
          $XDSDocumentEntryStatus: status,
          $XDSDocumentEntryEventCodeList: ["('P99')"],
        }),
      ),
    ).toBe('XDSRegistryError')
    expect(
      await codeFor(
        adhocQuery('GetDocuments', { $XDSDocumentEntryUniqueId: ['1'], $XDSDocumentEntryEntryUUID: ['2'] }),
      ),
    ).toBe('XDSStoredQueryParamNumber')
    expect(await codeFor(findDocuments(about, { $XDSDocumentEntryClassCode: [`${'x'.repeat(300)}^^1`] }))).toBe(
      'XDSRegistryError',
    )
  })
})

describe('what the Tuscan record was asked', () => {
  it('is kept: who, what, under which assertion, and how it ended', async () => {
    const claims = { id: '_for-the-log' }
    await ask({ to, claims })
    await ask({ to, without: ['Action'] })
    expect(record.asked.total).toBe(2)
    expect(record.asked.last).toMatchObject([
      {
        face: 'xds',
        peer: 'A1#090#090CROCEVIA-DEV',
        query: 'FindDocuments',
        issuer: '090',
        role: 'AAS',
        purpose: 'TREATMENT',
        assertionIds: ['_for-the-log'],
        outcome: 'answered',
        aborted: false,
      },
      { outcome: 'refused', status: 400 },
    ])
  })
})
