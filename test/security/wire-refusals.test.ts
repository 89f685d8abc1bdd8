import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { getRequestListener } from '@hono/node-server'
import { afterEach, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/core/errors.ts'
import { admission } from '../../src/http/admission.ts'
import { soapApp } from '../../src/http/soap/app.ts'
import { type SoapParts, soapEndpoint } from '../../src/http/soap/endpoint.ts'
import type { PolicyFaultCodes } from '../../src/http/soap/policy-fault.ts'
import { refusals } from '../../src/http/soap/refusals.ts'
import { soapNames } from '../../src/wire/soap.ts'
import { readTree } from '../../src/wire/xml.ts'

const { soap12, wsa } = soapNames

/** An endpoint without transactions: what it says of the header alone. */
async function answerTo(header: string): Promise<string> {
  const silent = new Proxy({}, { get: () => () => undefined })
  const parts = {
    identify: () => ({ subject: 'test', fingerprint: 'test' }),
    authenticate: () => {
      throw new GatewayError('assertion-missing', 'none')
    },
    refusals: refusals(() => 'wss', { codes: {} as PolicyFaultCodes, clock: { now: () => 0 } }),
    audit: { record: async () => undefined },
    events: silent,
    clock: { now: () => 0 },
    addressing: 'strict',
    maxMessageBytes: 10_000,
    deadlineMs: 10_000,
    admission: admission(1),
  } as unknown as SoapParts
  const message = `<e:Envelope xmlns:e="${soap12}" xmlns:wsa="${wsa}"><e:Header>${header}</e:Header><e:Body/></e:Envelope>`
  const incoming = Object.assign(Readable.from([Buffer.from(message)]), {
    headers: { 'content-type': 'application/soap+xml' },
    socket: {},
  }) as unknown as IncomingMessage
  const serve = soapEndpoint({ transactions: [], admits: () => true }, parts)
  const { body } = await serve(incoming, new AbortController().signal)
  if (typeof body !== 'string') throw new Error('An answer with documents was not expected')
  return body
}

describe('a mandatory header nobody here understands', () => {
  it.each([
    ['without a namespace', '<h e:mustUnderstand="1"/>', 'h', undefined],
    ['of a foreign namespace', '<x:h xmlns:x="urn:x" e:mustUnderstand="1"/>', 'q:h', 'urn:x'],
    ['that addressing does not know', '<wsa:Bogus e:mustUnderstand="1"/>', 'q:Bogus', wsa],
  ])('is named by a fault that can be read: %s', async (_what, header, qname, namespace) => {
    const answer = await answerTo(header)
    expect(answer).toContain('<env:Value>env:MustUnderstand</env:Value>')
    const tree = readTree(Buffer.from(answer))
    const named = tree
      .children(tree.child(tree.root, soap12, 'Header'))
      .find((block) => tree.is(block, soap12, 'NotUnderstood'))
    expect(named === undefined ? undefined : tree.attribute(named, 'qname')).toBe(qname)
    expect(answer.includes('xmlns:q=')).toBe(namespace !== undefined)
    if (namespace !== undefined) expect(answer).toContain(`xmlns:q="${namespace}"`)
  })

  it.each(['To', 'From', 'RelatesTo'])('is not what addressing itself defines: %s', async (name) => {
    expect(await answerTo(`<wsa:${name} e:mustUnderstand="1">x</wsa:${name}>`)).not.toContain('MustUnderstand<')
  })
})

describe('a caller refused before the whole message was read', () => {
  let server: Server | undefined
  afterEach(() => server?.close())

  it('sees the refusal even when it reads nothing before it has sent everything', async () => {
    const refusal = { status: 413, body: '<refused/>', contentType: 'application/soap+xml', headers: {} }
    const app = soapApp([{ path: '/door', serve: async () => refusal, wsdl: '', schemas: new Map() }])
    server = createServer(getRequestListener(app.fetch)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const size = 16 * 1024 * 1024
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').pause()
    socket.write(`POST /door HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${size}\r\n\r\n`)
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.write(Buffer.alloc(size), () => resolve())
    })
    const answer = await text(socket)
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toContain('<refused/>')
  })
})
