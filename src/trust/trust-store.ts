import { X509Certificate } from 'node:crypto'
import type { HomeCommunityId } from '../core/model/identifiers.ts'
import { isIssuedByAnchor } from './x509/issued.ts'

/** Whose assertions are believed, and by which keys. One per community, or per group of our own consumers. */
export interface TrustedIssuer {
  readonly community: HomeCommunityId
  /** The Issuer values this party uses: organization codes (`090`). */
  readonly issuers: readonly string[]
  /** Certification authorities, or signing certificates themselves. */
  readonly anchors: readonly X509Certificate[]
  /** Common names a signing certificate under one of the authorities must have; binds a key to this party. */
  readonly signers: readonly RegExp[]
}

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

/** Why a signing certificate is not accepted, for the log; undefined when it is. */
export function distrust(certificate: X509Certificate, party: TrustedIssuer, now: number): string | undefined {
  if (now < Date.parse(certificate.validFrom)) return 'signing-certificate-not-yet-valid'
  if (now > Date.parse(certificate.validTo)) return 'signing-certificate-expired'
  const pinned = party.anchors.some((anchor) => !anchor.ca && anchor.raw.equals(certificate.raw))
  if (pinned) return undefined
  if (!isIssuedByAnchor(certificate, party.anchors)) return 'signing-certificate-not-issued-by-an-anchor-of-the-issuer'
  if (certificate.ca) return 'a-certification-authority-does-not-sign-assertions'
  if (isForConnections(certificate)) return 'a-certificate-for-connections-does-not-sign-assertions'
  const name = commonNameOf(certificate)
  if (name === undefined || !party.signers.some((pattern) => pattern.test(name))) {
    return 'signing-certificate-belongs-to-somebody-else'
  }
  return undefined
}

/** serverAuth and clientAuth (RFC 5280 §4.2.1.12): extended uses, and no other, say what the key is not for. */
const connections: ReadonlySet<string> = new Set(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])

function isForConnections({ keyUsage }: X509Certificate): boolean {
  const uses: readonly string[] | undefined = keyUsage
  return uses !== undefined && uses.length > 0 && uses.every((use) => connections.has(use))
}
