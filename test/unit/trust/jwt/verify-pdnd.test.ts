import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { dpopVerifier } from '../../../../src/trust/jwt/dpop.ts'
import { readJwk, thumbprintOf } from '../../../../src/trust/jwt/jwk.ts'
import { fixedKeys } from '../../../../src/trust/jwt/key-set.ts'
import { type PdndOptions, pdndVerifier } from '../../../../src/trust/jwt/pdnd.ts'
import type { JwsAlgorithm } from '../../../../src/trust/jwt/token.ts'
import {
  at,
  type Changes,
  keySetOf,
  nowSeconds,
  outcomeOf,
  pairOf,
  pemOf,
  publicJwk,
  signedToken,
  stopped,
} from '../../../support/jwt.ts'

const authority = pairOf('ini')
const options: PdndOptions = {
  keys: fixedKeys(keySetOf([['pdnd', authority]])),
  clock: stopped,
  issuer: 'interop.example',
  audience: ['https://crocevia.example/rest/fse/v1'],
  producerId: 'p',
  eserviceId: 'e',
  descriptorId: 'd',
}
const claims: Readonly<Record<string, unknown>> = {
  iss: 'interop.example',
  aud: 'https://crocevia.example/rest/fse/v1',
  client_id: 'client',
  sub: 'client',
  jti: 'v',
  iat: nowSeconds - 500,
  nbf: nowSeconds - 500,
  exp: nowSeconds + 100,
  purposeId: 'purpose',
  producerId: 'p',
  consumerId: 'c',
  eserviceId: 'e',
  descriptorId: 'd',
}
const header = { alg: 'RS256', typ: 'at+jwt', use: 'sig', kid: 'pdnd' }

function voucher(changes: Changes = {}, headerChanges: Changes = {}): string {
  return signedToken({ ...header, ...headerChanges }, { ...claims, ...changes }, authority.key)
}

const holder = pairOf('region-050', 'signing-ec')
const thief = pairOf('stranger')
const jwkOf = (key: KeyObject) => createPublicKey(key).export({ format: 'jwk' })
const thumbprint = thumbprintOf(readJwk(publicJwk(holder))?.key ?? holder.key)
const request = { method: 'POST', url: 'https://crocevia.example/rest/fse/v1/documents?x=1' }
const athOf = (text: string) => createHash('sha256').update(text).digest('base64url')

function proof(changes: Changes = {}, headerChanges: Changes = {}, key = holder.key, alg: JwsAlgorithm = 'ES256') {
  const payload = { htm: 'POST', htu: 'https://crocevia.example/rest/fse/v1/documents', iat: nowSeconds, jti: 'p' }
  return signedToken({ alg, typ: 'dpop+jwt', jwk: jwkOf(key), ...headerChanges }, { ...payload, ...changes }, key, alg)
}

describe('a voucher of PDND', () => {
  it('is read exactly as it is', async () => {
    const digest = { alg: 'SHA256', value: 'AB'.repeat(32) }
    expect(await pdndVerifier(options).voucher(voucher({ digest, cnf: { jkt: 'T' } }))).toEqual({
      clientId: 'client',
      subject: 'client',
      tokenId: 'v',
      purposeId: 'purpose',
      producerId: 'p',
      consumerId: 'c',
      eserviceId: 'e',
      descriptorId: 'd',
      trackingDigest: 'ab'.repeat(32),
      boundTo: 'T',
      audience: ['https://crocevia.example/rest/fse/v1'],
      issuedAt: at - 500_000,
      expiresAt: at + 100_000,
      signer: expect.stringMatching(/^jwk:/),
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })

  it.each<[string, Changes, Changes]>([
    ['header typ-is-another', {}, { typ: 'JWT' }],
    ['signature algorithm-is-not-allowed', {}, { alg: 'ES256' }],
    ['certificate key-is-unknown', {}, { kid: 'x' }],
    ['audience iss-is-another', { iss: 'x' }, {}],
    ['audience aud-is-somebody-else', { aud: 'x' }, {}],
    ['attributes nbf-missing', { nbf: undefined }, {}],
    ['validity not-yet-valid', { nbf: nowSeconds + 6 }, {}],
    ['validity expired', { exp: nowSeconds - 5 }, {}],
    ['attributes purpose-id-missing', { purposeId: undefined }, {}],
    ['attributes client-id-missing', { client_id: undefined }, {}],
    ['attributes sub-missing', { sub: undefined }, {}],
    ['attributes jti-missing', { jti: undefined }, {}],
    ['audience producer-id-is-another', { producerId: 'x' }, {}],
    ['audience eservice-id-is-another', { eserviceId: 'x' }, {}],
    ['audience descriptor-id-is-another', { descriptorId: 'x' }, {}],
    ['attributes descriptor-id-missing', { descriptorId: undefined }, {}],
    ['accepted', { consumerId: undefined }, {}],
    ['attributes digest-malformed', { digest: { alg: 'SHA1', value: 'ab'.repeat(32) } }, {}],
    ['attributes digest-malformed', { digest: 'ab'.repeat(32) }, {}],
  ])('is judged: %s', async (outcome, changes, headerChanges) => {
    expect(await outcomeOf(() => pdndVerifier(options).voucher(voucher(changes, headerChanges)))).toBe(outcome)
  })

  it('is for a purpose that is listed, where purposes are', async () => {
    const judge = (purposeIds: string[]) => {
      return outcomeOf(() => pdndVerifier({ ...options, purposeIds }).voucher(voucher()))
    }
    expect(await judge(['purpose'])).toBe('accepted')
    expect(await judge(['x'])).toBe('audience purpose-id-is-another')
  })

  const call = (headers: [string, string][]) => outcomeOf(() => pdndVerifier(options).call(headers, request))

  it('that is bound to nobody is a bearer token', async () => {
    expect(await call([['Authorization', `Bearer ${voucher()}`]])).toBe('accepted')
    expect(await call([['Authorization', `DPoP ${voucher()}`]])).toBe('header voucher-is-bound-to-nobody')
    expect(await call([])).toBe('missing authorization-is-missing')
    expect(await call([['Authorization', `Basic ${voucher()}`]])).toBe('header authorization-is-no-bearer-token')
    const certified = voucher({ cnf: { 'x5t#S256': 'x' } })
    expect(await call([['Authorization', `Bearer ${certified}`]])).toBe('audience token-is-bound-to-another')
  })

  it('that is bound to a key comes with one proof of that key', async () => {
    const bound = voucher({ cnf: { jkt: thumbprint } })
    const right: [string, string] = ['DPoP', proof({ ath: athOf(bound) })]
    const authorization: [string, string] = ['Authorization', `DPoP ${bound}`]
    const accepted = await pdndVerifier(options).call([authorization, right], request)
    expect(accepted.proof?.thumbprint).toBe(thumbprint)
    expect(accepted.uses).toEqual([{ key: expect.any(String), until: at + 65_000 }])
    expect(await call([['Authorization', `Bearer ${bound}`], right])).toBe('header voucher-is-no-bearer-token')
    expect(await call([authorization])).toBe('missing dpop-is-missing')
    expect(await call([authorization, right, right])).toBe('header dpop-is-repeated')
    const stolen = proof({ ath: athOf(bound) }, {}, thief.key, 'RS256')
    expect(await call([authorization, ['DPoP', stolen]])).toBe('audience token-is-bound-to-another')
    expect(await call([authorization, ['DPoP', proof({ ath: athOf(voucher()) })]])).toBe(
      'audience proof-is-for-another-token',
    )
    expect(await call([authorization, ['DPoP', proof()]])).toBe('attributes ath-missing')
  })
})

describe('a DPoP proof', () => {
  const verify = dpopVerifier({ clock: stopped })
  const judge = (text: string) => outcomeOf(() => verify(text, { ...request, boundTo: thumbprint }))

  it('is read exactly as it is', async () => {
    expect(await verify(proof(), request)).toEqual({
      thumbprint,
      tokenId: 'p',
      method: 'POST',
      url: 'https://crocevia.example/rest/fse/v1/documents',
      issuedAt: at,
      uses: [{ key: expect.stringMatching(/^[0-9a-f]{64}$/), until: at + 65_000 }],
    })
  })

  const privateJwk = createPrivateKey(pemOf('region-050/signing-ec.key.pem')).export({ format: 'jwk' })
  it.each<[string, Changes, Changes]>([
    ['header typ-is-another', {}, { typ: 'JWT' }],
    ['header jwk-is-missing', {}, { jwk: undefined }],
    ['header jwk-tells-secrets', {}, { jwk: privateJwk }],
    ['header jwk-tells-secrets', {}, { jwk: { kty: 'oct', k: 'AAAA' } }],
    ['header jwk-is-not-usable', {}, { jwk: { kty: 'EC' } }],
    ['signature key-and-algorithm-do-not-fit', {}, { jwk: jwkOf(thief.key) }],
    ['signature algorithm-is-not-allowed', {}, { alg: 'ES384' }],
    ['attributes jti-missing', { jti: undefined }, {}],
    ['attributes htm-missing', { htm: undefined }, {}],
    ['audience htm-is-another', { htm: 'GET' }, {}],
    ['audience htm-is-another', { htm: 'post' }, {}],
    ['attributes htu-missing', { htu: undefined }, {}],
    ['attributes iat-missing', { iat: undefined }, {}],
    ['validity issued-too-long-ago', { iat: nowSeconds - 66 }, {}],
    ['accepted', { iat: nowSeconds - 65 }, {}],
    ['validity issued-in-the-future', { iat: nowSeconds + 6 }, {}],
    ['validity expired', { exp: nowSeconds - 10 }, {}],
    ['audience htu-is-another', { htu: 'https://crocevia.example/rest/fse/v1/document' }, {}],
    ['audience htu-is-another', { htu: 'https://crocevia.example/rest/fse/v1/documents/' }, {}],
    ['audience htu-is-another', { htu: 'http://crocevia.example/rest/fse/v1/documents' }, {}],
    ['audience htu-is-another', { htu: 'https://crocevia.example:8443/rest/fse/v1/documents' }, {}],
    ['attributes htu-malformed', { htu: 'https://crocevia.example@evil.example/rest/fse/v1/documents' }, {}],
    ['attributes htu-malformed', { htu: '/rest/fse/v1/documents' }, {}],
    ['attributes htu-malformed', { htu: 'https:\\\\crocevia.example\\rest' }, {}],
    ['attributes htu-malformed', { htu: ' https://crocevia.example/rest/fse/v1/documents' }, {}],
    ['accepted', { htu: 'HTTPS://Crocevia.EXAMPLE:443/rest/./fse/%76%31/documents?y=2#z' }, {}],
  ])('is judged: %s', async (outcome, changes, headerChanges) => {
    expect(await judge(proof(changes, headerChanges))).toBe(outcome)
  })

  it('may be made by an RSA key, if that is the one it must be of', async () => {
    const made = proof({}, {}, thief.key, 'RS256')
    expect(await outcomeOf(() => verify(made, request))).toBe('accepted')
    expect(await judge(made)).toBe('audience token-is-bound-to-another')
  })

  it('is one use per key and name', async () => {
    const uses = async (text: string) => (await verify(text, request)).uses[0]?.key
    const jti = randomUUID()
    const first = await uses(proof({ jti }))
    expect(await uses(proof({ jti, iat: nowSeconds - 1 }))).toBe(first)
    expect(await uses(proof({ jti }, {}, thief.key, 'RS256'))).not.toBe(first)
  })
})
