import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { documentRetriever } from '../../../src/client/retrieve-documents.ts'
import { communityClient } from '../../../src/client/send.ts'
import type { RepositoryQuestion, RepositoryReply } from '../../../src/config/adapter.ts'
import { GatewayError } from '../../../src/core/errors.ts'
import type { AuthorizedCall } from '../../../src/core/model/call.ts'
import type { DocumentReference } from '../../../src/core/model/retrieval.ts'
import type { HeldDocument } from '../../../src/core/ports.ts'
import { spool, type TemporarySpool } from '../../../src/spool/spool.ts'
import { actions } from '../../../src/wire/actions.ts'
import { type DocumentToTell, encodeRetrieveResponse } from '../../../src/wire/ebrim/retrieve.ts'
import { authorized, homes } from '../../support/builders.ts'
import { type Authority, certificateAuthority, type Identity, type Listening, listen } from '../../support/tls.ts'

let authority: Authority
let server: Identity
let gateway: Identity
let directory: string
let documents: TemporarySpool
let call: AuthorizedCall & { readonly held: AsyncDisposableStack }

beforeAll(async () => {
  authority = await certificateAuthority('Community')
  server = await authority.issue({ cn: 'server' })
  gateway = await authority.issue({ cn: 'gateway' })
  directory = mkdtempSync(join(tmpdir(), 'crocevia-retrieve-'))
})

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

beforeEach(() => {
  // Files from the first kilobytes on, which keep their names: what is left over shows.
  documents = spool({ directory, memoryBytes: 4_096, isNamed: true })
  call = { ...authorized(), held: new AsyncDisposableStack() }
})

afterEach(async () => {
  await call.held.disposeAsync()
  expect(documents.usage()).toEqual({ documents: 0, memoryBytes: 0, diskBytes: 0 })
  expect(readdirSync(directory)).toEqual([])
  await documents[Symbol.asyncDispose]()
})

const nothing = { documents: 0, memoryBytes: 0, diskBytes: 0 }
const maxDocumentBytes = 300_000
const success = { status: 'success', errors: [] } as const

function reference(name: string): DocumentReference {
  return { home: homes.veneto, repositoryUniqueId: '1.2.3', uniqueId: name }
}

function told(name: string, content: DocumentToTell['content']): DocumentToTell {
  return { ...reference(name), mimeType: 'application/pdf', content }
}

interface Asked {
  readonly contentType: string
  readonly body: string
  readonly messageId: string
}

type Play = (asked: Asked, response: ServerResponse, incoming: IncomingMessage) => void

async function repositoryThat(play: Play): Promise<Listening> {
  const settings = { ...server, ca: authority.ca, requestCert: true, rejectUnauthorized: true }
  return await listen(
    createServer(settings, async (incoming, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of incoming) chunks.push(chunk as Buffer)
      const body = Buffer.concat(chunks).toString('utf8')
      const [, messageId = ''] = /MessageID[^>]*>([^<]+)</.exec(body) ?? []
      play({ contentType: incoming.headers['content-type'] ?? '', body, messageId }, response, incoming)
    }),
  )
}

async function retrieve(
  play: Play,
  names: readonly string[] = ['a'],
  more: Partial<RepositoryQuestion> = {},
): Promise<RepositoryReply> {
  await using listening = await repositoryThat(play)
  await using client = communityClient({
    name: 'region-050',
    home: homes.veneto,
    tls: { ca: [authority.ca], ...gateway },
    maxResponseBytes: 1_000,
    connections: 2,
    connectTimeoutMs: 2_000,
  })
  const ask = documentRetriever({
    client,
    spool: documents,
    maxDocumentBytes,
    vouch: async () => '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>',
  })
  return await ask({
    url: `${listening.origin}/repository`,
    action: actions.crossGatewayRetrieve,
    references: names.map(reference),
    call,
    ...more,
  })
}

/** How a retrieval fails; then nothing is held, before the exchange has ended already. */
async function failure(
  play: Play,
  names?: readonly string[],
  more?: Partial<RepositoryQuestion>,
): Promise<GatewayError> {
  const error = await retrieve(play, names, more).then(
    () => expect.fail('it was answered'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof GatewayError)) throw error
  expect(documents.usage()).toEqual(nothing)
  return error
}

function envelope({ messageId }: { readonly messageId: string }, body: string): string {
  return (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing">' +
    `<s:Header><a:RelatesTo>${messageId}</a:RelatesTo></s:Header><s:Body>${body}</s:Body></s:Envelope>`
  )
}

const packageType =
  'multipart/related; type="application/xop+xml"; boundary="b"; start="<root>"; start-info="application/soap+xml"'
const rootHead = 'Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\nContent-ID: <root>'

/** A package of parts, each with its headers; nothing closes it unless it is told so. */
function packaged(
  parts: readonly (readonly [head: string, content: string | Buffer])[],
  closing = '--b--\r\n',
): Buffer {
  const pieces = parts.flatMap(([head, content]) => [
    Buffer.from(`--b\r\n${head}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ])
  return Buffer.concat([...pieces, Buffer.from(closing)])
}

const part = (id: string, content: string | Buffer) => [`Content-ID: <${id}>`, content] as const

function send(response: ServerResponse, contentType: string, body: string | Buffer, status = 200): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }).end(body)
}

const soapType = 'application/soap+xml; charset=utf-8'

const sendPlain = (response: ServerResponse, asked: Asked, told: readonly DocumentToTell[]) =>
  send(response, soapType, envelope(asked, encodeRetrieveResponse(told, success)))

/** A package whose message tells of the documents, each carried by a part under its own name. */
const sendPackage =
  (names: readonly string[], arrange: (root: readonly [string, string]) => Parameters<typeof packaged>[0]): Play =>
  (asked, response) => {
    const xml = encodeRetrieveResponse(
      names.map((name) => told(name, { contentId: name })),
      success,
    )
    send(response, packageType, packaged(arrange([rootHead, envelope(asked, xml)])))
  }

async function bytesOf({ read }: HeldDocument): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of read()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function contents(reply: RepositoryReply): Promise<Record<string, string>> {
  if (reply.kind !== 'answer') throw new Error('It is a fault')
  const read = reply.documents.map(async ({ uniqueId, content }) => [
    uniqueId,
    (await bytesOf(content)).toString('latin1'),
  ])
  return Object.fromEntries(await Promise.all(read))
}

const large = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, index) => (index * 7919) >> 3))

describe('documents of a repository', () => {
  it('are taken out of a package, and held until the exchange ends', async () => {
    const reply = await retrieve(
      sendPackage(['a', 'b'], (root) => [root, part('a', large), part('b', 'small')]),
      ['a', 'b'],
    )
    expect(await contents(reply)).toEqual({ a: large.toString('latin1'), b: 'small' })
    expect(reply).toMatchObject({
      kind: 'answer',
      issues: [],
      documents: [{ uniqueId: 'a', repositoryUniqueId: '1.2.3', mimeType: 'application/pdf' }, { uniqueId: 'b' }],
    })
    expect(documents.usage()).toMatchObject({ documents: 2, diskBytes: large.length })
    await call.held.disposeAsync()
    expect(documents.usage()).toEqual(nothing)
  })

  it('are taken out of a message that has them inside, whatever was asked for', async () => {
    for (const packaging of ['mtom', 'plain'] as const) {
      const reply = await retrieve(
        (asked, response) =>
          sendPlain(response, asked, [
            told('a', { base64: large.toString('base64') }),
            told('b', { base64: 'c21h\r\nbGw=' }),
            told('c', { base64: '' }),
          ]),
        ['a', 'b', 'c'],
        { packaging },
      )
      expect(await contents(reply)).toEqual({ a: large.toString('latin1'), b: 'small', c: '' })
    }
  })

  it('are taken out of a package’s message that has some of them inside', async () => {
    const reply = await retrieve(
      (asked, response) => {
        const xml = encodeRetrieveResponse([told('a', { contentId: 'a' }), told('b', { base64: 'c21hbGw=' })], success)
        send(response, packageType, packaged([[rootHead, envelope(asked, xml)], part('a', 'beside')]))
      },
      ['a', 'b'],
    )
    expect(await contents(reply)).toEqual({ a: 'beside', b: 'small' })
  })

  it('may come before the message', async () => {
    const reply = await retrieve(
      sendPackage(['a', 'b'], (root) => [part('b', 'B'), part('a', 'A'), root]),
      ['a', 'b'],
    )
    expect(await contents(reply)).toEqual({ a: 'A', b: 'B' })
  })

  it('are those the message tells of: other parts go by unkept, however many and however large', async () => {
    const others = ['x', 'y', 'z'].map((id) => part(id, Buffer.alloc(2 * maxDocumentBytes)))
    const reply = await retrieve(
      sendPackage(['a'], (root) => [root, ...others, ['Content-Type: text/plain', 'nameless'], part('a', 'A')]),
    )
    expect(await contents(reply)).toEqual({ a: 'A' })
    expect(documents.usage().documents).toBe(1)
  })

  it('are those the message tells of, also when others came before it', async () => {
    const reply = await retrieve(
      sendPackage(['a'], (root) => [part('x', large), part('a', 'A'), root]),
      ['a', 'b'],
    )
    expect(await contents(reply)).toEqual({ a: 'A' })
    expect(documents.usage().documents).toBe(1)
  })

  it('may be fewer than were asked for, with reasons', async () => {
    const reply = await retrieve(
      (asked, response) => {
        const errors = [
          { errorCode: 'XDSDocumentUniqueIdError', codeContext: 'no', severity: 'error', location: 'b' },
        ] as const
        const xml = encodeRetrieveResponse([told('a', { base64: 'QQ==' })], { status: 'partial-success', errors })
        send(response, soapType, envelope(asked, xml))
      },
      ['a', 'b'],
    )
    expect(reply).toMatchObject({
      documents: [{ uniqueId: 'a' }],
      issues: [{ code: 'XDSDocumentUniqueIdError', uniqueId: 'b' }],
    })
  })

  it('are those that came: one whose part is not there is left out, and costs no other', async () => {
    const reply = await retrieve(
      sendPackage(['a', 'b'], (root) => [root, part('a', large)]),
      ['a', 'b'],
    )
    expect(await contents(reply)).toEqual({ a: large.toString('latin1') })
  })

  it('are asked for in a package, or plainly where a peer wants that', async () => {
    const asked: Asked[] = []
    const play: Play = (one, response) => {
      asked.push(one)
      sendPlain(response, one, [told('a', { base64: 'QQ==' })])
    }
    await retrieve(play)
    await retrieve(play, ['a'], { packaging: 'plain', messageId: 'bare' })
    expect(asked.map(({ contentType }) => contentType.split(';')[0])).toEqual([
      'multipart/related',
      'application/soap+xml',
    ])
    for (const { body } of asked) expect(body).toContain('<xdsb:DocumentUniqueId>a</xdsb:DocumentUniqueId>')
    expect(asked.map(({ messageId }) => messageId.startsWith('urn:uuid:'))).toEqual([true, false])
  })

  it('are asked for anew, in a fresh message, when the connection was gone already', async () => {
    const ids: string[] = []
    const reply = await retrieve((asked, response, incoming) => {
      ids.push(asked.messageId)
      if (ids.length === 1) incoming.socket.destroy()
      else sendPlain(response, asked, [told('a', { base64: 'QQ==' })])
    })
    expect(await contents(reply)).toEqual({ a: 'A' })
    expect(new Set(ids).size).toBe(2)
  })
})

describe('a repository that does not hand out documents', () => {
  const fault = (code: string) =>
    `<s:Fault xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Code><s:Value>s:${code}</s:Value></s:Code>` +
    '<s:Reason><s:Text xml:lang="en">not now</s:Text></s:Reason></s:Fault>'

  it.each([
    ['Sender', true],
    ['Receiver', false],
  ])('may answer with a fault: %s', async (code, sender) => {
    const reply = await retrieve((asked, response) => send(response, soapType, envelope(asked, fault(code)), 500))
    expect(reply).toEqual({ kind: 'fault', sender, issue: { severity: 'error', code, text: 'not now' } })
  })

  it('may answer with a fault in a package, beside which nothing is kept', async () => {
    const reply = await retrieve((asked, response) =>
      send(response, packageType, packaged([part('a', large), [rootHead, envelope(asked, fault('Receiver'))]]), 500),
    )
    expect(reply).toMatchObject({ kind: 'fault', issue: { code: 'Receiver' } })
    expect(documents.usage()).toEqual(nothing)
  })

  it.each([
    [401, 'text/html', '<html><p>Who are you?', 'community-rejected'],
    [403, 'text/plain', 'no', 'community-rejected'],
    [429, 'application/json', '{}', 'community-busy'],
    [503, 'text/html; charset=utf-8', '<!DOCTYPE html><title>Busy</title><br>', 'community-busy'],
    [500, 'text/html', '<p class=x>', 'community-unavailable'],
    [502, soapType, '', 'community-unavailable'],
    [500, soapType, '<Envelope><Body/></Envelope>', 'community-unavailable'],
    [404, 'text/plain', 'not found', 'community-misbehaved'],
    [200, 'text/html', '<p>Welcome', 'community-misbehaved'],
    [200, soapType, '', 'community-misbehaved'],
    [200, soapType, '<AdhocQueryResponse/>', 'community-misbehaved'],
    [302, 'text/plain', '', 'community-misbehaved'],
  ])('may answer %i with %s that is no message', async (status, contentType, body, code) => {
    expect(await failure((_asked, response) => send(response, contentType, body, status))).toMatchObject({ code })
  })
})

describe('an answer that is not right', () => {
  const misbehaved = (reason: string) => ({ code: 'community-misbehaved', details: { reason } })

  it('is refused when it answers another message', async () => {
    const other = { messageId: 'urn:uuid:0e53ba2d-9c6f-4b8f-8f5d-2b6b1c1d1111' }
    const inside = [told('a', { base64: large.toString('base64') })]
    const plain: Play = (asked, response) => sendPlain(response, { ...asked, ...other }, inside)
    expect(await failure(plain)).toMatchObject(misbehaved('relates-to-differs'))
    const beside: Play = (_asked, response) => {
      const xml = envelope(other, encodeRetrieveResponse([told('a', { contentId: 'a' })], success))
      send(response, packageType, packaged([[rootHead, xml], part('a', large)]))
    }
    expect(await failure(beside)).toMatchObject(misbehaved('relates-to-differs'))
  })

  it.each<[string, string, Play, string[]?]>([
    [
      'more parts than were asked for, before its message',
      'too-many-documents',
      sendPackage(['a'], (root) => [part('x', 'X'), part('a', large), root]),
    ],
    [
      'more documents than were asked for',
      'too-many-documents',
      sendPackage(['a', 'b'], (root) => [root, part('a', large), part('b', 'B')]),
    ],
    [
      'a part that is there twice',
      'duplicate-content-id',
      sendPackage(['a'], (root) => [root, part('a', large), part('a', 'A')]),
      ['a', 'b'],
    ],
    ['no message', 'no-root', sendPackage(['a'], () => [part('a', large)])],
    [
      'a message that is no XML',
      'mismatched-tag',
      (_asked, response) => send(response, packageType, packaged([part('a', large), [rootHead, '<a><b></a>']])),
    ],
    [
      'no closing delimiter',
      'truncated',
      (asked, response) => {
        const xml = envelope(asked, encodeRetrieveResponse([told('a', { contentId: 'a' })], success))
        send(response, packageType, packaged([[rootHead, xml], part('a', large)], ''))
      },
    ],
    [
      'a document that is no base64',
      'base64',
      (asked, response) => sendPlain(response, asked, [told('a', { base64: `${large.toString('base64')}!` })]),
    ],
    [
      'two documents in one part',
      'document-told-twice',
      (asked, response) => {
        const xml = encodeRetrieveResponse([told('a', { contentId: 'a' }), told('b', { contentId: 'a' })], success)
        send(response, packageType, packaged([[rootHead, envelope(asked, xml)], part('a', large)]))
      },
      ['a', 'b'],
    ],
    [
      'an Include that is no reference to a part',
      'include-elsewhere',
      (asked, response) => {
        const xml = encodeRetrieveResponse([told('a', { contentId: 'a' })], success).replace(
          'cid:a',
          'https://elsewhere/',
        )
        send(response, packageType, packaged([part('a', large), [rootHead, envelope(asked, xml)]]))
      },
    ],
    [
      'documents that are empty without end',
      'too-many-documents',
      (asked, response) => {
        sendPlain(
          response,
          asked,
          Array.from({ length: 500 }, () => told('a', { base64: '' })),
        )
      },
    ],
  ])('is refused for %s', async (_what, reason, play, names) => {
    expect(await failure(play, names)).toMatchObject(misbehaved(reason))
  })

  it('is refused for a document beyond the bound, however it comes', async () => {
    const huge = Buffer.alloc(maxDocumentBytes + 1, 'x')
    const beside = await failure(sendPackage(['a'], (root) => [root, part('a', huge)]))
    expect(beside).toMatchObject({ code: 'community-misbehaved', details: { maxBytes: maxDocumentBytes } })
    const inside: Play = (asked, response) =>
      sendPlain(response, asked, [told('a', { base64: huge.toString('base64') })])
    expect(await failure(inside)).toMatchObject({
      code: 'community-misbehaved',
      details: { maxBytes: maxDocumentBytes },
    })
  })

  it('is refused for a message that goes on and on', async () => {
    const flood: Play = (_asked, response, incoming) => {
      response.writeHead(200, { 'content-type': soapType })
      response.write('<r>')
      const more = () => {
        while (!incoming.socket.destroyed && response.write(Buffer.alloc(65_536, 'x')));
      }
      response.on('drain', more)
      more()
    }
    expect(await failure(flood)).toMatchObject(misbehaved('root-too-large'))
  })

  it('never gives one document to another: an Include of our own making is not believed for two', async () => {
    const forged: Play = (asked, response) => {
      const xml = encodeRetrieveResponse(
        [told('a', { base64: 'QQ==' }), told('b', { contentId: 'inline-1@crocevia' })],
        success,
      )
      send(response, soapType, envelope(asked, xml))
    }
    expect(await failure(forged, ['a', 'b'])).toMatchObject(misbehaved('document-told-twice'))
  })
})

describe('a transfer that breaks off', () => {
  const begun = (asked: Asked) => {
    const xml = envelope(
      asked,
      encodeRetrieveResponse([told('a', { contentId: 'a' }), told('b', { contentId: 'b' })], success),
    )
    return packaged([[rootHead, xml], part('a', large), part('b', large)], '').subarray(0, -100_000)
  }

  it.each<[string, Play, string]>([
    [
      'before the announced length, by an end',
      (asked, response, { socket }) => {
        response.writeHead(200, { 'content-type': packageType, 'content-length': 1_000_000 })
        response.write(begun(asked), () => socket.end())
      },
      'community-unavailable',
    ],
    [
      'before the announced length, by a reset',
      (asked, response, { socket }) => {
        response.writeHead(200, { 'content-type': packageType, 'content-length': 1_000_000 })
        response.write(begun(asked), () => socket.destroy())
      },
      'community-unavailable',
    ],
    [
      'between chunks',
      (asked, response, { socket }) => {
        response.writeHead(200, { 'content-type': packageType })
        response.write(begun(asked), () => socket.end())
      },
      'community-unavailable',
    ],
    [
      'where only the end of the connection would have told the length',
      (asked, response, { socket }) => {
        response.useChunkedEncodingByDefault = false
        response.writeHead(200, { 'content-type': packageType, connection: 'close' })
        response.write(begun(asked), () => socket.end())
      },
      'community-misbehaved',
    ],
    [
      'inside a document that is inside the message',
      (asked, response, { socket }) => {
        response.useChunkedEncodingByDefault = false
        response.writeHead(200, { 'content-type': soapType, connection: 'close' })
        const xml = envelope(asked, encodeRetrieveResponse([told('a', { base64: large.toString('base64') })], success))
        response.write(xml.slice(0, 150_000), () => socket.end())
      },
      'community-misbehaved',
    ],
    [
      'behind the documents, inside the message',
      (asked, response, { socket }) => {
        response.useChunkedEncodingByDefault = false
        response.writeHead(200, { 'content-type': soapType, connection: 'close' })
        const xml = envelope(asked, encodeRetrieveResponse([told('a', { base64: large.toString('base64') })], success))
        response.write(xml.slice(0, -'</s:Envelope>'.length), () => socket.end())
      },
      'community-misbehaved',
    ],
  ])('is a failure: %s', async (_what, play, code) => {
    expect(await failure(play, ['a', 'b'])).toMatchObject({ code })
  })

  it('is given up when its caller leaves, or its time is up', async () => {
    for (const [reason, code] of [
      [new Error('hung up'), 'caller-gone'],
      [new DOMException('late', 'TimeoutError'), 'community-timeout'],
    ] as const) {
      const caller = new AbortController()
      const play: Play = async (asked, response, { socket }) => {
        response.writeHead(200, { 'content-type': packageType })
        response.write(begun(asked))
        while (documents.usage().documents < 2 || documents.usage().diskBytes < large.length)
          await new Promise((resolve) => setImmediate(resolve))
        caller.abort(reason)
        await once(socket, 'close')
      }
      expect(await failure(play, ['a', 'b'], { call: { ...call, signal: caller.signal } })).toMatchObject({ code })
    }
  })

  it('leaves nothing when the exchange ended before the documents were whole', async () => {
    const play: Play = async (asked, response) => {
      await call.held.disposeAsync()
      sendPackage(['a', 'b'], (root) => [root, part('a', large), part('b', 'B')])(asked, response, undefined as never)
    }
    expect(await failure(play, ['a', 'b'])).toMatchObject({ code: 'caller-gone' })
  })

  it('is the gateway’s own failure when there is no room for the document', async () => {
    await documents[Symbol.asyncDispose]()
    documents = spool({ directory, memoryBytes: 4_096, isNamed: true, totalDiskBytes: 100_000 })
    const play = sendPackage(['a'], (root) => [root, part('a', large)])
    expect(await failure(play)).toMatchObject({ code: 'overloaded' })
  })
})
