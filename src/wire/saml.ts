import type { PatientId } from '../core/model/patient.ts'
import { formatCx, parseCx } from './hl7/cx.ts'
import { NONE, type Node, type XmlTree } from './xml.ts'
import { escapeAttribute, escapeText } from './xml-write.ts'

/** Namespaces and algorithm identifiers of SAML 2.0 and XML signature, spelt once. */
export const samlNames = {
  saml: 'urn:oasis:names:tc:SAML:2.0:assertion',
  ds: 'http://www.w3.org/2000/09/xmldsig#',
  xs: 'http://www.w3.org/2001/XMLSchema',
  xsi: 'http://www.w3.org/2001/XMLSchema-instance',
  exclusiveC14n: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  enveloped: 'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
  rsaSha256: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  sha256: 'http://www.w3.org/2001/04/xmlenc#sha256',
} as const

/** Attribute names of the Italian attribute assertion (ini.md §2.3). */
export const attributeNames = {
  patientConsent: 'urn:oasis:names:tc:xspa:1.0:resource:patient:consent',
  role: 'urn:oasis:names:tc:xacml:2.0:subject:role',
  subjectId: 'urn:oasis:names:tc:xacml:1.0:subject:subject-id',
  hl7Type: 'urn:oasis:names:tc:xspa:1.0:resource:hl7:type',
  locality: 'urn:oasis:names:tc:xspa:1.0:environment:locality',
  purposeOfUse: 'urn:oasis:names:tc:xspa:1.0:subject:purposeofuse',
  organizationId: 'urn:oasis:names:tc:xspa:1.0:subject:organization-id',
  organization: 'urn:oasis:names:tc:xspa:1.0:subject:organization',
  resourceId: 'urn:oasis:names:tc:xacml:1.0:resource:resource-id',
  actionId: 'urn:oasis:names:tc:xacml:1.0:action:action-id',
  applicationId: 'SubjectApplicationId',
  applicationVendor: 'SubjectApplicationVendor',
  applicationVersion: 'SubjectApplicationVersion',
} as const

const attributeFormat = {
  uri: 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
  basic: 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic',
} as const

export interface DocumentType {
  readonly code: string
  readonly scheme: string
}

/** What an attribute assertion says, before anybody believes it. */
export interface Claims {
  readonly id: string
  readonly issuer: string
  readonly subject: string
  /** ISO instants as written. */
  readonly issueInstant: string
  readonly notBefore: string
  readonly notOnOrAfter: string
  readonly attributes: ReadonlyMap<string, readonly string[]>
}

/**
 * Reads the claims of an assertion element. Returns undefined when the shape is not that of an attribute assertion
 * (ini.md §2.2); nothing is defaulted. What it reads is only as good as the signature over that element.
 */
export function readClaims(tree: XmlTree, assertion: Node): Claims | undefined {
  const { saml } = samlNames
  const issuer = onlyChild(tree, assertion, saml, 'Issuer')
  const subject = onlyChild(tree, assertion, saml, 'Subject')
  const conditions = onlyChild(tree, assertion, saml, 'Conditions')
  const id = tree.attribute(assertion, 'ID')
  const issueInstant = tree.attribute(assertion, 'IssueInstant')
  if (issuer === NONE || subject === NONE || conditions === NONE || id === undefined || issueInstant === undefined) {
    return undefined
  }
  const nameId = onlyChild(tree, subject, saml, 'NameID')
  const notBefore = tree.attribute(conditions, 'NotBefore')
  const notOnOrAfter = tree.attribute(conditions, 'NotOnOrAfter')
  if (nameId === NONE || notBefore === undefined || notOnOrAfter === undefined) return undefined
  if (tree.attribute(assertion, 'Version') !== '2.0') return undefined
  const attributes = new Map<string, string[]>()
  for (const statement of tree.children(assertion, saml, 'AttributeStatement')) {
    for (const attribute of tree.children(statement, saml, 'Attribute')) {
      const name = tree.attribute(attribute, 'Name')
      if (name === undefined) return undefined
      const values = attributes.get(name) ?? []
      for (const value of tree.children(attribute, saml, 'AttributeValue')) {
        // A structured value is no string: reading the text around its elements would invent one.
        if (tree.first(value) !== NONE) return undefined
        values.push(tree.text(value).trim())
      }
      attributes.set(name, values)
    }
  }
  return {
    id,
    issuer: tree.text(issuer).trim(),
    subject: tree.text(nameId).trim(),
    issueInstant,
    notBefore,
    notOnOrAfter,
    attributes,
  }
}

/** The child when there is exactly one; NONE for none or several. */
export function onlyChild(tree: XmlTree, node: Node, namespace: string, local: string): Node {
  const found = tree.children(node, namespace, local)
  return found.length === 1 ? (found[0] ?? NONE) : NONE
}

/** Reads `('code^^scheme','code^^scheme')` (ini.md §2.3); undefined when malformed. */
export function parseDocumentTypes(text: string): readonly DocumentType[] | undefined {
  const inner = /^\((.*)\)$/.exec(text.trim())?.[1] ?? text.trim()
  const types: DocumentType[] = []
  for (const item of inner.split(',')) {
    const match = /^\s*'?([^'^]+)\^\^([^'^]+)'?\s*$/.exec(item)
    if (match === null) return undefined
    types.push({ code: match[1] ?? '', scheme: match[2] ?? '' })
  }
  return types
}

export function formatDocumentTypes(types: readonly DocumentType[]): string {
  return `(${types.map(({ code, scheme }) => `'${code}^^${scheme}'`).join(',')})`
}

export function parsePatient(text: string): PatientId | undefined {
  return parseCx(text)
}

/** What goes into an assertion we issue (ini.md §2.2–2.3). Instants are ISO, UTC. */
export interface NewAssertion {
  readonly id: string
  readonly issuer: string
  readonly issueInstant: string
  readonly notBefore: string
  readonly notOnOrAfter: string
  /** CX of who asks. */
  readonly subject: string
  readonly inCare?: boolean
  readonly role: string
  readonly documentTypes?: readonly DocumentType[]
  readonly locality?: string
  readonly purposeOfUse: string
  readonly organization: string
  readonly organizationName?: string
  readonly patientId?: PatientId
  readonly action: string
  readonly application?: { readonly id: string; readonly vendor: string; readonly version: string }
}

/** Signs: the digest of a text, the signature over one, and the certificate in base64 DER. */
export interface AssertionSigner {
  readonly digest: (text: string) => string
  readonly sign: (text: string) => string
  readonly certificate: string
}

/**
 * Spells and signs an assertion in one pass. It is written in exclusive canonical form already, so that what is digested
 * is what is sent: attributes in order, namespaces where first used, no white space, no empty-element tags.
 */
export function encodeSignedAssertion(claims: NewAssertion, signer: AssertionSigner): string {
  const { ds, exclusiveC14n, saml, xs } = samlNames
  const open =
    `<saml2:Assertion xmlns:saml2="${saml}" xmlns:xs="${xs}" ID="${escapeAttribute(claims.id)}" ` +
    `IssueInstant="${claims.issueInstant}" Version="2.0">` +
    `<saml2:Issuer>${canonicalText(claims.issuer)}</saml2:Issuer>`
  const rest = statements(claims)
  const digest = signer.digest(`${open}${rest}`)
  const signedInfo = (namespace: string) =>
    `<ds:SignedInfo${namespace}><ds:CanonicalizationMethod Algorithm="${exclusiveC14n}"></ds:CanonicalizationMethod>` +
    `<ds:SignatureMethod Algorithm="${samlNames.rsaSha256}"></ds:SignatureMethod>` +
    `<ds:Reference URI="#${escapeAttribute(claims.id)}"><ds:Transforms>` +
    `<ds:Transform Algorithm="${samlNames.enveloped}"></ds:Transform>` +
    `<ds:Transform Algorithm="${exclusiveC14n}">` +
    `<ec:InclusiveNamespaces xmlns:ec="${exclusiveC14n}" PrefixList="xs"></ec:InclusiveNamespaces></ds:Transform>` +
    `</ds:Transforms><ds:DigestMethod Algorithm="${samlNames.sha256}"></ds:DigestMethod>` +
    `<ds:DigestValue>${digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>`
  const value = signer.sign(signedInfo(` xmlns:ds="${ds}"`))
  const signature =
    `<ds:Signature xmlns:ds="${ds}">${signedInfo('')}<ds:SignatureValue>${value}</ds:SignatureValue>` +
    `<ds:KeyInfo><ds:X509Data><ds:X509Certificate>${signer.certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>` +
    '</ds:Signature>'
  return `${open}${signature}${rest}`
}

function statements(claims: NewAssertion): string {
  const names = attributeNames
  const attribute = (name: string, value: string | undefined, format: string = attributeFormat.uri) =>
    value === undefined
      ? ''
      : `<saml2:Attribute Name="${name}" NameFormat="${format}">` +
        `<saml2:AttributeValue xmlns:xsi="${samlNames.xsi}" xsi:type="xs:string">${canonicalText(value)}` +
        '</saml2:AttributeValue></saml2:Attribute>'
  const { application, documentTypes, inCare, patientId } = claims
  return (
    `<saml2:Subject><saml2:NameID>${canonicalText(claims.subject)}</saml2:NameID></saml2:Subject>` +
    `<saml2:Conditions NotBefore="${claims.notBefore}" NotOnOrAfter="${claims.notOnOrAfter}"></saml2:Conditions>` +
    `<saml2:AuthnStatement AuthnInstant="${claims.issueInstant}"><saml2:AuthnContext><saml2:AuthnContextClassRef>` +
    'urn:oasis:names:tc:SAML:2.0:ac:classes:X509' +
    '</saml2:AuthnContextClassRef></saml2:AuthnContext></saml2:AuthnStatement><saml2:AttributeStatement>' +
    attribute(names.patientConsent, inCare === undefined ? undefined : String(inCare)) +
    attribute(names.role, claims.role) +
    attribute(names.subjectId, claims.subject) +
    attribute(names.hl7Type, documentTypes === undefined ? undefined : formatDocumentTypes(documentTypes)) +
    attribute(names.locality, claims.locality) +
    attribute(names.purposeOfUse, claims.purposeOfUse) +
    attribute(names.organizationId, claims.organization) +
    attribute(names.organization, claims.organizationName) +
    attribute(names.resourceId, patientId === undefined ? undefined : formatCx(patientId)) +
    attribute(names.actionId, claims.action) +
    attribute(names.applicationId, application?.id, attributeFormat.basic) +
    attribute(names.applicationVendor, application?.vendor, attributeFormat.basic) +
    attribute(names.applicationVersion, application?.version, attributeFormat.basic) +
    '</saml2:AttributeStatement></saml2:Assertion>'
  )
}

/** Text as exclusive canonicalization spells it: a carriage return by its hexadecimal reference. */
function canonicalText(text: string): string {
  return escapeText(text).replaceAll('&#13;', '&#xD;')
}
