import { randomUUID, X509Certificate } from 'node:crypto'
import { type Signer, saml, signAssertion } from './assertion.ts'
import { escapeXml } from './xml.ts'

const method = (name: string): string => `urn:oasis:names:tc:SAML:2.0:cm:${name}`

/** A coded value, `code` of `system`. */
export interface XuaCode {
  readonly code: string
  readonly system: string
}

/** What an assertion of IHE XUA claims. */
export interface XuaClaims {
  readonly issuer: string
  readonly audience: string
  /** CX; absent where the assertion names no patient. */
  readonly patient?: string
  readonly home: string
  readonly role: XuaCode
  readonly purpose: XuaCode
  /** Default `bearer`; a certificate in PEM is that of the holder of the key. */
  readonly holder?: string
  readonly subject?: string
  readonly now?: number
  readonly notBefore?: number
  readonly notOnOrAfter?: number
  /** What becomes of the assertion before it is signed. */
  readonly change?: (xml: string) => string
}

/** The assertion as an X-Service User writes it (ITI TF-2: 3.40.4.1.2; ihe.md §1.13), unsigned. */
export function plainXuaAssertion(claims: XuaClaims): string {
  const { issuer, audience, patient, home, subject = 'Marco Verdi', now = Date.now() } = claims
  const { notBefore = now - 1000, notOnOrAfter = now + 300_000, change = (xml) => xml } = claims
  const time = (milliseconds: number): string => new Date(milliseconds).toISOString()
  const attribute = (name: string, value: string): string =>
    `<saml2:Attribute Name="${name}" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri">` +
    `<saml2:AttributeValue${value.startsWith('<') ? '' : ' xsi:type="xs:string"'}>${value}</saml2:AttributeValue></saml2:Attribute>`
  const coded = (local: string, { code, system }: XuaCode): string =>
    `<${local} xmlns="urn:hl7-org:v3" xsi:type="CE" code="${code}" codeSystem="${system}" displayName="${code}"/>`
  return change(
    `<saml2:Assertion xmlns:saml2="${saml}" xmlns:xs="http://www.w3.org/2001/XMLSchema" ` +
      `xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ID="_${randomUUID()}" IssueInstant="${time(now)}" Version="2.0">` +
      `<saml2:Issuer>${escapeXml(issuer)}</saml2:Issuer>` +
      `<saml2:Subject><saml2:NameID>${escapeXml(subject)}</saml2:NameID>${confirmation(claims)}</saml2:Subject>` +
      `<saml2:Conditions NotBefore="${time(notBefore)}" NotOnOrAfter="${time(notOnOrAfter)}">` +
      `<saml2:AudienceRestriction><saml2:Audience>${escapeXml(audience)}</saml2:Audience></saml2:AudienceRestriction>` +
      `</saml2:Conditions><saml2:AuthnStatement AuthnInstant="${time(now)}"><saml2:AuthnContext>` +
      '<saml2:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:X509</saml2:AuthnContextClassRef>' +
      '</saml2:AuthnContext></saml2:AuthnStatement><saml2:AttributeStatement>' +
      attribute('urn:oasis:names:tc:xspa:1.0:subject:subject-id', escapeXml(subject)) +
      attribute('urn:oasis:names:tc:xspa:1.0:subject:organization', 'Ospedale di prova') +
      attribute('urn:oasis:names:tc:xspa:1.0:subject:organization-id', home) +
      attribute('urn:ihe:iti:xca:2010:homeCommunityId', home) +
      attribute('urn:oasis:names:tc:xacml:2.0:subject:role', coded('Role', claims.role)) +
      attribute('urn:oasis:names:tc:xspa:1.0:subject:purposeofuse', coded('PurposeOfUse', claims.purpose)) +
      (patient === undefined
        ? ''
        : attribute('urn:oasis:names:tc:xacml:2.0:resource:resource-id', escapeXml(patient))) +
      '</saml2:AttributeStatement></saml2:Assertion>',
  )
}

/** The same, signed. */
export function xuaAssertion(claims: XuaClaims, signer: Signer): string {
  return signAssertion(plainXuaAssertion(claims), signer)
}

function confirmation({ holder }: XuaClaims): string {
  if (holder === undefined) return `<saml2:SubjectConfirmation Method="${method('bearer')}"/>`
  const certificate = new X509Certificate(holder).raw.toString('base64')
  return (
    `<saml2:SubjectConfirmation Method="${method('holder-of-key')}"><saml2:SubjectConfirmationData ` +
    'xsi:type="saml2:KeyInfoConfirmationDataType"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>' +
    `<ds:X509Certificate>${certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>` +
    '</saml2:SubjectConfirmationData></saml2:SubjectConfirmation>'
  )
}
