import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkConfig } from '../../../src/config/load.ts'
import { type Gateway, paths, startGateway } from '../../../src/gateway.ts'
import { sqliteStore } from '../../../src/store/sqlite.ts'
import { actions } from '../../../src/wire/actions.ts'
import { encodeStoredQuery } from '../../../src/wire/ebrim/stored-query.ts'
import { encodeEnvelope, soapNames } from '../../../src/wire/soap.ts'
import { citizen, findDocuments, homes, otherCitizen } from '../../support/builders.ts'
import { issued, pem, signing, type vouching } from '../../support/saml.ts'

const certificates = fileURLToPath(new URL('../../../certs-dev/out/', import.meta.url))
const at = (name: string) => join(certificates, name)
const folder = mkdtempSync(join(tmpdir(), 'gateway-'))
const maxMessageBytes = 64 * 1024

function federation() {
  const pair = (kind: string) => ({ certificate: at(`gateway/${kind}.crt.pem`), key: at(`gateway/${kind}.key.pem`) })
  const trust = (code: string) => ({
    callers: { anchors: [at('ca.pem')], names: [`^A1#${code}`] },
    assertions: { issuers: [code.slice(0, 3)], anchors: [at('signing-ca.pem')], signers: [`^S1#${code}`] },
  })
  const listen = { host: '127.0.0.1', port: 0 }
  // Nobody listens at port 1: the record is down, which is all these tests need of it.
  const away = 'https://127.0.0.1:1/'
  return checkConfig({
    gateway: {
      home: homes.tuscany,
      organization: { code: '090', name: 'Regione Toscana' },
      listen,
      operator: listen,
      identity: { tls: pair('tls'), signing: pair('signing') },
      application: { id: 'crocevia', vendor: 'Regione Toscana', version: '0' },
      store: { path: join(folder, 'store.sqlite') },
      maxMessageBytes,
      logLevel: 'silent',
    },
    communities: [
      {
        home: homes.tuscany,
        name: 'tuscany',
        adapter: 'tuscany',
        options: { registry: away },
        trust: { tls: [at('ca.pem')] },
      },
      {
        home: homes.veneto,
        name: 'region-050',
        adapter: 'region',
        options: { query: away },
        trust: { tls: [at('ca.pem')], ...trust('050#') },
      },
    ],
    consumers: [{ name: 'portal', trust: trust('090#090PORTALE') }],
  })
}

let gateway: Gateway
beforeAll(async () => {
  gateway = await startGateway({
    federation: federation(),
    read: (path) => pem(path.slice(certificates.length)),
    bytes: (path) => Buffer.from(pem(path.slice(certificates.length))),
    locate: (path) => path,
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  const store = await sqliteStore({ path: join(folder, 'store.sqlite') })
  expect(await store.latest()).toBeDefined()
  await store[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

interface Sent {
  readonly as?: string
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly agent?: Agent
}

interface Received {
  readonly status: number
  readonly body: string
  readonly headers: IncomingHttpHeaders
}

function send(
  body: string | Buffer,
  { as = 'portal', path = paths.iti18, method = 'POST', headers = {}, agent }: Sent = {},
): Promise<Received> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: gateway.ports.soap,
        path,
        method,
        ca: pem('ca.pem'),
        cert: pem(`${as}/tls.crt.pem`),
        key: pem(`${as}/tls.key.pem`),
        headers: { 'content-type': 'application/soap+xml; charset=utf-8', ...headers },
        ...(agent === undefined ? {} : { agent }),
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            body: Buffer.concat(chunks).toString(),
            headers: incoming.headers,
          }),
        )
        incoming.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

const portalAssertion = (claims: Partial<typeof vouching> = {}) =>
  issued({ organization: '090', ...claims }, { identity: signing('portal'), issuer: '090' })
const portalSigned = await portalAssertion()
const venetoSigned = await issued()

interface Question {
  readonly action?: string
  readonly assertion?: string
  readonly query?: string
  readonly messageId?: string
}

function question({
  action = actions.registryStoredQuery,
  assertion,
  query,
  messageId = `urn:uuid:${randomUUID()}`,
}: Question = {}): string {
  return encodeEnvelope(
    { action, messageId, anonymousReply: true, assertion: assertion ?? portalSigned },
    query ?? encodeStoredQuery(findDocuments()),
  )
}

describe('a question', () => {
  it('is answered; the community that is down is named by its home', async () => {
    const { status, body, headers } = await send(question({ messageId: 'urn:uuid:q' }))
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('application/soap+xml; charset=utf-8')
    expect(headers['cache-control']).toBe('no-store')
    expect(headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(headers['server-timing']).toContain('tuscany;dur=')
    expect(body).toContain(`${actions.registryStoredQuery}Response</wsa:Action>`)
    expect(body).toContain('<wsa:RelatesTo>urn:uuid:q</wsa:RelatesTo>')
    expect(body).toContain('ResponseStatusType:Failure')
    for (const home of [homes.tuscany, homes.veneto]) expect(body).toContain(`location="${home}"`)
    expect(body).toContain('XDSUnavailableCommunity')
    expect(body).not.toContain(citizen.value)
  })

  it.each([
    'urn:uuid:0c9d7c34-4f6f-4a55-9c55-1c3a6c2b9d22',
    'uuid:0c9d7c34-4f6f-4a55-9c55-1c3a6c2b9d22',
    '0c9d7c34-4f6f-4a55-9c55-1c3a6c2b9d22',
  ])('is answered to the message id as it was spelt: %s', async (messageId) => {
    expect((await send(question({ messageId }))).body).toContain(`<wsa:RelatesTo>${messageId}</wsa:RelatesTo>`)
  })

  it.each([
    'text/xml',
    'application/soap-xml',
    'application/soap+xml;charset="UTF-8";action="None"',
    'application/xml; charset=us-ascii',
  ])('may be labelled %s', async (type) =>
    expect((await send(question(), { headers: { 'content-type': type } })).status).toBe(200),
  )

  it('of another region is answered at its own door', async () => {
    const asked = question({ action: actions.crossGatewayQuery, assertion: venetoSigned })
    const { status, body } = await send(asked, { as: 'region-050', path: paths.iti38 })
    expect(status).toBe(200)
    expect(body).toContain(`location="${homes.tuscany}"`)
    expect(body).not.toContain(`location="${homes.veneto}"`)
  })
})

const unsigned = async () =>
  question({ assertion: await portalSigned.replace(/<ds:Signature .*<\/ds:Signature>/s, '') })
const soap11 = () => question().replaceAll(soapNames.soap12, soapNames.soap11)

describe('what is wrong gets its answer, and the next request is served', () => {
  it.each<[string, () => string | Buffer | Promise<string>, Sent, number, RegExp]>([
    ['SOAP 1.1', soap11, { headers: { 'content-type': 'text/xml' } }, 500, /faultcode>env:VersionMismatch/],
    [
      'a label that is not XML',
      () => question(),
      { headers: { 'content-type': 'application/json' } },
      415,
      /env:Sender/,
    ],
    ['no label', () => question(), { headers: { 'content-type': '' } }, 415, /env:Sender/],
    [
      'another charset',
      () => question(),
      { headers: { 'content-type': 'application/soap+xml; charset=utf-16' } },
      415,
      /env:Sender/,
    ],
    ['an empty body', () => '', {}, 400, /env:Sender/],
    ['no XML', () => 'hello', {}, 400, /env:Sender/],
    ['XML cut short', () => question().slice(0, -20), {}, 400, /env:Sender/],
    [
      'a DOCTYPE',
      () => question().replace('<env:Envelope', '<!DOCTYPE x [<!ENTITY e "x">]><env:Envelope'),
      {},
      400,
      /env:Sender/,
    ],
    [
      'an encoding that lies',
      () => Buffer.from(question().replace('Regione Veneto', 'Citt\u00e0'), 'latin1'),
      {},
      400,
      /env:Sender/,
    ],
    ['depth', () => question({ query: '<a>'.repeat(2_000) + '</a>'.repeat(2_000) }), {}, 400, /env:Sender/],
    ['an announced size', () => 'x'.repeat(maxMessageBytes + 1), {}, 413, /env:Sender/],
    [
      'a size nobody announced',
      () => 'x'.repeat(maxMessageBytes + 1),
      { headers: { 'transfer-encoding': 'chunked' } },
      413,
      /env:Sender/,
    ],
    ['an unknown action', () => question({ action: 'urn:x' }), {}, 400, /wsa:ActionNotSupported/],
    [
      'the action of the other door',
      () => question({ action: actions.crossGatewayQuery }),
      {},
      400,
      /wsa:ActionNotSupported/,
    ],
    [
      'no action',
      () => question().replace(/<wsa:Action.*?<\/wsa:Action>/, ''),
      {},
      400,
      /wsa:MessageAddressingHeaderRequired/,
    ],
    [
      'no message id',
      () => question().replace(/<wsa:MessageID.*?<\/wsa:MessageID>/, ''),
      {},
      400,
      /wsa:MessageAddressingHeaderRequired/,
    ],
    [
      'two message ids',
      () => question().replace(/<wsa:MessageID.*?<\/wsa:MessageID>/, '$&$&'),
      {},
      400,
      /wsa:InvalidCardinality/,
    ],
    [
      'an answer elsewhere',
      () => question().replace('/anonymous<', '/x<'),
      {},
      400,
      /wsa:OnlyAnonymousAddressSupported/,
    ],
    [
      'a mandatory header',
      () => question().replace('<env:Header>', '<env:Header><x xmlns="urn:x" env:mustUnderstand="1"/>'),
      {},
      500,
      /NotUnderstood/,
    ],
    ['no assertion', () => question({ assertion: '' }), {}, 400, /wsse:SecurityTokenUnavailable/],
    ['an unsigned assertion', unsigned, {}, 400, /wsse:FailedCheck/],
    [
      'an assertion of somebody else',
      () => question({ assertion: venetoSigned }),
      {},
      400,
      /wsse:FailedAuthentication/,
    ],
    [
      'an assertion about another patient',
      async () => question({ assertion: await portalAssertion({ patientId: otherCitizen }) }),
      {},
      400,
      /wsse:FailedAuthentication/,
    ],
    [
      'a role without the right',
      async () => question({ assertion: await portalAssertion({ role: 'MDS', purposeOfUse: 'PERSONAL' }) }),
      {},
      400,
      /wsse:FailedAuthentication/,
    ],
    [
      'a region at the door of our own',
      () => question({ assertion: venetoSigned }),
      { as: 'region-050' },
      400,
      /wsse:FailedAuthentication/,
    ],
    [
      'one of our own at the door of regions',
      () => question(),
      { path: paths.iti38 },
      400,
      /wsse:FailedAuthentication/,
    ],
    ['a stranger with a good certificate', () => question(), { as: 'stranger' }, 400, /wsse:FailedAuthentication/],
    ['a body that is no query', () => question({ query: '<x xmlns="urn:x"/>' }), {}, 400, /env:Sender/],
    [
      'a query nobody knows',
      () => question().replace('14d4debf-8f97-4251-9a74-a90016b0af0d', '00000000-0000-0000-0000-000000000000'),
      {},
      200,
      /XDSUnknownStoredQuery/,
    ],
    [
      'a query without its status',
      () => question().replace(/<rim:Slot name="\$XDSDocumentEntryStatus">.*?<\/rim:Slot>/, ''),
      {},
      200,
      /XDSStoredQueryMissingParam/,
    ],
    ['another address', () => question(), { path: '/elsewhere' }, 404, /Nothing is served/],
    ['another method', () => '', { method: 'PUT' }, 405, /not allowed/],
  ])('%s', async (_what, message, how, status, words) => {
    const received = await send(await message(), how)
    expect([received.status, received.body]).toEqual([status, expect.stringMatching(words)])
    expect(received.body).not.toContain(citizen.value)
    expect(received.body).not.toMatch(/\.ts:|node:internal/)
    expect((await send(question())).status).toBe(200)
  })

  it('a connection without a certificate, or with one of an unknown authority, does not come about', async () => {
    await expect(send(question(), { as: 'bad/unknown-ca' })).rejects.toThrow()
    await expect(send(question(), { as: 'bad/expired' })).rejects.toThrow()
    expect((await send(question())).status).toBe(200)
  })

  it('the rest of a refused message is not taken for the next request', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const refused = await send('x'.repeat(maxMessageBytes * 8), { agent })
    expect(refused.status).toBe(413)
    expect((await send(question(), { agent })).status).toBe(200)
    agent.destroy()
  })
})

describe('the contract', () => {
  it.each([paths.iti18, paths.iti38])('of %s is served with its own address and schemas', async (path) => {
    const { status, body, headers } = await send('', { path: `${path}?wsdl`, method: 'GET' })
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('text/xml; charset=utf-8')
    expect(body).toContain(`https://127.0.0.1:${gateway.ports.soap}${path}`)
    expect(body).not.toContain('{{location}}')
    const schema = await send('', { path: `${path}?xsd=rim.xsd`, method: 'GET' })
    expect(schema.body).toContain('urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0')
    expect((await send('', { path: `${path}?xsd=../../package.json`, method: 'GET' })).status).toBe(404)
    expect((await send('', { path, method: 'GET' })).status).toBe(404)
  })
})

describe('the operator port', () => {
  const ask = async (path: string) => await fetch(`http://127.0.0.1:${gateway.ports.operator}${path}`)

  it.each([
    ['/live', 'live'],
    ['/ready', 'ready'],
  ])('%s', async (path, status) => {
    const response = await ask(path)
    expect([response.status, await response.json()]).toEqual([200, { status }])
  })

  it('tells how the communities are, and numbers, and nobody’s identifier', async () => {
    await send(question())
    const status = await (await ask('/status')).text()
    expect(status).toContain('region-050')
    const metrics = await (await ask('/metrics')).text()
    expect(metrics).toContain('# TYPE')
    for (const text of [status, metrics]) expect(text).not.toContain(citizen.value)
    expect((await ask('/else')).status).toBe(404)
  })
})
