import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { attributeAssertion } from '../../network/assertion.ts'
import { citizens } from '../../network/citizens.ts'
import { expectations } from '../../network/expectations.ts'
import { type Ini, startIni } from '../../network/ini.ts'
import { type Region, startRegion } from '../../network/region.ts'
import { adhocQuery, postSoap, readIdentity } from '../../network/soap-client.ts'
import {
  approved,
  ask,
  certificates,
  findDocuments,
  patient,
  read,
  registryStoredQuery,
  schemasPresent,
  seed,
  uniqueIds,
  validate,
  withoutSchemas,
} from './asking.ts'

let ini: Ini
let lazio: Region
let campania: Region
let registries: Readonly<Record<string, string>>
beforeAll(async () => {
  ;[lazio, campania] = await Promise.all([
    startRegion({ certificates, seed, region: '120' }),
    startRegion({ certificates, seed, region: '150' }),
  ])
  registries = { '120': lazio.urls.registry, '150': campania.urls.registry }
  ini = await startIni({ certificates, seed, registries })
})
afterAll(() => Promise.all([ini, lazio, campania].map((counterpart) => counterpart.close())))
beforeEach(() => lazio.asked.clear())

const find = (about: string, more = {}) => ask({ to: ini.urls.search, about, ...more })

describe('INI, asked for the index of somebody who has moved', () => {
  const transferId = 'urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301'
  const claims = { role: 'NOR', purpose: 'SYSADMIN', attributes: { IndexTransferId: transferId } }
  const transferred = (about: string, more = {}) => ask({ to: ini.urls.indexTransfer, about, claims, ...more })

  it('has the former region of assistance answer, obscured documents too, and at no other address', async () => {
    ini.transfers.move('lazio', { from: '120', to: '090' })
    const answer = await transferred(patient('lazio'))
    const all = lazio.holdings.entries.filter(({ patient: { value }, status }) => {
      return value === citizens.lazio.identifiers[0].value && status === 'Approved'
    })
    expect(uniqueIds(answer)).toEqual(all.map(({ uniqueId }) => uniqueId).sort())
    expect(all.some(({ events }) => events.some(({ code }) => code === 'P99'))).toBe(true)
    expect((await transferred(patient('lazio'), { to: ini.urls.search })).fault?.detail).toContain('PFA14')
  })

  it('wants the transfer to be named, and no more documents at once than it takes', async () => {
    const unnamed = await transferred(patient('lazio'), { claims: { ...claims, attributes: {} } })
    expect(unnamed.fault?.detail).toContain('PIT2')
    ini.transfers.mostAtOnce = 1
    const body = (...ids: readonly string[]) => adhocQuery('GetDocuments', { $XDSDocumentEntryEntryUUID: ids })
    const ids = lazio.holdings.entries.slice(0, 2).map(({ entryUuid }) => entryUuid)
    const many = await transferred(patient('lazio'), { body: body(...ids) })
    expect(many.issues.map(({ code }) => code)).toEqual(['XDSTooManyResults'])
    ini.transfers.mostAtOnce = Number.POSITIVE_INFINITY
  })

  it('does not know the former region of who has not moved', async () => {
    const answer = await transferred(patient('tuscan'))
    expect(answer.http.text).toContain('RPDA non individuata per servizio trasferimento indice')
  })

  it('can lose a document on the way', async () => {
    ini.transfers.move('lazio', { from: '120', to: '090' })
    const [first = ''] = uniqueIds(await transferred(patient('lazio')))
    ini.transfers.lose(first)
    expect(uniqueIds(await transferred(patient('lazio')))).not.toContain(first)
    ini.transfers.lose()
  })
})

describe('INI, asked for a citizen’s documents', () => {
  it('asks the region of assistance and relays what it says', async () => {
    const answer = await find(patient('lazio'))
    expect(answer.status).toBe('Success')
    expect(uniqueIds(answer)).toEqual(expectations(seed, citizens.lazio, { asked: ['ini'] }).visible)
  })

  it('hands the assertion on as it came, beside its own word on who the person is', async () => {
    const claims = { id: '_handed-on' }
    await find(patient('lazio'), { claims })
    const [forwarded] = lazio.asked.last
    expect(forwarded).toMatchObject({ face: 'rda', peer: 'A1#000#000INI-DEV', issuer: '090', outcome: 'answered' })
    expect(forwarded?.assertionIds[0]).toBe('_handed-on')
    expect(forwarded?.assertionIds.length).toBe(2)
    expect(forwarded?.body).toContain(`CurrentStatus="true"`)
    expect(forwarded?.body).toContain('>120</ident:RDA>')
  })

  it('has the region search under all codici fiscali of the person, whichever is asked for', async () => {
    for (const which of [0, 1]) {
      const answer = await find(patient('renamed', which))
      expect(uniqueIds(answer)).toEqual(expectations(seed, citizens.renamed, { asked: ['ini'] }).visible)
    }
  })

  it('tells the region of assistance to ask itself', async () => {
    const answer = await find(patient('tuscan'))
    expect(answer).toMatchObject({ status: 'Failure', objects: 0, issues: [{ code: 'QND2', severity: 'Warning' }] })
    expect(answer.http.text).toContain('The requestor is RDA for the patient')
  })

  it('can say so as it did in the summer of 2025', async () => {
    await using other = await startIni({
      certificates,
      seed,
      registries,
      selfAnswer: { code: 'R220', status: 'Success' },
    })
    const answer = await ask({ to: other.urls.search, about: patient('tuscan') })
    expect(answer).toMatchObject({ status: 'Success', issues: [{ code: 'R220', severity: 'Warning' }] })
  })

  it('answers from its temporary index about those whom no region assists', async () => {
    for (const key of ['none', 'stp', 'eni', 'team'] as const) {
      const answer = await find(patient(key))
      expect(uniqueIds(answer)).toEqual(expectations(seed, citizens[key], { asked: ['ini'] }).visible)
      expect(answer.documents.length).toBeGreaterThan(0)
    }
  })

  it('says that nothing was found as a failure with a warning', async () => {
    const nothing = { status: 'Failure', objects: 0, issues: [{ code: 'QND1', severity: 'Warning' }] }
    expect(await find(patient('unknown'))).toMatchObject(nothing)
    const body = findDocuments(patient('lazio'), { $XDSDocumentEntryCreationTimeTo: '1990' })
    expect(await find(patient('lazio'), { body })).toMatchObject(nothing)
  })

  it('says CRF1 when the region cannot be reached or does not answer in time, CRF2 when it answers nonsense', async () => {
    await using hasty = await startIni({ certificates, seed, registries, registryTimeoutMs: 50 })
    const code = async () => {
      const answer = await ask({ to: hasty.urls.search })
      expect(answer.status).toBe('Failure')
      return answer.issues.map(({ code, severity }) => `${code} ${severity}`)
    }
    await lazio.behave('down')
    expect(await code()).toEqual(['CRF1 Error'])
    await lazio.behave('hang')
    expect(await code()).toEqual(['CRF1 Error'])
    await lazio.behave('reset')
    expect(await code()).toEqual(['CRF1 Error'])
    await lazio.behave('normal')
    for (const behaviour of ['fault', 'refuse', 'garbage', 'malformed'] as const) {
      await lazio.behave(behaviour)
      const answer = await find(patient('lazio'))
      expect(answer).toMatchObject({ status: 'Failure', issues: [{ code: 'CRF2', severity: 'Error' }] })
    }
    await lazio.behave('normal')
  })

  it('takes ids with and without quotes, codes without schemes, and answers to every spelling of a message id', async () => {
    const about = patient('lazio')
    const raw = adhocQuery(
      'FindDocuments',
      {
        $XDSDocumentEntryPatientId: about,
        $XDSDocumentEntryStatus: [`('${approved[0]}')`],
        $XDSDocumentEntryEventCodeList: ['PUBLICPOL'],
      },
      { raw: true },
    )
    expect((await find(about, { body: raw })).http.status).toBe(200)
    for (const prefix of ['', 'uuid:', 'urn:uuid:']) {
      const messageId = `${prefix}965e0a4c-7d1c-4b27-9a36-0d1c4f0a7b11`
      const answer = await find(about, { messageId, without: ['To', 'ReplyTo'] })
      expect(answer).toMatchObject({ status: 'Success', relatesTo: messageId })
    }
  })

  it('can call its answers application/soap-xml, as its front end was seen to', async () => {
    await using odd = await startIni({ certificates, seed, registries, contentType: 'application/soap-xml' })
    expect((await ask({ to: odd.urls.search })).http.contentType).toBe('application/soap-xml')
  })

  it.skipIf(!schemasPresent)(`answers what the ebRS schemas accept${withoutSchemas}`, async () => {
    for (const key of ['lazio', 'tuscan', 'none', 'unknown'] as const) {
      const { http } = await find(patient(key))
      expect(() => validate(http)).not.toThrow()
    }
  })
})

describe('INI refuses', () => {
  const detail = async (more: Parameters<typeof find>[1], to = ini.urls.search) => {
    const { fault, http } = await ask({ to, ...more })
    expect(http.status).toBe(500)
    expect(fault?.code).toBe('Receiver')
    return fault?.detail ?? ''
  }

  it('by its own codes, in its own shape', async () => {
    expect(await detail({ assertions: [] })).toMatch(/:SecurityTokenUnavailable .*:ErrorCode>PST4</s)
    expect(await detail({ claims: { attributes: { SubjectApplicationVendor: undefined } } })).toMatch(
      /InvalidSecurityToken .*PIT2/s,
    )
    const noIssuer = attributeAssertion(
      { patient: patient('lazio') },
      (await readIdentity(certificates, 'gateway')).signer,
    ).replace(/<saml2:Issuer>.*<\/saml2:Issuer>/, '')
    expect(await detail({ assertions: [noIssuer] })).toMatch(/PIT1/)
    const foreign = attributeAssertion(
      { patient: patient('lazio') },
      (await readIdentity(certificates, 'bad/unknown-ca')).signer,
    )
    expect(await detail({ assertions: [foreign] })).toMatch(/PFC3/)
  })

  it('roles and purposes that do not fit the service they ask', async () => {
    const noRights = /:ErrorCode>PFA14<.*This role has not the rights to access the service/s
    expect(await detail({ claims: { role: 'NOR', purpose: 'SYSADMIN' } })).toMatch(noRights)
    expect(await detail({ claims: { role: 'AAS', purpose: 'PERSONAL' } })).toMatch(noRights)
    expect(await detail({ claims: { role: 'OAM' } })).toMatch(noRights)
    expect(await detail({}, ini.urls.references)).toMatch(noRights)
    expect(await detail({}, ini.urls.indexTransfer)).toMatch(noRights)
    const transfer = await ask({
      to: ini.urls.indexTransfer,
      about: patient('none'),
      claims: {
        ...{ role: 'NOR', purpose: 'SYSADMIN' },
        attributes: { IndexTransferId: 'urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301' },
      },
    })
    expect(transfer.status).toBe('Success')
  })

  it('an expired, a repeated, a forged assertion and one about another patient, without a code of its making', async () => {
    const { signer } = await readIdentity(certificates, 'gateway')
    const good = attributeAssertion({ patient: patient('lazio') }, signer)
    await find(patient('lazio'), { assertions: [good] })
    const withoutCode = async (more: Parameters<typeof find>[1]) => {
      const told = await detail(more)
      expect(told).toContain('InvalidSecurityToken')
      expect(told).not.toContain('ErrorCode')
    }
    await withoutCode({ assertions: [good] })
    await withoutCode({ claims: { notOnOrAfter: Date.now() - 1 } })
    await withoutCode({
      assertions: [attributeAssertion({ patient: patient('lazio') }, signer).replace('>AAS<', '>APR<')],
    })
    await withoutCode({ assertions: [attributeAssertion({ patient: patient('tuscan') }, signer)] })
  })

  it('a signer who speaks for another region', async () => {
    expect(await detail({ claims: { issuer: '120' } })).toContain('The signer may not speak for the issuer')
  })

  it('a stranger, whom the authorities vouch for but no table lists', async () => {
    const stranger = await readIdentity(certificates, 'stranger')
    const about = patient('lazio')
    const assertions = [attributeAssertion({ patient: about }, stranger.signer)]
    const answer = await postSoap(
      { to: ini.urls.search, action: registryStoredQuery, assertions, body: findDocuments(about) },
      stranger.channel,
    )
    expect(answer.status).toBe(403)
  })

  it('no member: another region may ask too, about whom it does not assist', async () => {
    const veneto = await readIdentity(certificates, 'region-050')
    const about = patient('lazio')
    const assertions = [attributeAssertion({ patient: about, issuer: '050' }, veneto.signer)]
    const answer = read(
      await postSoap(
        { to: ini.urls.search, action: registryStoredQuery, assertions, body: findDocuments(about) },
        veneto.channel,
      ),
    )
    expect(answer.documents.length).toBeGreaterThan(50)
  })
})
