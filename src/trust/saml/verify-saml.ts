import type { X509Certificate } from 'node:crypto'
import type { Assertion } from '../../core/model/call.ts'
import { type ReadAssertion, readAssertion } from '../../wire/saml/assertion-read.ts'
import { type Identification, readIdentification } from '../../wire/saml/ini.ts'
import { NONE, type Node, type XmlTree } from '../../wire/xml.ts'
import { onlyChild } from '../../wire/xml-child.ts'
import { dsigNames } from '../../wire/xml-signature.ts'
import type { SignatureCheck } from '../algorithms.ts'
import { refused } from '../refusal.ts'
import { commonNameOf, presentedCertificate } from '../x509/certificate.ts'
import { distrust } from '../x509/chain.ts'
import { readSignature, requireDigest, requireSignature, type XmlSignature } from '../xml-signature.ts'
import { type Circumstances, requireAudience, requireValidity } from './conditions.ts'
import { iniClaims, type SistemaTsUser, sistemaTsClaims, xuaClaims } from './profiles.ts'
import type { TrustedIssuer } from './trusted-issuer.ts'

/** An assertion that was verified, and what that very element says. */
export interface VerifiedSaml {
  readonly read: ReadAssertion
  readonly issuer: TrustedIssuer
  /** Who signed: the common name, or the fingerprint of a certificate without one. */
  readonly signer: string
  /** SHA-256 of the canonical bytes, hexadecimal. */
  readonly digest: string
  /** When it ends, in milliseconds: by its own word, or by our patience with it. */
  readonly validUntil: number
}

export interface VerifySaml extends Circumstances {
  readonly issuers: readonly TrustedIssuer[]
  readonly check: SignatureCheck
}

/**
 * Verifies the signature, the signer and the times of one SAML 2.0 assertion: the enveloped signature must cover exactly
 * this element, and what is returned was read from the tree it was verified in. Throws Refusal. Whatever stands in the
 * message outside the element has not been verified by this.
 */
export function verifySaml(tree: XmlTree, assertion: Node, options: VerifySaml): VerifiedSaml {
  const read = readAssertion(tree, assertion)
  if (typeof read === 'string') throw refused('malformed', read)
  const node = onlyChild(tree, assertion, dsigNames.ds, 'Signature')
  if (node === NONE) throw refused('signature', 'not-exactly-one-signature')
  if (tree.idAttributes.filter(({ value }) => value === read.id).length !== 1) {
    throw refused('signature', 'id-is-not-unique')
  }
  const issuer = options.issuers.find(({ issuers }) => issuers === undefined || issuers.includes(read.issuer))
  if (issuer === undefined) throw refused('certificate', 'issuer-is-not-known')
  const signature = readSignature(tree, node, { sha1: issuer.sha1, maxReferences: 1 })
  const [reference] = signature.references
  if (reference === undefined || reference.uri !== `#${read.id}` || !reference.enveloped) {
    throw refused('signature', 'does-not-refer-to-its-own-assertion')
  }
  const certificate = signingCertificate(tree, signature, issuer, options.now)
  const digest = requireDigest(tree, assertion, reference, node)
  requireSignature(tree, signature, certificate.publicKey, options.check)
  const validUntil = requireValidity(read, options, issuer.maxAgeMs)
  return {
    read,
    issuer,
    signer: commonNameOf(certificate) ?? certificate.fingerprint256,
    digest: digest.toString('hex'),
    validUntil,
  }
}

/**
 * The certificate whose key must have signed. `KeyInfo` only says which one to try: it counts for nothing unless the
 * issuer's own anchors vouch for it. Without KeyInfo the only pinned certificate is tried.
 */
function signingCertificate(
  tree: XmlTree,
  { keyInfo }: XmlSignature,
  issuer: TrustedIssuer,
  now: number,
): X509Certificate {
  const { ds } = dsigNames
  const data = keyInfo === NONE ? NONE : onlyChild(tree, keyInfo, ds, 'X509Data')
  const elements = data === NONE ? [] : tree.children(data, ds, 'X509Certificate')
  if (elements.length > 8) throw refused('certificate', 'too-many-certificates')
  const presented = elements.map((element) => presentedCertificate(tree.text(element), { folded: true }))
  const pinned = issuer.trust.anchors.filter((anchor) => !anchor.ca)
  const certificate = elements.length === 0 ? (pinned.length === 1 ? pinned[0] : undefined) : presented[0]
  if (certificate === undefined) throw refused('certificate', 'no-usable-signing-certificate')
  const supplied = presented.slice(1).filter((one) => one !== undefined)
  const { signers, policies } = issuer
  const demands = {
    use: 'signature',
    ...(signers === undefined ? {} : { names: signers }),
    ...(policies === undefined ? {} : { policies }),
  } as const
  const reason = distrust(certificate, supplied, issuer.trust, demands, now)
  if (reason !== undefined) throw refused('certificate', reason)
  return certificate
}

/** Verifies an attribute assertion and reads who asks, by the profile of its issuer. Throws Refusal. */
export function verifyAssertion(tree: XmlTree, assertion: Node, options: VerifySaml): Assertion {
  const verified = verifySaml(tree, assertion, options)
  const { read, issuer, signer, digest, validUntil } = verified
  if (issuer.profile === 'sistema-ts') throw refused('attributes', 'profile-names-no-asker')
  const claims = issuer.profile === 'xua' ? xuaClaims : iniClaims
  return {
    ...claims(tree, read, options, issuer),
    id: read.id,
    issuer: read.issuer,
    community: issuer.community,
    validUntil,
    signer,
    evidence: { kind: 'saml', digest },
  }
}

/** Verifies an assertion about an end user for Sistema TS (sistema-ts.md A.6). Throws Refusal. */
export function verifySistemaTs(tree: XmlTree, assertion: Node, options: VerifySaml): VerifiedSaml & SistemaTsUser {
  const verified = verifySaml(tree, assertion, options)
  return { ...verified, ...sistemaTsClaims(tree, verified.read, options) }
}

/** Verifies INI's identification assertion about a citizen (ini.md §2.5). Throws Refusal. */
export function verifyIdentification(
  tree: XmlTree,
  assertion: Node,
  options: VerifySaml,
): VerifiedSaml & { readonly identification: Identification } {
  const verified = verifySaml(tree, assertion, options)
  requireAudience(verified.read, options, false)
  const identification = readIdentification(tree, verified.read.attributes)
  if (identification === undefined) throw refused('attributes', 'identification-is-malformed')
  return { ...verified, identification }
}
