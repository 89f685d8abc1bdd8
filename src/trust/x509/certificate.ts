import { createHash, X509Certificate } from 'node:crypto'
import { tags } from './der.ts'
import { type ExtensionFacts, extensionFacts } from './extensions.ts'
import { readName } from './name.ts'
import { readSigned } from './signed.ts'

/** Reads every certificate of a PEM text. Throws when there is none. */
export function certificatesOf(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw new Error('No certificate in PEM form')
  return blocks.map((block) => new X509Certificate(block))
}

/** The common name of a certificate's subject; undefined unless there is exactly one. */
export function commonNameOf(certificate: X509Certificate): string | undefined {
  const names = certificate.subject.split('\n').filter((line) => line.startsWith('CN='))
  return names.length === 1 ? names[0]?.slice(3) : undefined
}

/** The longest certificate anybody may hand us, in base64. */
const longestBase64 = 16_384

/**
 * A certificate somebody handed us, in base64 DER; undefined when it is none. White space is forgiven where `folded` says
 * so (XML), not elsewhere (`x5c`, RFC 7515 §4.1.6).
 */
export function presentedCertificate(base64: string, options: { folded: boolean }): X509Certificate | undefined {
  const presented = options.folded ? foldedPresented : strictPresented
  const known = presented.get(base64)
  if (known !== undefined) return known
  const text = options.folded ? base64.replace(/[ \t\r\n]/g, '') : base64
  if (text.length > longestBase64 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return undefined
  try {
    const bytes = Buffer.from(text, 'base64')
    const certificate = new X509Certificate(bytes)
    // The reader also takes PEM, and whatever stands around it.
    if (!certificate.raw.equals(bytes)) return undefined
    if (presented.size >= remembered) presented.clear()
    presented.set(base64, certificate)
    return certificate
  } catch {
    return undefined
  }
}

/** Reading a certificate costs more than verifying with it; what was presented before is not read again. */
const foldedPresented = new Map<string, X509Certificate>()
const strictPresented = new Map<string, X509Certificate>()
const remembered = 1_024

/** What a certificate says, as it stands in it. Nothing here says that anybody vouches for it. */
export interface CertificateFacts extends ExtensionFacts {
  /** The common name; undefined unless there is exactly one. */
  readonly commonName: string | undefined
  /** The whole subject in one line, for logs. */
  readonly subject: string
  /** Subject and issuer in a form that is equal for names that are the same. */
  readonly subjectName: string
  readonly issuerName: string
  /** Lower-case hexadecimal. */
  readonly serial: string
  /** Milliseconds of the epoch; both instants belong to the validity. */
  readonly notBefore: number
  readonly notAfter: number
  /** SHA-256 of the certificate, in lower-case hexadecimal. */
  readonly fingerprint: string
  /** Whether the key still proves something: RSA of 2048 bits at least, or one of the three NIST curves. */
  readonly strongKey: boolean
  /** Whether the signature on it still does: RSA or ECDSA over SHA-256, 384 or 512. */
  readonly soundSignature: boolean
}

const facts = new WeakMap<X509Certificate, CertificateFacts>()

/** What a certificate says, read once. Throws Error when it is not strictly a certificate of RFC 5280 §4.1 in DER. */
export function factsOf(certificate: X509Certificate): CertificateFacts {
  let known = facts.get(certificate)
  if (known === undefined) {
    known = readFacts(certificate)
    facts.set(certificate, known)
  }
  return known
}

function readFacts(certificate: X509Certificate): CertificateFacts {
  const { body, sound, algorithm } = readSigned(certificate.raw)
  body.optional(version)
  const serial = body.integer()
  if (!body.whole().equals(algorithm)) throw new Error('A certificate names one signature algorithm, twice')
  const issuer = readName(body)
  const validity = body.read(tags.sequence)
  const notBefore = validity.time()
  const notAfter = validity.time()
  validity.finish()
  const subject = readName(body)
  body.read(tags.sequence)
  body.optional(issuerUniqueId)
  body.optional(subjectUniqueId)
  const extensions = extensionFacts(body.optional(extensionsTag)?.read(tags.sequence))
  body.finish()
  return {
    ...extensions,
    commonName: subject.commonNames.length === 1 ? subject.commonNames[0] : undefined,
    subject: (certificate.subject as string | undefined)?.replaceAll('\n', ', ') ?? '',
    subjectName: subject.comparable,
    issuerName: issuer.comparable,
    serial,
    notBefore,
    notAfter,
    fingerprint: createHash('sha256').update(certificate.raw).digest('hex'),
    strongKey: hasStrongKey(certificate),
    soundSignature: sound,
  }
}

/** Context tags of TBSCertificate (RFC 5280 §4.1). */
const version = 0xa0
const issuerUniqueId = 0x81
const subjectUniqueId = 0x82
const extensionsTag = 0xa3

/** NIST SP 800-57; BSI TR-02102. */
const shortestRsaKey = 2_048
const curves: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1'])

function hasStrongKey(certificate: X509Certificate): boolean {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey
    if (asymmetricKeyType === 'ec') return curves.has(asymmetricKeyDetails?.namedCurve ?? '')
    if (asymmetricKeyType !== 'rsa' && asymmetricKeyType !== 'rsa-pss') return false
    return (asymmetricKeyDetails?.modulusLength ?? 0) >= shortestRsaKey
  } catch {
    // A kind of key that is not known here.
    return false
  }
}
