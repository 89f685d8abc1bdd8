import { KeyObject, webcrypto } from 'node:crypto'
import {
  commonName,
  type Defect,
  type KeyType,
  type Organization,
  oddValidity,
  policies,
  type Use,
  validity,
} from './identities.ts'
import { loadX509, type X509 } from './x509.ts'

type Certificate = InstanceType<X509['X509Certificate']>
type Extension = InstanceType<X509['Extension']>

const dayMs = 86_400_000
const rsaSha256 = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const
const ecdsaSha256 = { name: 'ECDSA', hash: 'SHA-256' } as const

/** A certificate and its key in PEM (the key as PKCS#8), and when the certificate ends. */
export interface Issued {
  readonly certificate: string
  readonly key: string
  readonly notAfter: Date
}

export interface Authority {
  /** The root, in PEM. */
  readonly root: string
  readonly notAfter: Date
  issue(request: { organization: Organization; use: Use; keyType: KeyType; defect?: Defect }): Promise<Issued>
}

/** Makes authorities whose certificates count from `now`. */
export async function issuer(now: Date): Promise<(name: string) => Promise<Authority>> {
  const x509 = await loadX509()
  const day = (days: number): Date => new Date(now.getTime() + days * dayMs)

  function extensionsFor(use: Use, defect: Defect | undefined): Extension[] {
    const { KeyUsageFlags: flag, ExtendedKeyUsage: extended } = x509
    const common = [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.CertificatePolicyExtension([policies[use]]),
    ]
    const channel = [
      new x509.KeyUsagesExtension(flag.digitalSignature | flag.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension([extended.serverAuth, extended.clientAuth]),
    ]
    if (use === 'tls') {
      const usages =
        defect === 'wrong-eku' ? [channel[0]!, new x509.ExtendedKeyUsageExtension([extended.codeSigning])] : channel
      return [...common, ...usages, new x509.SubjectAlternativeNameExtension(loopback)]
    }
    // The wrong use of a signing certificate is that of a channel: it may not vouch for anything.
    if (defect === 'wrong-eku') return [...common, ...channel]
    return [...common, new x509.KeyUsagesExtension(flag.nonRepudiation | flag.digitalSignature, true)]
  }

  return async (name) => {
    const keys = await generateKeys('rsa-2048')
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      name: [{ C: ['IT'] }, { O: ['Crocevia development PKI'] }, { CN: [name] }],
      serialNumber: serialNumber(),
      keys,
      notBefore: day(validity.fromDay),
      notAfter: day(validity.toDay),
      signingAlgorithm: rsaSha256,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    })
    return {
      root: pem(root),
      notAfter: root.notAfter,
      async issue({ organization, use, keyType, defect }) {
        const own = await generateKeys(keyType)
        const subject = [{ C: ['IT'] }, { O: [organization.display] }, { CN: [commonName(organization, use)] }]
        const { fromDay, toDay } = (defect && oddValidity[defect]) ?? validity
        const params = {
          serialNumber: serialNumber(),
          notBefore: day(fromDay),
          notAfter: day(toDay),
          extensions: [
            ...extensionsFor(use, defect),
            await x509.SubjectKeyIdentifierExtension.create(own.publicKey),
            await x509.AuthorityKeyIdentifierExtension.create(
              defect === 'self-signed' ? own.publicKey : keys.publicKey,
            ),
          ],
        }
        const certificate =
          defect === 'self-signed'
            ? await x509.X509CertificateGenerator.createSelfSigned({
                ...params,
                name: subject,
                keys: own,
                signingAlgorithm: keyType === 'p-256' ? ecdsaSha256 : rsaSha256,
              })
            : await x509.X509CertificateGenerator.create({
                ...params,
                subject,
                issuer: root.subjectName,
                publicKey: own.publicKey,
                signingKey: keys.privateKey,
                signingAlgorithm: rsaSha256,
              })
        const key = KeyObject.from(own.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString()
        return { certificate: pem(certificate), key, notAfter: certificate.notAfter }
      },
    }
  }
}

const loopback = [
  { type: 'dns' as const, value: 'localhost' },
  { type: 'ip' as const, value: '127.0.0.1' },
  { type: 'ip' as const, value: '::1' },
]

function generateKeys(keyType: KeyType): Promise<webcrypto.CryptoKeyPair> {
  if (keyType === 'p-256') {
    return webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  }
  const modulusLength = keyType === 'rsa-1024' ? 1024 : 2048
  const publicExponent = new Uint8Array([1, 0, 1])
  return webcrypto.subtle.generateKey({ ...rsaSha256, modulusLength, publicExponent }, true, ['sign', 'verify'])
}

function pem(certificate: Certificate): string {
  return `${certificate.toString('pem')}\n`
}

function serialNumber(): string {
  // A leading 1 keeps the number positive and of constant length.
  return `1${webcrypto.getRandomValues(Buffer.alloc(15)).toString('hex')}0`
}
