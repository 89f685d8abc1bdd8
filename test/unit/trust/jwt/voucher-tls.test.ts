import { createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, createRemoteJWKSet, customFetch, exportJWK, jwtVerify, SignJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type CommunityClient, communityClient } from '../../../../src/client/send.ts'
import { dpopProver } from '../../../../src/trust/jwt/issue-dpop.ts'
import { modiSigner } from '../../../../src/trust/jwt/sign-modi.ts'
import { type VoucherSourceOptions, voucherSource } from '../../../../src/trust/jwt/voucher.ts'
import { kidOf, type Pdnd, startPdnd } from '../../../network/pdnd.ts'
import { homes } from '../../../support/builders.ts'
import { certificates } from '../../../support/gateway-config.ts'
import { pem, signerOf, signing } from '../../../support/saml.ts'

const clientId = 'e58035ce-c753-4f72-b613-46f8a17b71cc'
const purposeId = '570a415e-0e7f-410d-85ed-c55ea5537933'
const service = 'https://service.example/rest/fse/v1'

const identity = signing('gateway')
const signer = signerOf(identity)
const { certificate } = signer
const key = createPrivateKey(identity.key)

let pdnd: Pdnd
let kid: string
let client: CommunityClient
let now: number
let refusedBefore: number

beforeAll(async () => {
  kid = await kidOf(certificate.publicKey)
  const purposes = [{ id: purposeId, audience: service }]
  const clients = [{ id: clientId, keys: [certificate.publicKey], purposes }]
  pdnd = await startPdnd({ certificates, clients, clock: { now: () => now } })
  client = communityClient({
    name: 'pdnd',
    home: homes.veneto,
    tls: { ca: [pem('ca.pem')], cert: pem('gateway/tls.crt.pem'), key: pem('gateway/tls.key.pem') },
    maxResponseBytes: 65_536,
    connections: 4,
    connectTimeoutMs: 2_000,
  })
})
afterAll(async () => {
  await pdnd.close()
  await client[Symbol.asyncDispose]()
})

beforeEach(async () => {
  now = Date.now()
  refusedBefore = pdnd.refusals.length
  pdnd.asked.clear()
  pdnd.refuse()
  await pdnd.behave('normal')
})

/** Why requests of this test were refused. */
const refused = () => pdnd.refusals.slice(refusedBefore)

const clock = { now: () => now }

function sourceOf(more: Partial<VoucherSourceOptions> = {}) {
  return voucherSource({
    send: (request) => client.send({ ...request, idempotent: false }),
    signer,
    clock,
    endpoint: pdnd.urls.token,
    audience: pdnd.audience,
    clientId,
    kid,
    purposeId,
    skewMs: 30_000,
    ...more,
  })
}

const request = () => ({ method: 'POST', url: `${service}/documents`, signal: AbortSignal.timeout(10_000) })

/** The keys as published now; the development root is not the system's, so they are fetched by our own client. */
async function verified(headers: Readonly<Record<string, string>>) {
  const [scheme, token = ''] = (headers.Authorization ?? '').split(' ')
  const fetched = async () => {
    const signal = AbortSignal.timeout(5_000)
    const { body } = await client.send({ url: pdnd.urls.jwks, method: 'GET', headers: {}, signal, idempotent: true })
    return new Response(new Uint8Array(body))
  }
  const keys = createRemoteJWKSet(new URL(pdnd.urls.jwks), { [customFetch]: fetched })
  const options = { typ: 'at+jwt', algorithms: ['RS256'], audience: service, currentDate: new Date(now) }
  return { scheme, ...(await jwtVerify(token, keys, options)) }
}

describe('a voucher of PDND, over TLS', () => {
  it('is given for our purpose, kept, and renewed with an assertion that was not used before', async () => {
    using source = sourceOf()
    const headers = await source.authorize(request())
    const { payload, scheme } = await verified(headers)
    expect(scheme).toBe('Bearer')
    expect(payload).toMatchObject({ client_id: clientId, sub: clientId, purposeId, aud: service })
    expect(payload).not.toHaveProperty('digest')
    expect(await source.authorize(request())).toEqual(headers)
    expect(pdnd.asked.total).toBe(2)
    now += 600_000
    expect(await source.authorize(request())).not.toEqual(headers)
    expect(refused()).toEqual([])
  })

  it('is tied to the tracking evidence that goes along', async () => {
    using source = sourceOf()
    const sign = modiSigner(
      signer,
      {
        integrity: 'INTEGRITY_REST_02',
        audit: 'AUDIT_REST_02',
        reference: { kid },
        audience: service,
        issuer: clientId,
        purposeId,
        lifetimeMs: 60_000,
      },
      { clock },
    )
    const headers = { 'content-type': 'application/json' }
    const signed = await sign.sign({ method: 'POST', headers, body: '{}' }, { userID: 'op-1', userLocation: '1.2.3.4' })
    const evidenceDigest = signed.evidenceDigest ?? ''
    const { payload } = await verified(await source.authorize({ ...request(), evidenceDigest }))
    expect(payload.digest).toEqual({ alg: 'SHA256', value: evidenceDigest })
  })

  it('is bound to our key when we prove that we hold it', async () => {
    const dpop = dpopProver(signer, { clock })
    using source = sourceOf({ dpop })
    const headers = await source.authorize(request())
    const { payload, scheme } = await verified(headers)
    expect(scheme).toBe('DPoP')
    expect(payload.cnf).toEqual({ jkt: await calculateJwkThumbprint(await exportJWK(certificate.publicKey)) })
    expect(headers.DPoP).toBeDefined()
  })

  it('goes on being given, and verified, when PDND changes its key', async () => {
    using source = sourceOf()
    const before = await verified(await source.authorize(request()))
    await pdnd.rotate()
    now += 580_000
    const after = await verified(await source.authorize(request()))
    expect(after.protectedHeader.kid).not.toBe(before.protectedHeader.kid)
  })

  it('is not given while PDND is down, and is again afterwards', async () => {
    using source = sourceOf()
    await pdnd.behave('down')
    await expect(source.authorize(request())).rejects.toMatchObject({ code: 'community-unavailable' })
    await pdnd.behave('normal')
    await expect(source.authorize(request())).rejects.toMatchObject({ code: 'community-unavailable' })
    expect(pdnd.asked.total).toBe(0)
    now += 1_000
    await expect(source.authorize(request())).resolves.toHaveProperty('Authorization')
  })

  it.each([
    ['hang', 'community-timeout'],
    ['drip', 'community-timeout'],
    ['reset', 'community-unavailable'],
    ['fault', 'community-unavailable'],
    ['garbage', 'community-misbehaved'],
    ['malformed', 'community-misbehaved'],
    ['oversize', 'community-misbehaved'],
  ] as const)('is not made of an answer that is wrong: %s', async (behave, code) => {
    using source = sourceOf({ timeoutMs: code === 'community-timeout' ? 300 : 10_000 })
    await pdnd.behave(behave)
    await expect(source.authorize(request())).rejects.toMatchObject({ code })
  })

  it.each(['015-0020', '015-0021', '015-0022'] as const)('is refused with %s, once', async (code) => {
    using source = sourceOf()
    pdnd.refuse(code)
    await expect(source.authorize(request())).rejects.toMatchObject({ code: 'community-rejected', details: { code } })
    await expect(source.authorize(request())).rejects.toThrow()
    expect(refused()).toEqual([code])
    pdnd.refuse()
    now += 30_000
    await expect(source.authorize(request())).resolves.toBeDefined()
  })

  it('is not asked for more often than PDND allows', async () => {
    using source = sourceOf()
    pdnd.refuse('rate-limit')
    await expect(source.authorize(request())).rejects.toMatchObject({ code: 'community-busy' })
    pdnd.refuse()
    now += 1_999
    await expect(source.authorize(request())).rejects.toMatchObject({ code: 'community-busy' })
    now += 1
    await expect(source.authorize(request())).resolves.toBeDefined()
  })
})

describe('the PDND of the test network', () => {
  const fields = {
    client_id: clientId,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    grant_type: 'client_credentials',
  }

  type Members = Readonly<Record<string, unknown>>

  interface Change {
    readonly claims?: Members
    readonly header?: Members
    readonly form?: Record<string, string>
    readonly key?: KeyObject
  }

  /** A request made without any code of ours; `undefined` leaves a claim out. */
  async function formWith({ claims, header, form, key: other = key }: Change = {}): Promise<string> {
    const iat = Math.floor(now / 1000)
    const payload = {
      iss: clientId,
      sub: clientId,
      aud: pdnd.audience,
      jti: randomUUID(),
      iat,
      exp: iat + 60,
      purposeId,
      ...claims,
    }
    const assertion = await new SignJWT(payload)
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid, ...header })
      .sign(other)
    return new URLSearchParams({ ...fields, client_assertion: assertion, ...form }).toString()
  }

  async function post(body: string, headers: Record<string, string> = {}) {
    const answer = await client.send({
      url: pdnd.urls.token,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body,
      signal: AbortSignal.timeout(5_000),
      idempotent: false,
    })
    return { status: answer.status, headers: answer.headers, body: JSON.parse(answer.body.toString()) }
  }

  it('gives a voucher to whoever asks by the book', async () => {
    const { status, body } = await post(await formWith())
    expect([status, body.token_type, body.expires_in]).toEqual([200, 'Bearer', 600])
  })

  it('takes an assertion once', async () => {
    const form = await formWith()
    expect((await post(form)).status).toBe(200)
    expect((await post(form)).status).toBe(400)
    expect(refused()).toEqual(['015-0008'])
  })

  it.each<[string, string, Change]>([
    ['0002', 'another assertion type', { form: { client_assertion_type: 'urn:x' } }],
    ['0003', 'another grant type', { form: { grant_type: 'password' } }],
    ['0004', 'another audience', { claims: { aud: 'auth.interop.pagopa.it/client-assertion' } }],
    ['0005', 'no audience', { claims: { aud: undefined } }],
    ['0006', 'an unknown field', { form: { scope: 'all' } }],
    ['0008', 'no id', { claims: { jti: undefined } }],
    ['0008', 'a key nobody registered', { header: { kid: 'A'.repeat(43) } }],
    ['0008', 'a purpose of somebody else', { claims: { purposeId: randomUUID() } }],
    ['0009', 'no begin', { claims: { iat: undefined } }],
    ['0009', 'milliseconds', { claims: { iat: 1_780_300_800_000 } }],
    ['0010', 'no end', { claims: { exp: undefined } }],
    ['0011', 'no issuer', { claims: { iss: undefined } }],
    ['0011', 'another issuer', { claims: { iss: randomUUID() } }],
    ['0012', 'no subject', { claims: { sub: undefined } }],
    ['0013', 'another subject', { claims: { sub: randomUUID() } }],
    ['0014', 'a purpose that is no UUID', { claims: { purposeId: 'x' } }],
    ['0015', 'no kid', { header: { kid: undefined } }],
    ['0017', 'an assertion that has expired', { claims: { iat: 1_700_000_000, exp: 1_700_000_060 } }],
    ['0019', 'an assertion of tomorrow', { claims: { iat: 4_000_000_000, exp: 4_000_000_060 } }],
    ['0023', 'a client id that is no UUID', { form: { client_id: 'x' } }],
    ['0024', 'a subject that is no UUID', { claims: { sub: 'x', iss: 'x' } }],
    ['0025', 'a digest that is a text', { claims: { digest: 'ab' } }],
    ['0026', 'a digest that is too short', { claims: { digest: { alg: 'SHA256', value: 'ab' } } }],
    ['0027', 'a digest of another kind', { claims: { digest: { alg: 'SHA-256', value: 'ab'.repeat(32) } } }],
    ['0029', 'another algorithm', { header: { alg: 'RS512' } }],
    ['0030', 'no purpose', { claims: { purposeId: undefined } }],
    ['0031', 'a kid that is no thumbprint', { header: { kid: 'k1' } }],
    ['0032', 'an unknown claim', { claims: { nbf: 1 } }],
    ['0032', 'an unknown header', { header: { x5c: ['AAAA'] } }],
  ])('refuses with 015-%s %s', async (code, _, change) => {
    const { status, headers, body } = await post(await formWith(change))
    expect([status, headers['content-type']]).toEqual([400, 'application/problem+json'])
    expect(body).toMatchObject({ type: 'about:blank', status: 400, errors: [{ code: `015-${code}` }] })
  })

  it('refuses with 015-0033 the signature of another key, under our name', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    expect((await post(await formWith({ key: privateKey }))).body.errors[0].code).toBe('015-0033')
  })

  it('refuses what is no form, or tells a field twice', async () => {
    const form = await formWith()
    await post(`${form}&grant_type=client_credentials`)
    await post(form, { 'content-type': 'application/json' })
    await post('')
    expect(refused()).toEqual(['015-0006', '015-0006', '015-0006'])
  })

  describe('asked for a bound voucher', () => {
    async function proof(claims: Members = {}, header: Members = {}): Promise<string> {
      const payload = { htm: 'POST', htu: pdnd.urls.token, iat: Math.floor(now / 1000), jti: randomUUID(), ...claims }
      const jwk = await exportJWK(certificate.publicKey)
      return await new SignJWT(payload).setProtectedHeader({ alg: 'RS256', typ: 'dpop+jwt', jwk, ...header }).sign(key)
    }

    it('gives it for a proof by the book, and takes a proof once', async () => {
      const once = await proof()
      expect((await post(await formWith(), { DPoP: once })).body.token_type).toBe('DPoP')
      expect((await post(await formWith(), { DPoP: once })).status).toBe(400)
      expect(refused()).toEqual(['dpop-0005'])
    })

    it.each<[string, string, Members, Members]>([
      ['0008', 'another type', {}, { typ: 'JWT' }],
      ['0011', 'another method', { htm: 'GET' }, {}],
      ['0013', 'another address', { htu: 'https://auth.interop.pagopa.it/token.oauth2' }, {}],
      ['0017', 'another algorithm', {}, { alg: 'PS256' }],
      ['0018', 'a key told by more than itself', {}, { jwk: { kty: 'RSA', e: 'AQAB', n: 'AA', alg: 'RS256' } }],
      ['0018', 'an unknown claim', { ath: 'x' }, {}],
      ['0020', 'a proof of yesterday', { iat: 1_700_000_000 }, {}],
      ['0021', 'a proof of tomorrow', { iat: 4_000_000_000 }, {}],
    ])('refuses with %s %s, and does not take it for a state of the world', async (code, _, claims, header) => {
      const { body } = await post(await formWith(), { DPoP: await proof(claims, header) })
      expect(body.errors[0].code).toBe('015-0008')
      expect(refused()).toEqual([`dpop-${code}`])
    })

    it('refuses the proof of a key that did not sign it, and two proofs', async () => {
      const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
      await post(await formWith(), { DPoP: await proof({}, { jwk: await exportJWK(publicKey) }) })
      await post(await formWith(), { DPoP: `${await proof()}, ${await proof()}` })
      expect(refused()).toEqual(['dpop-0019', 'dpop-0022'])
    })
  })

  it('can hide why, as in production', async () => {
    const clients = [{ id: clientId, keys: [certificate.publicKey], purposes: [] }]
    await using shy = await startPdnd({ certificates, clients, clock, generic: true })
    shy.refuse('015-0021')
    using source = sourceOf({ endpoint: shy.urls.token })
    await expect(source.authorize(request())).rejects.toMatchObject({
      code: 'community-rejected',
      details: { code: '015-0008' },
    })
  })
})
