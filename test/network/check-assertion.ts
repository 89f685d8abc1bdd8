import type { KeyObject, X509Certificate } from 'node:crypto'
import { SignedXml } from 'xml-crypto'
import { attributeName, saml } from './assertion.ts'
import { commonName, readCertificate, whyNotTrusted } from './certificate.ts'
import { readCx } from './entry.ts'
import { securityFault } from './faults.ts'
import { findOrganization } from './organizations.ts'
import { children, cutOut, type Element, isNamed, only, parseXml } from './xml.ts'

const ds = 'http://www.w3.org/2000/09/xmldsig#'
const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const transforms = ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', exclusive]
const rsaSha256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'
const sha256 = 'http://www.w3.org/2001/04/xmlenc#sha256'
/** Tolerance on NotBefore alone (ini.md §2.2). */
const skewMs = 30_000

/** An assertion whose signature holds. Everything in it is read from the bytes that were signed. */
export interface SignedAssertion {
  readonly id: string
  readonly issuer: string
  /** By attribute name; all values of each. */
  readonly attributes: ReadonlyMap<string, readonly string[]>
  readonly signer: string
  /** What was signed. */
  readonly signed: Element
  /** The whole assertion with its signature, standing alone, as it can be handed on. */
  readonly xml: string
}

export interface Trust {
  readonly root: X509Certificate
  readonly now: () => number
  /** Whether a certificate of that name may speak for the issuer. */
  readonly maySign: (signer: string, issuer: string) => boolean
}

/**
 * The assertions of the one `wsse:Security` header, unverified; beside them nothing stands there unless the partner signs
 * its messages. Throws SoapFault when there is none.
 */
export function findAssertions(security: readonly Element[], messageIsSigned = false): Element[] {
  if (security.length > 1) throw securityFault('InvalidSecurity', 'More than one Security header', 'PST5')
  const [header] = security
  const all = header === undefined ? [] : children(header)
  const blocks = messageIsSigned ? all.filter((block) => isNamed(block, saml, 'Assertion')) : all
  if (blocks.length === 0) throw securityFault('InvalidSecurity', 'Missing attribute assertion', 'PST4')
  const strange = blocks.find((block) => !isNamed(block, saml, 'Assertion'))
  if (strange) throw securityFault('InvalidSecurity', 'Missing or invalid WS-Security header elements', 'PST5')
  return blocks
}

/** Checks form, signer, signature and validity of one assertion. Throws SoapFault. */
export function verifyAssertion(element: Element, trust: Trust): SignedAssertion {
  const xml = cutOut(element)
  const id = element.getAttribute('ID') ?? ''
  const issuer = only(element, saml, 'Issuer')?.textContent?.trim() ?? ''
  if (issuer === '') throw securityFault('InvalidSecurityToken', 'Missing Issuer in assertion', 'PIT1')
  const signature = onlySignature(element)
  const certificate = signerOf(signature)
  const reason = certificate === undefined ? 'no certificate' : whyNotTrusted(certificate, trust.root, trust.now())
  if (certificate === undefined || reason !== undefined) {
    throw securityFault(
      'FailedAuthentication',
      'Certificate within the SAML assertion not issued by a trusted CA',
      'PFC3',
    )
  }
  const signer = commonName(certificate) ?? ''
  if (!trust.maySign(signer, issuer)) {
    throw securityFault('FailedAuthentication', 'The signer may not speak for the issuer')
  }
  checkForm(signature, id)
  const signed = signedContent(xml, certificate.publicKey)
  if (!isNamed(signed, saml, 'Assertion') || signed.getAttribute('ID') !== id) {
    throw securityFault('FailedCheck', 'The signature is over something else')
  }
  checkValidity(signed, trust.now())
  return {
    id,
    issuer: only(signed, saml, 'Issuer')?.textContent?.trim() ?? '',
    attributes: attributesOf(signed),
    signer,
    signed,
    xml,
  }
}

function onlySignature(element: Element): Element {
  const everywhere = element.getElementsByTagNameNS(ds, 'Signature')
  const signature = only(element, ds, 'Signature')
  if (signature === undefined || everywhere.length !== 1) {
    throw securityFault('InvalidSecurity', 'The assertion does not carry one signature')
  }
  return signature
}

function signerOf(signature: Element): X509Certificate | undefined {
  const data = only(only(signature, ds, 'KeyInfo'), ds, 'X509Data')
  return readCertificate(only(data, ds, 'X509Certificate')?.textContent ?? '')
}

/** One reference to the assertion itself, enveloped, exclusive canonical form, RSA with SHA-256: nothing else. */
function checkForm(signature: Element, id: string): void {
  const info = only(signature, ds, 'SignedInfo')
  const algorithm = (element: Element | undefined): string => element?.getAttribute('Algorithm') ?? ''
  const reference = only(info, ds, 'Reference')
  const list = only(reference, ds, 'Transforms')
  const used = list ? children(list, ds, 'Transform').map(algorithm) : []
  const good =
    algorithm(only(info, ds, 'CanonicalizationMethod')) === exclusive &&
    algorithm(only(info, ds, 'SignatureMethod')) === rsaSha256 &&
    algorithm(only(reference, ds, 'DigestMethod')) === sha256 &&
    id !== '' &&
    reference?.getAttribute('URI') === `#${id}` &&
    used.join(' ') === transforms.join(' ')
  if (!good) throw securityFault('InvalidSecurity', 'The form of the signature is not the agreed one')
}

/** The element that was signed, from the very bytes that were signed. */
function signedContent(xml: string, key: KeyObject): Element {
  const failed = securityFault('FailedCheck', 'The signature does not verify')
  const signature = new SignedXml({ publicCert: key.export({ type: 'spki', format: 'pem' }).toString() })
  try {
    const own = only(parseXml(xml), ds, 'Signature')
    signature.loadSignature(own === undefined ? '' : cutOut(own))
    if (!signature.checkSignature(xml)) throw failed
  } catch {
    throw failed
  }
  const [canonical, ...more] = signature.getSignedReferences()
  if (canonical === undefined || more.length > 0) throw failed
  return parseXml(canonical)
}

function checkValidity(assertion: Element, now: number): void {
  const conditions = only(assertion, saml, 'Conditions')
  const notBefore = Date.parse(conditions?.getAttribute('NotBefore') ?? '')
  const notOnOrAfter = Date.parse(conditions?.getAttribute('NotOnOrAfter') ?? '')
  if (Number.isNaN(notBefore) || Number.isNaN(notOnOrAfter)) {
    throw securityFault('InvalidSecurityToken', 'The assertion does not say when it is valid')
  }
  if (now < notBefore - skewMs) throw securityFault('InvalidSecurityToken', 'The assertion is not valid yet')
  if (now >= notOnOrAfter) throw securityFault('MessageExpired', 'The assertion has expired')
}

function attributesOf(assertion: Element): ReadonlyMap<string, readonly string[]> {
  const attributes = new Map<string, string[]>()
  for (const statement of children(assertion, saml, 'AttributeStatement')) {
    for (const attribute of children(statement, saml, 'Attribute')) {
      const name = attribute.getAttribute('Name') ?? ''
      const values = children(attribute, saml, 'AttributeValue').map((value) => value.textContent ?? '')
      attributes.set(name, [...(attributes.get(name) ?? []), ...values])
    }
  }
  return attributes
}

/** What an attribute assertion claims, with everything in it that must be. */
export interface Claimed {
  readonly role: string
  readonly purpose: string
  readonly action: string
  readonly subject: string | undefined
  readonly patient: string
  /** `code^^scheme` of each; absent where the form of the claim has no place for them. */
  readonly documentTypes?: readonly string[]
}

const roles = 'AAS APR PSS INF FAR DSA DAM OAM ASS TUT ING GEN NOR DRS RSA MRP INI OGC OPI MDS GTW DAP'.split(' ')
const purposes = [
  ...'TREATMENT EMERGENCY PUBEMERGENCY SYSADMIN PERSONAL UPDATE CONSENT ADMINISTRATIVE'.split(' '),
  'ACCESS UPDATE',
]
const locality = /^(?:[a-zA-Z0-9]+[^^]*)?\^{5}&[^&]*&ISO\^{4}[^&]*$/
const typeList = /^\('[^'^]+\^\^[0-9.]+'(,'[^'^]+\^\^[0-9.]+')*\)$/

/** Reads and checks the mandatory attributes (ini.md §2.3). Throws SoapFault: PIT2 is INI's word for it. */
export function readClaims({ attributes, issuer }: SignedAssertion): Claimed {
  const wrong = securityFault('InvalidSecurityToken', 'Missing mandatory attributes in the attribute assertion', 'PIT2')
  const value = (name: string): string => {
    const [first, ...more] = attributes.get(name) ?? []
    if (first === undefined || first === '' || more.length > 0) throw wrong
    return first
  }
  const matching = (name: string, right: (text: string) => boolean): string => {
    const text = value(name)
    if (!right(text)) throw wrong
    return text
  }
  for (const name of [attributeName.applicationId, attributeName.applicationVendor, attributeName.applicationVersion]) {
    value(name)
  }
  matching(attributeName.inCare, (text) => text === 'true' || text === 'false')
  matching(attributeName.locality, (text) => locality.test(text))
  matching(attributeName.organizationId, (text) => text === issuer)
  matching(attributeName.organization, (text) => text === findOrganization(issuer)?.display)
  const role = matching(attributeName.role, (text) => roles.includes(text))
  // The national gateway does not name a person when it reads; nobody does during an index transfer.
  const anonymous = role === 'GTW' || role === 'NOR'
  return {
    role,
    purpose: matching(attributeName.purpose, (text) => purposes.includes(text)),
    action: matching(attributeName.action, (text) => ['CREATE', 'READ', 'UPDATE', 'DELETE'].includes(text)),
    subject: anonymous && !attributes.has(attributeName.subject) ? undefined : value(attributeName.subject),
    patient: matching(attributeName.patient, (text) => readCx(text) !== undefined),
    documentTypes: matching(attributeName.documentTypes, (text) => typeList.test(text))
      .slice(2, -2)
      .split("','"),
  }
}
