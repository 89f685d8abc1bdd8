import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, decodeProtectedHeader, EmbeddedJWK, exportJWK, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { dpopProver } from '../../../../src/trust/jwt/issue-dpop.ts'
import { signerOf, signing } from '../../../support/saml.ts'

const now = 1_780_300_800_900
const clock = { now: () => now }

const rsa = signerOf(signing('gateway'))
const ec = signerOf(signing('region-050', 'signing-ec'))

describe.each([
  ['RS256', rsa, ['e', 'kty', 'n']],
  ['ES256', ec, ['crv', 'kty', 'x', 'y']],
] as const)('a proof of possession signed with %s', (algorithm, signer, members) => {
  it('is for one request, and holds under the key it carries', async () => {
    const proof = await dpopProver(signer, { clock }).prove({
      method: 'POST',
      url: 'https://auth.interop.pagopa.it:443/token.oauth2?a=1#b',
    })
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: [algorithm],
    })
    expect(Object.keys(protectedHeader)).toEqual(['alg', 'typ', 'jwk'])
    expect(payload).toEqual({
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      htm: 'POST',
      htu: 'https://auth.interop.pagopa.it/token.oauth2',
      iat: 1_780_300_800,
    })
  })

  it('carries the public key and nothing else of it, under its thumbprint', async () => {
    const prover = dpopProver(signer, { clock })
    const { jwk } = decodeProtectedHeader(await prover.prove({ method: 'GET', url: 'https://a.example/' }))
    expect(Object.keys(jwk ?? {}).toSorted()).toEqual(members)
    expect(prover.thumbprint).toBe(await calculateJwkThumbprint(await exportJWK(signer.certificate.publicKey)))
  })

  it('names the voucher it goes along with', async () => {
    const proof = await dpopProver(signer, { clock }).prove({
      method: 'GET',
      url: 'https://a.example/x',
      accessToken: 'a.b.c',
    })
    const { payload } = await jwtVerify(proof, EmbeddedJWK)
    expect(payload).toMatchObject({ htm: 'GET', ath: createHash('sha256').update('a.b.c').digest('base64url') })
  })

  it('is never the same twice', async () => {
    const prover = dpopProver(signer, { clock })
    const request = { method: 'GET', url: 'https://a.example/' }
    expect(await prover.prove(request)).not.toBe(await prover.prove(request))
  })
})
