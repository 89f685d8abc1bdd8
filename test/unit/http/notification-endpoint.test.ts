import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:tls'
import { getRequestListener } from '@hono/node-server'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { organizationHome } from '../../../contracts/affinity-domain/organizations.ts'
import { GatewayError } from '../../../src/core/errors.ts'
import type { ReceivedNotification } from '../../../src/core/federation/notifications.ts'
import type { Exchange } from '../../../src/core/model/call.ts'
import type { AuditEvent } from '../../../src/core/ports.ts'
import { admission } from '../../../src/http/admission.ts'
import { soapApp } from '../../../src/http/soap/app.ts'
import { notificationEndpoint } from '../../../src/http/soap/notification-endpoint.ts'
import { notificationServices } from '../../../src/http/soap/notifications.ts'
import type { ExchangeParts } from '../../../src/http/soap/stations.ts'
import { createEvents } from '../../../src/telemetry/events.ts'
import { createLog } from '../../../src/telemetry/log.ts'
import { createMetrics } from '../../../src/telemetry/metrics.ts'
import { type PeerFault, readFault } from '../../../src/wire/ebrim/fault.ts'
import {
  decodeNotificationResponse,
  type NotificationOutcome,
  notificationMessage,
} from '../../../src/wire/ini/notification.ts'
import { encodeNotifyConsent } from '../../../src/wire/ini/notify-consent.ts'
import { encodeNotifyHiding } from '../../../src/wire/ini/notify-hiding.ts'
import { encodeNotifyRetrieve } from '../../../src/wire/ini/notify-retrieve.ts'
import { encodeNotifySubmitObjects } from '../../../src/wire/ini/notify-submit-objects.ts'
import { soapNames } from '../../../src/wire/soap.ts'
import { encodeEnvelope11, openEnvelope11 } from '../../../src/wire/soap11.ts'
import { NONE, readTree } from '../../../src/wire/xml.ts'
import { identityOf } from '../../support/api-server.ts'
import { citizen, clinician, homes } from '../../support/builders.ts'
import { pemOf } from '../../support/jwt.ts'

const paths = {
  submitObjects: '/ini/NotifyCommunicationMetadata_Service',
  retrieve: '/ini/NotifyRetrieve_Service',
  hiding: '/ini/NotifyHiding_Service',
  consent: '/ini/NotifyConsent_Service',
} as const

const document = { patientId: citizen, repositoryUniqueId: '1.2.3', uniqueId: '1.2.3^4' }
const bodies = {
  submitObjects: encodeNotifySubmitObjects({ ...document, home: homes.veneto }),
  retrieve: encodeNotifyRetrieve({
    ...document,
    ...{ requestor: clinician, requestorRole: 'AAS', purposeOfUse: 'TREATMENT', locality: '050' },
  }),
  hiding: encodeNotifyHiding({ patientId: citizen, uniqueId: '1.2.3^4', since: '2025-05-19T16:22:55.809+02:00' }),
  consent: encodeNotifyConsent({
    patientId: citizen,
    consents: [
      { name: 'C2', given: true },
      { name: 'C3', given: false },
    ],
  }),
} as const

const names = {
  submitObjects: 'NotifySubmitObjects',
  retrieve: 'NotifyRetrieve',
  hiding: 'NotifyHiding',
  consent: 'NotifyConsent',
} as const

type Which = keyof typeof paths
const all = Object.keys(paths) as readonly Which[]

interface Sent {
  readonly as?: string
  readonly headers?: Readonly<Record<string, string>>
}

interface Received {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly action?: string
  readonly relatesTo?: string
  readonly hasHeader: boolean
  readonly fault?: PeerFault
  readonly outcome?: NotificationOutcome
}

const opened: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0)) await close()
})

type Accept = (received: ReceivedNotification, exchange: Exchange) => Promise<'taken' | 'repeated'>

/** The four doors behind mutual TLS, as the gateway opens them; only INI is admitted. */
async function doors(accept: Accept = async () => 'taken', more: Partial<ExchangeParts> = {}) {
  const audited: AuditEvent[] = []
  const logged: string[] = []
  const accepted: ReceivedNotification[] = []
  const destination = { write: (line: string) => void logged.push(line) }
  const parts: ExchangeParts = {
    identify: ({ subject, fingerprint }) => {
      const party = subject.includes('A1#000#') ? { name: 'ini', home: homes.ini } : { name: 'x', home: homes.veneto }
      return { ...party, subject, fingerprint }
    },
    audit: { record: async (event) => void audited.push(event) },
    events: createEvents(createLog({ level: 'debug', destination }), createMetrics({ process: false })),
    clock: { now: () => Date.now() },
    maxMessageBytes: 65_536,
    deadlineMs: 5_000,
    admission: admission(4),
    ...more,
  }
  const services = notificationServices({
    homeOf: organizationHome,
    accept: async (received, exchange) => {
      accepted.push(received)
      return await accept(received, exchange)
    },
  })
  const app = soapApp(
    all.map((which) => ({
      path: paths[which],
      serve: notificationEndpoint({ services: [services[which]], admits: ({ home }) => home === homes.ini }, parts),
      wsdl: '<wsdl/>',
      schemas: new Map(),
    })),
  )
  const server = createServer(
    {
      ...{ cert: pemOf('gateway/tls.crt.pem'), key: pemOf('gateway/tls.key.pem'), ca: pemOf('ca.pem') },
      ...{ requestCert: true, rejectUnauthorized: true },
    },
    getRequestListener(app.fetch),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  opened.push(async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  })
  const send = async (which: Which, message: string, sent: Sent = {}) => await exchange(port, which, message, sent)
  return { port, audited, logged, accepted, send }
}

function exchange(port: number, which: Which, message: string, { as = 'ini', headers = {} }: Sent): Promise<Received> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        ...{ host: '127.0.0.1', port, method: 'POST', path: paths[which], agent: false, ...identityOf(as) },
        headers: { 'content-type': 'text/xml; charset=utf-8', ...headers },
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const { statusCode: status = 0, headers } = incoming
          resolve({ status, headers, ...readAnswer(which, Buffer.concat(chunks)) })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(message)
  })
}

function readAnswer(which: Which, bytes: Buffer) {
  const tree = readTree(bytes)
  expect(tree.is(tree.root, soapNames.soap11, 'Envelope')).toBe(true)
  const { body, action, relatesTo } = openEnvelope11(tree)
  const hasHeader = tree.child(tree.root, soapNames.soap11, 'Header') !== NONE
  const addressing = {
    hasHeader,
    ...(action === undefined ? {} : { action }),
    ...(relatesTo === undefined ? {} : { relatesTo }),
  }
  if (tree.local(body) === 'Fault') return { ...addressing, fault: readFault(tree, body) }
  return { ...addressing, outcome: decodeNotificationResponse(notificationMessage(names[which]), tree, body) }
}

const messageId = 'urn:uuid:72ba82a5-2bbd-46d1-837a-c2802ee7f03d'

function addressed(which: Which, body: string = bodies[which], action = `urn:fse:${names[which]}`): string {
  return encodeEnvelope11({ action, messageId, to: 'https://gateway.test/' }, body)
}

describe('a notification', () => {
  it.each(all)('by %s is taken, accounted for, and answered', async (which) => {
    const { accepted, audited, send } = await doors()
    const message = addressed(which)
    const answer = await send(which, message, { headers: { soapaction: `"urn:fse:${names[which]}"` } })
    expect(answer).toMatchObject({
      status: 200,
      outcome: { status: 'success' },
      action: `urn:fse:${names[which]}Response`,
      relatesTo: messageId,
    })
    expect(answer.headers).toMatchObject({ 'content-type': 'text/xml; charset=utf-8', 'cache-control': 'no-store' })
    const digest = createHash('sha256').update(message).digest('hex')
    expect(accepted).toEqual([
      { transaction: names[which], messageId, digest, content: expect.objectContaining({ patientId: citizen }) },
    ])
    expect(audited).toEqual([
      expect.objectContaining({
        correlationId: answer.headers['x-correlation-id'],
        transaction: names[which],
        request: names[which],
        patientId: citizen,
        outcome: 'success',
        peer: expect.objectContaining({ name: 'ini' }),
      }),
    ])
    expect(audited[0]).not.toHaveProperty('assertion')
  })

  it('has its document in the record of what was told, where it says where that lies', async () => {
    const { audited, send } = await doors()
    await send('submitObjects', addressed('submitObjects'))
    await send('hiding', addressed('hiding'))
    expect(audited.map(({ documents }) => documents)).toEqual([
      [{ home: homes.veneto, repositoryUniqueId: '1.2.3', uniqueId: '1.2.3^4' }],
      undefined,
    ])
  })

  it('that is a repetition is answered as the first', async () => {
    const { send } = await doors(async () => 'repeated')
    expect(await send('retrieve', addressed('retrieve'))).toMatchObject({ status: 200, outcome: { status: 'success' } })
  })

  it('without addressing is answered without', async () => {
    const { accepted, send } = await doors()
    const answer = await send('consent', encodeEnvelope11(undefined, bodies.consent))
    expect(answer).toMatchObject({ hasHeader: false, outcome: { status: 'success' } })
    expect(accepted[0]).not.toHaveProperty('messageId')
  })

  it.each(['""', '', 'urn:fse:NotifyHiding', '"urn:fse:NotifyHidingRequest"', '"urn:fse:Oscuramento"', '"x"'])(
    'may come with the action %s',
    async (soapaction) => {
      const { send } = await doors()
      const message = encodeEnvelope11(undefined, bodies.hiding)
      expect(await send('hiding', message, { headers: { soapaction } })).toMatchObject({ status: 200 })
    },
  )

  it('is not answered before it is accounted for', async () => {
    const { accepted, send } = await doors(undefined, { audit: { record: () => Promise.reject(new Error('full')) } })
    expect(await send('hiding', addressed('hiding'))).toMatchObject({ status: 500, fault: { code: 'Server' } })
    expect(accepted).toHaveLength(1)
  })

  it('leaves no trace of a person in the log', async () => {
    const { logged, send } = await doors()
    for (const which of all) await send(which, addressed(which))
    await send('hiding', addressed('hiding').replace(citizen.value, 'PROVAX80A01H501X'))
    expect(logged.length).toBeGreaterThan(0)
    expect(logged.join('\n')).not.toMatch(/PROVAX|CLNCXX|1\.2\.3\^4/)
  })
})

describe('what the service refuses by its own means', () => {
  it.each([
    ['a malformed patient', citizen.value, 'PROVAX80A01H501X', 'XDSRegistryMetadataError'],
    ['a missing field', /<DocumentUniqueId>.*<\/DocumentUniqueId>/, '', 'XDSRegistryMetadataError'],
    ['a home that is none', homes.veneto, 'Veneto', 'XDSRegistryMetadataError'],
  ])('%s', async (_what, from, to, code) => {
    const { accepted, audited, send } = await doors()
    const answer = await send('submitObjects', addressed('submitObjects').replace(from, to))
    expect(answer).toMatchObject({ status: 200, relatesTo: messageId })
    expect(answer.outcome).toMatchObject({ status: 'failure', error: { code } })
    expect(answer.outcome?.error?.context).not.toMatch(/^$|PROVAX|Veneto/)
    expect(accepted).toEqual([])
    expect(audited).toMatchObject([{ transaction: 'NotifySubmitObjects', outcome: 'refused' }])
  })

  it.each([
    ['document-unknown', 'XDSDocumentUniqueIdError'],
    ['patient-unknown', 'XDSUnknownPatientId'],
    ['metadata-invalid', 'XDSRegistryMetadataError'],
  ] as const)('%s, which it cannot take', async (code, told) => {
    const { send } = await doors(() => Promise.reject(new GatewayError(code, 'No')))
    const { outcome } = await send('hiding', addressed('hiding'))
    expect(outcome).toEqual({ status: 'failure', error: { code: told, context: 'No' } })
  })
})

describe('what is answered by a fault', () => {
  it('whoever is not meant to come here', async () => {
    const { accepted, audited, send } = await doors()
    expect(await send('hiding', addressed('hiding'), { as: 'region-050' })).toMatchObject({
      status: 500,
      fault: { code: 'Client' },
    })
    expect(accepted).toEqual([])
    expect(audited).toMatchObject([{ transaction: 'unknown', outcome: 'refused', peer: { name: 'x' } }])
  })

  it.each([
    ['another service’s message', addressed('hiding', bodies.retrieve, 'urn:fse:NotifyRetrieve'), 'Client'],
    ['no message at all', encodeEnvelope11(undefined, '<x xmlns="urn:x"/>'), 'Client'],
    ['an empty body', encodeEnvelope11(undefined, ''), 'Client'],
    ['what is not well-formed', '<env:Envelope>', 'Client'],
    ['a document type', '<!DOCTYPE x><x/>', 'Client'],
    ['SOAP 1.2', addressed('hiding').replace(soapNames.soap11, soapNames.soap12), 'VersionMismatch'],
    [
      'a mandatory assertion',
      addressed('hiding').replace(
        '</env:Header>',
        `<s:Security xmlns:s="${soapNames.wsse}" env:mustUnderstand="1"/></env:Header>`,
      ),
      'MustUnderstand',
    ],
    ['an action of another message', addressed('hiding', bodies.hiding, 'urn:fse:NotifyRetrieve'), 'Client'],
    ['an action of IHE', addressed('hiding', bodies.hiding, 'urn:ihe:iti:2007:RegisterDocumentSet-b'), 'Client'],
  ])('%s', async (_what, message, code) => {
    const { accepted, audited, send } = await doors()
    expect(await send('hiding', message)).toMatchObject({ status: 500, fault: { code } })
    expect(accepted).toEqual([])
    expect(audited).toMatchObject([{ outcome: 'refused' }])
  })

  it('an HTTP header that names another message, whatever the message itself says', async () => {
    const { accepted, send } = await doors()
    const headers = { soapaction: '"urn:fse:NotifyConsent"' }
    expect(await send('hiding', addressed('hiding'), { headers })).toMatchObject({ fault: { code: 'Client' } })
    expect(accepted).toEqual([])
  })

  it.each([
    [415, { 'content-type': 'application/json' }],
    [415, { 'content-type': 'text/xml; charset=utf-16' }],
    [415, { 'content-type': 'multipart/related' }],
  ])('with %i, the type %o', async (status, headers) => {
    const { send } = await doors()
    expect(await send('hiding', addressed('hiding'), { headers })).toMatchObject({ status, fault: { code: 'Client' } })
  })

  it('what is too large', async () => {
    const { send } = await doors(undefined, { maxMessageBytes: 4_096 })
    const message = addressed('hiding').replace('</env:Body>', `<!--${'x'.repeat(4_096)}--></env:Body>`)
    expect(await send('hiding', message)).toMatchObject({ status: 413, fault: { code: 'Client' } })
  })

  it.each([
    [new Error('disk'), 500],
    [new GatewayError('internal', 'No'), 500],
    [new GatewayError('community-unavailable', 'No'), 500],
    [new GatewayError('overloaded', 'No'), 503],
  ])('what could not be kept: it may be told again (%s)', async (error, status) => {
    const { audited, send } = await doors(() => Promise.reject(error))
    const answer = await send('hiding', addressed('hiding'))
    expect(answer).toMatchObject({ status, fault: { code: 'Server' }, relatesTo: messageId })
    expect(answer.headers['retry-after']).toBe(status === 503 ? '1' : undefined)
    expect(audited).toMatchObject([{ transaction: 'NotifyHiding', outcome: 'failure', patientId: citizen }])
  })

  it('what could not be kept in time', async () => {
    const { audited, send } = await doors(() => new Promise(() => undefined), { deadlineMs: 50 })
    expect(await send('hiding', addressed('hiding'))).toMatchObject({ status: 503, fault: { code: 'Server' } })
    expect(audited).toMatchObject([{ outcome: 'failure' }])
  })

  it('what found no place, which is free again once somebody is answered', async () => {
    let release: (() => void) | undefined
    const waiting = new Promise<void>((resolve) => {
      release = resolve
    })
    const { accepted, send } = await doors(() => waiting.then(() => 'taken' as const), { admission: admission(1) })
    const first = send('hiding', addressed('hiding'))
    await vi.waitFor(() => expect(accepted).toHaveLength(1))
    expect(await send('hiding', addressed('hiding'))).toMatchObject({ status: 503, fault: { code: 'Server' } })
    release?.()
    expect(await first).toMatchObject({ status: 200 })
    expect(await send('hiding', addressed('hiding'))).toMatchObject({ status: 200 })
  })
})

describe('who leaves', () => {
  it('before all is told has told nothing, and that is accounted for', async () => {
    const { accepted, audited, port } = await doors()
    const socket = connect({ host: '127.0.0.1', port, ...identityOf('ini') })
    await once(socket, 'secureConnect')
    const head = `POST ${paths.hiding} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: 900\r\n\r\n`
    socket.write(`${head}<env:Envelope`, () => socket.destroy())
    await vi.waitFor(() => expect(audited).toHaveLength(1))
    expect(audited).toMatchObject([{ outcome: 'failure', error: { code: 'caller-gone' } }])
    expect(accepted).toEqual([])
  })

  it('while it is being kept has told it all the same', async () => {
    let release: (() => void) | undefined
    const waiting = new Promise<void>((resolve) => {
      release = resolve
    })
    const signals: AbortSignal[] = []
    const { audited, port } = await doors(async (_received, { signal }) => {
      signals.push(signal)
      await waiting
      return 'taken'
    })
    const message = addressed('hiding')
    const socket = connect({ host: '127.0.0.1', port, ...identityOf('ini') })
    await once(socket, 'secureConnect')
    const head = `POST ${paths.hiding} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: ${message.length}\r\n\r\n`
    socket.write(head + message)
    await vi.waitFor(() => expect(signals).toHaveLength(1))
    socket.destroy()
    await vi.waitFor(() => expect(signals[0]?.aborted).toBe(true))
    release?.()
    await vi.waitFor(() => expect(audited).toMatchObject([{ outcome: 'success' }]))
  })
})
