import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { factsOf } from '../../../../src/trust/x509/certificate.ts'
import { dayMs, extended, flag, keyPair, make, now, rsaKeyPair, x509 } from './issuing.ts'

describe('what a certificate says', () => {
  it('is told in full', async () => {
    const root = await make({ name: 'Radice', ca: { pathLength: 2 } })
    const { certificate } = await make({
      name: 'A1#050#050PROVA',
      by: root,
      keyUsage: flag.digitalSignature | flag.keyEncipherment | flag.decipherOnly,
      extendedKeyUsage: [extended.clientAuth, '1.2.3.4'],
      policies: ['1.3.76.29.1.10', '2.5.29.32.0'],
      more: [
        new x509.SubjectAlternativeNameExtension([
          { type: 'dns', value: 'fse.example' },
          { type: 'ip', value: '192.0.2.1' },
          { type: 'ip', value: '2001:db8::1' },
          { type: 'url', value: 'urn:oid:2.16.840' },
          { type: 'email', value: 'prova@fse.example' },
          { type: 'dn', value: 'CN=altro' },
        ]),
      ],
    })
    const facts = factsOf(certificate)
    expect(facts).toMatchObject({
      commonName: 'A1#050#050PROVA',
      subject: 'CN=A1#050#050PROVA',
      issuerName: factsOf(root.certificate).subjectName,
      serial: certificate.serialNumber.toLowerCase(),
      notBefore: now - 100 * dayMs,
      notAfter: now + 100 * dayMs,
      alternativeNames: {
        dns: ['fse.example'],
        ip: ['192.0.2.1', '2001:db8::1'],
        uri: ['urn:oid:2.16.840'],
        email: ['prova@fse.example'],
      },
      keyUsage: new Set(['digitalSignature', 'keyEncipherment', 'decipherOnly']),
      extendedKeyUsage: ['1.3.6.1.5.5.7.3.2', '1.2.3.4'],
      policies: ['1.3.76.29.1.10', '2.5.29.32.0'],
      basicConstraints: { ca: false },
      authorityKeyId: factsOf(root.certificate).subjectKeyId,
      unknownCriticalExtensions: [],
      fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      strongKey: true,
      soundSignature: true,
    })
    expect(facts.subjectKeyId).toMatch(/^[0-9a-f]{40}$/)
    expect(factsOf(root.certificate)).toMatchObject({
      basicConstraints: { ca: true, pathLength: 2 },
      keyUsage: new Set(['keyCertSign', 'cRLSign']),
    })
  })

  it('is read once', async () => {
    const { certificate } = await make({})
    expect(factsOf(certificate)).toBe(factsOf(certificate))
  })

  it('is undefined where it says nothing', async () => {
    const { certificate } = await make({ keyUsage: null, keyIds: false })
    expect(factsOf(certificate)).toMatchObject({
      keyUsage: undefined,
      extendedKeyUsage: undefined,
      policies: [],
      authorityKeyId: undefined,
      subjectKeyId: undefined,
      alternativeNames: { dns: [], ip: [], uri: [], email: [] },
    })
  })

  it('names the critical extensions that are not understood, and no others', async () => {
    const { certificate } = await make({
      more: [
        new x509.Extension('1.2.3.4', true, new Uint8Array([5, 0])),
        new x509.Extension('1.2.3.5', false, new Uint8Array([5, 0])),
      ],
    })
    expect(factsOf(certificate).unknownCriticalExtensions).toEqual(['1.2.3.4'])
  })

  it.each([
    ['RSA of 2048 bits', () => rsaKeyPair(2048), true],
    ['RSA of 1024 bits', () => rsaKeyPair(1024), false],
    ['P-256', () => keyPair('P-256'), true],
    ['P-384', () => keyPair('P-384'), true],
    ['P-521', () => keyPair('P-521'), true],
  ])('includes whether its key is strong: %s', async (_, keys, strong) => {
    expect(factsOf((await make({ keys: await keys() })).certificate).strongKey).toBe(strong)
  })

  it.each([
    ['secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
    ['Ed25519', generateKeyPairSync('ed25519')],
  ])('calls no other curve strong: %s', async (_, { publicKey }) => {
    expect(factsOf((await make({ publicKey })).certificate).strongKey).toBe(false)
  })

  it('includes whether its signature is sound', async () => {
    expect(factsOf((await make({ hash: 'SHA-1' })).certificate).soundSignature).toBe(false)
  })

  it('has no common name when there are two', async () => {
    const { certificate } = await make({ name: 'uno, CN=due' })
    expect(certificate.subject).toContain('CN=due')
    expect(factsOf(certificate).commonName).toBeUndefined()
  })

  it('has names that are equal whatever their case, spacing and kind of string', async () => {
    const [one, other, third] = await Promise.all(
      ['Regione  Veneto', 'REGIONE VENETO', 'Regione Lazio'].map((name) => make({ name })),
    )
    const name = (made: typeof one): string | undefined => made && factsOf(made.certificate).subjectName
    expect(name(one)).toBe(name(other))
    expect(name(one)).not.toBe(name(third))
  })
})

describe('a certificate that is not strictly one', () => {
  it('is not read when an extension comes twice', async () => {
    const { certificate } = await make({ policies: ['1.2.3'], more: [new x509.CertificatePolicyExtension(['1.2.4'])] })
    expect(() => factsOf(certificate)).toThrow('twice')
  })

  it('is not read when an extension is not what it must be', async () => {
    const { certificate } = await make({ more: [new x509.Extension('2.5.29.37', false, new Uint8Array([5, 0]))] })
    expect(() => factsOf(certificate)).toThrow()
  })

  it('is not read when it names another signature algorithm inside than outside', async () => {
    const { certificate } = await make({})
    const der = Buffer.from(certificate.raw)
    // ecdsa-with-SHA256, the first time; its last octet makes it SHA-384.
    const at = der.indexOf(Buffer.from('06082a8648ce3d040302', 'hex'))
    der[at + 9] = 3
    expect(() => factsOf(new X509Certificate(der))).toThrow('twice')
  })
})
