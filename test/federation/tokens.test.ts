import { createHash, createPublicKey, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type OpenIdProvider, startOpenIdProvider } from '../network/openid-provider.ts'
import type { Received, Sent } from '../support/api-server.ts'
import { citizen, clinician, homes } from '../support/builders.ts'
import { certificates } from '../support/gateway-config.ts'
import {
  at,
  base64url,
  type Changes,
  creation,
  pairOf,
  publicJwk,
  type SigningPair,
  signedToken,
} from '../support/jwt.ts'
import { type TokenGateway, tokenGateway } from '../support/token-gateway.ts'

const address = 'https://crocevia.example'
const minute = 60_000
const day = 1_440 * minute

const clock = { at, now: () => clock.at }
const holder = pairOf('region-050', 'signing-ec')
const thief = pairOf('region-050', 'signing-p384')
const claims: Changes = { ...creation, action_id: 'READ', sub: clinician }

let provider: OpenIdProvider
const opened: TokenGateway[] = []
beforeAll(async () => {
  const clients = ['desktop', 'another'].map((id) => ({ id, audiences: [address, 'https://other.example'] }))
  provider = await startOpenIdProvider({ certificates, clock, clients })
})
afterEach(async () => {
  for (const gateway of opened.splice(0)) await gateway[Symbol.asyncDispose]()
  await provider.behave('normal')
  provider.asked.clear()
  clock.at = at
})
afterAll(() => provider[Symbol.asyncDispose]())

/** A gateway whose portal has users of the provider. */
async function gateway(changes: Changes = {}): Promise<TokenGateway> {
  const jwks = { url: provider.urls.jwks, anchors: [join(certificates, 'ca.pem')] }
  const tokens = { profile: 'portal', issuer: provider.issuer, audience: [address], jwks, address, ...changes }
  const started = await tokenGateway([{ party: 'portal', tokens }, { party: 'ini' }], { clock })
  opened.push(started)
  return started
}

type Wishes = Partial<Parameters<OpenIdProvider['issue']>[0]>

function issued(wishes: Wishes = {}): Promise<string> {
  return provider.issue({ client: 'desktop', audience: address, claims, ...wishes })
}

function bearing(token: string): Pick<Sent, 'headers'> {
  return { headers: [['Authorization', `Bearer ${token}`]] }
}

async function asked(server: TokenGateway, wishes: Wishes = {}): Promise<Received> {
  return await server.send(bearing(await issued(wishes)))
}

/** How an answer went, in one line. */
const outcome = ({ json, status }: Received) => `${status} ${json.reason ?? json.type ?? 'accepted'}`

describe('a portal’s user', () => {
  it('is told whom the gateway takes them for: what their token says, and nothing else', async () => {
    const server = await gateway()
    const token = await issued()
    const { headers, json, status } = await server.send(bearing(token))
    expect(status).toBe(200)
    expect(headers['cache-control']).toBe('no-store')
    const validUntil = new Date(at + 5 * minute).toISOString()
    const digest = createHash('sha256').update(token).digest('hex')
    expect(json).toEqual({
      party: 'consumer-portal',
      profile: 'portal',
      certificate: {
        subject: expect.stringContaining('CN=A1#090#090PORTALE-DEV'),
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      subject: clinician,
      role: 'AAS',
      purposeOfUse: 'TREATMENT',
      action: 'READ',
      organization: '050',
      organizationName: 'Regione Veneto',
      locality: creation.locality,
      inCare: true,
      patient: citizen,
      documentTypes: [{ code: '11502-2', scheme: '2.16.840.1.113883.6.1' }],
      application: { id: 'FEDGW', vendor: 'ESEMPIO SPA', version: '1.0.0' },
      validUntil,
      signer: expect.stringMatching(/^jwk:/),
      tokens: [
        {
          kind: 'access-token',
          id: expect.any(String),
          issuer: provider.issuer,
          subject: clinician,
          client: 'desktop',
          audience: [address],
          issuedAt: new Date(at).toISOString(),
          validUntil,
          signer: json.signer,
          digest,
        },
      ],
    })
    const [record] = await server.records()
    expect(record).toMatchObject({
      transaction: 'caller',
      correlationId: headers['x-correlation-id'],
      outcome: 'success',
      peer: { name: 'consumer-portal', home: homes.tuscany },
      caller: { subject: clinician, role: 'AAS', assertion: { kind: 'jwt', digest } },
    })
    for (const personal of [citizen.value, clinician.slice(0, 16), token]) {
      expect(server.logged.join()).not.toContain(personal)
    }
  })

  it('of whom little is said is told little', async () => {
    const { subject_role, purpose_of_use, action_id, subject_organization_id } = claims
    const few = { sub: 'u-1', subject_role, purpose_of_use, action_id, subject_organization_id }
    const { json } = await asked(await gateway(), { claims: few })
    expect(Object.keys(json)).toEqual([
      ...['party', 'profile', 'certificate', 'subject', 'role', 'purposeOfUse', 'action', 'organization'],
      ...['validUntil', 'signer', 'tokens'],
    ])
    expect(json.subject).toBe('u-1')
  })

  it('may be described by claims of other names', async () => {
    const server = await gateway({ claims: { subject: 'fiscal_code', role: 'fse_role' } })
    const { json } = await asked(server, { claims: { ...claims, sub: 'u-1', fiscal_code: clinician, fse_role: 'APR' } })
    expect(json).toMatchObject({ subject: clinician, role: 'APR' })
  })

  it.each<[string, Changes, Wishes, number]>([
    ['401 aud-is-somebody-else', {}, { audience: 'https://other.example' }, 0],
    ['401 token-was-issued-to-another-client', { clients: ['desktop'] }, { client: 'another' }, 0],
    ['200 accepted', { clients: ['desktop'] }, {}, 0],
    ['401 iss-is-another', { issuer: 'https://login.example' }, {}, 0],
    ['401 expired', {}, {}, 6 * minute],
    ['200 accepted', {}, {}, 6 * minute - 1],
    ['401 issued-in-the-future', {}, {}, -2 * minute],
    ['401 lives-too-long', { maximumLifetimeMs: 60_000 }, {}, 0],
    ['401 issued-too-long-ago', { maximumAgeMs: 60_000 }, {}, 3 * minute],
    ['401 algorithm-is-not-allowed', { algorithms: ['ES256'] }, {}, 0],
    ['401 typ-is-another', { types: ['JWT'] }, {}, 0],
    ['401 subject-role-missing', {}, { claims: { ...claims, subject_role: undefined } }, 0],
    ['401 person-id-malformed', {}, { claims: { ...claims, person_id: 'PROVAX80A01H501M' } }, 0],
  ])('is judged: %s', async (expected, changes, wishes, later) => {
    const server = await gateway(changes)
    const token = await issued(wishes)
    clock.at += later
    const received = await server.send(bearing(token))
    expect(outcome(received)).toBe(expected)
    if (received.status === 200) return
    const reason = expected.slice(4)
    expect(received.json).toMatchObject({ type: 'urn:crocevia:problem:token-invalid', status: 401 })
    expect(received.headers['www-authenticate']).toContain(
      `Bearer realm="crocevia", error="invalid_token", error_description="${reason}"`,
    )
    expect(received.text).not.toContain(citizen.value)
    expect(await server.records()).toMatchObject([{ transaction: 'caller', outcome: 'refused' }])
  })

  it('is refused with whatever else stands in Authorization', async () => {
    const server = await gateway()
    const token = await issued()
    const [header = '', , signature = ''] = token.split('.')
    const forged = `${header}.${base64url({ ...claims, iss: provider.issuer })}.${signature}`
    const unsigned = `${base64url({ alg: 'none', typ: 'at+jwt' })}.${token.split('.')[1]}.`
    const sent = async (...values: string[]) => {
      const lines = values.map((value) => ['Authorization', value] as const)
      return outcome(await server.send({ headers: lines }))
    }
    expect(await sent()).toBe('401 authorization-is-missing')
    expect(await sent('')).toBe('401 authorization-is-missing')
    expect(await sent(`Basic ${token}`)).toBe('401 authorization-is-no-bearer-token')
    expect(await sent(`Bearer ${token}, Bearer ${token}`)).toBe('401 authorization-is-no-bearer-token')
    expect(await sent(`Bearer ${token}`, `Bearer ${token}`)).toBe('400 authorization-is-repeated')
    expect(await sent(`Bearer ${forged}`)).toBe('401 signature-does-not-hold')
    expect(await sent(`Bearer ${unsigned}`)).toBe('401 algorithm-is-not-allowed')
    expect(await sent(`Bearer ${token}`)).toBe('200 accepted')
    const inAddress = await server.send({ path: `/api/v1/caller?access_token=${token}` })
    expect(outcome(inAddress)).toBe('400 urn:crocevia:problem:request-malformed')
    for (const line of server.logged) expect(line).not.toContain(token.slice(0, 40))
  })

  it('may come again with a token, unless tokens are good for one request', async () => {
    const often = await gateway()
    const once = await gateway({ once: true })
    const token = await issued()
    for (const expected of ['200 accepted', '200 accepted'])
      expect(outcome(await often.send(bearing(token)))).toBe(expected)
    expect(outcome(await once.send(bearing(token)))).toBe('200 accepted')
    const replayed = await once.send(bearing(token))
    expect(outcome(replayed)).toBe('401 used-before')
    expect(replayed.text).not.toContain('"subject"')
    expect((await once.records()).map((record) => record.outcome)).toEqual(['success', 'refused'])
  })

  it('is believed once of many who come with one token at the same time', async () => {
    const once = await gateway({ once: true })
    const token = await issued()
    const answers = await Promise.all(Array.from({ length: 8 }, () => once.send(bearing(token))))
    expect(answers.map(outcome).filter((one) => one === '200 accepted')).toHaveLength(1)
  })
})

describe('whoever has no tokens to bring', () => {
  it.each([
    ['a consumer without tokens', 'ini'],
    ['a community', 'region-050'],
    ['a stranger', 'stranger'],
  ])('is refused: %s', async (_what, as) => {
    const server = await gateway()
    const received = await server.send({ as, ...bearing(await issued()) })
    expect(received.status).toBe(403)
    expect(received.json.type).toBe('urn:crocevia:problem:access-denied')
    expect(received.headers).not.toHaveProperty('www-authenticate')
    expect(await server.records()).toMatchObject([{ outcome: 'refused', errorCode: 'access-denied' }])
  })
})

describe('a token that is bound to a key', () => {
  const jkt = createPublicKey(holder.key)
  interface ProofChanges {
    readonly claims?: Changes
    readonly pair?: SigningPair
    readonly token?: string
  }

  /** A proof for `GET /caller` with a token. */
  function proofFor(token: string, { claims = {}, pair = holder, token: other = token }: ProofChanges = {}): string {
    const ath = createHash('sha256').update(other).digest('base64url')
    const payload = { htm: 'GET', htu: `${address}/api/v1/caller`, iat: clock.at / 1000, jti: randomUUID(), ath }
    const rsa = pair.key.asymmetricKeyType === 'rsa'
    const header = { alg: rsa ? 'RS256' : 'ES256', typ: 'dpop+jwt', jwk: publicJwk(pair) }
    return signedToken(header, { ...payload, ...claims }, pair.key, rsa ? 'RS256' : 'ES256')
  }

  const proving = (token: string, proof: string): Pick<Sent, 'headers'> => ({
    headers: [
      ['Authorization', `DPoP ${token}`],
      ['DPoP', proof],
    ],
  })

  it('is accepted from its holder, once with each proof', async () => {
    const server = await gateway()
    const token = await issued({ boundTo: jkt })
    const proof = proofFor(token)
    const { json, status } = await server.send({ path: '/api/v1/caller?x=1', ...proving(token, proof) })
    expect(status).toBe(200)
    const [access, shown] = json.tokens as { kind: string; boundTo: string }[]
    expect(access).toMatchObject({ kind: 'access-token', boundTo: expect.any(String) })
    expect(shown).toMatchObject({ kind: 'dpop-proof', boundTo: access?.boundTo })
    expect(outcome(await server.send(proving(token, proof)))).toBe('401 used-before')
    expect(outcome(await server.send(proving(token, proofFor(token))))).toBe('200 accepted')
  })

  it.each<[string, string, ProofChanges]>([
    ['401 token-is-bound-to-another', 'invalid_dpop_proof', { pair: pairOf('stranger') }],
    ['401 proof-is-for-another-token', 'invalid_dpop_proof', { token: 'another' }],
    ['401 htm-is-another', 'invalid_dpop_proof', { claims: { htm: 'POST' } }],
    ['401 htu-is-another', 'invalid_dpop_proof', { claims: { htu: `${address}/api/v1/callers` } }],
    ['401 issued-too-long-ago', 'invalid_dpop_proof', { claims: { iat: at / 1000 - 70 } }],
  ])('is no use to a thief: %s', async (expected, fault, changes) => {
    const server = await gateway()
    const token = await issued({ boundTo: jkt })
    const received = await server.send(proving(token, proofFor(token, changes)))
    expect(outcome(received)).toBe(expected)
    expect(received.headers['www-authenticate']).toBe(
      `Bearer realm="crocevia", DPoP realm="crocevia", algs="RS256 ES256", error="${fault}", error_description="${expected.slice(4)}"`,
    )
  })

  it('is no use to a thief who leaves the proof out', async () => {
    const server = await gateway()
    const token = await issued({ boundTo: jkt })
    const naked = await server.send(bearing(token))
    expect(outcome(naked)).toBe('401 token-is-bound-to-another')
    expect(naked.headers['www-authenticate']).toContain('Bearer realm="crocevia", error="invalid_token"')
    const missing = await server.send({ headers: [['Authorization', `DPoP ${token}`]] })
    expect(outcome(missing)).toBe('401 dpop-is-missing')
    expect(missing.headers['www-authenticate']).toContain('error="invalid_dpop_proof"')
  })

  it('is not made of one that is not by a proof, nor accepted where nobody expects it', async () => {
    const server = await gateway()
    const free = await issued()
    expect(outcome(await server.send(proving(free, proofFor(free))))).toBe('401 token-is-bound-to-nobody')
    const both = [...(bearing(free).headers ?? []), ['DPoP', proofFor(free)] as const]
    expect(outcome(await server.send({ headers: both }))).toBe('401 dpop-is-not-expected')
    const plain = await gateway({ address: undefined })
    const token = await issued({ boundTo: jkt })
    const refused = await plain.send(proving(token, proofFor(token)))
    expect(outcome(refused)).toBe('401 authorization-is-no-bearer-token')
    expect(refused.headers['www-authenticate']).toBe('Bearer realm="crocevia"')
  })

  it('may have been stolen from a key nobody here takes proofs of', async () => {
    const server = await gateway()
    const token = await issued({ boundTo: createPublicKey(thief.key) })
    const payload = { htm: 'GET', htu: `${address}/api/v1/caller`, iat: at / 1000, jti: 'j', ath: '' }
    const proof = signedToken({ alg: 'ES384', typ: 'dpop+jwt', jwk: publicJwk(thief) }, payload, thief.key, 'ES384')
    expect(outcome(await server.send(proving(token, proof)))).toBe('401 algorithm-is-not-allowed')
  })
})

describe('the keys of the provider', () => {
  it('are asked for once, however many need them', async () => {
    await provider.behave({ behave: 'slow', delayMs: 50 })
    const server = await gateway()
    const token = await issued()
    const answers = await Promise.all(Array.from({ length: 8 }, () => server.send(bearing(token))))
    expect(answers.map(outcome)).toEqual(Array.from({ length: 8 }, () => '200 accepted'))
    expect(provider.asked.total).toBe(1)
  })

  it('rotate: a key that is not known yet is asked for, but not more often than the pause allows', async () => {
    const server = await gateway()
    expect(outcome(await asked(server))).toBe('200 accepted')
    const old = await issued({ lifetimeSeconds: 7_200 })
    await provider.rotate()
    expect(outcome(await asked(server))).toBe('401 key-is-unknown')
    expect(provider.asked.total).toBe(1)
    clock.at += 31_000
    expect(outcome(await asked(server))).toBe('200 accepted')
    expect(provider.asked.total).toBe(2)
    expect(outcome(await server.send(bearing(old)))).toBe('200 accepted')
    provider.withdraw()
    clock.at += 11 * minute
    expect(outcome(await server.send(bearing(old)))).toBe('401 key-is-unknown')
    expect(outcome(await asked(server))).toBe('200 accepted')
  })

  it('are used while it is out of reach, for a day and no longer', async () => {
    const server = await gateway()
    expect(outcome(await asked(server))).toBe('200 accepted')
    await provider.behave('down')
    for (const later of [9 * minute, 2 * minute, day - 12 * minute]) {
      clock.at += later
      expect(outcome(await asked(server))).toBe('200 accepted')
    }
    expect(server.failures.length).toBeGreaterThan(0)
    server.reload()
    expect(outcome(await asked(server))).toBe('200 accepted')
    clock.at += 12 * minute
    const received = await asked(server)
    expect(received.status).toBe(503)
    expect(received.headers['retry-after']).toBe('5')
    expect(received.json).toMatchObject({ type: 'urn:crocevia:problem:keys-unavailable', status: 503 })
    expect(received.headers).not.toHaveProperty('www-authenticate')
    expect((await server.records()).at(-1)).toMatchObject({ outcome: 'failure', errorCode: 'community-unavailable' })
    await provider.behave('normal')
    clock.at += 6_000
    expect(outcome(await asked(server))).toBe('200 accepted')
  })

  it.each(['down', 'reset', 'garbage', 'malformed', 'oversize', 'fault', 'refuse'] as const)(
    'cannot be had of one that is %s',
    async (behaviour) => {
      await provider.behave(behaviour)
      const server = await gateway()
      expect(outcome(await asked(server))).toBe('503 urn:crocevia:problem:keys-unavailable')
      expect(server.failures).toEqual(['consumer-portal'])
    },
  )

  it('are taken from no server that its own authorities do not vouch for', async () => {
    const jwks = { url: provider.urls.jwks, anchors: [join(certificates, 'signing-ca.pem')] }
    const server = await gateway({ jwks })
    expect(outcome(await asked(server))).toBe('503 urn:crocevia:problem:keys-unavailable')
    expect(provider.asked.total).toBe(0)
  })

  it('are taken from no server whose certificate lacks the policies it must have', async () => {
    const jwks = { url: provider.urls.jwks, anchors: [join(certificates, 'ca.pem')], policies: ['1.3.76.29.1.11'] }
    const server = await gateway({ jwks })
    expect(outcome(await asked(server))).toBe('503 urn:crocevia:problem:keys-unavailable')
  })
})
