import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { between, type Knock, signerIn, startTrustGateway, type TrustGateway } from '../support/trust-gateway.ts'
import { type Answered, patient } from '../unit/network/asking.ts'

let door: TrustGateway
beforeAll(async () => {
  // Nobody but the record is asked about a citizen whom Tuscany assists.
  door = await startTrustGateway({ regions: [], asksAlways: true })
})
afterAll(() => door[Symbol.asyncDispose]())

const boundary = 'MIME_boundary'
const soap = 'application/soap+xml'

/** `multipart/related` as SOAP MTOM §3 and XOP §4 have it. */
function packageType(changes: Readonly<Record<string, string | undefined>> = {}): string {
  const parameters = {
    type: 'application/xop+xml',
    boundary,
    start: '<root@example>',
    'start-info': soap,
    ...changes,
  }
  const written = Object.entries(parameters).map(([name, value]) => (value === undefined ? '' : `; ${name}="${value}"`))
  return `multipart/related${written.join('')}`
}

const rootHeaders = [
  `Content-Type: application/xop+xml; charset=UTF-8; type="${soap}"`,
  'Content-Transfer-Encoding: binary',
  'Content-ID: <root@example>',
]

const part = (headers: readonly string[], content: string) =>
  `--${boundary}\r\n${headers.join('\r\n')}\r\n\r\n${content}\r\n`
const end = `--${boundary}--\r\n`
const packaged = (message: string, headers = rootHeaders) => part(headers, message) + end
const attachment = part(['Content-Type: application/octet-stream', 'Content-ID: <other@example>'], 'bytes')

/** The portal asks our own door; the same message in a package, or as it is. */
const ask = (more: Partial<Knock> = {}): Promise<Answered> =>
  door.knock({ as: 'portal', by: signerIn('portal'), door: 'iti18', about: patient('numeric'), ...more })
const inPackage = (wrap: (message: string) => string = packaged, contentType = packageType()): Promise<Answered> =>
  ask({ contentType, change: wrap })

/** What an answer says, without what no two answers have in common. */
function content({ http, documents, status }: Answered) {
  return { status, code: http.status, documents: documents.map(({ xml }) => xml) }
}

describe('a message in an MTOM package', () => {
  it('is answered as the same message by itself, in a package of its own', async () => {
    const plain = await ask()
    const answer = await inPackage()
    expect(plain.documents.length).toBeGreaterThan(0)
    expect(content(answer)).toEqual(content(plain))
    expect(plain.http.contentType).toMatch(/^application\/soap\+xml/)
    expect(answer.http.contentType).toMatch(/^multipart\/related;.*application\/xop\+xml/)
  })

  it.each<[string, (message: string) => string, string]>([
    ['behind a part that nobody needs', (message) => attachment + packaged(message), packageType()],
    ['before one', (message) => part(rootHeaders, message) + attachment + end, packageType()],
    ['first, where nobody says where it starts', packaged, packageType({ start: undefined })],
    [
      'in base64',
      (message) =>
        packaged(
          Buffer.from(message).toString('base64').replaceAll(/.{76}/g, '$&\r\n'),
          rootHeaders.map((header) => header.replace('binary', 'base64')),
        ),
      packageType(),
    ],
    ['after a preamble', (message) => `Read this with MIME.\r\n${packaged(message)}`, packageType()],
  ])('is answered %s', async (_, wrap, type) => {
    expect((await inPackage(wrap, type)).status).toBe('Success')
  })

  it('is for us to judge as any message: an assertion that is not sound is refused', async () => {
    const answer = await between(
      () => inPackage(),
      () => inPackage((message) => packaged(message.replace('>AAS<', '>DRS<'))),
    )
    expect(answer.fault).toMatchObject({ code: 'Sender', subcodes: ['wsse:FailedCheck'] })
  })

  it('is one message: a second time it is used already, also by itself', async () => {
    const messageId = 'urn:uuid:6f0d4b52-5f3f-4ee1-8f0c-3a2a4c1d7b11'
    expect((await ask({ contentType: packageType(), change: packaged, messageId })).status).toBe('Success')
    const answer = await between(
      () => inPackage(),
      () => ask({ messageId }),
    )
    expect(answer.fault).toMatchObject({ code: 'Sender', subcodes: ['wsse:FailedAuthentication'] })
  })
})

describe('a package that is none', () => {
  it.each<[string, (message: string) => string, string]>([
    ['without a boundary', packaged, packageType({ boundary: undefined })],
    ['with another boundary', packaged, packageType({ boundary: 'other' })],
    ['of another type', packaged, packageType({ type: 'text/plain' })],
    ['with a root that it does not have', packaged, packageType({ start: '<nobody@example>' })],
    ['that is cut off', (message) => part(rootHeaders, message).slice(0, -20), packageType()],
    ['without an end', (message) => part(rootHeaders, message), packageType()],
    ['without a part', () => end, packageType()],
    ['of nothing', () => '', packageType()],
    ['with two roots of one name', (message) => part(rootHeaders, message) + packaged(message), packageType()],
    [
      'with a root of another type',
      (message) => packaged(message, ['Content-Type: text/plain', ...rootHeaders.slice(1)]),
      packageType(),
    ],
    ['with a root that is no XML', () => packaged('no XML'), packageType()],
    ['of SOAP 1.1', packaged, packageType({ 'start-info': 'text/xml' })],
  ])('is the sender’s fault: %s', async (_, wrap, type) => {
    const answer = await between(
      () => inPackage(),
      () => inPackage(wrap, type),
    )
    expect(answer.fault).toMatchObject({ code: 'Sender' })
    expect(answer.http.status).toBe(400)
    expect(answer.http.text).not.toContain(patient('numeric').split('^')[0])
  })

  it('is no package at all when it is multipart of another kind', async () => {
    const answer = await between(
      () => inPackage(),
      () => inPackage(packaged, packageType().replace('related', 'mixed')),
    )
    expect(answer.fault).toMatchObject({ code: 'Sender' })
    expect(answer.http.status).toBe(415)
  })
})
