import { describe, expect, it } from 'vitest'
import { registryAsker } from '../../../src/client/ask-registry.ts'
import { homed } from '../../../src/client/homed.ts'
import type { CommunityClient } from '../../../src/client/send.ts'
import type { HomeRule, MessageIdForm, RegistryQuestion } from '../../../src/config/adapter.ts'
import { actions } from '../../../src/wire/actions.ts'
import { encodeQueryResponse } from '../../../src/wire/ebrim/query-response.ts'
import { encodeEnvelope, encodeFault } from '../../../src/wire/soap.ts'
import {
  answer,
  authorized,
  entry,
  findDocuments,
  folder,
  homes,
  issue,
  submissionSet,
} from '../../support/builders.ts'

type Outgoing = Awaited<ReturnType<Parameters<CommunityClient['sendFresh']>[0]>>

interface Reply {
  readonly status?: number
  readonly contentType?: string
  readonly body: string
}

const homes150: HomeRule = { missing: 'stamp', allowed: new Set([homes.veneto]) }

/** A peer that sees each message once, or more often when the first is lost, and replies to its message id. */
function asking(reply: (messageId: string) => Reply, losses = 0) {
  const sent: Outgoing[] = []
  const vouched: unknown[] = []
  const client: CommunityClient = {
    send: () => Promise.reject(new Error('not used')),
    sendFresh: async (build) => {
      for (let attempt = 0; attempt <= losses; attempt++) sent.push(await build())
      const { status = 200, contentType = 'application/soap+xml', body } = reply(messageIdOf(sent.at(-1)))
      return { status, headers: { 'content-type': contentType }, body: Buffer.from(body) }
    },
    renew: () => undefined,
    receive: () => Promise.reject(new Error('not used')),
    [Symbol.asyncDispose]: async () => undefined,
  } as CommunityClient
  const ask = registryAsker({
    client,
    maxResponseBytes: 1_000_000,
    vouch: async ({ patientId }) => {
      vouched.push(patientId)
      return `<a xmlns="urn:a" n="${vouched.length}"></a>`
    },
  })
  const put = (more: Partial<RegistryQuestion> = {}) =>
    ask({
      url: 'https://peer.example/',
      action: actions.registryStoredQuery,
      query: findDocuments(),
      call: authorized(),
      homes: homes150,
      ...more,
    })
  return { put, sent, vouched }
}

function messageIdOf(outgoing: Outgoing | undefined): string {
  return /<wsa:MessageID>(.*?)<\/wsa:MessageID>/.exec(String(outgoing?.body))?.[1] ?? ''
}

const found = answer({ entries: [entry('a', { home: homes.veneto })] })
const response =
  (body = encodeQueryResponse(found, { status: 'success', returnType: 'LeafClass', errors: [] })) =>
  (messageId: string) => ({
    body: encodeEnvelope({ action: 'r', messageId: 'urn:uuid:x', relatesTo: messageId }, body),
  })

describe('a question to a registry', () => {
  it('is a signed message, answered by what was found', async () => {
    const { put, sent } = asking(response())
    const reply = await put()
    expect(reply).toMatchObject({
      kind: 'answer',
      status: 'success',
      answer: { entries: [{ uniqueId: entry('a').uniqueId }] },
    })
    expect(sent[0]).toMatchObject({ method: 'POST', url: 'https://peer.example/', idempotent: true })
    expect(sent[0]?.body).toContain('<a xmlns="urn:a" n="1"></a></wsse:Security>')
  })

  it('that must be sent again is signed and numbered anew', async () => {
    const { put, sent, vouched } = asking(response(), 1)
    await put()
    expect(vouched).toEqual([findDocuments().patientId, findDocuments().patientId])
    expect(messageIdOf(sent[0])).not.toBe(messageIdOf(sent[1]))
  })

  it.each<[MessageIdForm, RegExp]>([
    ['urn:uuid', /^urn:uuid:[0-9a-f-]{36}$/],
    ['uuid', /^uuid:[0-9a-f-]{36}$/],
    ['bare', /^[0-9a-f-]{36}$/],
  ])('is numbered as the peer wants it: %s', async (messageId, pattern) => {
    const { put, sent } = asking(response())
    await put({ messageId })
    expect(messageIdOf(sent[0])).toMatch(pattern)
  })

  it.each([
    ['its own spelling', (id: string) => id.replace('urn:uuid:', '').toUpperCase()],
    ['another prefix', (id: string) => id.replace('urn:', '')],
  ])('may be answered to in %s', async (_what, spelt) => {
    expect(await asking((id) => response()(spelt(id))).put()).toMatchObject({ kind: 'answer' })
  })

  it('is not answered by the answer to another', async () => {
    await expect(asking(() => response()('urn:uuid:0c9d7c34-4f6f-4a55-9c55-1c3a6c2b9d22')).put()).rejects.toMatchObject(
      {
        code: 'community-misbehaved',
        details: { reason: 'relates-to-differs' },
      },
    )
  })

  it.each([
    [401, 'community-rejected'],
    [403, 'community-rejected'],
    [404, 'community-misbehaved'],
    [429, 'community-busy'],
    [500, 'community-unavailable'],
    [503, 'community-busy'],
    [200, 'community-misbehaved'],
  ])('answered by a page with HTTP %i is %s', async (status, code) => {
    for (const body of ['', 'busy', '\n<html></html>']) {
      await expect(asking(() => ({ status, contentType: 'text/html', body })).put()).rejects.toMatchObject({
        code,
        details: { status },
      })
    }
  })

  it.each(['text/xml', 'application/soap-xml', 'application/octet-stream', ''])(
    'is answered whatever the label: %j',
    async (contentType) => {
      expect(await asking((id) => ({ ...response()(id), contentType })).put()).toMatchObject({ kind: 'answer' })
    },
  )

  it.each([
    ['Sender', true],
    ['Receiver', false],
  ] as const)('refused by a fault of the %s has it as a value', async (code, sender) => {
    const body = encodeFault({ code, reason: 'no' }, { messageId: 'urn:uuid:x' })
    expect(await asking(() => ({ status: 500, body })).put()).toMatchObject({
      kind: 'fault',
      sender,
      issue: { severity: 'error', text: 'no' },
    })
  })

  it('answered by XML that is none rejects with what the community did', async () => {
    await expect(asking(() => ({ body: '<a><b></a>' })).put()).rejects.toMatchObject({ fault: 'community' })
    await expect(asking(() => ({ body: '<a/>' })).put()).rejects.toMatchObject({ fault: 'community' })
  })
})

describe('the homes of an answer', () => {
  const rule = (missing: HomeRule['missing']): HomeRule => ({ missing, allowed: new Set([homes.campania]) })

  it('are those asked, and those the community fronts', () => {
    const given = answer({ entries: [entry('a', { home: homes.veneto }), entry('b', { home: homes.campania })] })
    expect(homed(given, homes.veneto, rule('reject'))).toEqual(given)
  })

  it.each([
    ['entries', answer({ entries: [entry('a')] })],
    ['submission sets', answer({ submissionSets: [submissionSet('s')] })],
    ['folders', answer({ folders: [folder('f')] })],
  ])('may be missing in %s only where the configuration says so', (_what, given) => {
    expect(() => homed(given, homes.veneto, rule('reject'))).toThrow(
      expect.objectContaining({
        code: 'community-misbehaved',
        issues: [expect.objectContaining({ code: 'XDSMissingHomeCommunityId' })],
      }),
    )
    expect(homed(given, homes.veneto, rule('stamp'))).toEqual(given)
  })

  it('of another community cost the object, with a warning beside the others', () => {
    const given = answer({
      entries: [entry('a', { home: homes.lazio }), entry('b', { home: homes.veneto })],
      issues: [issue('X')],
    })
    const kept = homed(given, homes.veneto, rule('reject'))
    expect(kept.entries.map(({ entryUuid }) => entryUuid)).toEqual(['urn:uuid:b'])
    expect(kept.issues).toMatchObject([{ code: 'X' }, { severity: 'warning', code: 'XDSRegistryMetadataError' }])
  })
})
