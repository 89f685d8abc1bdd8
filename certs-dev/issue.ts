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
const ecdsa = { 'p-256': { name: 'ECDSA', hash: 'SHA-256' }, 'p-384': { name: 'ECDSA', hash: 'SHA-384' } } as const

/** A certificate and its key in PEM (the key as PKCS#8), and when the certificate ends. */
export interface Issued {
  readonly certificate: string
  readonly key: string
  readonly notAfter: Date
}

export interface Authority {
  /** Its own certificate, in PEM. */
  readonly root: string
  readonly notAfter: Date
  issue(request: { organization: Organization; use: Use; keyType: KeyType; defect?: Defect }): Promise<Issued>
  /** A pair that only encrypts, without policy or system. */
  issueEncryption(subject: { display: string; commonName: string }): Promise<Issued>
  /** An authority that this one vouches for, and that vouches for no other. */
  subordinate(name: string): Promise<Authority>
  /** What was issued with the defect `revoked`, in PEM and DER. */
  revocationList(): Promise<{ pem: string; der: Uint8Array }>
}

/** Makes roots whose certificates count from `now`; `below` is how many authorities may follow one another under it. */
export async function issuer(now: Date): Promise<(name: string, below?: number) => Promise<Authority>> {
  const x509 = await loadX509()
  const day = (days: number): Date => new Date(now.getTime() + days * dayMs)

  function extensionsFor(use: Use, defect: Defect | undefined): Extension[] {
    const { KeyUsageFlags: flag, ExtendedKeyUsage: extended } = x509
    const common = [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.CertificatePolicyExtension([policies[defect === 'wrong-policy' ? otherUse[use] : use]]),
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
    const usage = defect === 'wrong-key-usage' ? flag.keyEncipherment : flag.nonRepudiation | flag.digitalSignature
    return [...common, new x509.KeyUsagesExtension(usage, true)]
  }

  const nameOfAuthority = (name: string) => [{ C: ['IT'] }, { O: ['Crocevia development PKI'] }, { CN: [name] }]

  async function extensionsForAuthority(keys: webcrypto.CryptoKeyPair, below: number): Promise<Extension[]> {
    return [
      new x509.BasicConstraintsExtension(true, below, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ]
  }

  function authority(own: Certificate, keys: webcrypto.CryptoKeyPair): Authority {
    const revoked: string[] = []
    const common = { issuer: own.subjectName, signingKey: keys.privateKey, signingAlgorithm: rsaSha256 }
    const throughout = { notBefore: day(validity.fromDay), notAfter: day(validity.toDay) }
    const identifiers = async (key: webcrypto.CryptoKey, issuerKey = keys.publicKey): Promise<Extension[]> => [
      await x509.SubjectKeyIdentifierExtension.create(key),
      await x509.AuthorityKeyIdentifierExtension.create(issuerKey),
    ]
    return {
      root: pem(own),
      notAfter: own.notAfter,
      async issue({ organization, use, keyType, defect }) {
        const pair = await generateKeys(keyType)
        const subject = [{ C: ['IT'] }, { O: [organization.display] }, { CN: [commonName(organization, use)] }]
        const { fromDay, toDay } = (defect && oddValidity[defect]) ?? validity
        const selfSigned = defect === 'self-signed'
        const params = {
          serialNumber: serialNumber(),
          notBefore: day(fromDay),
          notAfter: day(toDay),
          extensions: [
            ...extensionsFor(use, defect),
            ...(await identifiers(pair.publicKey, selfSigned ? pair.publicKey : keys.publicKey)),
          ],
        }
        if (defect === 'revoked') revoked.push(params.serialNumber)
        const certificate = selfSigned
          ? await x509.X509CertificateGenerator.createSelfSigned({
              ...params,
              name: subject,
              keys: pair,
              signingAlgorithm: signatureOf(keyType),
            })
          : await x509.X509CertificateGenerator.create({ ...params, ...common, subject, publicKey: pair.publicKey })
        return issued(certificate, pair.privateKey)
      },
      async issueEncryption({ display, commonName }) {
        const { keyEncipherment, dataEncipherment } = x509.KeyUsageFlags
        const pair = await generateKeys('rsa-2048')
        const certificate = await x509.X509CertificateGenerator.create({
          ...common,
          ...throughout,
          serialNumber: serialNumber(),
          subject: [{ C: ['IT'] }, { O: [display] }, { CN: [commonName] }],
          publicKey: pair.publicKey,
          extensions: [
            new x509.BasicConstraintsExtension(false, undefined, true),
            new x509.KeyUsagesExtension(keyEncipherment | dataEncipherment, true),
            ...(await identifiers(pair.publicKey)),
          ],
        })
        return issued(certificate, pair.privateKey)
      },
      async subordinate(name) {
        const pair = await generateKeys('rsa-2048')
        const certificate = await x509.X509CertificateGenerator.create({
          ...common,
          ...throughout,
          serialNumber: serialNumber(),
          subject: nameOfAuthority(name),
          publicKey: pair.publicKey,
          extensions: [
            ...(await extensionsForAuthority(pair, 0)),
            await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
          ],
        })
        return authority(certificate, pair)
      },
      async revocationList() {
        const list = await x509.X509CrlGenerator.create({
          ...common,
          thisUpdate: throughout.notBefore,
          nextUpdate: throughout.notAfter,
          entries: revoked.map((serialNumber) => ({ serialNumber, revocationDate: throughout.notBefore })),
          extensions: [await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey)],
        })
        const der = Buffer.from(list.rawData)
        return { pem: pemOfList(der), der }
      },
    }
  }

  return async (name, below = 0) => {
    const keys = await generateKeys('rsa-2048')
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      name: nameOfAuthority(name),
      serialNumber: serialNumber(),
      keys,
      notBefore: day(validity.fromDay),
      notAfter: day(validity.toDay),
      signingAlgorithm: rsaSha256,
      extensions: await extensionsForAuthority(keys, below),
    })
    return authority(root, keys)
  }
}

/** The policy of a certificate for the other use is the wrong one. */
const otherUse: Readonly<Record<Use, Use>> = { tls: 'signing', signing: 'tls' }

const loopback = [
  { type: 'dns' as const, value: 'localhost' },
  { type: 'ip' as const, value: '127.0.0.1' },
  { type: 'ip' as const, value: '::1' },
]

function generateKeys(keyType: KeyType): Promise<webcrypto.CryptoKeyPair> {
  if (keyType === 'p-256' || keyType === 'p-384') {
    const namedCurve = keyType === 'p-256' ? 'P-256' : 'P-384'
    return webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve }, true, ['sign', 'verify'])
  }
  const modulusLength = keyType === 'rsa-1024' ? 1024 : 2048
  const publicExponent = new Uint8Array([1, 0, 1])
  return webcrypto.subtle.generateKey({ ...rsaSha256, modulusLength, publicExponent }, true, ['sign', 'verify'])
}

function signatureOf(keyType: KeyType) {
  return keyType === 'p-256' || keyType === 'p-384' ? ecdsa[keyType] : rsaSha256
}

function issued(certificate: Certificate, privateKey: webcrypto.CryptoKey): Issued {
  const key = KeyObject.from(privateKey).export({ type: 'pkcs8', format: 'pem' }).toString()
  return { certificate: pem(certificate), key, notAfter: certificate.notAfter }
}

function pem(certificate: Certificate): string {
  return `${certificate.toString('pem')}\n`
}

/** In PEM as RFC 7468 §7 has it; the library's own label is not what others look for. */
function pemOfList(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `${['-----BEGIN X509 CRL-----', ...lines, '-----END X509 CRL-----'].join('\n')}\n`
}

function serialNumber(): string {
  // A leading 1 keeps the number positive and of constant length.
  return `1${webcrypto.getRandomValues(Buffer.alloc(15)).toString('hex')}0`
}
