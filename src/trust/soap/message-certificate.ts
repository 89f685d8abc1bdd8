import { createHash, type X509Certificate } from 'node:crypto'
import { soapNames } from '../../wire/soap.ts'
import { readBinaryToken, readTokenReference, type TokenReference, wssNames } from '../../wire/wss.ts'
import { NONE, type Node, type XmlTree } from '../../wire/xml.ts'
import { refused } from '../refusal.ts'
import { type CertificateFacts, factsOf, presentedCertificate } from '../x509/certificate.ts'
import { type CertificateDemands, distrust, type TrustAnchors } from '../x509/chain.ts'
import { DerReader, tags } from '../x509/der.ts'

/** Whose certificates are believed to sign messages. */
export interface MessageSigners {
  readonly trust: TrustAnchors
  /** What the signer's certificate must be; its use is signing. */
  readonly demands: Omit<CertificateDemands, 'use'>
  /**
   * Certificates that a signature may name without carrying them, beside those pinned among the anchors. They are judged
   * like any other: to be here vouches for nothing.
   */
  readonly certificates?: readonly X509Certificate[]
}

/** A certificate that may be meant, and what came along with it. */
interface Candidate {
  readonly certificate: X509Certificate
  readonly supplied: readonly X509Certificate[]
}

/**
 * The certificate whose key must have signed, believed for signatures at `now`. KeyInfo only says which one to try: a
 * token is taken from the same security header and nowhere else. Throws Refusal.
 */
export function messageCertificate(
  tree: XmlTree,
  security: Node,
  keyInfo: Node,
  signers: MessageSigners,
  now: number,
): X509Certificate {
  const reference = keyInfo === NONE ? undefined : readTokenReference(tree, keyInfo)
  if (reference === undefined) throw refused('certificate', 'no-usable-reference-to-a-certificate')
  const candidates = candidatesOf(tree, security, reference, signers)
  let reason = 'no-usable-certificate'
  for (const { certificate, supplied } of candidates) {
    const doubt = distrust(certificate, supplied, signers.trust, { ...signers.demands, use: 'signature' }, now)
    if (doubt === undefined) return certificate
    reason = doubt
  }
  throw refused('certificate', reason)
}

function candidatesOf(
  tree: XmlTree,
  security: Node,
  reference: TokenReference,
  { trust, certificates = [] }: MessageSigners,
): readonly Candidate[] {
  if (reference.kind === 'token') return tokenOf(tree, security, reference)
  if (reference.kind === 'certificate') {
    const certificate = presentedCertificate(reference.base64, { folded: true })
    return certificate === undefined ? [] : [{ certificate, supplied: [] }]
  }
  const known = [...trust.anchors.filter(({ ca }) => !ca), ...certificates]
  return known
    .filter((certificate) => isMeant(reference, certificate))
    .map((certificate) => ({ certificate, supplied: [] }))
}

function isMeant(reference: Exclude<TokenReference, { kind: 'token' | 'certificate' }>, certificate: X509Certificate) {
  if (reference.kind === 'thumbprint') return sameBytes(createHash('sha1').update(certificate.raw).digest(), reference)
  const { serial, subjectKeyId } = readable(certificate) ?? {}
  if (reference.kind === 'serial-number') {
    return serial !== undefined && BigInt(`0x${serial}`) === BigInt(reference.number)
  }
  return subjectKeyId !== undefined && sameBytes(Buffer.from(subjectKeyId, 'hex'), reference)
}

function sameBytes(bytes: Buffer, { base64 }: { readonly base64: string }): boolean {
  return bytes.equals(Buffer.from(base64, 'base64'))
}

function readable(certificate: X509Certificate): CertificateFacts | undefined {
  try {
    return factsOf(certificate)
  } catch {
    return undefined
  }
}

function tokenOf(
  tree: XmlTree,
  security: Node,
  { id, valueType }: Extract<TokenReference, { kind: 'token' }>,
): readonly Candidate[] {
  const bearers = tree.idAttributes.filter(({ value }) => value === id)
  if (bearers.length > 1) throw refused('signature', 'id-is-not-unique')
  const [bearer] = bearers
  if (
    bearer === undefined ||
    tree.parent(bearer.node) !== security ||
    !tree.is(bearer.node, soapNames.wsse, 'BinarySecurityToken') ||
    tree.attribute(bearer.node, 'Id', soapNames.wsu) !== id
  ) {
    throw refused('certificate', 'no-such-token-in-the-security-header')
  }
  const token = readBinaryToken(tree, bearer.node)
  if (token === undefined || (valueType !== undefined && valueType !== token.valueType)) {
    throw refused('certificate', 'token-is-not-a-certificate')
  }
  if (token.valueType === wssNames.pkiPath) return pathOf(token.base64)
  const certificate = presentedCertificate(token.base64, { folded: true })
  return certificate === undefined ? [] : [{ certificate, supplied: [] }]
}

const longestPath = 6
const longestPathBase64 = 65_536

/** A PkiPath: a DER sequence of certificates, the signer's the last of them (ITU-T X.509 §7.7). */
function pathOf(base64: string): readonly Candidate[] {
  if (base64.length > longestPathBase64) return []
  const path: X509Certificate[] = []
  try {
    const outer = new DerReader(Buffer.from(base64, 'base64'))
    const certificates = outer.read(tags.sequence)
    outer.finish()
    while (certificates.tag !== undefined) {
      const certificate = presentedCertificate(certificates.whole().toString('base64'), { folded: false })
      if (certificate === undefined || path.length === longestPath) return []
      path.push(certificate)
    }
  } catch {
    return []
  }
  const [certificate, ...supplied] = path.reverse()
  return certificate === undefined ? [] : [{ certificate, supplied }]
}
