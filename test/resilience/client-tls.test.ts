import { once } from 'node:events'
import https from 'node:https'
import tls from 'node:tls'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type CommunityClient, type CommunityClientOptions, communityClient } from '../../src/client/send.ts'
import { GatewayError } from '../../src/core/errors.ts'
import { homeCommunityId } from '../../src/core/model/identifiers.ts'
import { type Authority, certificateAuthority, type Identity, listen } from '../support/tls.ts'

let community: Authority
let stranger: Authority
let server: Identity
let gateway: Identity

beforeAll(async () => {
  community = await certificateAuthority('Community')
  stranger = await certificateAuthority('Stranger')
  server = await community.issue({ cn: 'server' })
  gateway = await community.issue({ cn: 'gateway' })
})

afterEach(() => {
  vi.unstubAllEnvs()
})

function clientOf(options: Partial<CommunityClientOptions> = {}): CommunityClient {
  return communityClient({
    name: 'region-050',
    home: homeCommunityId('2.16.840.1.113883.2.9.2.50'),
    tls: { ca: [community.ca], ...gateway },
    maxResponseBytes: 1_000_000,
    connections: 2,
    connectTimeoutMs: 2_000,
    ...options,
  })
}

function serverOf(identity: Identity, options: https.ServerOptions = {}): https.Server {
  const settings = { ...identity, ca: community.ca, requestCert: true, rejectUnauthorized: true, ...options }
  return https.createServer(settings, (request, response) => {
    const peer = (request.socket as tls.TLSSocket).getPeerCertificate()
    response.end(peer.subject.CN)
  })
}

async function ask(client: CommunityClient, origin: string): Promise<string> {
  const signal = AbortSignal.timeout(5_000)
  const answer = await client.send({
    url: `${origin}/query?q=1`,
    method: 'GET',
    headers: {},
    signal,
    idempotent: false,
  })
  return answer.body.toString()
}

async function refusal(client: CommunityClient, origin: string): Promise<GatewayError> {
  const error = await ask(client, origin).then(
    (answer) => expect.fail(`answered ${answer}`),
    (reason: unknown) => reason,
  )
  if (!(error instanceof GatewayError)) throw error
  return error
}

describe('the way to a community over mutual TLS', () => {
  it('shows our certificate to a server that the community’s authority vouches for', async () => {
    await using listening = await listen(serverOf(server))
    await using client = clientOf()
    expect(await ask(client, listening.origin)).toBe('gateway')
  })

  it('verifies an address as a server’s name when that is what the endpoint names', async () => {
    await using listening = await listen(serverOf(server))
    await using client = clientOf()
    expect(await ask(client, `https://127.0.0.1:${listening.port}`)).toBe('gateway')
  })

  it('trusts any of several authorities of the community', async () => {
    await using listening = await listen(serverOf(server))
    await using client = clientOf({ tls: { ca: [stranger.ca, community.ca], ...gateway } })
    expect(await ask(client, listening.origin)).toBe('gateway')
  })

  it('refuses a server of another authority, and says why to operators only', async () => {
    await using listening = await listen(serverOf(await stranger.issue({ cn: 'server' })))
    await using client = clientOf()
    const error = await refusal(client, listening.origin)
    expect(error.code).toBe('community-unavailable')
    expect(error.message).toBe('The community could not be reached')
    expect(error.details).toEqual({
      community: 'region-050',
      home: 'urn:oid:2.16.840.1.113883.2.9.2.50',
      origin: listening.origin,
      phase: 'tls',
      reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    })
  })

  it('verifies whatever the environment says about verification', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    await using listening = await listen(serverOf(await stranger.issue({ cn: 'server' })))
    await using client = clientOf()
    const socket = tls.connect({ host: 'localhost', port: listening.port, ...gateway })
    await once(socket, 'secureConnect')
    socket.destroy()
    expect(await refusal(client, listening.origin)).toMatchObject({ details: { phase: 'tls' } })
  })

  it('refuses an expired server certificate', async () => {
    const notBefore = new Date(Date.now() - 2 * 86_400_000)
    const notAfter = new Date(Date.now() - 60_000)
    await using listening = await listen(serverOf(await community.issue({ cn: 'server', notBefore, notAfter })))
    await using client = clientOf()
    const error = await refusal(client, listening.origin)
    expect(error).toMatchObject({ code: 'community-unavailable', details: { reason: 'CERT_HAS_EXPIRED' } })
  })

  it('refuses a certificate that is not yet valid', async () => {
    const notBefore = new Date(Date.now() + 86_400_000)
    await using listening = await listen(serverOf(await community.issue({ cn: 'server', notBefore })))
    await using client = clientOf()
    const error = await refusal(client, listening.origin)
    expect(error).toMatchObject({ code: 'community-unavailable', details: { reason: 'CERT_NOT_YET_VALID' } })
  })

  it('refuses a certificate for another host name, every time it is shown', async () => {
    const other = await community.issue({ cn: 'localhost', names: [{ type: 'dns', value: 'registry.example' }] })
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      await using listening = await listen(serverOf(other, { maxVersion }))
      await using client = clientOf()
      // A session kept from a refused connection would be resumed without asking for the name again.
      for (let attempt = 0; attempt < 3; attempt++) {
        const error = await refusal(client, listening.origin)
        expect(error).toMatchObject({ code: 'community-unavailable', details: { phase: 'tls' } })
        expect(error.details.reason).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
      }
    }
  })

  it('lets no header choose the name that is verified', async () => {
    const other = await community.issue({ cn: 'other', names: [{ type: 'dns', value: 'registry.example' }] })
    await using listening = await listen(serverOf(other))
    await using client = clientOf()
    const signal = AbortSignal.timeout(5_000)
    const headers = { Host: 'registry.example' }
    const sent = client.send({ url: listening.origin, method: 'GET', headers, signal, idempotent: false })
    await expect(sent).rejects.toMatchObject({ code: 'internal', details: { header: 'Host' } })
    expect(listening.accepted).toBe(0)
  })

  it('speaks TLS 1.2 and 1.3, nothing older', async () => {
    await using old = await listen(
      serverOf(server, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    )
    const outdated = tls.connect({
      host: 'localhost',
      port: old.port,
      ca: community.ca,
      ...gateway,
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    })
    await once(outdated, 'secureConnect')
    expect(outdated.getProtocol()).toBe('TLSv1.1')
    outdated.destroy()

    await using client = clientOf()
    expect(await refusal(client, old.origin)).toMatchObject({
      code: 'community-unavailable',
      details: { phase: 'tls' },
    })
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      await using listening = await listen(serverOf(server, { minVersion: version, maxVersion: version }))
      expect(await ask(client, listening.origin)).toBe('gateway')
    }
  })

  it('is unavailable where our certificate is not accepted', async () => {
    await using listening = await listen(serverOf(server, { ca: stranger.ca }))
    await using client = clientOf()
    const error = await refusal(client, listening.origin)
    expect(error.code).toBe('community-unavailable')
    expect(['tls', 'request']).toContain(error.details.phase)
  })

  it('meets servers that refuse whoever shows no certificate', async () => {
    await using listening = await listen(serverOf(server))
    const anonymous = https.get(listening.origin, { ca: community.ca, agent: false })
    const [error] = await once(anonymous, 'error').catch((reason: unknown) => [reason])
    expect(error).toMatchObject({ code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' })
  })

  it('does not begin without anchors, certificate or key', () => {
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'
    expect(() => clientOf({ tls: { ca: [], ...gateway } })).toThrow('Community region-050: the TLS anchors')
    expect(() => clientOf({ tls: { ca: ['nothing'], ...gateway } })).toThrow('at least one')
    expect(() => clientOf({ tls: { ca: [community.ca], cert: '', key: '' } })).toThrow('mutual TLS needs')
    expect(() => clientOf({ tls: { ca: [community.ca], cert: broken, key: gateway.key } })).toThrow('cannot be used')
    expect(() => clientOf({ tls: { ca: [community.ca], cert: gateway.cert, key: server.key } })).toThrow(
      'cannot be used',
    )
  })
})
