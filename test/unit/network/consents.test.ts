import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { XmlDocument, XsdValidator } from 'libxml2-wasm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { citizens } from '../../network/citizens.ts'
import { consentNamespace, consentQueryAction } from '../../network/consent-face.ts'
import { soap11, soap12, wsa, wsse } from '../../network/faults.ts'
import { type Ini, startIni } from '../../network/ini.ts'
import { readNoticeAnswer } from '../../network/push-answer.ts'
import { readIdentity, send } from '../../network/soap-client.ts'
import { children, escapeXml, only, parseXml, serialize } from '../../network/xml.ts'
import { certificates, gateway, patient, seed } from './asking.ts'

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

interface Wish {
  readonly header?: string
  readonly body?: string
  readonly namespace?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly channel?: typeof gateway.channel
  readonly signal?: AbortSignal
}

async function query(about: string, wish: Wish = {}) {
  const { header = '', namespace = soap11, channel = gateway.channel, signal } = wish
  const {
    body = `<ConsentQueryRequest xmlns="${consentNamespace}"><PatientId>${escapeXml(about)}</PatientId></ConsentQueryRequest>`,
  } = wish
  const http = await send(ini.urls.consents, channel, {
    headers: { 'content-type': 'text/xml; charset=utf-8', soapaction: `"${consentQueryAction}"`, ...wish.headers },
    body: `<e:Envelope xmlns:e="${namespace}">${header === '' ? '' : `<e:Header>${header}</e:Header>`}<e:Body>${body}</e:Body></e:Envelope>`,
    ...(signal && { signal }),
  })
  const told = [...http.text.matchAll(/<Consent date="([^"]*)" name="([^"]*)"><value>(true|false)<\/value>/g)]
  return {
    ...readNoticeAnswer(http),
    http,
    consents: Object.fromEntries(told.map(([, , name, value]) => [name, value === 'true'])),
    patient: /<PatientId>([^<]*)</.exec(http.text)?.[1]?.replaceAll('&amp;', '&'),
  }
}

const given = { C1: true, C2: true, C3: true }
const schema = join(import.meta.dirname, '../../../../shared/corpus/ini/xsd/wxdsb/typeSchemaCommunicationConsent.xsd')
const present = existsSync(schema)

describe('INI, asked what somebody has consented to', () => {
  it('tells that everything is given, unless it was told otherwise', async () => {
    const answer = await query(patient('tuscan'))
    expect(answer).toMatchObject({
      status: 'Success',
      payload: 'ConsentQueryResponse',
      consents: given,
      patient: patient('tuscan'),
    })
    expect(answer.error).toBeUndefined()
    expect(ini.asked.last).toMatchObject([
      { face: 'consents', query: 'ConsentQuery', outcome: 'answered', assertionIds: [] },
    ])
    ini.consents.give(citizens.tuscan.identifiers[0], { C1: true, C2: { value: false, date: '2026-11-01' }, C5: true })
    expect((await query(patient('tuscan'))).consents).toEqual({ C1: true, C2: false, C5: true })
    expect((await query(patient('lazio'))).consents).toEqual(given)
  })

  it('tells the same under every code of a person, spelled either way', async () => {
    const [current, former = current] = citizens['two-codes'].identifiers
    ini.consents.give(former, { C1: true, C2: false })
    expect((await query(patient('two-codes', 0))).consents).toEqual({ C1: true, C2: false })
    expect((await query(current.value)).consents).toEqual({ C1: true, C2: false })
  })

  it('fails for somebody whom nobody knows', async () => {
    expect(await query(patient('unknown'))).toMatchObject({
      status: 'Failure',
      error: { code: 'ConsentError' },
      consents: {},
    })
  })

  it('takes a security header, and no addressing', async () => {
    expect((await query(patient('tuscan'), { header: `<s:Security xmlns:s="${wsse}"/>` })).status).toBe('Success')
    const addressed = await query(patient('tuscan'), {
      header: `<a:Action xmlns:a="${wsa}">urn:fse:ConsentQueryRequest</a:Action>`,
    })
    expect(addressed).toMatchObject({ fault: { code: 'Client' }, http: { status: 500 } })
    const strange = '<x:Strange xmlns:x="urn:example" e:mustUnderstand="1"/>'
    expect((await query(patient('tuscan'), { header: strange })).fault?.code).toBe('MustUnderstand')
  })

  it.each<[string, Wish, string]>([
    ['another version of SOAP', { namespace: soap12 }, 'VersionMismatch'],
    ['another action', { headers: { soapaction: '"urn:fse:RegisterConsentSet"' } }, 'Client'],
    ['an action without quotes', { headers: { soapaction: consentQueryAction } }, 'Client'],
    ['another body', { body: `<ConsentQuery xmlns="${consentNamespace}"/>` }, 'Client'],
    [
      'a body in another namespace',
      { body: '<ConsentQueryRequest><PatientId>X</PatientId></ConsentQueryRequest>' },
      'Client',
    ],
    [
      'nobody named',
      { body: `<ConsentQueryRequest xmlns="${consentNamespace}"><PatientId/></ConsentQueryRequest>` },
      'Client',
    ],
  ])('refuses %s', async (_, wish, code) => {
    expect((await query(patient('tuscan'), wish)).fault?.code).toBe(code)
  })

  it('answers regions alone, in text/xml', async () => {
    const { channel } = await readIdentity(certificates, 'bad/expired').catch(() => ({ channel: undefined }))
    if (channel !== undefined) await expect(query(patient('tuscan'), { channel })).rejects.toThrow()
    expect((await query(patient('tuscan'), { headers: { 'content-type': 'application/soap+xml' } })).http.status).toBe(
      415,
    )
    expect((await send(ini.urls.consents, gateway.channel, { method: 'GET' })).status).toBe(405)
  })

  it('can be broken inside, down, or late', async () => {
    await ini.behave({ behave: 'refuse', times: 1, face: 'consents' })
    expect(await query(patient('tuscan'))).toMatchObject({
      status: 'Failure',
      error: { text: 'Internal Error init service' },
    })
    await ini.behave({ behave: 'fault', times: 1 })
    expect((await query(patient('tuscan'))).fault?.code).toBe('Server')
    await ini.behave({ behave: 'wrong-patient', times: 1 })
    expect((await query(patient('tuscan'))).patient).toBe(patient('empty'))
    await ini.behave({ behave: 'slow', delayMs: 60_000 })
    await expect(query(patient('tuscan'), { signal: AbortSignal.timeout(50) })).rejects.toThrow()
    await ini.behave('down')
    await expect(query(patient('tuscan'))).rejects.toThrow()
  })

  it.skipIf(!present)(
    `answers what the schema accepts${present ? '' : ' (skipped: ../shared/corpus is absent)'}`,
    async () => {
      using document = XmlDocument.fromBuffer(readFileSync(schema))
      using validator = XsdValidator.fromDoc(document)
      const { http } = await query(patient('tuscan'))
      const [payload] = children(only(parseXml(http.text), soap11, 'Body') ?? expect.fail())
      using answer = XmlDocument.fromString(serialize(payload ?? expect.fail()))
      expect(() => validator.validate(answer)).not.toThrow()
    },
  )
})
