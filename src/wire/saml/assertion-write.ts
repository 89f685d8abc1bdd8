import { dsigNames, signatureMethodUri, type XmlSignatureMethod } from '../xml-signature.ts'
import { canonicalAttribute, canonicalText } from '../xml-write.ts'
import { attributeFormats, samlNames } from './names.ts'

/** One attribute of an assertion we make. */
export interface NewAttribute {
  readonly name: string
  readonly format: 'uri' | 'basic'
  readonly values: readonly (
    | { readonly type: 'xs:string' | 'xs:dateTime'; readonly text: string }
    /** An element in exclusive canonical form that declares every namespace it uses. */
    | { readonly canonical: string }
  )[]
}

/** What goes into an assertion we issue. Instants are ISO, UTC. */
export interface NewAssertion {
  readonly id: string
  readonly issuer: string
  readonly issueInstant: string
  readonly notBefore: string
  readonly notOnOrAfter: string
  /** NameID. */
  readonly subject: string
  /** Who presents it is taken for the subject, until it ends. */
  readonly bearer?: boolean
  readonly audiences?: readonly string[]
  readonly authn: { readonly instant: string; readonly classRef: string; readonly declRef?: string }
  readonly attributes: readonly NewAttribute[]
}

/** Signs: the SHA-256 digest of a text, the signature over one (both base64), and the certificates, base64 DER. */
export interface AssertionSigner {
  readonly method: XmlSignatureMethod
  readonly digest: (text: string) => string
  readonly sign: (text: string) => string | Promise<string>
  /** The signer's own first. */
  readonly certificates: readonly string[]
}

/**
 * Spells and signs an assertion in one pass. It is written in exclusive canonical form already, so that what is digested
 * is what is sent: attributes in order, namespaces where first used, no white space, no empty-element tags.
 */
export async function encodeSignedAssertion(assertion: NewAssertion, signer: AssertionSigner): Promise<string> {
  const open =
    `<saml2:Assertion xmlns:saml2="${samlNames.saml}" xmlns:xs="${samlNames.xs}" ID="${canonicalAttribute(assertion.id)}" ` +
    `IssueInstant="${assertion.issueInstant}" Version="2.0">` +
    `<saml2:Issuer>${canonicalText(assertion.issuer)}</saml2:Issuer>`
  const rest = statements(assertion)
  const signedInfo = signedInfoOf(assertion.id, signer.digest(`${open}${rest}`), signer.method)
  const value = await signer.sign(signedInfo(` xmlns:ds="${dsigNames.ds}"`))
  const certificates = signer.certificates.map((one) => `<ds:X509Certificate>${one}</ds:X509Certificate>`).join('')
  return (
    `${open}<ds:Signature xmlns:ds="${dsigNames.ds}">${signedInfo('')}<ds:SignatureValue>${value}</ds:SignatureValue>` +
    `<ds:KeyInfo><ds:X509Data>${certificates}</ds:X509Data></ds:KeyInfo></ds:Signature>${rest}`
  )
}

/** The SignedInfo as it is signed, with the namespace, and as it is sent inside the Signature that declares it. */
function signedInfoOf(id: string, digest: string, method: XmlSignatureMethod): (namespace: string) => string {
  const { enveloped, exclusiveC14n } = dsigNames
  return (namespace) =>
    `<ds:SignedInfo${namespace}><ds:CanonicalizationMethod Algorithm="${exclusiveC14n}"></ds:CanonicalizationMethod>` +
    `<ds:SignatureMethod Algorithm="${signatureMethodUri(method)}"></ds:SignatureMethod>` +
    `<ds:Reference URI="#${canonicalAttribute(id)}"><ds:Transforms>` +
    `<ds:Transform Algorithm="${enveloped}"></ds:Transform>` +
    `<ds:Transform Algorithm="${exclusiveC14n}">` +
    `<ec:InclusiveNamespaces xmlns:ec="${exclusiveC14n}" PrefixList="xs"></ec:InclusiveNamespaces></ds:Transform>` +
    '</ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>' +
    `<ds:DigestValue>${digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>`
}

function statements({ subject, bearer, audiences, authn, attributes, ...assertion }: NewAssertion): string {
  const { notBefore, notOnOrAfter } = assertion
  const confirmation =
    bearer === true
      ? `<saml2:SubjectConfirmation Method="${samlNames.bearer}"><saml2:SubjectConfirmationData ` +
        `NotOnOrAfter="${notOnOrAfter}"></saml2:SubjectConfirmationData></saml2:SubjectConfirmation>`
      : ''
  const audience = (audiences ?? []).map((one) => `<saml2:Audience>${canonicalText(one)}</saml2:Audience>`).join('')
  const declared =
    authn.declRef === undefined
      ? ''
      : `<saml2:AuthnContextDeclRef>${canonicalText(authn.declRef)}</saml2:AuthnContextDeclRef>`
  return (
    `<saml2:Subject><saml2:NameID>${canonicalText(subject)}</saml2:NameID>${confirmation}</saml2:Subject>` +
    `<saml2:Conditions NotBefore="${notBefore}" NotOnOrAfter="${notOnOrAfter}">` +
    (audience === '' ? '' : `<saml2:AudienceRestriction>${audience}</saml2:AudienceRestriction>`) +
    `</saml2:Conditions><saml2:AuthnStatement AuthnInstant="${authn.instant}"><saml2:AuthnContext>` +
    `<saml2:AuthnContextClassRef>${canonicalText(authn.classRef)}</saml2:AuthnContextClassRef>${declared}` +
    '</saml2:AuthnContext></saml2:AuthnStatement><saml2:AttributeStatement>' +
    attributes.map(attributeText).join('') +
    '</saml2:AttributeStatement></saml2:Assertion>'
  )
}

function attributeText({ name, format, values }: NewAttribute): string {
  const text = values.map((value) =>
    'canonical' in value
      ? `<saml2:AttributeValue>${value.canonical}</saml2:AttributeValue>`
      : `<saml2:AttributeValue xmlns:xsi="${samlNames.xsi}" xsi:type="${value.type}">${canonicalText(value.text)}` +
        '</saml2:AttributeValue>',
  )
  return `<saml2:Attribute Name="${name}" NameFormat="${attributeFormats[format]}">${text.join('')}</saml2:Attribute>`
}
