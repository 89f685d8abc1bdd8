import { createHash, type KeyObject, timingSafeEqual, verify, type X509Certificate } from 'node:crypto'
import { GatewayError } from '../core/errors.ts'
import type { Assertion } from '../core/model/call.ts'
import { patientId } from '../core/model/patient.ts'
import type { Clock } from '../core/ports.ts'
import { canonicalize } from '../wire/c14n.ts'
import {
  attributeNames,
  type Claims,
  onlyChild,
  parseDocumentTypes,
  parsePatient,
  readClaims,
  samlNames,
} from '../wire/saml.ts'
import { NONE, type Node, XmlError, type XmlTree } from '../wire/xml.ts'
import { certificatesOf, commonNameOf, distrust, type TrustedIssuer } from './trust-store.ts'

/** How strictly time is taken. */
export interface VerifierOptions {
  readonly parties: readonly TrustedIssuer[]
  readonly clock: Clock
  readonly clockSkewMs: number
}

/**
 * Verifies one SAML 2.0 attribute assertion as INI and the regions send it (ini.md §2.2–2.3) and returns what that very
 * element says, read from the tree it was verified in. Throws `assertion-invalid`; the reason goes to the log only.
 * Whatever stands in the message outside the element has not been verified by this.
 */
export function verifyAssertion(tree: XmlTree, assertion: Node, options: VerifierOptions): Assertion {
  try {
    const { claims, party, certificate, digest } = verified(tree, assertion, options)
    return assertionOf(claims, party, certificate, digest)
  } catch (error) {
    if (error instanceof XmlError) throw refused('canonicalization-failed', error)
    throw error
  }
}

function refused(reason: string, cause?: unknown): GatewayError {
  return new GatewayError('assertion-invalid', 'The assertion is not accepted', { details: { reason }, cause })
}

interface Verified {
  readonly claims: Claims
  readonly party: TrustedIssuer
  readonly certificate: X509Certificate
  readonly digest: string
}

function verified(tree: XmlTree, assertion: Node, { parties, clock, clockSkewMs }: VerifierOptions): Verified {
  const { ds, saml } = samlNames
  if (!tree.is(assertion, saml, 'Assertion')) throw refused('not-a-SAML-2-0-assertion')
  const claims = readClaims(tree, assertion)
  if (claims === undefined) throw refused('not-an-attribute-assertion')
  const signature = onlyChild(tree, assertion, ds, 'Signature')
  if (signature === NONE) throw refused('not-exactly-one-signature')
  if (tree.idAttributes.filter(({ value }) => value === claims.id).length !== 1) throw refused('id-is-not-unique')
  const signedInfo = onlyChild(tree, signature, ds, 'SignedInfo')
  if (signedInfo === NONE) throw refused('not-exactly-one-SignedInfo')
  const reference = onlyChild(tree, signedInfo, ds, 'Reference')
  if (reference === NONE || tree.attribute(reference, 'URI') !== `#${claims.id}`) {
    throw refused('does-not-refer-to-its-own-assertion')
  }
  requireAlgorithm(tree, signedInfo, 'CanonicalizationMethod', samlNames.exclusiveC14n)
  requireAlgorithm(tree, signedInfo, 'SignatureMethod', samlNames.rsaSha256)
  requireAlgorithm(tree, reference, 'DigestMethod', samlNames.sha256)
  const inclusivePrefixes = prefixesOf(tree, reference)

  const party = parties.find(({ issuers }) => issuers.includes(claims.issuer))
  if (party === undefined) throw refused('issuer-is-not-known')
  const certificate = signingCertificate(tree, signature, party, clock.now())

  const digest = createHash('sha256')
    .update(canonicalize(tree, assertion, { inclusivePrefixes, omit: signature }))
    .digest()
  if (!equalBytes(base64Of(tree, reference, 'DigestValue'), digest)) throw refused('digest-differs')
  const method = onlyChild(tree, signedInfo, ds, 'CanonicalizationMethod')
  const signed = canonicalize(tree, signedInfo, { inclusivePrefixes: inclusiveOf(tree, method) })
  if (!signatureHolds(signed, certificate.publicKey, base64Of(tree, signature, 'SignatureValue'))) {
    throw refused('signature-does-not-hold')
  }
  requireValidity(claims, clock.now(), clockSkewMs)
  return { claims, party, certificate, digest: digest.toString('hex') }
}

function requireAlgorithm(tree: XmlTree, parent: Node, local: string, algorithm: string): void {
  const method = onlyChild(tree, parent, samlNames.ds, local)
  if (method === NONE || tree.attribute(method, 'Algorithm') !== algorithm) throw refused(`${local}-not-allowed`)
}

/** Transforms must be exactly enveloped-signature, then exclusive canonicalization; returns the latter's prefixes. */
function prefixesOf(tree: XmlTree, reference: Node): readonly string[] {
  const transforms = onlyChild(tree, reference, samlNames.ds, 'Transforms')
  const steps = transforms === NONE ? [] : tree.children(transforms)
  const [enveloped, exclusive] = steps
  if (steps.length !== 2 || enveloped === undefined || exclusive === undefined) throw refused('unexpected-transforms')
  const algorithms = steps.map((step) => tree.is(step, samlNames.ds, 'Transform') && tree.attribute(step, 'Algorithm'))
  if (algorithms[0] !== samlNames.enveloped || algorithms[1] !== samlNames.exclusiveC14n) {
    throw refused('unexpected-transforms')
  }
  if (tree.first(enveloped) !== NONE) throw refused('unexpected-transforms')
  return inclusiveOf(tree, exclusive)
}

function inclusiveOf(tree: XmlTree, method: Node): readonly string[] {
  const children = tree.children(method)
  const [list] = children
  if (list === undefined) return []
  if (children.length !== 1 || !tree.is(list, samlNames.exclusiveC14n, 'InclusiveNamespaces')) {
    throw refused('unexpected-canonicalization-parameters')
  }
  const prefixes = (tree.attribute(list, 'PrefixList') ?? '').split(/[ \t\r\n]+/).filter((prefix) => prefix !== '')
  if (prefixes.length > 16) throw refused('too-many-inclusive-prefixes')
  return prefixes
}

/**
 * The certificate whose key must have signed. `KeyInfo` only says which one to try: it counts for nothing unless the
 * issuer's own anchors vouch for it. Without KeyInfo the only pinned certificate is tried.
 */
function signingCertificate(tree: XmlTree, signature: Node, party: TrustedIssuer, now: number): X509Certificate {
  const { ds } = samlNames
  const keyInfo = onlyChild(tree, signature, ds, 'KeyInfo')
  const data = keyInfo === NONE ? NONE : onlyChild(tree, keyInfo, ds, 'X509Data')
  const element = data === NONE ? NONE : onlyChild(tree, data, ds, 'X509Certificate')
  const pinned = party.anchors.filter((anchor) => !anchor.ca)
  const certificate = element === NONE ? (pinned.length === 1 ? pinned[0] : undefined) : parsed(tree.text(element))
  if (certificate === undefined) throw refused('no-usable-signing-certificate')
  const reason = distrust(certificate, party, now)
  if (reason !== undefined) throw refused(reason)
  return certificate
}

function parsed(text: string): X509Certificate | undefined {
  const base64 = text.replace(/[ \t\r\n]/g, '')
  if (base64.length > 16_384 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined
  try {
    return certificatesOf(`-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----`)[0]
  } catch {
    return undefined
  }
}

function base64Of(tree: XmlTree, parent: Node, local: string): Buffer {
  const node = onlyChild(tree, parent, samlNames.ds, local)
  if (node === NONE || tree.first(node) !== NONE) throw refused(`${local}-malformed`)
  const text = tree.text(node).replace(/[ \t\r\n]/g, '')
  if (text.length > 2_048 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw refused(`${local}-malformed`)
  return Buffer.from(text, 'base64')
}

function equalBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

function signatureHolds(signed: string, key: KeyObject, signature: Buffer): boolean {
  // The algorithm is bound to the kind of key: an RSA identifier with any other key is refused, not interpreted.
  if (key.asymmetricKeyType !== 'rsa') throw refused('key-and-algorithm-do-not-fit')
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) throw refused('key-is-too-short')
  return verify('RSA-SHA256', Buffer.from(signed, 'utf8'), key, signature)
}

const instant = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$/

function timeOf(text: string): number {
  const time = instant.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw refused('an-instant-is-malformed')
  return time
}

function requireValidity({ notBefore, notOnOrAfter }: Claims, now: number, skewMs: number): void {
  if (now + skewMs < timeOf(notBefore)) throw refused('not-yet-valid')
  if (now - skewMs >= timeOf(notOnOrAfter)) throw refused('expired')
}

function assertionOf(claims: Claims, party: TrustedIssuer, certificate: X509Certificate, digest: string): Assertion {
  const one = (name: string): string | undefined => {
    const values = claims.attributes.get(name)
    if (values === undefined) return undefined
    if (values.length !== 1) throw refused('an-attribute-has-several-values')
    return values[0] === '' ? undefined : values[0]
  }
  const required = (name: string): string => {
    const value = one(name)
    if (value === undefined) throw refused('missing-mandatory-attribute')
    return value
  }
  const names = attributeNames
  const organization = required(names.organizationId)
  if (organization !== claims.issuer) throw refused('issuer-and-organization-differ')
  const patient = one(names.resourceId)
  const types = one(names.hl7Type)
  const documentTypes = types === undefined ? undefined : parseDocumentTypes(types)
  if (types !== undefined && documentTypes === undefined) throw refused('document-types-are-malformed')
  const subject = one(names.subjectId) ?? claims.subject
  const [id, vendor, version] = [one(names.applicationId), one(names.applicationVendor), one(names.applicationVersion)]
  return {
    id: claims.id,
    issuer: claims.issuer,
    community: party.community,
    subject,
    ...optional('subjectId', parsePatient(subject)),
    role: required(names.role),
    purposeOfUse: required(names.purposeOfUse),
    action: required(names.actionId),
    organization,
    ...optional('organizationName', one(names.organization)),
    ...optional('locality', one(names.locality)),
    ...optional('inCare', booleanOf(one(names.patientConsent))),
    ...optional('patientId', patient === undefined ? undefined : patientOf(patient)),
    ...optional('documentTypes', documentTypes),
    ...(id !== undefined && vendor !== undefined && version !== undefined
      ? { application: { id, vendor, version } }
      : {}),
    validUntil: timeOf(claims.notOnOrAfter),
    signer: commonNameOf(certificate) ?? certificate.fingerprint256,
    evidence: { kind: 'saml', digest },
  }
}

function booleanOf(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined
  if (text !== 'true' && text !== 'false') throw refused('presa-in-carico-is-neither-true-nor-false')
  return text === 'true'
}

function patientOf(text: string) {
  const id = parsePatient(text)
  if (id === undefined) throw refused('patient-is-malformed')
  try {
    return patientId(id.value, id.authority)
  } catch (error) {
    throw refused('patient-is-malformed', error)
  }
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): { [N in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [N in Name]?: Value })
}
