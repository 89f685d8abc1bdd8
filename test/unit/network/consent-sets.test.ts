import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { XmlDocument, XsdValidator } from 'libxml2-wasm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { attributeAssertion, type Claims } from '../../network/assertion.ts'
import { citizens } from '../../network/citizens.ts'
import { consentNamespace } from '../../network/consent-face.ts'
import { cx, type Identifier } from '../../network/entry.ts'
import { soap11, wsa, wsse } from '../../network/faults.ts'
import { type Ini, startIni } from '../../network/ini.ts'
import { readNoticeAnswer } from '../../network/push-answer.ts'
import { send } from '../../network/soap-client.ts'
import { children, escapeXml, only, parseXml, serialize } from '../../network/xml.ts'
import { certificates, gateway, seed } from './asking.ts'

let ini: Ini
beforeAll(async () => {
  ini = await startIni({ certificates, seed, registries: {} })
})
afterAll(() => ini.close())
beforeEach(async () => {
  await ini.behave('normal')
  ini.consents.reset()
  ini.asked.clear()
})

const [patient] = citizens.tuscan.identifiers
const [other] = citizens.lazio.identifiers
const operator = 'CLNCXX75C03F839M^^^&2.16.840.1.113883.2.9.4.3.2&ISO'

interface Wish {
  readonly operator?: string
  readonly role?: string
  readonly requestor?: string
  readonly patient?: Identifier
  readonly consents?: readonly string[]
  readonly disclosure?: string
  /** `none`: nobody vouches. */
  readonly claims?: Partial<Claims> | 'none'
  readonly change?: (body: string) => string
}

const consent = (name: string, value: boolean, date = ' date="2026-05-19"') =>
  `<Consent${date} name="${name}"><value>${value}</value><note></note></Consent>`
const managed = [consent('C1', true), consent('C2', false), consent('C3', true)]

interface Exchange {
  readonly url: string
  readonly action: string
  readonly body: string
  readonly claims: Partial<Claims> | 'none'
  readonly header?: string
}

/** One message to a consent service, with an assertion. */
async function tell({ url, action, body, claims, header = '' }: Exchange) {
  const usual = { patient: cx(patient), subject: operator, role: 'OGC', purpose: 'CONSENT', action: 'UPDATE' }
  const assertion = claims === 'none' ? '' : attributeAssertion({ ...usual, issuer: '090', ...claims }, gateway.signer)
  const http = await send(url, gateway.channel, {
    headers: { 'content-type': 'text/xml; charset=utf-8', soapaction: `"${action}"` },
    body:
      `<e:Envelope xmlns:e="${soap11}"><e:Header>${header}<s:Security xmlns:s="${wsse}">${assertion}</s:Security>` +
      `</e:Header><e:Body>${body}</e:Body></e:Envelope>`,
  })
  return { ...readNoticeAnswer(http), http, iniCode: /ErrorCode>([^<]*)</.exec(http.text)?.[1] }
}

function set(wish: Wish = {}) {
  const { role = 'OGC', consents = managed, disclosure = '1', claims = {}, change = (body) => body } = wish
  const whom = cx(wish.patient ?? patient)
  const field = (name: string, text: string) => `<${name}>${escapeXml(text)}</${name}>`
  const body = change(
    `<RegisterConsentSetRequest xmlns="${consentNamespace}">` +
      `${field('OperatorID', wish.operator ?? operator)}${field('OperatorRole', role)}` +
      `${field('Requestor', wish.requestor ?? whom)}${field('PatientId', whom)}` +
      `<ConsentList>${consents.join('')}</ConsentList>${field('IDDisclosure', disclosure)}</RegisterConsentSetRequest>`,
  )
  const action = 'urn:fse:RegisterConsentSet'
  return tell({ url: ini.urls.consents, action, body, claims: claims === 'none' ? claims : { role, ...claims } })
}

const schema = join(import.meta.dirname, '../../../../shared/corpus/ini/xsd/wxdsb/typeSchemaCommunicationConsent.xsd')
const present = existsSync(schema)

describe('INI, told what somebody consents to', () => {
  it('takes all of it, tells who assists the person, and calls whoever is to know', async () => {
    const told: unknown[] = []
    ini.consents.afterSet((one) => told.push(one))
    const answer = await set()
    expect(answer).toMatchObject({ status: 'Success', payload: 'RegisterConsentSetResponse' })
    expect(answer.http.text).toContain('<RDA>090</RDA>')
    expect(ini.asked.last).toMatchObject([
      { face: 'consent-sets', query: 'RegisterConsentSet', role: 'OGC', purpose: 'CONSENT', outcome: 'answered' },
    ])
    expect(ini.consents.sets).toMatchObject([
      { patient: cx(patient), disclosure: '1', consents: [{ name: 'C1' }, {}, {}] },
    ])
    expect(told).toEqual(ini.consents.sets)
  })

  it.each<[string, Wish, string]>([
    ['one consent too few', { consents: managed.slice(0, 2) }, 'AU1'],
    ['one too many', { consents: [...managed, consent('C5', true)] }, 'AU1'],
    ['another operator than is vouched for', { operator: cx(other) }, 'CON5'],
    ['another role than is vouched for', { claims: { role: 'APR' } }, 'CON5'],
    ['another patient than is vouched for', { patient: other }, 'CON5'],
    ['a person setting somebody else’s', { role: 'ASS' }, 'CON5'],
    ['a delegate asked by another', { role: 'ING', requestor: cx(other) }, 'CON5'],
    ['a parent vouched for as about the child', { role: 'GEN', requestor: operator }, 'CON5'],
  ])('refuses %s', async (_, wish, code) => {
    expect(await set(wish)).toMatchObject({ status: 'Failure', error: { code } })
    expect(ini.consents.sets).toEqual([])
  })

  it('takes a parent’s word for a child', async () => {
    const wish = { role: 'GEN', operator: cx(other), requestor: cx(other) }
    expect((await set({ ...wish, claims: { subject: cx(other), patient: cx(other) } })).status).toBe('Success')
  })

  it('wants a day for a consent about the EDS that is changed or told for the first time', async () => {
    const given = { C1: true, C2: true, C5: { value: false, date: 'never' } }
    ini.consents.give(patient, given)
    const with5 = (value: boolean, date?: string) => ({
      consents: [...managed.slice(0, 2), consent('C5', value, date)],
    })
    expect((await set(with5(true, ''))).error).toEqual({
      code: 'CON13',
      text: 'Modified consent C5 requires a valid date',
    })
    expect((await set(with5(false, ''))).error?.code).toBe('CON13')
    expect((await set(with5(false))).status).toBe('Success')
    expect((await set(with5(false, ''))).status).toBe('Success')
  })

  it.each<[string, Wish]>([
    ['a field too few', { change: (body) => body.replace(/<Requestor>.*<\/Requestor>/, '') }],
    [
      'fields in another order',
      { change: (body) => body.replace(/(<OperatorID>.*?<\/OperatorID>)(.*?<\/OperatorRole>)/, '$2$1') },
    ],
    ['no notice', { disclosure: '' }],
    ['one consent', { consents: managed.slice(0, 1) }],
    ['a date that is no day', { consents: [consent('C1', true, ' date="2026-02-30"'), ...managed.slice(1)] }],
    ['another message', { change: (body) => body.replaceAll('RegisterConsentSetRequest', 'RegisterConsentSet') }],
  ])('takes no message with %s', async (_, wish) => {
    expect((await set(wish)).fault?.code).toBe('Client')
  })

  it('wants somebody to vouch for a change, for consents and for a change', async () => {
    expect(await set({ claims: 'none' })).toMatchObject({ fault: { code: 'Client' }, iniCode: 'PST4' })
    expect((await set({ claims: { action: 'READ' } })).iniCode).toBe('PFA14')
    expect((await set({ claims: { purpose: 'TREATMENT' } })).iniCode).toBe('PFA14')
    expect((await set({ role: 'AAS' })).iniCode).toBe('PFA14')
  })

  it('can be broken inside, forget, or take it and say nothing', async () => {
    await ini.behave({ behave: 'refuse', times: 1 })
    expect((await set()).error).toEqual({ code: 'ConsentError', text: 'Internal Error init service' })
    await ini.behave({ behave: 'fault', times: 1 })
    expect((await set()).fault).toMatchObject({ code: 'Server' })
    await ini.behave({ behave: 'forgetful', times: 1 })
    expect((await set()).status).toBe('Success')
    expect(ini.consents.sets).toEqual([])
    await ini.behave({ behave: 'truncated', times: 1 })
    await expect(set()).rejects.toThrow()
    expect(ini.consents.sets).toHaveLength(1)
  })

  it.skipIf(!present)(
    `answers as the schema has it${present ? '' : ' (skipped: ../shared/corpus is absent)'}`,
    async () => {
      using document = XmlDocument.fromBuffer(readFileSync(schema))
      const validator = XsdValidator.fromDoc(document)
      const body = only(parseXml((await set()).http.text), soap11, 'Body')
      const [payload] = body ? children(body) : []
      if (payload === undefined) throw new Error('Nothing was answered')
      using answer = XmlDocument.fromString(serialize(payload))
      validator.validate(answer)
    },
  )
})

describe('INI, asked what somebody declared about giving organs', () => {
  const action = 'urn:fse:OrgansTissuesDonationRequest'
  const namespace = 'http://www.fascicolosanitario.gov.it/schema/typeSchemaOrgansTissuesDonationDocument'
  const addressing = (name: string) => `<a:Action xmlns:a="${wsa}">${name}</a:Action>`
  const question = (value: string, header = addressing(action)) => {
    const body = `<OrgansTissuesDonationRequest xmlns="${namespace}"><PatientId>${escapeXml(value)}</PatientId></OrgansTissuesDonationRequest>`
    return tell({ url: ini.urls.organDonation, action, body, header, claims: { action: 'READ' } })
  }

  it('tells it with the code it was seen to tell, under either spelling', async () => {
    ini.organDonation.declare(patient, { given: true, date: '2019-09-17', place: 'Firenze' })
    for (const value of [patient.value, cx(patient)]) {
      const { http, status } = await question(value)
      expect(status).toBe('Success')
      expect(http.text).toContain('<ConsentCode>0</ConsentCode><ConsentDesc>Si</ConsentDesc>')
    }
    expect(ini.asked.last.at(-1)).toMatchObject({ face: 'organ-donation', query: 'OrgansTissuesDonation' })
  })

  it('wants addressing with its own action, and the patient that is vouched for', async () => {
    const internal = { fault: { code: 'Client', reason: 'Internal Error' } }
    expect((await question(patient.value, addressing('urn:fse:OrgansTissuesDonation'))).fault?.code).toBe('Client')
    expect((await question(patient.value, '')).fault?.code).toBe(internal.fault.code)
    expect((await question(other.value)).fault?.code).toBe(internal.fault.code)
  })
})
