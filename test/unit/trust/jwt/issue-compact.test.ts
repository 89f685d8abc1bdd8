import { X509Certificate } from 'node:crypto'
import { compactVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { compactSigner, validity } from '../../../../src/trust/jwt/sign-compact.ts'
import type { Signer } from '../../../../src/trust/signer.ts'
import { signerOf, signing } from '../../../support/saml.ts'

const rsa = signerOf(signing('gateway'))
const ec = signerOf(signing('region-050', 'signing-ec'))

describe('a compact signature', () => {
  it.each([
    ['RS256', rsa],
    ['RS384', rsa],
    ['RS512', rsa],
    ['PS256', rsa],
    ['ES256', ec],
  ] as const)('holds with %s, by the judgement of another library', async (algorithm, signer) => {
    const token = await compactSigner(signer, algorithm)({ typ: 'JWT' }, { sub: 'perché' })
    const { payload, protectedHeader } = await compactVerify(token, signer.certificate.publicKey, {
      algorithms: [algorithm],
    })
    expect(protectedHeader).toEqual({ alg: algorithm, typ: 'JWT' })
    expect(new TextDecoder().decode(payload)).toBe('{"sub":"perché"}')
  })

  it('writes members in the order given, the algorithm first, and leaves out what is undefined', async () => {
    const token = await compactSigner(rsa)({ typ: 'JWT', kid: undefined, b: 1, a: 2 }, { z: 1, y: undefined, x: [] })
    const [header, payload] = token.split('.').map((part) => Buffer.from(part, 'base64url').toString())
    expect(header).toBe('{"alg":"RS256","typ":"JWT","b":1,"a":2}')
    expect(payload).toBe('{"z":1,"x":[]}')
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  })

  it('uses the algorithm of the signer where none is asked for', async () => {
    const token = await compactSigner(ec)({}, {})
    const { protectedHeader } = await compactVerify(token, ec.certificate.publicKey)
    expect(protectedHeader.alg).toBe('ES256')
  })

  it('waits for a signer that answers later, and passes its failure on', async () => {
    const later: Signer = { ...rsa, sign: async (data, algorithm) => await rsa.sign(data, algorithm) }
    await expect(compactVerify(await compactSigner(later)({}, {}), rsa.certificate.publicKey)).resolves.toBeDefined()
    const broken: Signer = { ...rsa, sign: () => Promise.reject(new Error('the device is gone')) }
    await expect(compactSigner(broken)({}, {})).rejects.toThrow('the device is gone')
  })

  it.each([
    ['RSA for ECDSA', rsa, 'ES256'],
    ['ECDSA for RSA', ec, 'RS256'],
    ['a curve for another', ec, 'ES384'],
  ] as const)('is not begun with a key that does not fit: %s', (_, signer, algorithm) => {
    expect(() => compactSigner(signer, algorithm)).toThrow('key-and-algorithm-do-not-fit')
  })

  it('is not begun with SHA-1, nor with a short key', () => {
    expect(() => compactSigner({ ...rsa, algorithm: 'RS1' })).toThrow('RS1')
    const weak = new X509Certificate(signing('bad/weak').certificate)
    expect(() => compactSigner({ ...rsa, certificate: weak })).toThrow('key-is-too-short')
  })
})

it('a token is never valid from the future, and lives no shorter than asked', () => {
  expect(validity(1_780_300_800_999, 300_001)).toEqual({ iat: 1_780_300_800, exp: 1_780_301_101 })
})
