import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { errorCodes, GatewayError } from '../../../src/core/errors.ts'
import { authorities } from '../../../src/core/model/patient.ts'
import type { SoughtPerson } from '../../../src/core/model/patient-discovery.ts'
import type { AuditEvent } from '../../../src/core/ports.ts'
import { admission } from '../../../src/http/admission.ts'
import { type SoapParts, soapEndpoint } from '../../../src/http/soap/endpoint.ts'
import { type Discover, iti55 } from '../../../src/http/soap/patient-discovery.ts'
import { refusals } from '../../../src/http/soap/refusals.ts'
import { actions } from '../../../src/wire/actions.ts'
import { decodeDiscoveryAnswer } from '../../../src/wire/hl7v3/discovery-answer-read.ts'
import { openEnvelope, soapNames } from '../../../src/wire/soap.ts'
import { NONE, readTree } from '../../../src/wire/xml.ts'
import { assertion, citizen, homes, stoppedClock } from '../../support/builders.ts'

const asked = readFileSync(
  new URL('../../fixtures/hl7v3/patient-discovery.request.xml', import.meta.url),
  'utf8',
).replace(/^<\?xml.*\?>/, '')
const face = { home: homes.tuscany, clock: stoppedClock }
const unknown: Discover = async () => undefined
const knows: Discover = async () => ({ patientId: citizen, otherIds: [] })

const enveloped = (body: string, header = '') =>
  `<e:Envelope xmlns:e="${soapNames.soap12}" xmlns:wsa="${soapNames.wsa}"><e:Header>${header}</e:Header>` +
  `<e:Body>${body}</e:Body></e:Envelope>`

function opened(xml: string) {
  return openEnvelope(readTree(Buffer.from(xml)), () => true)
}

function answerIn(xml: string) {
  const { tree, body } = opened(xml)
  return decodeDiscoveryAnswer(tree, body)
}

const ids = {
  answers: { root: '2.16.840.1.113883.2.9.2.50.99', extension: 'q-1' },
  queryId: { root: '2.16.840.1.113883.2.9.2.50.98', extension: '1' },
}

/** A message through the whole endpoint; what came back, and what was recorded. */
async function exchange(discover: Discover, body = asked) {
  const recorded: AuditEvent[] = []
  const parts = {
    identify: () => ({ subject: 'test', fingerprint: 'test', name: 'veneto', home: homes.veneto }),
    authenticate: async () => assertion(),
    refusals: refusals(() => 'wss', { codes: {} as never, clock: stoppedClock }),
    audit: { record: async (event: AuditEvent) => void recorded.push(event) },
    events: new Proxy({}, { get: () => () => undefined }),
    clock: stoppedClock,
    addressing: 'strict',
    maxMessageBytes: 100_000,
    deadlineMs: 10_000,
    admission: admission(1),
  } as unknown as SoapParts
  const header = `<wsa:Action>${actions.crossGatewayPatientDiscovery}</wsa:Action><wsa:MessageID>urn:uuid:1</wsa:MessageID>`
  const incoming = Object.assign(Readable.from([Buffer.from(enveloped(body, header))]), {
    headers: { 'content-type': 'application/soap+xml' },
    socket: {},
  }) as unknown as IncomingMessage
  const serve = soapEndpoint({ transactions: [iti55(discover, face)], admits: () => true }, parts)
  const { status, body: xml } = await serve(incoming, new AbortController().signal)
  return { status, xml: String(xml), recorded }
}

describe('ITI-55', () => {
  it('asks for who is sought, and tells who was found under our home', async () => {
    const sought: SoughtPerson[] = []
    const { status, xml, recorded } = await exchange(async (person) => {
      sought.push(person)
      return { patientId: citizen, otherIds: [] }
    })
    expect(status).toBe(200)
    expect(xml).toContain('>urn:hl7-org:v3:PRPA_IN201306UV02:CrossGatewayPatientDiscovery</wsa:Action>')
    const match = { home: homes.tuscany, patientId: citizen, otherIds: [], degree: 100 }
    expect(answerIn(xml)).toEqual({ ...ids, outcome: { kind: 'found', matches: [match] } })
    expect(sought).toMatchObject([{ identifiers: [citizen], authorities: [authorities.stp] }])
    expect(recorded).toMatchObject([
      { transaction: 'ITI-55', patientId: citizen, request: 'PatientDiscovery', outcome: 'success', results: 1 },
    ])
  })

  it('says so when nobody is known, and that is no failure', async () => {
    const { status, xml, recorded } = await exchange(unknown)
    expect(status).toBe(200)
    expect(answerIn(xml)).toEqual({ ...ids, outcome: { kind: 'not-found' } })
    expect(recorded).toMatchObject([{ outcome: 'success', results: 0 }])
  })

  it('tells a failure by an answer, with the words for people beside the code', async () => {
    const { status, xml, recorded } = await exchange(() => Promise.reject(new GatewayError('community-busy', 'later')))
    expect(status).toBe(200)
    expect(answerIn(xml).outcome).toEqual({ kind: 'failed', reason: 'ResponderBusy', text: 'later' })
    expect(recorded).toMatchObject([{ outcome: 'failure', patientId: citizen }])
  })

  it('refuses by a fault whoever may not know, before saying whether there is anything to know', async () => {
    const denied: Discover = () => Promise.reject(new GatewayError('access-denied', 'no'))
    const { status, xml, recorded } = await exchange(denied)
    expect([status, xml]).toEqual([400, expect.stringContaining('wsse:FailedAuthentication')])
    expect(recorded).toMatchObject([{ outcome: 'refused' }])
  })

  it('answers at once or not at all', async () => {
    const { xml } = await exchange(knows, asked.replace('PriorityCode code="I"', 'PriorityCode code="D"'))
    expect(answerIn(xml).outcome).toMatchObject({ kind: 'failed', reason: 'AnswerNotAvailable' })
  })

  it('says who is asked about, where the question does', () => {
    const { account, decode } = iti55(unknown, face)
    const request = (xml: string) => decode(opened(enveloped(xml)))
    const first = '<hl7:value root="2.16.840.1.113883.2.9.4.3.2"'
    const national = '<hl7:value root="1.2.3" extension="4711"/>'
    expect(account(request(asked.replace(first, `${national}${first}`)))).toMatchObject({ patientId: citizen })
    const value = asked.slice(asked.indexOf(first), asked.indexOf('/>', asked.indexOf(first)) + 2)
    expect(account(request(asked.replace(value, '<hl7:value nullFlavor="NI"/>')))).toEqual({
      request: 'PatientDiscovery',
    })
  })
})

describe('the failure of a discovery', () => {
  const { fail } = iti55(unknown, face)

  it('answers the message it is about as far as that could be read', () => {
    const error = new GatewayError('internal', 'failed')
    const outcome = { kind: 'failed', reason: 'InternalError', text: 'failed' }
    expect(answerIn(enveloped(fail(error, opened(enveloped(asked)))))).toEqual({ ...ids, outcome })
    for (const envelope of [undefined, opened(enveloped('')), opened(enveloped('<x/>'))]) {
      expect(envelope?.body === NONE || envelope === undefined || envelope.body > 0).toBe(true)
      expect(answerIn(enveloped(fail(error, envelope)))).toEqual({ outcome })
    }
  })

  it.each(errorCodes)('has a reason of XCPD for %s', (code) => {
    const { outcome } = answerIn(enveloped(fail(new GatewayError(code, 'x'))))
    expect(outcome).toMatchObject({
      reason: expect.stringMatching(/^(ResponderBusy|AnswerNotAvailable|InternalError)$/),
    })
  })

  it('blames who is to blame', () => {
    const reasonOf = (code: (typeof errorCodes)[number]) =>
      answerIn(enveloped(fail(new GatewayError(code, 'x')))).outcome
    expect(reasonOf('community-busy')).toMatchObject({ reason: 'ResponderBusy' })
    expect(reasonOf('community-misbehaved')).toMatchObject({ reason: 'InternalError' })
    expect(reasonOf('parameter-missing')).toMatchObject({ reason: 'AnswerNotAvailable' })
  })
})
