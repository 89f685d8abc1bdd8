import { once } from 'node:events'
import { request } from 'node:https'
import { connect } from 'node:tls'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { asGatewayError, GatewayError } from '../../../../src/core/errors.ts'
import type { AuditEvent } from '../../../../src/core/ports.ts'
import { admission } from '../../../../src/http/admission.ts'
import type { ApiRoute } from '../../../../src/http/api/endpoint.ts'
import type { Caller, Guard, PresentedRequest } from '../../../../src/http/api/guard.ts'
import { referenceApp } from '../../../../src/http/api/reference.ts'
import { createEvents } from '../../../../src/telemetry/events.ts'
import { createLog } from '../../../../src/telemetry/log.ts'
import { createMetrics } from '../../../../src/telemetry/metrics.ts'
import { refused } from '../../../../src/trust/refusal.ts'
import { type ApiServer, type ApiSetting, apiServer, identityOf } from '../../../support/api-server.ts'
import { assertion, clinician, homes } from '../../../support/builders.ts'
import { contract } from '../../../support/portal-doors.ts'

const uuid = '0c9d7c34-4f6f-4a55-9c55-1c3a6c2b9d22'
const known: Caller = {
  profile: 'portal',
  assertion: assertion(),
  subject: clinician,
  validUntil: 4_102_444_800_000,
  signer: 'jwk:x',
  tokens: [{ kind: 'access-token', id: 'j', issuedAt: 0, validUntil: 4_102_444_800_000 }],
}
const echo: ApiRoute = {
  method: 'POST',
  path: '/api/v1/echo',
  transaction: 'caller',
  handle: ({ request }) => ({ body: { received: request.body.byteLength } }),
}

const opened: ApiServer[] = []
afterEach(async () => {
  for (const server of opened.splice(0)) await server[Symbol.asyncDispose]()
})

interface Doors extends ApiServer {
  readonly audited: AuditEvent[]
  readonly logged: string[]
  readonly presented: PresentedRequest[]
}

/** Doors with a guard that lets everybody in, unless told otherwise. */
async function doors(
  authenticate: Guard['authenticate'] = async () => known,
  more: Partial<ApiSetting> = {},
): Promise<Doors> {
  const audited: AuditEvent[] = []
  const logged: string[] = []
  const presented: PresentedRequest[] = []
  const destination = { write: (line: string) => void logged.push(line) }
  const guard: Guard = {
    schemes: ['Bearer'],
    async authenticate(one, signal) {
      presented.push(one)
      return await authenticate(one, signal)
    },
  }
  const server = await apiServer({
    routes: [echo, { ...echo, method: 'GET', path: '/api/v1/caller', handle: ({ caller }) => ({ body: caller }) }],
    identify: ({ fingerprint, subject }) => ({ name: 'portal', home: homes.tuscany, subject, fingerprint }),
    guardOf: () => guard,
    audit: { record: async (event) => void audited.push(event) },
    events: createEvents(createLog({ level: 'debug', destination }), createMetrics({ process: false })),
    clock: { now: () => Date.now() },
    ...more,
  })
  opened.push(server)
  return { ...server, audited, logged, presented }
}

describe('an exchange', () => {
  it('is answered after it was accounted for, under a name of its own', async () => {
    const { audited, logged, send } = await doors()
    const { headers, json, status } = await send()
    expect(status).toBe(200)
    expect(json).toMatchObject({ profile: 'portal' })
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' })
    expect(headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(audited).toHaveLength(1)
    expect(audited[0]).toMatchObject({
      transaction: 'caller',
      correlationId: headers['x-correlation-id'],
      outcome: 'success',
      assertion: { subject: clinician },
      peer: { name: 'portal' },
    })
    const events = logged.map((line) => (JSON.parse(line) as { event: string }).event)
    expect(events).toEqual(['exchange-started', 'audit-written', 'exchange-finished'])
    expect(logged.join()).not.toContain(clinician.slice(0, 16))
  })

  it.each([
    [uuid, uuid],
    [uuid.toUpperCase(), uuid],
  ])('takes the name %s from its caller', async (given, taken) => {
    const { audited, send } = await doors()
    const { headers } = await send({ headers: [['X-Correlation-ID', given]] })
    expect(headers['x-correlation-id']).toBe(taken)
    expect(audited[0]?.correlationId).toBe(taken)
  })

  it.each(['PROVAX80A01H501M', `${uuid}0`, `urn:uuid:${uuid}`, ''])(
    'takes no name that is no UUID: %s',
    async (given) => {
      const { audited, send } = await doors()
      const { headers } = await send({ headers: [['X-Correlation-ID', given]] })
      expect(headers['x-correlation-id']).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      expect(headers['x-correlation-id']).not.toBe(given)
      expect(audited[0]?.correlationId).toBe(headers['x-correlation-id'])
    },
  )

  it('takes no name of two', async () => {
    const { send } = await doors()
    const twice = [
      ['X-Correlation-ID', uuid],
      ['X-Correlation-ID', uuid],
    ] as const
    expect((await send({ headers: twice })).headers['x-correlation-id']).not.toBe(uuid)
  })

  it('hands on every line of the header, repeated ones too, with the body as it came', async () => {
    const { presented, send } = await doors()
    const headers = [
      ['Authorization', 'Bearer a'],
      ['Authorization', 'Bearer b'],
    ] as const
    await send({ method: 'POST', path: '/api/v1/echo?x=1', headers, body: Buffer.from('{}') })
    expect(presented[0]).toMatchObject({ method: 'POST', target: '/api/v1/echo?x=1', body: Buffer.from('{}') })
    expect(presented[0]?.headers.filter(([name]) => name === 'Authorization')).toEqual(headers)
  })
})

describe('what is served nowhere', () => {
  it.each(['/api', '/api/', '/api/v1', '/api/v1/callers', '/api/v1/caller/', '/api/v2/caller'])('%s', async (path) => {
    const { audited, send } = await doors()
    const { headers, json, status } = await send({ path, headers: [['X-Correlation-ID', uuid]] })
    expect(status).toBe(404)
    expect(headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
    expect(json).toEqual({
      type: 'urn:crocevia:problem:path-unknown',
      title: 'Nothing is served at this address',
      status: 404,
      detail: 'Nothing is served at this address',
      instance: `urn:uuid:${uuid}`,
    })
    expect(audited).toEqual([])
  })

  // The listener tells there of answers that it cannot send.
  const warnings: unknown[] = []
  const told = vi.spyOn(console, 'error').mockImplementation((...words) => void warnings.push(words))
  afterAll(() => told.mockRestore())

  it.each(['HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND'])('%s', async (method) => {
    const { presented, send } = await doors()
    const { headers, json, status } = await send({ method })
    expect(status).toBe(405)
    expect(headers.allow).toBe('GET')
    expect(headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/)
    if (method !== 'HEAD') expect(json).toMatchObject({ type: 'urn:crocevia:problem:method-not-allowed', status: 405 })
    expect(presented).toEqual([])
    expect(warnings).toEqual([])
  })

  it('does not end the connection of whoever asks', async () => {
    const { port } = await doors()
    const socket = connect({ host: '127.0.0.1', port, ...identityOf('portal') })
    const text = await new Promise<string>((resolve, reject) => {
      let received = ''
      socket.setEncoding('utf8')
      socket.on('error', reject)
      socket.on('data', (chunk: string) => {
        received += chunk
        if (received.includes('"profile"')) resolve(received)
      })
      const line = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`
      socket.write(line('/api/nothing') + line('/api/v1/caller'))
    })
    socket.destroy()
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 404', 'HTTP/1.1 200'])
  })
})

describe('pages of an origin that is named', () => {
  const origin = 'https://portal.example'
  const shared = () => {
    const faces: ApiSetting['faces'] = [
      ({ origins = [] }) => referenceApp({ contract, ready: async () => true, origins }),
    ]
    return doors(() => Promise.reject(refused('missing', 'authorization-is-missing')), { origins: [origin], faces })
  }

  it.each([
    ['/api/v1/caller', 401],
    ['/api/v1/nothing', 404],
    ['/openapi.json', 200],
    ['/status', 200],
  ])('may read %s, and may ask first', async (path, status) => {
    const { audited, send } = await shared()
    const received = await send({ path, headers: [['Origin', origin]] })
    expect([received.status, received.headers['access-control-allow-origin']]).toEqual([status, origin])
    expect(received.headers['access-control-expose-headers']).toContain('WWW-Authenticate')
    const before = audited.length
    const asking = [
      ['Origin', origin],
      ['Access-Control-Request-Method', 'GET'],
    ] as const
    const asked = await send({ path, method: 'OPTIONS', headers: asking })
    expect([asked.status, asked.headers['access-control-allow-origin']]).toEqual([204, origin])
    expect(asked.headers['access-control-allow-methods']).toContain('GET')
    const headers = String(asked.headers['access-control-allow-headers']).split(', ')
    expect(headers).toEqual(
      expect.arrayContaining([
        ...['Authorization', 'DPoP', 'Prefer', 'If-None-Match', 'FSE-JWT-Signature', 'Agid-JWT-Signature'],
        ...['Agid-JWT-TrackingEvidence', 'Emergency-Reason'],
      ]),
    )
    expect(audited).toHaveLength(before)
    const other = await send({ path, headers: [['Origin', 'https://other.example']] })
    expect(other.headers).not.toHaveProperty('access-control-allow-origin')
  })
})

describe('a refusal', () => {
  it('is a problem that names the exchange, with a challenge', async () => {
    const { audited, send } = await doors(() => Promise.reject(refused('missing', 'authorization-is-missing')))
    const { headers, json, status } = await send({ headers: [['X-Correlation-ID', uuid]] })
    expect(status).toBe(401)
    expect(headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'www-authenticate': 'Bearer realm="crocevia"',
      'x-correlation-id': uuid,
    })
    expect(json).toEqual({
      type: 'urn:crocevia:problem:token-missing',
      title: 'A token is missing',
      status: 401,
      detail: 'The request does not carry the tokens its sender must bring',
      instance: `urn:uuid:${uuid}`,
      reason: 'authorization-is-missing',
    })
    expect(audited).toMatchObject([{ transaction: 'caller', outcome: 'refused', error: { code: 'assertion-missing' } }])
    expect(audited[0]).not.toHaveProperty('assertion')
  })

  it('meets whoever has no guard, before anything of the request is read', async () => {
    const { audited, send } = await doors(undefined, { guardOf: () => undefined })
    const { headers, json, status } = await send({ method: 'POST', path: '/api/v1/echo', body: Buffer.alloc(60_000) })
    expect(status).toBe(403)
    expect(json.type).toBe('urn:crocevia:problem:access-denied')
    expect(headers).not.toHaveProperty('www-authenticate')
    expect(audited).toMatchObject([{ outcome: 'refused' }])
  })

  it('meets a token in the address, which stands in no answer, record or log', async () => {
    const { audited, logged, presented, send } = await doors()
    const { json, status, text } = await send({ path: '/api/v1/caller?x=1&access_token=secret' })
    expect(status).toBe(400)
    expect(json.type).toBe('urn:crocevia:problem:request-malformed')
    expect(presented).toEqual([])
    for (const told of [text, JSON.stringify(audited), logged.join()]) expect(told).not.toContain('secret')
  })

  it('of who is not entitled is told without challenge', async () => {
    const { send } = await doors(() => Promise.reject(new GatewayError('access-denied', 'The role may not')))
    const { headers, json } = await send()
    expect(json).toMatchObject({ status: 403, detail: 'The role may not' })
    expect(headers).not.toHaveProperty('www-authenticate')
  })

  it('of a failure of ours tells nothing of it', async () => {
    const { audited, send } = await doors(() => Promise.reject(new Error(`no such person ${clinician}`)))
    const { json, text } = await send()
    expect(json).toMatchObject({ status: 500, type: 'urn:crocevia:problem:internal' })
    expect(text).not.toContain(clinician.slice(0, 16))
    expect(audited).toMatchObject([{ outcome: 'failure', error: { code: 'internal' } }])
  })
})

describe('bounds', () => {
  it.each([
    ['announced', 200_000],
    ['sent', 65_537],
  ])('hold for a body of which too much is %s', async (_what, bytes) => {
    const { audited, presented, send } = await doors()
    const { json, status } = await send({ method: 'POST', path: '/api/v1/echo', body: Buffer.alloc(bytes) })
    expect(status).toBe(413)
    expect(json.type).toBe('urn:crocevia:problem:request-too-large')
    expect(presented).toEqual([])
    expect(audited).toMatchObject([{ outcome: 'failure', error: { code: 'request-too-large' } }])
    expect((await send({ method: 'POST', path: '/api/v1/echo', body: Buffer.alloc(65_536) })).json).toEqual({
      received: 65_536,
    })
  })

  it('hold for a body in pieces whose length nobody announced', async () => {
    const { port } = await doors()
    const outgoing = request({ host: '127.0.0.1', port, method: 'POST', path: '/api/v1/echo', ...identityOf('portal') })
    outgoing.on('error', () => undefined)
    const answered = once(outgoing, 'response')
    for (let sent = 0; sent < 10; sent++) outgoing.write(Buffer.alloc(16_384))
    const [incoming] = (await answered) as [import('node:http').IncomingMessage]
    expect(incoming.statusCode).toBe(413)
    expect(incoming.headers.connection).toBe('close')
    outgoing.destroy()
  })

  it('hold for a body that does not come in time', async () => {
    const { audited, port } = await doors(undefined, { deadlineMs: 100 })
    const headers = { 'content-length': '10' }
    const outgoing = request({
      ...{ host: '127.0.0.1', port, method: 'POST', path: '/api/v1/echo', headers },
      ...identityOf('portal'),
    })
    outgoing.on('error', () => undefined)
    outgoing.write('half')
    const [incoming] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage]
    expect(incoming.statusCode).toBe(408)
    outgoing.destroy()
    expect(audited).toMatchObject([{ outcome: 'failure', error: { code: 'caller-gone' } }])
  })

  it('hold for keys that do not come in time', async () => {
    const waiting: Guard['authenticate'] = (_request, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const { headers, json, status } = await (await doors(waiting, { deadlineMs: 100 })).send()
    expect(status).toBe(503)
    expect(headers['retry-after']).toBe('5')
    expect(json.type).toBe('urn:crocevia:problem:keys-unavailable')
  })

  it('hold for exchanges under way; a place is free again after each', async () => {
    let release: (caller: Caller) => void = () => undefined
    const first = Promise.withResolvers<void>()
    const waiting = () =>
      new Promise<Caller>((resolve) => {
        release = resolve
        first.resolve()
      })
    const { audited, send } = await doors(waiting, { admission: admission(1) })
    const inside = send()
    await first.promise
    const { headers, json, status } = await send()
    expect(status).toBe(503)
    expect(headers['retry-after']).toBe('1')
    expect(json.type).toBe('urn:crocevia:problem:overloaded')
    release(known)
    expect((await inside).status).toBe(200)
    expect(audited.map(({ outcome }) => outcome)).toEqual(['failure', 'success'])
  })

  it('hold for callers who leave: they are waited for no longer', async () => {
    const left = Promise.withResolvers<unknown>()
    const waiting: Guard['authenticate'] = (_request, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => {
          left.resolve(signal.reason)
          reject(signal.reason)
        }),
      )
    const { audited, port, presented } = await doors(waiting)
    const outgoing = request({ host: '127.0.0.1', port, path: '/api/v1/caller', ...identityOf('portal') })
    outgoing.on('error', () => undefined).end()
    await expect.poll(() => presented.length).toBe(1)
    outgoing.destroy()
    expect(asGatewayError(await left.promise).code).toBe('caller-gone')
    await expect.poll(() => audited.map(({ error }) => error?.code)).toEqual(['caller-gone'])
  })
})

it('gives no answer that cannot be accounted for', async () => {
  const audit = { record: () => Promise.reject(new Error('the disk is full')) }
  const { json, status, text } = await (await doors(undefined, { audit })).send()
  expect(status).toBe(500)
  expect(json.type).toBe('urn:crocevia:problem:internal')
  expect(text).not.toContain('profile')
})
