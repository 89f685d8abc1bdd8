import { type KeyObject, webcrypto, X509Certificate } from 'node:crypto'
import { loadX509 } from '../../../../certs-dev/x509.ts'
import { type RevocationList, readRevocationList } from '../../../../src/trust/x509/revocation.ts'

export const x509 = await loadX509()

/** When the tests take place; everything is valid for 100 days before and after unless said otherwise. */
export const now = Date.UTC(2026, 5, 1)
export const dayMs = 86_400_000

export const { KeyUsageFlags: flag, ExtendedKeyUsage: extended } = x509
type Extension = InstanceType<typeof x509.Extension>

/** A certificate and the keys it is about. */
export interface Made {
  readonly certificate: X509Certificate
  readonly keys: webcrypto.CryptoKeyPair
}

export interface Wanted {
  readonly name?: string
  /** Who signs; absent, itself. */
  readonly by?: Made
  readonly keys?: webcrypto.CryptoKeyPair
  /** A public key of a kind that WebCrypto does not make; the keys are then not its own. */
  readonly publicKey?: KeyObject
  readonly fromDay?: number
  readonly toDay?: number
  /** An authority, and how many authorities may follow. */
  readonly ca?: true | { readonly pathLength: number }
  /** Bits; null for no such extension. */
  readonly keyUsage?: number | null
  readonly extendedKeyUsage?: readonly string[]
  readonly policies?: readonly string[]
  readonly more?: readonly Extension[]
  readonly hash?: 'SHA-1' | 'SHA-256'
  /** False: without the identifiers that tell keys of one name apart. */
  readonly keyIds?: false
}

export const keyPair = (namedCurve = 'P-256'): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve }, true, ['sign', 'verify'])

export const rsaKeyPair = (modulusLength: number): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(
    { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength, publicExponent: new Uint8Array([1, 0, 1]) },
    true,
    ['sign', 'verify'],
  )

let serials = 0x1000

/** Makes a certificate: an end entity for signatures, by default. */
export async function make(wanted: Wanted): Promise<Made> {
  const {
    name = 'S1#050#050PROVA',
    by,
    keys = await keyPair(),
    fromDay = -100,
    toDay = 100,
    ca,
    hash = 'SHA-256',
  } = wanted
  const { keyUsage = ca ? flag.keyCertSign | flag.cRLSign : flag.digitalSignature | flag.nonRepudiation } = wanted
  const issuer = by ?? { keys, certificate: undefined }
  const publicKey =
    wanted.publicKey === undefined
      ? keys.publicKey
      : new x509.PublicKey(new Uint8Array(wanted.publicKey.export({ type: 'spki', format: 'der' })))
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: (serials++).toString(16),
    subject: `CN=${name}`,
    issuer: by === undefined ? `CN=${name}` : new x509.X509Certificate(by.certificate.raw).subjectName,
    notBefore: new Date(now + fromDay * dayMs),
    notAfter: new Date(now + toDay * dayMs),
    publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: { name: issuer.keys.privateKey.algorithm.name, hash },
    extensions: [
      ...(ca ? [new x509.BasicConstraintsExtension(true, ca === true ? undefined : ca.pathLength, true)] : []),
      ...(keyUsage === null ? [] : [new x509.KeyUsagesExtension(keyUsage, true)]),
      ...(wanted.extendedKeyUsage ? [new x509.ExtendedKeyUsageExtension([...wanted.extendedKeyUsage])] : []),
      ...(wanted.policies ? [new x509.CertificatePolicyExtension([...wanted.policies])] : []),
      ...(wanted.keyIds === false
        ? []
        : [
            await x509.SubjectKeyIdentifierExtension.create(publicKey),
            await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
          ]),
      ...(wanted.more ?? []),
    ],
  })
  return { certificate: new X509Certificate(Buffer.from(certificate.rawData)), keys }
}

export interface WantedList {
  readonly revoked?: readonly Made[]
  readonly fromDay?: number
  readonly toDay?: number
  readonly more?: readonly Extension[]
  readonly hash?: 'SHA-1' | 'SHA-256'
}

/** A revocation list in DER, made yesterday and due tomorrow unless said otherwise. */
export async function listDer(by: Made, wanted: WantedList = {}): Promise<Buffer> {
  const { revoked = [], fromDay = -1, toDay = 1, more = [], hash = 'SHA-256' } = wanted
  const list = await x509.X509CrlGenerator.create({
    issuer: new x509.X509Certificate(by.certificate.raw).subjectName,
    thisUpdate: new Date(now + fromDay * dayMs),
    nextUpdate: new Date(now + toDay * dayMs),
    entries: revoked.map(({ certificate }) => ({
      serialNumber: certificate.serialNumber,
      revocationDate: new Date(now - 10 * dayMs),
      reason: x509.X509CrlReason.keyCompromise,
    })),
    extensions: [...more],
    signingKey: by.keys.privateKey,
    signingAlgorithm: { name: by.keys.privateKey.algorithm.name, hash },
  })
  return Buffer.from(list.rawData)
}

export async function list(by: Made, wanted?: WantedList): Promise<RevocationList> {
  return readRevocationList(await listDer(by, wanted))
}
