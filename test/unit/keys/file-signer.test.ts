import { createPrivateKey, X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { fileSigner } from '../../../src/keys/file-signer.ts'
import { readKeyPair } from '../../../src/keys/key-files.ts'
import { type SignatureAlgorithm, signatureHolds } from '../../../src/trust/algorithms.ts'
import { folder, type Hierarchy, hierarchy, type Kind } from './fixtures.ts'

let authority: Hierarchy

beforeAll(async () => {
  authority = await hierarchy()
})

const data = Buffer.from('what is signed')

describe('a signer over a key file', () => {
  it.each<[Kind, SignatureAlgorithm, SignatureAlgorithm[]]>([
    ['rsa-2048', 'RS256', ['RS256', 'RS384', 'RS512', 'PS256']],
    ['P-256', 'ES256', ['ES256']],
    ['P-384', 'ES384', ['ES384']],
    ['P-521', 'ES512', ['ES512']],
  ])('signs at once with a key of %s', async (kind, usual, algorithms) => {
    const pair = await authority.issue(kind)
    const { write } = folder()
    const chain = pair.certificate + authority.intermediate
    const signer = fileSigner(await readKeyPair({ certificate: write('c', chain), key: write('k', pair.pem) }))
    expect(signer.algorithm).toBe(usual)
    expect(signer.intermediates).toHaveLength(1)
    const { publicKey } = signer.certificate
    for (const algorithm of [undefined, ...algorithms]) {
      const signature = signer.sign(data, algorithm)
      if (signature instanceof Promise) expect.fail('the signature comes later')
      expect(signatureHolds(algorithm ?? usual, data, publicKey, signature)).toBe(true)
    }
  })

  it('does not sign with an algorithm of another kind of key', async () => {
    const { certificate, key } = await authority.issue('P-256')
    const signer = fileSigner({ certificate: new X509Certificate(certificate), intermediates: [], key })
    expect(() => signer.sign(data, 'RS256')).toThrow('key-and-algorithm-do-not-fit')
    expect(() => signer.sign(data, 'ES384')).toThrow('key-and-algorithm-do-not-fit')
  })

  it('is not made over a key that is too short', async () => {
    const { certificate, pem } = await authority.issue('rsa-1024')
    const pair = { certificate: new X509Certificate(certificate), intermediates: [], key: createPrivateKey(pem) }
    expect(() => fileSigner(pair)).toThrow('key-too-short')
  })
})
