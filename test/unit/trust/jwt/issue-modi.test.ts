import { createHash, X509Certificate } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { type ModiProfile, type ModiRequest, modiSigner } from '../../../../src/trust/jwt/sign-modi.ts'
import type { Signer } from '../../../../src/trust/signer.ts'
import { pem, signerOf, signing } from '../../../support/saml.ts'

const now = 1_780_300_800_000
const audience = 'https://api.erogatore.example/rest/service/v1/hello/echo'
const kid = 'b839f4c7-1e5d-4a8e-9fc6-72d3b7f051ec-0000_A'
const clientId = '31670092-eec0-4f95-88da-e1c7ce5e4505'
const purposeId = '570a415e-0e7f-410d-85ed-c55ea5537933'

const authority = new X509Certificate(pem('signing-ca.pem'))
const signer: Signer = { ...signerOf(signing('gateway')), intermediates: [authority] }
const { certificate } = signer

const direct: ModiProfile = { reference: 'x5c', audience, lifetimeMs: 120_000 }
const pdnd: ModiProfile = {
  integrity: 'INTEGRITY_REST_02',
  reference: { kid },
  audience,
  issuer: clientId,
  purposeId,
  lifetimeMs: 120_000,
}
const user = { userID: 'op-4711', userLocation: '26,2.3', LoA: 'substantial' }

const body = '{"testo": "Ciao mondo"}'
// Of the body, by openssl; the digest that the guidelines print beside it is another text's.
const digest = 'hPq3xjgxGMr98LL2/lP2Y66DVCTcXdwL+YpNQD/gmvk='
const post: ModiRequest = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body }

function signerFor(profile: ModiProfile) {
  return modiSigner(signer, profile, { clock: { now: () => now } })
}

async function claims(token: string | undefined) {
  return (await jwtVerify(token ?? '', certificate.publicKey, { audience, currentDate: new Date(now), typ: 'JWT' }))
    .payload
}

const bearerOf = (headers: Readonly<Record<string, string>>) => headers.Authorization?.replace(/^Bearer /, '')
const jti = expect.stringMatching(/^[0-9a-f-]{36}$/)
const times = { aud: audience, iat: 1_780_300_800, exp: 1_780_300_920 }

describe('a caller authenticated by ID_AUTH_REST', () => {
  it('01 sends a bearer token with the certificate and its chain, and no id', async () => {
    const { headers } = await signerFor({ ...direct, authentication: 'ID_AUTH_REST_01' }).sign(post)
    expect(Object.keys(headers)).toEqual(['Authorization'])
    expect(await claims(bearerOf(headers))).toEqual(times)
    expect(decodeProtectedHeader(bearerOf(headers) ?? '')).toEqual({
      alg: 'RS256',
      typ: 'JWT',
      x5c: [certificate.raw.toString('base64'), authority.raw.toString('base64')],
    })
  })

  it('02 adds an id, new at each call, and our name where there is one', async () => {
    const sign = signerFor({ ...direct, authentication: 'ID_AUTH_REST_02', issuer: 'crocevia' })
    const { headers } = await sign.sign(post)
    expect(await claims(bearerOf(headers))).toEqual({ ...times, jti, iss: 'crocevia', sub: 'crocevia' })
    expect((await sign.sign(post)).headers.Authorization).not.toBe(headers.Authorization)
  })

  it('may name the certificate by its digest', async () => {
    const profile = { ...direct, authentication: 'ID_AUTH_REST_02', reference: 'x5t#S256' } as const
    const { headers } = await signerFor(profile).sign(post)
    const expected = createHash('sha256').update(certificate.raw).digest('base64url')
    expect(decodeProtectedHeader(bearerOf(headers) ?? '')).toEqual({ alg: 'RS256', typ: 'JWT', 'x5t#S256': expected })
  })

  it('uses the algorithm agreed on', async () => {
    const profile = { ...direct, authentication: 'ID_AUTH_REST_02', algorithm: 'PS256' } as const
    const { headers } = await signerFor(profile).sign(post)
    expect(decodeProtectedHeader(bearerOf(headers) ?? '').alg).toBe('PS256')
    await expect(claims(bearerOf(headers))).resolves.toMatchObject(times)
  })
})

describe('a body sealed by INTEGRITY_REST', () => {
  it('01 has its digest in a header, and that header and the type of the body under signature', async () => {
    const { headers } = await signerFor({ ...direct, integrity: 'INTEGRITY_REST_01' }).sign(post)
    expect(Object.keys(headers)).toEqual(['Digest', 'Agid-JWT-Signature'])
    expect(headers.Digest).toBe(`SHA-256=${digest}`)
    expect(await claims(headers['Agid-JWT-Signature'])).toEqual({
      ...times,
      jti,
      signed_headers: [{ digest: `SHA-256=${digest}` }, { 'content-type': 'application/json' }],
    })
  })

  it('02 names the key as PDND does, and no certificate', async () => {
    const { headers } = await signerFor(pdnd).sign(post)
    expect(decodeProtectedHeader(headers['Agid-JWT-Signature'] ?? '')).toEqual({ alg: 'RS256', typ: 'JWT', kid })
    expect(await claims(headers['Agid-JWT-Signature'])).toMatchObject({ iss: clientId, sub: clientId })
  })

  it('signs the encoding too, values as they arrive, and nothing that is not sent', async () => {
    const sign = signerFor({ ...direct, integrity: 'INTEGRITY_REST_01' })
    const headers = {
      'content-encoding': ' gzip\t',
      'content-type': 'application/fhir+json; charset=utf-8',
      accept: '*/*',
    }
    const sealed = await sign.sign({ method: 'POST', headers, body: Buffer.from(body) })
    expect((await claims(sealed.headers['Agid-JWT-Signature'])).signed_headers).toEqual([
      { digest: `SHA-256=${digest}` },
      { 'content-type': 'application/fhir+json; charset=utf-8' },
      { 'content-encoding': 'gzip' },
    ])
    const bare = await sign.sign({ method: 'POST', headers: {}, body })
    expect((await claims(bare.headers['Agid-JWT-Signature'])).signed_headers).toEqual([{ digest: `SHA-256=${digest}` }])
  })

  it('digests the bytes that are sent, not the characters', async () => {
    const { headers } = await signerFor(pdnd).sign({ ...post, body: 'perché' })
    const expected = createHash('sha256').update(Buffer.from('perché', 'utf8')).digest('base64')
    expect(headers.Digest).toBe(`SHA-256=${expected}`)
  })

  it('leaves requests without a body alone, unless the partner wants them signed', async () => {
    const get = { method: 'GET', headers: {} }
    expect((await signerFor(pdnd).sign(get)).headers).toEqual({})
    const { headers } = await signerFor({ ...pdnd, signEmptyBody: true }).sign(get)
    expect(headers.Digest).toBe('SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=')
  })

  it('spells the digest as the partner does', async () => {
    const { headers } = await signerFor({ ...pdnd, digestLabel: 'sha-256' }).sign(post)
    expect(headers.Digest).toBe(`sha-256=${digest}`)
    expect((await claims(headers['Agid-JWT-Signature'])).signed_headers).toContainEqual({ digest: headers.Digest })
  })

  it('shares its id with the bearer token, unless the partner wants two', async () => {
    const both = { ...direct, authentication: 'ID_AUTH_REST_02', integrity: 'INTEGRITY_REST_01' } as const
    const ids = async (profile: ModiProfile) => {
      const { headers } = await signerFor(profile).sign(post)
      return [bearerOf(headers), headers['Agid-JWT-Signature']].map((token) => decodeJwt(token ?? '').jti)
    }
    const [one, same] = await ids(both)
    expect(one).toBe(same)
    const [two, other] = await ids({ ...both, sharedJti: false })
    expect(two).not.toBe(other)
  })

  it('is new at each call', async () => {
    const sign = signerFor(pdnd)
    const tokens = await Promise.all(Array.from({ length: 10 }, () => sign.sign(post)))
    expect(new Set(tokens.map(({ headers }) => headers['Agid-JWT-Signature'])).size).toBe(10)
  })

  it.each([
    ['a PATCH', { ...post, method: 'PATCH' }, 'partial-body'],
    ['a part', { ...post, headers: { Range: 'bytes=0-1' } }, 'partial-body'],
    ['a type told twice', { ...post, headers: { 'content-type': 'a/b', 'Content-Type': 'c/d' } }, 'header-given-twice'],
    ['a digest already there', { ...post, headers: { digest: 'x' } }, 'header-made-here'],
  ])('refuses %s', async (_, request, reason) => {
    await expect(signerFor(pdnd).sign(request)).rejects.toMatchObject({ code: 'internal', details: { reason } })
  })
})

describe('a user tracked by AUDIT_REST', () => {
  it('01 stands in evidence of its own, signed like the rest', async () => {
    const { headers, evidenceDigest } = await signerFor({ ...pdnd, audit: 'AUDIT_REST_01' }).sign(post, user)
    const evidence = headers['Agid-JWT-TrackingEvidence'] ?? ''
    expect(decodeProtectedHeader(evidence)).toEqual({ alg: 'RS256', typ: 'JWT', kid })
    expect(await claims(evidence)).toEqual({ ...times, jti, iss: clientId, purposeId, ...user })
    expect(evidenceDigest).toBe(createHash('sha256').update(evidence).digest('hex'))
    expect((await claims(evidence)).jti).not.toBe((await claims(headers['Agid-JWT-Signature'])).jti)
  })

  it('02 adds a random number of thirteen digits', async () => {
    const sign = signerFor({ ...pdnd, audit: 'AUDIT_REST_02' })
    const numbers = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const { headers } = await sign.sign(post, { userID: 'op-4711', userLocation: '26,2.3' })
        const payload = await claims(headers['Agid-JWT-TrackingEvidence'])
        expect(payload).not.toHaveProperty('LoA')
        return payload.dnonce
      }),
    )
    for (const number of numbers) expect(String(number)).toMatch(/^[1-9][0-9]{12}$/)
    expect(new Set(numbers).size).toBe(10)
  })

  it('can be told with a certificate where PDND has no part', async () => {
    const profile = { ...direct, audit: 'AUDIT_REST_01', issuer: 'crocevia', purposeId } as const
    const { headers } = await signerFor(profile).sign({ method: 'GET', headers: {} }, user)
    expect(Object.keys(headers)).toEqual(['Agid-JWT-TrackingEvidence'])
    expect(decodeProtectedHeader(headers['Agid-JWT-TrackingEvidence'] ?? '').x5c).toHaveLength(2)
  })

  it('is not left out in silence', async () => {
    await expect(signerFor({ ...pdnd, audit: 'AUDIT_REST_02' }).sign(post)).rejects.toMatchObject({
      details: { reason: 'nobody-to-track' },
    })
  })
})

describe('a profile that contradicts itself is refused:', () => {
  it.each<[string, Partial<ModiProfile>]>([
    ['authentication needs a certificate', { authentication: 'ID_AUTH_REST_01' }],
    ['INTEGRITY_REST_01 needs a certificate', { integrity: 'INTEGRITY_REST_01' }],
    ['INTEGRITY_REST_02 needs a kid', { reference: 'x5c' }],
    ['AUDIT_REST_02 needs a kid', { integrity: 'INTEGRITY_REST_01', audit: 'AUDIT_REST_02', reference: 'x5c' }],
    ['an algorithm of another key', { algorithm: 'ES256' }],
  ])('%s', (_, change) => {
    expect(() => signerFor({ ...pdnd, ...change })).toThrow(/needs a|key/)
  })

  it('evidence needs a name and a purpose', () => {
    expect(() => signerFor({ ...direct, audit: 'AUDIT_REST_01', issuer: 'a' })).toThrow('purposeId')
    expect(() => signerFor({ ...direct, audit: 'AUDIT_REST_01', purposeId })).toThrow('issuer')
  })
})
