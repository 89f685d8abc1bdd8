import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { iniConsents } from '../../../../adapters/ini/consents.ts'
import ini from '../../../../adapters/ini/index.ts'
import { type IniOptions, iniOptions } from '../../../../adapters/ini/options.ts'
import { ensureCertificates } from '../../../../certs-dev/make.ts'
import type { AdapterTools } from '../../../../src/config/adapter.ts'
import { GatewayError } from '../../../../src/core/errors.ts'
import { oid } from '../../../../src/core/model/identifiers.ts'
import { authorities, onlyIdentifier, patientId } from '../../../../src/core/model/patient.ts'
import { consentQuery } from '../../../../src/wire/ini/consent-query.ts'
import { soapNames } from '../../../../src/wire/soap.ts'
import type { Asked } from '../../../network/asked.ts'
import type { Behaviour } from '../../../network/behaviour.ts'
import { readSigningRoot } from '../../../network/certificate.ts'
import { citizens } from '../../../network/citizens.ts'
import { type Consents, consentFace, consentPath } from '../../../network/consent-face.ts'
import { authorized, citizen, homes, otherCitizen } from '../../../support/builders.ts'

type Request = Parameters<AdapterTools['send']>[0]

const url = 'https://ini.test/FSEConsensiWeb/CommunicationConsent_Service'
const enveloped = (body: string) => `<s:Envelope xmlns:s="${soapNames.soap11}"><s:Body>${body}</s:Body></s:Envelope>`
const response = (inner: string) =>
  enveloped(`<ConsentQueryResponse xmlns="${consentQuery.namespace}">${inner}</ConsentQueryResponse>`)
const consent = (name: string, value: string, more = '') =>
  `<Consent name="${name}"${more}><value>${value}</value><note/></Consent>`
const success = (consents: string, patient: string = citizen.value) =>
  response(
    `<Status>Success</Status><PatientId>${patient}</PatientId><ConsentList>${consents}</ConsentList>` +
      '<DisclosuresIdPast/><DisclosuresIdCurrent/><Error codeContext="" errorCode=""/>',
  )

function answering(body: string, status = 200) {
  const requests: Request[] = []
  const send: AdapterTools['send'] = async (request) => {
    requests.push(request)
    return { status, headers: {}, body: Buffer.from(body) }
  }
  return { requests, tools: { send } }
}

/** Without an assertion, unless the options say otherwise. */
function source(tools: Pick<AdapterTools, 'send'> & Partial<AdapterTools>, options: Partial<IniOptions> = {}) {
  const access = {
    ...iniOptions.parse({ base: 'https://ini.test' }),
    url,
    consentsAssertion: 'none',
    ...options,
  } as const
  return iniConsents(access, { attest: () => Promise.reject(new Error('nobody is vouched for')), ...tools })
}

const asked = (tools: Pick<AdapterTools, 'send'>) => source(tools).consents(onlyIdentifier(citizen), authorized())

describe('the consents INI keeps', () => {
  it('are asked for in SOAP 1.1 without addressing, and without an assertion where none is to go along', async () => {
    const { requests, tools } = answering(success(consent('C2', 'true')))
    await asked(tools)
    expect(requests).toMatchObject([
      {
        url,
        method: 'POST',
        headers: { 'content-type': 'text/xml; charset=utf-8', soapaction: '"urn:fse:ConsentQuery"' },
        body:
          `<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="${soapNames.soap11}"><env:Body>` +
          `<ConsentQueryRequest xmlns="${consentQuery.namespace}">` +
          `<PatientId>${citizen.value}^^^&amp;${citizen.authority}&amp;ISO</PatientId>` +
          '</ConsentQueryRequest></env:Body></env:Envelope>',
      },
    ])
  })

  it('are asked for with an assertion about the patient, for the purpose of consents, by default', async () => {
    const { requests, tools } = answering(success(''))
    const attested: Parameters<AdapterTools['attest']>[0][] = []
    const attest: AdapterTools['attest'] = async (request) => {
      attested.push(request)
      return '<a:Assertion xmlns:a="urn:a"/>'
    }
    const call = authorized()
    const patient = { identifiers: [otherCitizen, citizen], active: otherCitizen }
    const { consentsAssertion } = iniOptions.parse({ base: 'https://ini.test' })
    await source({ ...tools, attest }, { consentsAssertion })
      .consents(patient, call)
      .catch(() => undefined)
    expect(attested).toEqual([{ call, patientId: otherCitizen, purposeOfUse: 'CONSENT' }])
    expect(requests[0]?.body).toContain(
      `<env:Header><wsse:Security xmlns:wsse="${soapNames.wsse}"><a:Assertion xmlns:a="urn:a"/></wsse:Security></env:Header>`,
    )
    await source({ ...tools, attest }, { consentsAssertion, consentsPurpose: 'caller' })
      .consents(patient, call)
      .catch(() => undefined)
    expect(attested[1]).toEqual({ call, patientId: otherCitizen })
  })

  it('are asked for under the identifier in force, spelt as the option says', async () => {
    const { requests, tools } = answering(success(''))
    const patient = { identifiers: [otherCitizen, citizen], active: citizen }
    await source(tools, { consentsPatient: 'value' }).consents(patient, authorized())
    expect(requests[0]?.body).toContain(`<PatientId>${citizen.value}</PatientId>`)
  })

  it('are all told', async () => {
    const list =
      consent('C1', 'true', ' date="2024-03-01"') + consent('C2', '1') + consent('C3', ' 0 ') + consent('C4', 'false')
    expect(await asked(answering(success(list)).tools)).toEqual([
      { name: 'C1', given: true, date: '2024-03-01' },
      { name: 'C2', given: true },
      { name: 'C3', given: false },
      { name: 'C4', given: false },
    ])
  })

  it('may be none', async () => {
    expect(await asked(answering(response('<Status>Success</Status>')).tools)).toEqual([])
  })

  it.each([citizen.value, `${citizen.value}^^^&amp;${citizen.authority}&amp;ISO`])(
    'are of the patient however INI spells them: %s',
    async (patient) => {
      expect(await asked(answering(success('', patient)).tools)).toEqual([])
    },
  )

  it.each<[string, string]>([
    ['about somebody else', success(consent('C2', 'true'), otherCitizen.value)],
    ['of another authority', success(consent('C2', 'true'), `${citizen.value}^^^&amp;${authorities.ana}&amp;ISO`)],
    ['without a name', success('<Consent><value>true</value></Consent>')],
    ['without a value', success('<Consent name="C2"/>')],
    ['with a value that is none', success(consent('C2', 'yes'))],
    ['that is none', enveloped('<Status>Success</Status>')],
    ['without a status', response('')],
    ['that is a page', '<html/>'],
  ])('are not believed in an answer %s', async (_what, body) => {
    await expect(asked(answering(body).tools)).rejects.toMatchObject({ code: 'community-misbehaved' })
  })

  it.each([
    ['ConsentError', 'Internal Error init service', 'community-unavailable'],
    ['AU1', 'Internal Error', 'community-unavailable'],
    ['AU1', 'Numero consensi in lista non coerente', 'community-rejected'],
    ['CON5', 'Operatore non coerente', 'community-rejected'],
    ['1079', 'Consensi non coerenti', 'community-rejected'],
    ['PFA14', 'This role has not the rights to access the service', 'community-rejected'],
  ])('cannot be had: %s “%s” is %s', async (code, context, meaning) => {
    const failure = `<Status>Failure</Status><Error codeContext="${context}" errorCode="${code}"/>`
    await expect(asked(answering(response(failure)).tools)).rejects.toMatchObject({
      code: meaning,
      message: 'INI did not tell the consents of a patient',
      issues: [{ code, text: context }],
    })
  })

  it.each([
    ['s:Server', 500, 'community-unavailable'],
    ['s:Client', 500, 'community-rejected'],
  ])('cannot be had: a fault %s with %i is %s', async (code, status, meaning) => {
    const fault = enveloped(`<s:Fault><faultcode>${code}</faultcode><faultstring>no</faultstring></s:Fault>`)
    await expect(asked(answering(fault, status).tools)).rejects.toMatchObject({ code: meaning })
  })

  it('keep the name of a class that INI answers with', async () => {
    const text = 'it.finanze.sogei.fse.client.models.CodFiscModel'
    const fault = enveloped(`<s:Fault><faultcode>s:Server</faultcode><faultstring>${text}</faultstring></s:Fault>`)
    await expect(asked(answering(fault, 500).tools)).rejects.toMatchObject({ issues: [{ code: 'Server', text }] })
  })

  it('are read in SOAP 1.2 too, which INI was seen to answer in', async () => {
    const body = success(consent('C2', 'true')).replace(soapNames.soap11, soapNames.soap12)
    expect(await asked(answering(body).tools)).toEqual([{ name: 'C2', given: true }])
  })

  it('fail as the sending does', async () => {
    const gone = { send: () => Promise.reject(new GatewayError('community-timeout', 'late')) }
    await expect(asked(gone)).rejects.toMatchObject({ code: 'community-timeout' })
  })

  it('name nobody when they cannot be had', async () => {
    const failure = `<Status>Failure</Status><Error codeContext="Nessun consenso per ${citizen.value}" errorCode="X"/>`
    const error: unknown = await asked(answering(response(failure)).tools).catch((thrown: unknown) => thrown)
    expect(JSON.stringify(error)).not.toContain(citizen.value)
    expect(JSON.stringify((error as GatewayError).issues)).not.toContain(citizen.value)
  })
})

const { directory } = await ensureCertificates()
const trust = { root: await readSigningRoot(directory), now: () => Date.now(), maySign: () => true }

describe('the sandbox’s INI', () => {
  const [id] = citizens.tuscan.identifiers
  const patient = onlyIdentifier(patientId(id.value, oid(id.authority)))
  const asked: Asked = {
    ...{ at: 0, face: 'consents', method: 'POST', path: consentPath, peer: '', fingerprint: '', contentType: '' },
    ...{ behaviour: 'normal', assertionIds: [], outcome: 'pending', aborted: false, body: '' },
  }
  const told = async (behaviour: Behaviour, form: 'cx' | 'value' = 'cx', consents?: Consents) => {
    const face = consentFace({ admits: () => true, trust, accept: () => undefined })
    if (consents !== undefined) face.give(id, consents)
    const send: AdapterTools['send'] = async ({ method, headers, url, body }) => {
      const message = { method, headers, url: new URL(url), body: String(body ?? '') }
      const reply = await face.respond(message, behaviour, { ...asked })
      return { status: reply.status, headers: {}, body: Buffer.from(reply.body) }
    }
    return await source({ send }, { consentsPatient: form }).consents(patient, authorized())
  }

  it('takes the question in either form, and its answer is understood', async () => {
    for (const form of ['cx', 'value'] as const) {
      const consents = await told('normal', form, { C2: false, C4: { value: true, note: 'n' } })
      expect(consents).toMatchObject([
        { name: 'C2', given: false },
        { name: 'C4', given: true, note: 'n' },
      ])
    }
  })

  it.each<[Behaviour, string]>([
    ['refuse', 'community-unavailable'],
    ['empty', 'community-unavailable'],
    ['fault', 'community-unavailable'],
    ['wrong-patient', 'community-misbehaved'],
  ])('made to %s is %s', async (behaviour, code) => {
    await expect(told(behaviour)).rejects.toMatchObject({ code })
  })
})

const samples = join(import.meta.dirname, '../../../../../shared/corpus/ini/samples/issues')
const present = existsSync(samples)
const reason = present ? '' : ' (skipped: ../shared/corpus is absent)'

describe.skipIf(!present)(`an answer INI gave${reason}`, () => {
  it('is a failure that may pass', async () => {
    const text = readFileSync(join(samples, 'ConsentQueryResponse_error.xml'), 'utf8')
    const body = enveloped(text.replace(/^<\?xml.*?\?>\s*/, ''))
    await expect(asked(answering(body).tools)).rejects.toMatchObject({
      code: 'community-unavailable',
      issues: [{ code: 'ConsentError' }],
    })
  })
})

describe('the options', () => {
  const base = 'https://ini.test'
  const tools = { homeOf: () => undefined, clock: { now: () => 0 } } as unknown as AdapterTools
  const connected = (options: object) =>
    ini.connect({ home: homes.ini, name: 'ini', options: { base, ...options } }, tools)

  it('ask INI for consents only when they say so, at the path INI gives', () => {
    expect(connected({})).not.toHaveProperty('consents')
    expect(connected({ consents: true }).consents).toBeDefined()
    expect(new URL(iniOptions.parse({ base }).consentsPath, base).href).toBe(url)
    expect(() => iniOptions.parse({ base, consentsPath: 'elsewhere' })).toThrow()
  })

  it('take another path', async () => {
    const { requests, tools: sending } = answering(success(''))
    const options = { base, consents: true, consentsPath: '/other', consentsAssertion: 'none' }
    const community = ini.connect({ home: homes.ini, name: 'ini', options }, { ...tools, ...sending })
    await community.consents?.consents(onlyIdentifier(citizen), authorized())
    expect(requests[0]?.url).toBe('https://ini.test/other')
  })
})
