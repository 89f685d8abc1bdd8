import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { beforeAll, describe, expect, it } from 'vitest'
import { communityClient } from '../../../src/client/send.ts'
import { metadataSubmitter, type SubmitMetadataParts } from '../../../src/client/submit-metadata.ts'
import type { RegistrySubmission, SubmissionReply } from '../../../src/config/adapter.ts'
import { GatewayError } from '../../../src/core/errors.ts'
import { actions } from '../../../src/wire/actions.ts'
import { encodeRegistryResponse } from '../../../src/wire/ebrim/registry-response.ts'
import { encodeRemoveObjects } from '../../../src/wire/ebrim/submit-objects.ts'
import { encodeEnvelope, encodeFault } from '../../../src/wire/soap.ts'
import { authorized, citizen, homes } from '../../support/builders.ts'
import { type Authority, certificateAuthority, type Identity, listen } from '../../support/tls.ts'

let authority: Authority
let server: Identity
let gateway: Identity

beforeAll(async () => {
  authority = await certificateAuthority('Community')
  server = await authority.issue({ cn: 'server' })
  gateway = await authority.issue({ cn: 'gateway' })
})

interface Asked {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly messageId: string
}

type Play = (asked: Asked, response: ServerResponse) => void

/** Submits to a registry that demands a certificate; answers with everything it saw. */
async function submitted(
  play: Play,
  more: Partial<RegistrySubmission> = {},
  parts: Partial<SubmitMetadataParts> = {},
): Promise<{ readonly reply: Promise<SubmissionReply>; readonly seen: readonly Asked[]; readonly vouched: unknown[] }> {
  const seen: Asked[] = []
  const vouched: unknown[] = []
  const settings = { ...server, ca: authority.ca, requestCert: true, rejectUnauthorized: true }
  await using listening = await listen(
    createServer(settings, async (incoming, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of incoming) chunks.push(chunk as Buffer)
      const body = Buffer.concat(chunks).toString('utf8')
      const [, messageId = ''] = /MessageID[^>]*>([^<]+)</.exec(body) ?? []
      const asked = { headers: incoming.headers, body, messageId }
      seen.push(asked)
      play(asked, response)
    }),
  )
  await using client = communityClient({
    name: 'tuscany',
    home: homes.tuscany,
    tls: { ca: [authority.ca], ...gateway },
    maxResponseBytes: 100_000,
    connections: 2,
    connectTimeoutMs: 2_000,
  })
  const submit = metadataSubmitter({
    client,
    vouch: async ({ does, patientId }) => {
      vouched.push({ does, patientId })
      return `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_${vouched.length}"></saml:Assertion>`
    },
    ...parts,
  })
  const reply = submit({
    url: `${listening.origin}/register`,
    action: actions.registerDocumentSet,
    body: '<b xmlns="urn:b"/>',
    call: authorized(),
    does: 'CREATE',
    ...more,
  })
  await reply.catch(() => undefined)
  return { reply, seen, vouched }
}

const says =
  (xml: string, { status = 200, contentType = 'application/soap+xml', relatesTo = '' } = {}): Play =>
  ({ messageId }, response) => {
    const message = encodeEnvelope({ action: 'r', messageId: 'urn:uuid:x', relatesTo: relatesTo || messageId }, xml)
    response.writeHead(status, { 'content-type': contentType }).end(message)
  }

const success = encodeRegistryResponse({ status: 'success', errors: [] })

async function failure(reply: Promise<SubmissionReply>): Promise<GatewayError> {
  const error = await reply.then(
    () => expect.fail('it was answered'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof GatewayError)) throw error
  return error
}

describe('telling a registry of a change', () => {
  it('is one signed message that claims what it does', async () => {
    const { reply, seen, vouched } = await submitted(says(success), { patientId: citizen, does: 'UPDATE' })
    expect(await reply).toEqual({ kind: 'answer', status: 'success', issues: [] })
    expect(vouched).toEqual([{ does: 'UPDATE', patientId: citizen }])
    expect(seen).toHaveLength(1)
    expect(seen[0]?.headers['content-type']).toBe('application/soap+xml; charset=utf-8')
    expect(seen[0]?.body).toContain(`<wsa:Action env:mustUnderstand="true">${actions.registerDocumentSet}</wsa:Action>`)
    expect(seen[0]?.body).toMatch(/<wsa:To>https:\S+\/register<\/wsa:To>/)
    expect(seen[0]?.body).toContain('ID="_1"')
    expect(seen[0]?.body).toContain('<env:Body><b xmlns="urn:b"/></env:Body>')
    expect(seen[0]?.messageId).toMatch(/^urn:uuid:/)
  })

  it('names its message as the registry wants', async () => {
    const { seen } = await submitted(says(success), { messageId: 'bare' })
    expect(seen[0]?.messageId).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('is sealed and dressed as the community wants', async () => {
    const { seen } = await submitted(
      says(success),
      { body: encodeRemoveObjects(['urn:uuid:1']) },
      {
        seal: async ({ messageId }, body) => `<sealed>${body}<MessageID>${messageId}</MessageID></sealed>`,
        dress: async ({ body }) => ({ 'x-length': String(body?.length) }),
      },
    )
    expect(seen[0]?.body).toMatch(/^<sealed><lcm:RemoveObjectsRequest/)
    expect(seen[0]?.headers['x-length']).toBe(String(seen[0]?.body.length))
  })

  it('gives what the registry says against it, whatever its status says', async () => {
    const errors = [
      { errorCode: 'R224', codeContext: 'DocumentEntry already saved', severity: 'error', location: 'd' },
    ] as const
    const { reply } = await submitted(says(encodeRegistryResponse({ status: 'success', errors })))
    expect(await reply).toEqual({
      kind: 'answer',
      status: 'success',
      issues: [{ severity: 'error', code: 'R224', text: 'DocumentEntry already saved', location: 'd' }],
    })
  })

  it('reads an answer under a wrong label, with a wrong status, and without an envelope', async () => {
    for (const play of [
      says(success, { contentType: 'application/soap-xml' }),
      says(success, { status: 500 }),
      ((_asked, response) => response.end(success)) satisfies Play,
    ]) {
      const { reply } = await submitted(play)
      expect(await reply).toMatchObject({ kind: 'answer', status: 'success' })
    }
  })

  it('tells a fault as one, and whose doing it is said to be', async () => {
    const fault =
      (code: 'Sender' | 'Receiver'): Play =>
      ({ messageId }, response) =>
        response
          .writeHead(500)
          .end(encodeFault({ code, reason: 'Not now' }, { messageId: 'urn:uuid:y', relatesTo: messageId }))
    const issue = (code: string) => ({ severity: 'error', code, text: 'Not now' })
    const sender = await submitted(fault('Sender'))
    expect(await sender.reply).toEqual({ kind: 'fault', sender: true, issue: issue('Sender') })
    const receiver = await submitted(fault('Receiver'))
    expect(await receiver.reply).toEqual({ kind: 'fault', sender: false, issue: issue('Receiver') })
  })

  it('is not sent a second time when the connection breaks: it may have been taken', async () => {
    const { reply, seen, vouched } = await submitted((_asked, response) => response.destroy())
    expect((await failure(reply)).code).toBe('community-unavailable')
    expect(seen).toHaveLength(1)
    expect(vouched).toHaveLength(1)
  })

  it('fails when another message is answered', async () => {
    const { reply } = await submitted(says(success, { relatesTo: 'urn:uuid:0' }))
    expect((await failure(reply)).code).toBe('community-misbehaved')
  })

  const odd: Readonly<Record<string, readonly [Play, string]>> = {
    'a page for people': [
      (_asked, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<html></html>'),
      'community-unavailable',
    ],
    'nothing, busy': [(_asked, response) => response.writeHead(503).end(), 'community-busy'],
    'nothing, refusing': [(_asked, response) => response.writeHead(403).end(), 'community-rejected'],
    'XML that ends early': [(_asked, response) => response.end('<a>'), 'community-misbehaved'],
    'XML that ends early, failing': [(_asked, response) => response.writeHead(500).end('<a>'), 'community-unavailable'],
    'another message': [says('<b xmlns="urn:b"/>'), 'community-misbehaved'],
    'another message, failing': [says('<b xmlns="urn:b"/>', { status: 500 }), 'community-unavailable'],
  }
  for (const [name, [play, code]] of Object.entries(odd)) {
    it(`fails when the answer is ${name}`, async () => {
      const { reply } = await submitted(play)
      expect((await failure(reply)).code).toBe(code)
    })
  }
})
