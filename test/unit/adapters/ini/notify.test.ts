import { describe, expect, it } from 'vitest'
import { retrieveNotifier } from '../../../../adapters/ini/notify.ts'
import { iniOptions } from '../../../../adapters/ini/options.ts'
import type { AdapterTools } from '../../../../src/config/adapter.ts'
import { GatewayError } from '../../../../src/core/errors.ts'
import { oid } from '../../../../src/core/model/identifiers.ts'
import type { RetrieveNotice } from '../../../../src/core/model/notice.ts'
import { patientId } from '../../../../src/core/model/patient.ts'
import { encodeNotificationResponse, type NotificationOutcome } from '../../../../src/wire/ini/notification.ts'
import { notifyRetrieve } from '../../../../src/wire/ini/notify-retrieve.ts'
import { soapNames } from '../../../../src/wire/soap.ts'
import type { Asked } from '../../../network/asked.ts'
import type { Behaviour } from '../../../network/behaviour.ts'
import { citizens } from '../../../network/citizens.ts'
import { notifyFace, notifyRetrievePath } from '../../../network/notify-face.ts'
import { citizen, clinician, homes, loinc } from '../../../support/builders.ts'

type Request = Parameters<AdapterTools['send']>[0]

const url = `https://ini.test${notifyRetrievePath}`
const { signal } = new AbortController()

const notice: RetrieveNotice = {
  home: homes.veneto,
  assistedBy: homes.lazio,
  repositoryUniqueId: '2.16.840.1.113883.2.9.2.50.4.5.3',
  uniqueId: '2.16.840.1.113883.2.9.2.50.4.4^50502.LAB.1',
  typeCode: { code: '11502-2', scheme: loinc },
  patientId: citizen,
  requestor: clinician,
  requestorRole: 'AAS',
  purposeOfUse: 'TREATMENT',
  locality: '090202',
}

const asked = (): Asked => ({
  ...{ at: 0, face: 'notify', method: 'POST', path: notifyRetrievePath, peer: '', fingerprint: '', contentType: '' },
  ...{ behaviour: 'normal', assertionIds: [], outcome: 'pending', aborted: false, body: '' },
})

/** INI without a network between; `spoil` changes what it gets to see. */
function ini(behaviour: Behaviour = 'normal', spoil: (request: Request) => Request = (request) => request) {
  const face = notifyFace({ admits: () => true })
  const requests: Request[] = []
  const send: AdapterTools['send'] = async (sent) => {
    requests.push(sent)
    const { method, headers, body, url: to } = spoil(sent)
    const reply = await face.respond(
      { method, headers, url: new URL(to), body: String(body ?? '') },
      behaviour,
      asked(),
      { behave: behaviour },
    )
    return { status: reply.status, headers: { 'content-type': reply.contentType }, body: Buffer.from(reply.body) }
  }
  return { face, requests, tools: { send } }
}

function responded(outcome: NotificationOutcome): string {
  return encodeNotificationResponse(notifyRetrieve, outcome)
}

function answering(body: string, status = 200): Pick<AdapterTools, 'send'> {
  return { send: async () => ({ status, headers: {}, body: Buffer.from(body) }) }
}

function enveloped(body: string, header = '', soap: string = soapNames.soap11): string {
  return `<s:Envelope xmlns:s="${soap}">${header}<s:Body>${body}</s:Body></s:Envelope>`
}

function fault(code: string, text: string, detail = ''): string {
  return enveloped(`<s:Fault><faultcode>${code}</faultcode><faultstring>${text}</faultstring>${detail}</s:Fault>`)
}

async function failure(tools: Pick<AdapterTools, 'send'>): Promise<GatewayError> {
  const error: unknown = await retrieveNotifier(url, tools)(notice, signal).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof GatewayError)) throw new Error('No GatewayError was thrown')
  return error
}

describe('the notice of a retrieval', () => {
  it('is taken by an INI that goes by the book', async () => {
    const { face, tools } = ini()
    const [id] = citizens.lazio.identifiers
    await retrieveNotifier(url, tools)({ ...notice, patientId: patientId(id.value, oid(id.authority)) }, signal)
    expect(face.told).toEqual([
      {
        repository: notice.repositoryUniqueId,
        document: notice.uniqueId,
        type: `11502-2^^${loinc}`,
        requestor: clinician,
        role: 'AAS',
        purpose: 'TREATMENT',
        locality: '090202',
        patient: `${id.value}^^^&${id.authority}&ISO`,
        region: '120',
        times: 1,
      },
    ])
  })

  it('can be told again, as a message of its own', async () => {
    const { face, requests, tools } = ini()
    const notify = retrieveNotifier(url, tools)
    await notify(notice, signal)
    await notify(notice, signal)
    expect(face.told.map(({ times }) => times)).toEqual([2])
    const ids = requests.map(({ body }) => /<wsa:MessageID>(.*)<\/wsa:MessageID>/.exec(String(body))?.[1])
    expect(new Set(ids).size).toBe(2)
  })

  it('carries the caller’s signal, the action in quotes, and nobody in its address', async () => {
    const { requests, tools } = ini()
    await retrieveNotifier(url, tools)(notice, signal)
    expect(requests[0]).toMatchObject({
      url,
      method: 'POST',
      headers: { 'content-type': 'text/xml; charset=utf-8', soapaction: '"urn:fse:NotifyRetrieve"' },
      signal,
    })
    expect(String(requests[0]?.body)).not.toContain('Security')
  })

  it.each([
    ['absent', undefined],
    ['document', homes.veneto],
    ['assistance', homes.lazio],
  ] as const)('names a home as the option %s says', async (notifyHome, home) => {
    const { face, tools } = ini()
    await retrieveNotifier(url, tools, { notifyHome })(notice, signal)
    expect(face.told[0]?.home).toBe(home)
  })

  it('names no home of assistance that is not known', async () => {
    const { face, tools } = ini()
    const { assistedBy: _unknown, ...homeless } = notice
    await retrieveNotifier(url, tools, { notifyHome: 'assistance' })(homeless, signal)
    expect(face.told).toHaveLength(1)
    expect(face.told[0]).not.toHaveProperty('home')
  })

  it('is not sent with what XML cannot carry', async () => {
    const { requests, tools } = ini()
    const told = retrieveNotifier(url, tools)({ ...notice, typeCode: { code: '\u0000' } }, signal)
    await expect(told).rejects.toMatchObject({ code: 'metadata-invalid' })
    expect(requests).toEqual([])
  })

  it('fails as the sending does', async () => {
    const gone = new GatewayError('community-timeout', 'late')
    expect(await failure({ send: () => Promise.reject(gone) })).toBe(gone)
  })
})

describe('what INI answers to a notice', () => {
  const refusal = (code: string, context = '', status: 'success' | 'failure' = 'failure') =>
    answering(enveloped(responded({ status, error: { code, context } })))

  it.each([
    ['CRF1', 'It is not possible to communicate with the RDA.', 'community-unavailable'],
    ['RtRE3', '', 'community-unavailable'],
    ['ConsentError', 'Internal Error init service', 'community-unavailable'],
    ['AU1', 'Internal Error', 'community-unavailable'],
    ['XDSRegistryError', 'Internal Error 9000', 'community-unavailable'],
    ['XDSRegistryBusy', '', 'community-busy'],
    ['AU1', 'Numero consensi in lista non coerente', 'community-rejected'],
    ['CRF2', 'Internal Error', 'community-rejected'],
    ['PFA14', 'This role has not the rights to access the service', 'community-rejected'],
    ['R220', 'The requestor is RDA for the patient', 'community-rejected'],
    ['constructor', '', 'community-rejected'],
  ])('%s “%s” is %s, with its own words', async (code, context, meaning) => {
    const error = await failure(refusal(code, context))
    expect(error).toMatchObject({ code: meaning, issues: [{ severity: 'error', code, text: context }] })
  })

  it('a code is an error whatever the status beside it', async () => {
    expect(await failure(refusal('CRF1', '', 'success'))).toMatchObject({ code: 'community-unavailable' })
  })

  it('a failure without a code is a refusal', async () => {
    const reply = answering(enveloped(responded({ status: 'failure' })))
    expect(await failure(reply)).toMatchObject({ code: 'community-rejected', issues: [{ code: 'Failure' }] })
  })

  it.each([
    ['s:Server', '', 'community-unavailable'],
    ['s:Server.userException', '', 'community-unavailable'],
    ['s:Client', '', 'community-rejected'],
    ['s:Client.Authentication', '', 'community-rejected'],
    ['s:MustUnderstand', '', 'community-rejected'],
    ['s:VersionMismatch', '', 'community-rejected'],
    ['s:Server', '<detail><x:y xmlns:x="urn:x"><ErrorCode>PFA14</ErrorCode></x:y></detail>', 'community-rejected'],
    ['s:Client', '<detail><ErrorCode>CRF1</ErrorCode></detail>', 'community-unavailable'],
  ])('a fault %s%s is %s, also with 200', async (code, detail, meaning) => {
    for (const status of [500, 200]) {
      expect(await failure(answering(fault(code, 'no', detail), status))).toMatchObject({ code: meaning })
    }
  })

  it('a fault of SOAP 1.2 is understood as well', async () => {
    const spelt = (code: string) =>
      enveloped(`<s:Fault><s:Code><s:Value>s:${code}</s:Value></s:Code></s:Fault>`, '', soapNames.soap12)
    expect(await failure(answering(spelt('Receiver'), 500))).toMatchObject({ code: 'community-unavailable' })
    expect(await failure(answering(spelt('Sender'), 400))).toMatchObject({ code: 'community-rejected' })
  })

  it.each([
    [200, '', 'community-misbehaved'],
    [202, '', 'community-misbehaved'],
    [200, '<html><body>Success</body></html>', 'community-misbehaved'],
    [200, '{"Status":"Success"}', 'community-misbehaved'],
    [200, enveloped('<Status>Success</Status>'), 'community-misbehaved'],
    [404, 'nothing', 'community-misbehaved'],
    [401, '', 'community-rejected'],
    [403, '<html/>', 'community-rejected'],
    [429, '', 'community-busy'],
    [503, '<html/>', 'community-busy'],
    [502, '<html><br></html>', 'community-unavailable'],
    [500, enveloped(responded({ status: 'success' })), 'community-unavailable'],
  ])('%i %s is %s', async (status, body, meaning) => {
    expect(await failure(answering(body, status))).toMatchObject({ code: meaning })
  })

  it('to another message is not taken for an answer', async () => {
    const header = '<s:Header><RelatesTo>urn:uuid:00000000-0000-4000-8000-000000000000</RelatesTo></s:Header>'
    const reply = answering(enveloped(responded({ status: 'success' }), header))
    expect(await failure(reply)).toMatchObject({
      code: 'community-misbehaved',
      details: { reason: 'relates-to-differs' },
    })
  })

  it.each(['PROVAX80A01H501M', 'provax80a01h501m', clinician, '12345678903', 'STP0912345678901', notice.uniqueId])(
    'may name %s, and the error does not',
    async (name) => {
      for (const tools of [
        refusal('R80', `No document for ${name.replaceAll('&', '&amp;')} here`),
        answering(fault('s:Server', `failed on ${name.replaceAll('&', '&amp;')}`), 500),
      ]) {
        const { message, details, issues } = await failure(tools)
        const [identifier = ''] = /[a-z0-9]{11,}|50502.LAB.1/i.exec(name) ?? []
        expect(identifier).not.toBe('')
        expect(JSON.stringify([message, details, issues])).not.toContain(identifier)
      }
    },
  )

  it.each([
    ['refuse', 'community-rejected', 'PFA14'],
    ['partial', 'community-unavailable', 'CRF1'],
    ['fault', 'community-unavailable', 'Server'],
  ] as const)('when the sandbox is made to %s is %s', async (behaviour, meaning, code) => {
    const { face, tools } = ini(behaviour)
    expect(await failure(tools)).toMatchObject({ code: meaning, issues: [{ code }] })
    expect(face.told).toEqual([])
  })
})

describe('the sandbox’s INI refuses', () => {
  const body = (from: string | RegExp, to: string) => (request: Request) => {
    const text = String(request.body)
    expect(text.replace(from, to)).not.toBe(text)
    return { ...request, body: text.replace(from, to) }
  }
  const security = `<o:Security xmlns:o="${soapNames.wsse}"/>`

  it.each<[string, (request: Request) => Request]>([
    ['SOAP 1.2', body(soapNames.soap11, soapNames.soap12)],
    ['a body that is not well-formed', body('</env:Body>', '')],
    ['two messages', body('</env:Body>', '<x/></env:Body>')],
    ['an assertion', body('</env:Header>', `${security}</env:Header>`)],
    ['another action', body(':NotifyRetrieve<', ':NotifyHiding<')],
    ['another address', body(notifyRetrievePath, '/elsewhere')],
    ['an id that is none', body(/urn:uuid:[0-9a-f-]+/, 'first')],
    ['a missing header', body(/<wsa:To>.*<\/wsa:To>/, '')],
    [
      'an action without quotes',
      (sent) => ({ ...sent, headers: { ...sent.headers, soapaction: 'urn:fse:NotifyRetrieve' } }),
    ],
    ['another namespace', body('typeSchemaNotifyRetrieve', 'typeSchemaNotifyHiding')],
    ['fields in another order', body(/(<RequestorRole>.*<\/RequestorRole>)(<Pou>.*<\/Pou>)/, '$2$1')],
    ['a field that is missing', body(/<Pou>.*<\/Pou>/, '')],
    ['a field nobody knows', body('</NotifyRetrieveRequest>', '<Note>x</Note></NotifyRetrieveRequest>')],
    ['a type in the notation of a query', body('11502-2^^', "('11502-2')^^")],
    ['a bare codice fiscale', body(/(?<=<PatientId>)[^<]*/, citizen.value)],
    ['a home that is none', body('<RepositoryUniqueId>', '<HomeCommunityId>050</HomeCommunityId><RepositoryUniqueId>')],
  ])('%s', async (_what, spoil) => {
    const { face, tools } = ini('normal', spoil)
    expect(await failure(tools)).toMatchObject({ code: 'community-rejected' })
    expect(face.told).toEqual([])
  })

  it('a media type of SOAP 1.2, and any other method than POST', async () => {
    const type = (sent: Request) => ({ ...sent, headers: { ...sent.headers, 'content-type': 'application/soap+xml' } })
    expect(await failure(ini('normal', type).tools)).toMatchObject({ details: { status: 415 } })
    const get = (sent: Request): Request => ({ ...sent, method: 'GET' })
    expect(await failure(ini('normal', get).tools)).toMatchObject({ details: { status: 405 } })
  })
})

describe('the options', () => {
  const base = 'https://ini.test'

  it('have no address for notices by default: nobody is told', () => {
    expect(iniOptions.parse({ base })).toMatchObject({ notifyHome: 'absent' })
    expect(iniOptions.parse({ base })).not.toHaveProperty('notifyRetrieve')
  })

  it('take an address that is secure', () => {
    expect(iniOptions.parse({ base, notifyRetrieve: url }).notifyRetrieve).toBe(url)
    expect(() => iniOptions.parse({ base, notifyRetrieve: url.replace('https', 'http') })).toThrow()
  })
})
