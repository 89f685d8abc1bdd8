import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { correlationId } from '../../../../src/core/model/identifiers.ts'
import type { WorkflowStatus } from '../../../../src/core/model/workflow.ts'
import type { Account, ApiCall } from '../../../../src/http/api/endpoint.ts'
import { workflowStatusRoute } from '../../../../src/http/api/workflow-status.ts'
import { readJsonObject } from '../../../../src/trust/jwt/strict-json.ts'

const workflowInstanceId = `2.16.840.1.113883.2.9.2.90.4.4.${'ab'.repeat(32)}.0011223344^^^^urn:ihe:iti:xdw:2013:workflowInstanceId`
const event = { eventType: 'VALIDATION', eventStatus: 'SUCCESS', eventDate: '2026-03-02T09:00:00.123+01:00' }

/** What comes of a body: the answer, and what was accepted. */
async function told(body: unknown, contentType: readonly string[] = ['application/json']) {
  const accepted: WorkflowStatus[] = []
  const noted: Account[] = []
  const route = workflowStatusRoute({
    readObject: readJsonObject,
    async accept({ statuses }) {
      accepted.push(...statuses)
      return 1
    },
  })
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const call: ApiCall = {
    ...{ correlationId: correlationId('c'), signal: new AbortController().signal, deadline: 0, parameters: {} },
    peer: { subject: 's', fingerprint: 'f' },
    held: new AsyncDisposableStack(),
    caller: { profile: 'channel', validUntil: 0, signer: 's', tokens: [] },
    request: {
      ...{ method: 'POST', target: route.path, body: Buffer.from(text), certificate: new Uint8Array(), matter: {} },
      headers: contentType.map((value) => ['Content-Type', value] as const),
    },
    note: (account) => void noted.push(account),
  }
  const answer = await Promise.resolve(route.handle(call)).catch((error: unknown) => error)
  return { answer, accepted, noted }
}

describe('a status of a workflow', () => {
  it('is read as the contract has it, and how many events were new is answered', async () => {
    const whole = { ...event, issuer: 'integrity:S1#090', message: 'à' }
    const { answer, accepted, noted } = await told({ workflowInstanceId, events: [event, whole] })
    expect(answer).toEqual({ body: { taken: 1, repeated: 1 } })
    expect(accepted).toEqual([
      { workflowInstanceId, ...event },
      { workflowInstanceId, ...whole },
    ])
    expect(noted).toEqual([{ results: 2 }])
  })

  it.each([
    ['a workflow of a digest alone', { workflowInstanceId: workflowInstanceId.slice(31), events: [event] }],
    ['an event of a kind nobody has seen', { workflowInstanceId, events: [{ ...event, eventType: 'SEND_TO_EDS' }] }],
    ['an event without a time', { workflowInstanceId, events: [{ eventType: 'A', eventStatus: 'B' }] }],
    ['members that are null', { workflowInstanceId, events: [{ ...event, issuer: null, message: null }] }],
    ['a zone without its colon', { workflowInstanceId, events: [{ ...event, eventDate: '2026-03-02T09:00:00+0100' }] }],
  ])('is taken with %s', async (_what, body) => {
    expect((await told(body)).accepted).toHaveLength(1)
  })

  it('is taken with words of any length, which are cut short between characters', async () => {
    const long = { ...event, issuer: 'i'.repeat(257), message: `${'x'.repeat(7_998)}🩺${'y'.repeat(50_000)}` }
    const longest = { ...event, issuer: 'i'.repeat(256), message: 'x'.repeat(8_000) }
    const { accepted } = await told({ workflowInstanceId, events: [long, longest] })
    expect(accepted).toEqual([
      { workflowInstanceId, ...event, issuer: `${'i'.repeat(255)}…`, message: `${'x'.repeat(7_998)}…` },
      { workflowInstanceId, ...longest },
    ])
  })

  it.each([
    ['another member', { workflowInstanceId, events: [event], more: 1 }],
    ['another member of an event', { workflowInstanceId, events: [{ ...event, more: 1 }] }],
    ['no workflow', { events: [event] }],
    ['what is no workflow', { workflowInstanceId: 'RSSMRA80A01H501U', events: [event] }],
    ['no events', { workflowInstanceId }],
    ['an empty list of events', { workflowInstanceId, events: [] }],
    ['too many events', { workflowInstanceId, events: Array.from({ length: 101 }, () => event) }],
    ['an event that is none', { workflowInstanceId, events: ['x'] }],
    ['an event without a kind', { workflowInstanceId, events: [{ ...event, eventType: undefined }] }],
    ['a kind that is a sentence', { workflowInstanceId, events: [{ ...event, eventType: 'a b' }] }],
    ['a number for an outcome', { workflowInstanceId, events: [{ ...event, eventStatus: 1 }] }],
    ['a time that is none', { workflowInstanceId, events: [{ ...event, eventDate: 'yesterday' }] }],
    ['a day that is none', { workflowInstanceId, events: [{ ...event, eventDate: '2026-13-02T09:00:00Z' }] }],
    ['a member of its prototype', `{"__proto__":{},"workflowInstanceId":"${workflowInstanceId}","events":[]}`],
  ])('is refused with %s, and nothing of it is kept', async (_what, body) => {
    const { answer, accepted } = await told(body)
    expect(answer).toBeInstanceOf(GatewayError)
    expect(answer).toMatchObject({ code: 'request-malformed' })
    expect(accepted).toEqual([])
  })

  it.each([['text/plain'], ['application/json; charset=latin1'], ['application/jsonx']])(
    'is refused as %s',
    async (type) => {
      expect((await told({ workflowInstanceId, events: [event] }, [type])).answer).toMatchObject({
        code: 'media-type-unsupported',
      })
    },
  )

  it('is JSON said once', async () => {
    const body = { workflowInstanceId, events: [event] }
    expect((await told(body, [])).answer).toMatchObject({ code: 'media-type-unsupported' })
    const twice = ['application/json', 'application/json']
    expect((await told(body, twice)).answer).toMatchObject({ code: 'media-type-unsupported' })
    expect((await told(body, ['application/json; charset=UTF-8'])).accepted).toHaveLength(1)
  })
})
