import { createPublicKey } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { organizations } from '../../../../contracts/affinity-domain/organizations.ts'
import { type TokenProfile, type TokenQuestion, verifyToken } from '../../../../src/trust/jwt/verify-token.ts'
import { clinician, homes } from '../../../support/builders.ts'
import {
  at,
  type Changes,
  creation,
  fseAudience,
  fseHeaders,
  keySetOf,
  nowSeconds,
  outcomeOf,
  pairOf,
  signedToken,
  signingAuthorities,
  x5cOf,
} from '../../../support/jwt.ts'

const signer = pairOf('region-120')
const holder = pairOf('region-050', 'signing-ec')

const certificates = { certificates: signingAuthorities, jwks: [] }
const jwks = { certificates: [], jwks: [keySetOf([['k', signer]])] }

function question(profile: TokenProfile, more: Partial<TokenQuestion> = {}): TokenQuestion {
  return { profile, trust: certificates, at, organizations, community: homes.tuscany, ...more }
}

const header = { alg: 'RS256', typ: 'JWT', x5c: x5cOf(signer) }
const claims = { iat: nowSeconds, exp: nowSeconds + 60, aud: 'a', iss: 'i', jti: 'j' }

function token(more: Changes = {}, headerChanges: Changes = {}): string {
  return signedToken({ ...header, ...headerChanges }, { ...claims, ...more }, signer.key)
}

const named = { x5c: undefined, kid: 'k' }
const [[, authorization = ''] = [], [, signature = ''] = []] = fseHeaders()
const voucher = { client_id: 'c', sub: 'c', nbf: nowSeconds, purposeId: 'p' }
const jwk = createPublicKey(holder.key).export({ format: 'jwk' })
const proof = signedToken(
  { alg: 'ES256', typ: 'dpop+jwt', jwk },
  { htm: 'GET', htu: 'https://x.example/y', iat: nowSeconds, jti: 'p' },
  holder.key,
  'ES256',
)

const samples: Readonly<Record<TokenProfile, readonly [text: string, more: Partial<TokenQuestion>, read: object]>> = {
  jwt: [token(), {}, { alg: 'RS256', claims, signer: 'S1#120#120REGIONELAZIO-DEV' }],
  portal: [
    token({ ...creation, sub: clinician }, { ...named, typ: 'at+jwt' }),
    { trust: jwks, issuer: 'i', audience: 'a' },
    { kid: 'k', assertion: expect.objectContaining({ role: 'AAS' }) },
  ],
  'fse-auth': [authorization.slice('Bearer '.length), { audience: fseAudience }, { subject: clinician }],
  'fse-signature': [signature, { operation: 'create' }, { claims: expect.objectContaining({ action: 'CREATE' }) }],
  'modi-auth': [token({ jti: undefined }), { issuer: 'i' }, { issuer: 'i' }],
  'modi-integrity': [token({ signed_headers: [{ digest: 'x' }] }), {}, { signedHeaders: [['digest', 'x']] }],
  'modi-audit': [token({ purposeId: 'p', userID: 'u', userLocation: 'l' }, named), { trust: jwks }, { userId: 'u' }],
  'pdnd-voucher': [token(voucher, { ...named, typ: 'at+jwt' }), { trust: jwks }, { clientId: 'c' }],
  dpop: [proof, { trust: { certificates: [], jwks: [] } }, { typ: 'dpop+jwt', method: 'GET' }],
}

describe('a token by itself', () => {
  it.each(Object.entries(samples))(
    'is read as %s, in values that can be printed',
    async (profile, [text, more, read]) => {
      const answer = await verifyToken(text, question(profile as TokenProfile, more))
      expect(answer.read).toMatchObject(read)
      expect(JSON.parse(JSON.stringify(answer))).toEqual(answer)
    },
  )

  it('names the certificate that was believed', async () => {
    const { read } = await verifyToken(`${token()}\n`, question('jwt'))
    expect(read.certificate).toEqual({
      subject: signer.certificate.subject,
      issuer: signer.certificate.issuer,
      fingerprint256: signer.certificate.fingerprint256,
    })
  })

  it('of any allowed algorithm is accepted, by pinned certificates too', async () => {
    const pinned = { certificates: [signer.certificate, holder.certificate], jwks: [] }
    for (const alg of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256']) {
      const { key } = alg === 'ES256' ? holder : signer
      const text = await new SignJWT(claims).setProtectedHeader({ alg }).sign(key)
      expect((await verifyToken(text, question('jwt', { trust: pinned }))).read.alg).toBe(alg)
    }
  })

  it('states times and audience as it likes, but those it states count', async () => {
    const judge = (text: string, more: Partial<TokenQuestion> = {}) => {
      return outcomeOf(() => verifyToken(text, question('jwt', more)))
    }
    const timeless = signedToken(header, {}, signer.key)
    expect(await judge(timeless)).toBe('accepted')
    expect(await judge(timeless, { audience: 'a' })).toBe('audience aud-missing')
    expect(await judge(token(), { audience: 'b' })).toBe('audience aud-is-somebody-else')
    expect(await judge(token(), { at: at + 120_000 })).toBe('validity expired')
    expect(await judge(token(), { at: at + 120_000, clockSkewMs: 60_001 })).toBe('accepted')
    expect(await judge(token(), { at: at - 60_001 })).toBe('validity issued-in-the-future')
  })

  it('is held against what is trusted, and nothing else', async () => {
    const judge = (text: string, trust: TokenQuestion['trust']) => {
      return outcomeOf(() => verifyToken(text, question('jwt', { trust })))
    }
    expect(await judge(token(), jwks)).toBe('certificate x5c-is-not-expected')
    expect(await judge(token({}, named), certificates)).toBe('certificate key-is-unknown')
    expect(await judge(token(), { certificates: [holder.certificate], jwks: [] })).toMatch(/^certificate certificate-/)
    expect(await judge(token(), { certificates: [], jwks: [] })).toBe('certificate x5c-is-not-expected')
  })

  it('may be as long as a file', async () => {
    const text = token({ filler: Array.from({ length: 2_000 }, () => 'x'.repeat(1_000)) })
    expect(text.length).toBeGreaterThan(2_000_000)
    expect(await outcomeOf(() => verifyToken(text, question('jwt')))).toBe('accepted')
    expect(await outcomeOf(() => verifyToken('.'.repeat(20_000_000), question('jwt')))).toBe(
      'malformed token-is-too-long',
    )
  })
})
