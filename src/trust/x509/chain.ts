import type { X509Certificate } from 'node:crypto'
import { type CertificateFacts, factsOf } from './certificate.ts'
import type { KeyUsage } from './extensions.ts'
import { isIssuedBy, isNamedBy } from './issued.ts'
import { type RevocationLists, revocationOf } from './revocation.ts'

/** Whose certificates are believed. Treated as immutable: what changes comes as a new object. */
export interface TrustAnchors {
  /** Certification authorities, or end-entity certificates themselves. */
  readonly anchors: readonly X509Certificate[]
  /** Authorities below the anchors: they may complete a chain and vouch for nothing themselves. */
  readonly intermediates?: readonly X509Certificate[]
  /** Absent, revocation is not checked. */
  readonly revocation?: RevocationLists
}

/** What a certificate must be, beyond being issued by one of the anchors. */
export interface CertificateDemands {
  /** What the certificate is presented for. */
  readonly use: 'signature' | 'client' | 'server'
  /** Patterns its common name must match, one at least; absent, any name will do. */
  readonly names?: readonly RegExp[]
  /** A key usage it must state; absent, what the use needs is enough (ini.md §5.4 rule 1 wants nonRepudiation). */
  readonly keyUsage?: KeyUsage
  /** Certificate policies it must carry itself, one at least; absent, any. */
  readonly policies?: readonly string[]
}

/** How many authorities may stand between a certificate and the anchor. */
const mostIntermediates = 4

/** How many of the certificates that came along are looked at. */
const mostSupplied = 8

/** How many signatures of authorities that are no anchors are looked at for one certificate. */
const mostCandidates = 16

/**
 * Why a certificate is not accepted at an instant, one word for the log; undefined when it is. `supplied` are certificates
 * that came along with it: they may complete a chain and vouch for nothing themselves.
 *
 * The chain is that of RFC 5280 §6 without policy mapping and name constraints (a certificate that has them as critical
 * is refused); an authority that issued to itself counts for the path length. A certificate that is an anchor itself is
 * accepted until it expires.
 */
export function distrust(
  certificate: X509Certificate,
  supplied: readonly X509Certificate[],
  trust: TrustAnchors,
  demands: CertificateDemands,
  now: number,
): string | undefined {
  const facts = readable(certificate)
  if (facts === undefined) return 'certificate-unreadable'
  if (now < facts.notBefore) return 'certificate-not-yet-valid'
  if (now > facts.notAfter) return 'certificate-expired'
  if (!facts.strongKey) return 'certificate-key-too-weak'
  const { pins, authorities } = sorted(trust.anchors)
  if (pins.has(facts.fingerprint)) return undefined
  if (facts.basicConstraints.ca) {
    // Tools that make a certificate in one step make it an authority of itself; trusted by name, it is that one certificate.
    const own = authorities.some((authority) => authority.facts.fingerprint === facts.fingerprint)
    const unlimited = facts.keyUsage === undefined && facts.issuerName === facts.subjectName
    return own && unlimited ? unmetDemand(facts, demands) : 'certificate-of-an-authority'
  }
  if (facts.unknownCriticalExtensions.length > 0) return 'certificate-with-an-unknown-critical-extension'
  if (!facts.soundSignature) return 'certificate-signed-with-a-weak-algorithm'
  return missingPath({ certificate, facts }, supplied, authorities, trust, demands, now) ?? unmetDemand(facts, demands)
}

/** A certificate with what it says. */
interface Link {
  readonly certificate: X509Certificate
  readonly facts: CertificateFacts
  /** What it issued, on the way down to the end entity. */
  readonly issued?: Link
}

function readable(certificate: X509Certificate): CertificateFacts | undefined {
  try {
    return factsOf(certificate)
  } catch {
    return undefined
  }
}

function linksOf(certificates: readonly X509Certificate[]): Link[] {
  return certificates.flatMap((certificate) => {
    const facts = readable(certificate)
    return facts === undefined ? [] : [{ certificate, facts }]
  })
}

interface SortedAnchors {
  /** Fingerprints of the end-entity certificates. */
  readonly pins: ReadonlySet<string>
  readonly authorities: readonly Link[]
}

const sortedAnchors = new WeakMap<readonly X509Certificate[], SortedAnchors>()

function sorted(anchors: readonly X509Certificate[]): SortedAnchors {
  let known = sortedAnchors.get(anchors)
  if (known === undefined) {
    const links = linksOf(anchors)
    known = {
      pins: new Set(links.flatMap(({ facts }) => (facts.basicConstraints.ca ? [] : [facts.fingerprint]))),
      authorities: links.filter(({ facts }) => facts.basicConstraints.ca),
    }
    sortedAnchors.set(anchors, known)
  }
  return known
}

/**
 * Why no path leads from an end entity to an anchor; undefined when one does. Breadth first, and every authority is come
 * to once, by its shortest path, which serves path lengths best: cross-certificates cannot lead in circles. Revocation is
 * judged last, with authorities that are known to be ours: nobody else makes us work through a long list.
 */
function missingPath(
  leaf: Link,
  supplied: readonly X509Certificate[],
  anchors: readonly Link[],
  trust: TrustAnchors,
  demands: CertificateDemands,
  now: number,
): string | undefined {
  let found: string | undefined
  let pool: readonly Link[] | undefined
  const reached = new Set([leaf.facts.fingerprint])
  let candidates = 0
  let level: Link[] = [leaf]
  for (let below = 0; level.length > 0; below++) {
    const next: Link[] = []
    for (const link of level) {
      for (const anchor of anchors) {
        if (!isIssuedBy(link.certificate, anchor.certificate)) continue
        const flaw = flawOfIssuer(anchor.facts, below, now) ?? revokedOnPath(link, anchor, trust.revocation, now)
        if (flaw === undefined) return undefined
        found ??= flaw
      }
      pool ??= linksOf([...(trust.intermediates ?? []), ...supplied.slice(0, mostSupplied)])
      for (const { certificate, facts } of pool) {
        if (reached.has(facts.fingerprint) || !isNamedBy(link.facts, facts)) continue
        if (candidates++ >= mostCandidates) return found ?? 'chain-too-long'
        if (!isIssuedBy(link.certificate, certificate)) continue
        const flaw =
          below === mostIntermediates
            ? 'chain-too-long'
            : (flawOfIssuer(facts, below, now) ?? flawOfIntermediate(facts, demands))
        if (flaw === undefined) {
          reached.add(facts.fingerprint)
          next.push({ certificate, facts, issued: link })
        } else found ??= flaw
      }
    }
    level = next
  }
  return found ?? 'certificate-not-issued-by-an-anchor-of-the-issuer'
}

/** What speaks against an authority as an issuer; `below` are the authorities between it and the end entity. */
function flawOfIssuer(
  { basicConstraints, keyUsage, notBefore, notAfter, strongKey, unknownCriticalExtensions }: CertificateFacts,
  below: number,
  now: number,
): string | undefined {
  if (!basicConstraints.ca) return 'issuing-certificate-of-no-authority'
  if (keyUsage !== undefined && !keyUsage.has('keyCertSign')) return 'issuing-certificate-may-not-issue'
  if (below > (basicConstraints.pathLength ?? below)) return 'issuing-certificate-path-length-exceeded'
  if (now < notBefore) return 'issuing-certificate-not-yet-valid'
  if (now > notAfter) return 'issuing-certificate-expired'
  if (!strongKey) return 'issuing-certificate-key-too-weak'
  return unknownCriticalExtensions.length > 0 ? 'issuing-certificate-with-an-unknown-critical-extension' : undefined
}

/** What revocation lists hold against the certificates of a path, from the anchor down. */
function revokedOnPath(path: Link, anchor: Link, lists: RevocationLists | undefined, now: number): string | undefined {
  if (lists === undefined) return undefined
  let authority = anchor
  for (let link: Link | undefined = path; link !== undefined; link = link.issued) {
    const reason = revocationOf(link.facts, authority.certificate, lists, now)
    if (reason === 'revoked') return link.issued === undefined ? 'certificate-revoked' : 'issuing-certificate-revoked'
    if (reason !== undefined) return `revocation-${reason}`
    authority = link
  }
  return undefined
}

/** What speaks against an authority that is no anchor, whatever it has signed. */
function flawOfIntermediate(facts: CertificateFacts, { use }: CertificateDemands): string | undefined {
  if (!facts.soundSignature) return 'issuing-certificate-signed-with-a-weak-algorithm'
  return isFor(facts, use) ? undefined : 'issuing-certificate-without-the-needed-use'
}

/** Extended key usages (RFC 5280 §4.2.1.12). */
const serverAuth = '1.3.6.1.5.5.7.3.1'
const clientAuth = '1.3.6.1.5.5.7.3.2'

/** Extended uses say what the key is for; those of connections, and no other, also say that it signs no statements. */
function isFor({ extendedKeyUsage: uses }: CertificateFacts, use: CertificateDemands['use']): boolean {
  if (uses === undefined) return true
  if (use !== 'signature') return uses.includes(use === 'client' ? clientAuth : serverAuth)
  return uses.some((one) => one !== serverAuth && one !== clientAuth)
}

function mayBeUsed({ keyUsage }: CertificateFacts, use: CertificateDemands['use']): boolean {
  if (keyUsage === undefined || keyUsage.has('digitalSignature')) return true
  if (use === 'signature') return keyUsage.has('nonRepudiation')
  // The key exchanges of TLS 1.2 in which a server does not sign.
  return use === 'server' && (keyUsage.has('keyEncipherment') || keyUsage.has('keyAgreement'))
}

function unmetDemand(facts: CertificateFacts, demands: CertificateDemands): string | undefined {
  const { use, names, policies, keyUsage } = demands
  const stated = keyUsage === undefined || facts.keyUsage?.has(keyUsage) === true
  if (!mayBeUsed(facts, use) || !isFor(facts, use) || !stated) return 'certificate-without-the-needed-use'
  if (policies !== undefined && !policies.some((policy) => facts.policies.includes(policy))) {
    return 'certificate-without-the-needed-policy'
  }
  const { commonName } = facts
  if (names !== undefined && (commonName === undefined || !names.some((name) => name.test(commonName)))) {
    return 'certificate-belongs-to-somebody-else'
  }
  return undefined
}
