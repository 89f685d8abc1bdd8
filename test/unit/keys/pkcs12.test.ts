import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import forge from 'node-forge'
import { beforeAll, describe, expect, it } from 'vitest'
import { type KeySource, readKeyPair } from '../../../src/keys/key-files.ts'
import { openPkcs12 } from '../../../src/keys/pkcs12.ts'
import { folder } from './fixtures.ts'

interface Made {
  readonly key: forge.pki.rsa.PrivateKey
  readonly certificate: forge.pki.Certificate
  readonly pem: string
}

/** A self-signed pair as the library sees it. */
function pairOf(name: string): Made {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const key = forge.pki.privateKeyFromPem(privateKey.export({ type: 'pkcs1', format: 'pem' }).toString())
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.rsa.setPublicKey(key.n, key.e)
  certificate.serialNumber = '01'
  certificate.validity.notAfter.setFullYear(certificate.validity.notBefore.getFullYear() + 1)
  certificate.setSubject([{ name: 'commonName', value: name }])
  certificate.setIssuer([{ name: 'commonName', value: name }])
  certificate.sign(key, forge.md.sha256.create())
  return { key, certificate, pem: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString() }
}

let own: Made
let other: Made

beforeAll(() => {
  own = pairOf('own')
  other = pairOf('other')
})

type Options = NonNullable<Parameters<typeof forge.pkcs12.toPkcs12Asn1>[3]>

function bytesOf(file: forge.asn1.Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(file).getBytes(), 'latin1')
}

function made(passphrase: string | null, options: Options = {}, certificate = own.certificate): Buffer {
  return bytesOf(forge.pkcs12.toPkcs12Asn1(own.key, certificate, passphrase, options))
}

async function reasonOf(bytes: Buffer, passphrase?: string): Promise<unknown> {
  const { write } = folder()
  const pkcs12 = write('all.p12', bytes)
  const source: KeySource = passphrase === undefined ? { pkcs12 } : { pkcs12, passphrase: write('p', passphrase) }
  return readKeyPair(source).then(
    () => 'read',
    (error: unknown) => {
      expect(error).toMatchObject({ name: 'KeyError', path: pkcs12 })
      return error instanceof Error && 'reason' in error && error.reason
    },
  )
}

describe('a PKCS#12 file', () => {
  it.each<[string, string | null, Options]>([
    ['AES-256', 'segreto', { algorithm: 'aes256' }],
    ['3DES', 'segreto', { algorithm: '3des' }],
    ['an empty passphrase', '', { algorithm: 'aes256' }],
    ['no passphrase at all', null, {}],
    ['no MAC', 'segreto', { useMac: false }],
  ])('is opened with %s', async (_what, passphrase, options) => {
    const content = await openPkcs12(made(passphrase, options), passphrase ?? '')
    if (typeof content === 'string') expect.fail(content)
    expect(content.keys.map((key) => createPublicKey(key.export({ type: 'pkcs8', format: 'pem' })))).toEqual([
      createPublicKey(own.pem),
    ])
    expect(content.certificates.map((one) => one.subject)).toEqual(['CN=own'])
  })

  it('is opened again when nothing was wrong, and refused with another passphrase or with none', async () => {
    for (const algorithm of ['aes256', '3des'] as const) {
      const bytes = made('segreto', { algorithm })
      expect(await reasonOf(bytes, 'segreto')).toBe('read')
      expect(await reasonOf(bytes, 'Segreto')).toBe('passphrase-wrong')
      expect(await reasonOf(bytes, 'perché')).toBe('passphrase-wrong')
      expect(await reasonOf(bytes)).toBe('passphrase-wrong')
    }
  })

  it('is refused when a byte of what the MAC covers was changed', async () => {
    const bytes = made('segreto')
    const at = Math.floor(bytes.length / 2)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    expect(await reasonOf(bytes, 'segreto')).toBe('passphrase-wrong')
  })

  it('is refused when it was not written to its end, is something else, or is empty', async () => {
    const bytes = made('segreto')
    expect(await reasonOf(bytes.subarray(0, bytes.length - 1), 'segreto')).toBe('pkcs12-malformed')
    expect(await reasonOf(Buffer.from(own.pem), 'segreto')).toBe('pkcs12-malformed')
    expect(await reasonOf(Buffer.alloc(0), 'segreto')).toBe('pkcs12-malformed')
    // Deeper than any stack.
    expect(await reasonOf(Buffer.from('3080'.repeat(200_000), 'hex'), 'segreto')).toBe('pkcs12-malformed')
  })

  it('is refused when it is of another version or protected by a key pair', async () => {
    const version = forge.pkcs12.toPkcs12Asn1(own.key, own.certificate, 'segreto')
    if (typeof version.value === 'string' || version.value[0] === undefined) expect.fail('no version')
    version.value[0].value = '\x02'
    expect(await reasonOf(bytesOf(version), 'segreto')).toBe('pkcs12-unsupported')
  })

  it('must hold a certificate, and the one of its key', async () => {
    // The library takes null, which its types do not know.
    const none = null as unknown as forge.pki.Certificate
    expect(await reasonOf(made('segreto', {}, none), 'segreto')).toBe('certificate-missing')
    expect(await reasonOf(made('segreto', {}, other.certificate), 'segreto')).toBe('key-of-another-certificate')
  })

  it('must hold one key', async () => {
    const certificateOnly = forge.pkcs12.toPkcs12Asn1(null, own.certificate, 'segreto')
    expect(await reasonOf(bytesOf(certificateOnly), 'segreto')).toBe('key-missing')
  })

  it('ends in a reason whatever the bytes are', async () => {
    const bytes = made('segreto', { count: 1, useMac: false })
    const position = fc.integer({ min: 0, max: bytes.length - 1 })
    await fc.assert(
      fc.asyncProperty(position, fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = Buffer.from(bytes)
        damaged[at] = (damaged[at] ?? 0) ^ change
        const content = await openPkcs12(damaged, 'segreto')
        if (typeof content === 'string') {
          expect(['passphrase-wrong', 'pkcs12-malformed', 'pkcs12-unsupported']).toContain(content)
        }
      }),
      { numRuns: 100 },
    )
  })
})
