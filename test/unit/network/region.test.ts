import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attributeAssertion, identificationAssertion } from '../../network/assertion.ts'
import { citizens } from '../../network/citizens.ts'
import { expectations } from '../../network/expectations.ts'
import { type Region, startRegion } from '../../network/region.ts'
import { adhocQuery, type Identity, postSoap, readIdentity } from '../../network/soap-client.ts'
import {
  approved,
  ask,
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

let veneto: Region
let lazio: Region
let campania: Region
let ini: Identity
beforeAll(async () => {
  ;[veneto, lazio, campania] = (await Promise.all(
    (['050', '120', '150'] as const).map((region) => startRegion({ certificates, seed, region })),
  )) as [Region, Region, Region]
  ini = await readIdentity(certificates, 'ini')
})
afterAll(() => Promise.all([veneto, lazio, campania].map((region) => region.close())))

describe('a region asked directly, by ITI-38', () => {
  it('tells of what it keeps itself, with its home on every object', async () => {
    const answer = await ask({ to: veneto.urls.crossGatewayQuery })
    expect(answer.status).toBe('Success')
    expect(uniqueIds(answer)).toEqual(expectations(seed, citizens.lazio, { asked: ['region-050'] }).visible)
    expect(answer.documents.every(({ home }) => home === veneto.home)).toBe(true)
    expect(answer.http.text).toContain('CrossGatewayQueryResponse</wsa:Action>')
    const own = await ask({ to: lazio.urls.crossGatewayQuery })
    expect(uniqueIds(own)).toEqual(expectations(seed, citizens.lazio, { asked: ['region-120'] }).visible)
  })

  it('stamps its home on references and on whole submissions too', async () => {
    const about = patient('lazio')
    const to = veneto.urls.crossGatewayQuery
    const references = await ask({
      to,
      body: adhocQuery(
        'FindDocuments',
        { $XDSDocumentEntryPatientId: about, $XDSDocumentEntryStatus: approved },
        { returnType: 'ObjectRef' },
      ),
    })
    expect(references.objects).toBeGreaterThan(0)
    expect(references.http.text.match(/<rim:ObjectRef /g)?.length).toBe(
      references.http.text.match(/ home="urn:oid:2.16.840.1.113883.2.9.2.50"/g)?.length,
    )
    const sets = await ask({
      to,
      body: adhocQuery('FindSubmissionSets', { $XDSSubmissionSetPatientId: about, $XDSSubmissionSetStatus: approved }),
    })
    const packages = sets.http.text.match(/<rim:RegistryPackage [^>]*>/g) ?? []
    expect(packages.length).toBe(sets.objects)
    expect(packages.every((tag) => tag.includes(`home="${veneto.home}"`))).toBe(true)
  })

  it('never tells of an obscured document', async () => {
    const hidden = expectations(seed, citizens.lazio, { asked: ['region-120'] }).hidden
    expect(hidden.length).toBe(1)
    const body = adhocQuery('GetDocuments', { $XDSDocumentEntryUniqueId: hidden }, { home: lazio.home })
    expect(await ask({ to: lazio.urls.crossGatewayQuery, body })).toMatchObject({ status: 'Success', objects: 0 })
  })

  it('holds to the rules about communities, and names itself in every error', async () => {
    const get = (home?: string) =>
      adhocQuery('GetDocuments', { $XDSDocumentEntryUniqueId: ['1.2'] }, home === undefined ? {} : { home })
    const issues = async (body: string) => (await ask({ to: veneto.urls.crossGatewayQuery, body })).issues
    const location = veneto.home
    expect(await issues(get())).toEqual([{ code: 'XDSMissingHomeCommunityId', severity: 'Error', location }])
    expect(await issues(get(lazio.home))).toEqual([{ code: 'XDSUnknownCommunity', severity: 'Error', location }])
    expect(await issues(get(veneto.home))).toEqual([])
    expect(await issues(adhocQuery('GetDocuments', {}, { home: location }))).toEqual([
      { code: 'XDSStoredQueryMissingParam', severity: 'Error', location },
    ])
  })

  it('refuses the action of a registry, INI, and assertions not signed by the gateway', async () => {
    const to = veneto.urls.crossGatewayQuery
    expect((await ask({ to, action: registryStoredQuery })).fault?.subcodes).toEqual(['wsa:ActionNotSupported'])
    const assertions = [attributeAssertion({ patient: patient('lazio') }, ini.signer)]
    expect((await ask({ to, assertions })).fault?.subcodes).toEqual(['wsse:FailedAuthentication'])
    const asIni = await postSoap(
      { to, action: 'urn:ihe:iti:2007:CrossGatewayQuery', assertions, body: findDocuments(patient('lazio')) },
      ini.channel,
    )
    expect(asIni.status).toBe(403)
  })

  it.skipIf(!schemasPresent)(`answers what the ebRS schemas accept${withoutSchemas}`, async () => {
    const to = veneto.urls.crossGatewayQuery
    for (const body of [findDocuments(patient('lazio')), adhocQuery('GetDocuments', {}, { home: veneto.home })]) {
      const { http } = await ask({ to, body })
      expect(() => validate(http)).not.toThrow()
    }
  })
})

describe('a region of assistance asked by INI, by ITI-18', () => {
  const forward = async (question: Partial<Question> & { identification?: string; of?: Region } = {}) => {
    const { about = patient('lazio'), claims, identification, of = lazio, ...rest } = question
    const assertion = attributeAssertion({ patient: about, ...claims }, gateway.signer)
    const assertions = identification === undefined ? [assertion] : [assertion, identification]
    return read(
      await postSoap(
        { to: of.urls.registry, action: registryStoredQuery, assertions, body: findDocuments(about), ...rest },
        ini.channel,
      ),
    )
  }

  it('tells of its whole index, each document with the community that keeps it', async () => {
    const answer = await forward()
    const { visible } = expectations(seed, citizens.lazio, { asked: ['ini'] })
    expect(uniqueIds(answer)).toEqual(visible)
    expect(new Set(answer.documents.map(({ home }) => home)).size).toBe(5)
    expect(answer.documents.every(({ home }) => home !== undefined)).toBe(true)
  })

  it('searches under every codice fiscale that INI names, and only then', async () => {
    const about = patient('renamed')
    const identification = identificationAssertion(citizens.renamed, ini.signer, Date.now())
    expect((await forward({ about, of: campania })).documents.length).toBe(12)
    expect((await forward({ about, of: campania, identification })).documents.length).toBe(20)
  })

  it('tells of obscured documents to the citizen, those who act for them, INI’s hiding chain, and the author', async () => {
    const index = seed.holdings['region-120'].entries
    const obscured = index.filter((entry) => entry.events.some(({ code }) => code === 'P99'))
    expect(obscured.length).toBe(2)
    const counts = async (claims: Question['claims']) => {
      const ids = uniqueIds(await forward({ ...(claims && { claims }) }))
      return obscured.filter(({ uniqueId }) => ids.includes(uniqueId)).length
    }
    expect(await counts({ role: 'AAS' })).toBe(0)
    expect(await counts({ role: 'ASS', purpose: 'PERSONAL' })).toBe(2)
    expect(await counts({ role: 'GEN', purpose: 'PERSONAL' })).toBe(2)
    expect(await counts({ role: 'APR', purpose: 'EMERGENCY' })).toBe(0)
    const [author] = obscured.map((entry) => entry.author.person)
    const own = obscured.filter((entry) => entry.author.person.value === author?.value).length
    expect(await counts({ role: 'AAS', subject: `${author?.value}^^^&${author?.authority}&ISO` })).toBe(own)
  })

  it('answers faults in INI’s own shape', async () => {
    const { fault, http } = await forward({ claims: { attributes: { SubjectApplicationId: undefined } } })
    expect(http.status).toBe(500)
    expect(fault).toMatchObject({ code: 'Receiver', reason: 'Missing mandatory attributes in the attribute assertion' })
    expect(fault?.detail).toMatch(/:InvalidSecurityToken .*:ErrorCode>PIT2</s)
    const bad = identificationAssertion(citizens.lazio, gateway.signer, Date.now())
    expect((await forward({ identification: bad })).fault).toBeDefined()
  })

  it('refuses the gateway, and takes what INI’s readers take: no quotes, short headers', async () => {
    const direct = await postSoap(
      { to: lazio.urls.registry, action: registryStoredQuery, assertions: [], body: findDocuments(patient('lazio')) },
      gateway.channel,
    )
    expect(direct.status).toBe(403)
    const body = adhocQuery(
      'FindDocuments',
      { $XDSDocumentEntryPatientId: patient('lazio'), $XDSDocumentEntryStatus: [`('${approved[0]}')`] },
      { raw: true },
    )
    const answer = await forward({
      body,
      without: ['To', 'ReplyTo'],
      messageId: '5b0f7b1e-0d4e-4a53-9f2e-3a1f6f0d9c11',
    })
    expect(answer).toMatchObject({ status: 'Success', relatesTo: '5b0f7b1e-0d4e-4a53-9f2e-3a1f6f0d9c11' })
    expect(answer.documents.length).toBeGreaterThan(0)
  })
})
