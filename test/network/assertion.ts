import { createHash, createPrivateKey, randomUUID, sign } from 'node:crypto'
import { ExclusiveCanonicalization, type SignatureAlgorithm, SignedXml } from 'xml-crypto'
import { type Citizen, codiceFiscale } from './citizens.ts'
import { organization } from './organizations.ts'
import { escapeXml, parseXml } from './xml.ts'

export const saml = 'urn:oasis:names:tc:SAML:2.0:assertion'
export const attributeName = {
  inCare: 'urn:oasis:names:tc:xspa:1.0:resource:patient:consent',
  role: 'urn:oasis:names:tc:xacml:2.0:subject:role',
  subject: 'urn:oasis:names:tc:xacml:1.0:subject:subject-id',
  documentTypes: 'urn:oasis:names:tc:xspa:1.0:resource:hl7:type',
  locality: 'urn:oasis:names:tc:xspa:1.0:environment:locality',
  purpose: 'urn:oasis:names:tc:xspa:1.0:subject:purposeofuse',
  organizationId: 'urn:oasis:names:tc:xspa:1.0:subject:organization-id',
  organization: 'urn:oasis:names:tc:xspa:1.0:subject:organization',
  patient: 'urn:oasis:names:tc:xacml:1.0:resource:resource-id',
  action: 'urn:oasis:names:tc:xacml:1.0:action:action-id',
  applicationId: 'SubjectApplicationId',
  applicationVendor: 'SubjectApplicationVendor',
  applicationVersion: 'SubjectApplicationVersion',
} as const

/** A key and the certificate that vouches for it, both in PEM. */
export interface Signer {
  readonly key: string
  readonly certificate: string
  /** Authorities above the certificate, PEM, for those who send them along. */
  readonly intermediates?: string
  /** Default `rsa-sha256`. */
  readonly algorithm?: SigningAlgorithm
  /** Of the reference; default `sha256`. */
  readonly digest?: DigestAlgorithm
}

const dsig = 'http://www.w3.org/2000/09/xmldsig#'
const dsigMore = 'http://www.w3.org/2001/04/xmldsig-more#'
const xmlenc = 'http://www.w3.org/2001/04/xmlenc#'

const signingAlgorithms = {
  'rsa-sha1': { uri: `${dsig}rsa-sha1`, hash: 'sha1' },
  'rsa-sha256': { uri: `${dsigMore}rsa-sha256`, hash: 'sha256' },
  'rsa-sha384': { uri: `${dsigMore}rsa-sha384`, hash: 'sha384' },
  'rsa-sha512': { uri: `${dsigMore}rsa-sha512`, hash: 'sha512' },
  'ecdsa-sha256': { uri: `${dsigMore}ecdsa-sha256`, hash: 'sha256' },
  'ecdsa-sha384': { uri: `${dsigMore}ecdsa-sha384`, hash: 'sha384' },
} as const

/** How assertions and messages may be signed. */
export type SigningAlgorithm = keyof typeof signingAlgorithms

const digests = { sha1: `${dsig}sha1`, sha256: `${xmlenc}sha256`, sha512: `${xmlenc}sha512` } as const

export type DigestAlgorithm = keyof typeof digests

/** What an attribute assertion claims. Only the patient has no default; the rest is a hospital doctor's consultation. */
export interface Claims {
  /** CX. */
  readonly patient: string
  /** Code of the requesting organization; its display goes with it. */
  readonly issuer?: string
  readonly subject?: string
  readonly role?: string
  readonly purpose?: string
  readonly action?: string
  /** `11502-2^^2.16.840.1.113883.6.1` … */
  readonly documentTypes?: readonly string[]
  readonly locality?: string
  readonly inCare?: boolean
  readonly id?: string
  /** When it is made; milliseconds since the epoch, as all times. */
  readonly now?: number
  readonly notBefore?: number
  readonly notOnOrAfter?: number
  /** Attributes replaced by another value, or left out, by name. */
  readonly attributes?: Readonly<Record<string, string | undefined>>
  /** What becomes of the assertion before it is signed. */
  readonly change?: (xml: string) => string
}

// No municipality has a code that begins with X: this doctor cannot exist.
const doctor = `${codiceFiscale('VRDMRC67T20X257')}^^^&2.16.840.1.113883.2.9.4.3.2&ISO`
const laboratory = '11502-2^^2.16.840.1.113883.6.1'

/** A signed attribute assertion in the shape of INI's (ini.md §2.2, §2.3). */
export function attributeAssertion(claims: Claims, signer: Signer): string {
  const { now = Date.now(), change = (xml) => xml } = claims
  const { issuer = '090', subject = doctor, notBefore = now - 1000, notOnOrAfter = now + 300_000 } = claims
  const values: Record<string, string | undefined> = {
    [attributeName.inCare]: String(claims.inCare ?? true),
    [attributeName.role]: claims.role ?? 'AAS',
    [attributeName.subject]: subject,
    [attributeName.documentTypes]: `(${(claims.documentTypes ?? [laboratory]).map((type) => `'${type}'`).join(',')})`,
    [attributeName.locality]: claims.locality ?? 'Amb. Esempio^^^^^&2.16.840.1.113883.2.9.4.1.3&ISO^^^^090202',
    [attributeName.purpose]: claims.purpose ?? 'TREATMENT',
    [attributeName.organizationId]: issuer,
    [attributeName.organization]: organization(issuer).display,
    [attributeName.patient]: claims.patient,
    [attributeName.action]: claims.action ?? 'READ',
    [attributeName.applicationId]: 'FEDGW',
    [attributeName.applicationVendor]: 'ESEMPIO SPA',
    [attributeName.applicationVersion]: '1.0.0',
    ...claims.attributes,
  }
  const format = (name: string): string => (name.startsWith('urn:') ? 'uri' : 'basic')
  const statement = Object.entries(values).map(([name, value]) =>
    value === undefined
      ? ''
      : `<saml2:Attribute Name="${name}" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:${format(name)}">` +
        `<saml2:AttributeValue xsi:type="xs:string">${escapeXml(value)}</saml2:AttributeValue></saml2:Attribute>`,
  )
  return signAssertion(
    change(
      assertion(
        { id: claims.id ?? `_${randomUUID()}`, issuer, subject, now, notBefore, notOnOrAfter },
        statement.join(''),
      ),
    ),
    signer,
  )
}

/** What INI adds when it forwards: every codice fiscale and every region of assistance of the person (ini.md §2.5). */
export function identificationAssertion(
  citizen: Citizen,
  signer: Signer,
  now: number,
  change: (xml: string) => string = (xml) => xml,
): string {
  const namespace = 'http://www.fascicolosanitario.gov.it/identificazione'
  const codes = citizen.identifiers.map(
    ({ value, since }, index) =>
      `<saml2:AttributeValue xsi:type="ident:CFtype"><ident:CF CurrentStatus="${index === 0}" Validity="${since}T00:00:00Z">${value}</ident:CF></saml2:AttributeValue>`,
  )
  const region = `<saml2:AttributeValue xsi:type="ident:RDAtype"><ident:RDA BeginDate="${citizen.birthDate}T00:00:00Z" Current="true">${citizen.assistedBy}</ident:RDA></saml2:AttributeValue>`
  const statement =
    `<saml2:Attribute Name="CF_List">${codes.join('')}</saml2:Attribute>` +
    `<saml2:Attribute Name="RDA_List">${region}</saml2:Attribute>`
  const subject = `${citizen.identifiers[0].value}^^^&${citizen.identifiers[0].authority}&ISO`
  const times = { now, notBefore: now - 1000, notOnOrAfter: now + 300_000 }
  const frame = { id: `_${randomUUID()}`, issuer: 'ANA', subject, ...times }
  return signAssertion(change(assertion(frame, statement, ` xmlns:ident="${namespace}"`)), signer)
}

interface Frame {
  readonly id: string
  readonly issuer: string
  readonly subject: string
  readonly now: number
  readonly notBefore: number
  readonly notOnOrAfter: number
}

function assertion({ id, issuer, subject, now, notBefore, notOnOrAfter }: Frame, statement: string, more = ''): string {
  const time = (milliseconds: number): string => new Date(milliseconds).toISOString()
  return (
    `<saml2:Assertion xmlns:saml2="${saml}" xmlns:xs="http://www.w3.org/2001/XMLSchema" ` +
    `xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"${more} ID="${id}" IssueInstant="${time(now)}" Version="2.0">` +
    `<saml2:Issuer>${escapeXml(issuer)}</saml2:Issuer>` +
    `<saml2:Subject><saml2:NameID>${escapeXml(subject)}</saml2:NameID></saml2:Subject>` +
    `<saml2:Conditions NotBefore="${time(notBefore)}" NotOnOrAfter="${time(notOnOrAfter)}"/>` +
    `<saml2:AuthnStatement AuthnInstant="${time(now)}"><saml2:AuthnContext><saml2:AuthnContextClassRef>` +
    'urn:oasis:names:tc:SAML:2.0:ac:classes:X509</saml2:AuthnContextClassRef></saml2:AuthnContext></saml2:AuthnStatement>' +
    `<saml2:AttributeStatement>${statement}</saml2:AttributeStatement></saml2:Assertion>`
  )
}

const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'

/** Signs an assertion, the signature after its issuer, in INI's own form (ini.md §2.2). */
export function signAssertion(xml: string, { key, certificate, intermediates = '', ...how }: Signer): string {
  const { algorithm = 'rsa-sha256', digest = 'sha256' } = how
  const { uri, hash } = signingAlgorithms[algorithm]
  const root = parseXml(xml)
  const canonical = new ExclusiveCanonicalization().process(root as never, { inclusiveNamespacesPrefixList: ['xs'] })
  // In canonical form as it stands, so that what is signed is what is written.
  const info =
    `<ds:SignedInfo xmlns:ds="${dsig}"><ds:CanonicalizationMethod Algorithm="${exclusive}"></ds:CanonicalizationMethod>` +
    `<ds:SignatureMethod Algorithm="${uri}"></ds:SignatureMethod><ds:Reference URI="#${root.getAttribute('ID') ?? ''}">` +
    `<ds:Transforms><ds:Transform Algorithm="${dsig}enveloped-signature"></ds:Transform>` +
    `<ds:Transform Algorithm="${exclusive}"><ec:InclusiveNamespaces xmlns:ec="${exclusive}" PrefixList="xs">` +
    `</ec:InclusiveNamespaces></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="${digests[digest]}">` +
    `</ds:DigestMethod><ds:DigestValue>${createHash(digest).update(canonical).digest('base64')}</ds:DigestValue>` +
    '</ds:Reference></ds:SignedInfo>'
  const value = sign(hash, Buffer.from(info), { key: createPrivateKey(key), dsaEncoding: 'ieee-p1363' })
  const certificates = `${certificate}${intermediates}`.match(
    /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g,
  )
  const x509 = (certificates ?? []).map(
    (pem) => `<ds:X509Certificate>${pem.replaceAll(/-----[A-Z ]+-----|\s/g, '')}</ds:X509Certificate>`,
  )
  const signature =
    `<ds:Signature xmlns:ds="${dsig}">${info}<ds:SignatureValue>${value.toString('base64')}</ds:SignatureValue>` +
    `<ds:KeyInfo><ds:X509Data>${x509.join('')}</ds:X509Data></ds:KeyInfo></ds:Signature>`
  const issuer = xml.indexOf('</saml2:Issuer>')
  const at = issuer < 0 ? xml.indexOf('>') + 1 : issuer + '</saml2:Issuer>'.length
  return xml.slice(0, at) + signature + xml.slice(at)
}

/** A signature of a whole message, yet without references. */
export function signatureOf({ key, certificate, algorithm = 'rsa-sha256' }: Signer): SignedXml {
  const { uri, hash } = signingAlgorithms[algorithm]
  const signature = new SignedXml({
    privateKey: key,
    publicCert: certificate,
    signatureAlgorithm: uri,
    canonicalizationAlgorithm: exclusive,
  })
  // The library knows no SHA-384 and no elliptic curves.
  signature.SignatureAlgorithms[uri] = class {
    readonly getAlgorithmName = () => uri
    readonly getSignature = (info: unknown) =>
      sign(hash, Buffer.from(String(info)), { key: createPrivateKey(key), dsaEncoding: 'ieee-p1363' }).toString(
        'base64',
      )
    readonly verifySignature = () => false
  } as unknown as new () => SignatureAlgorithm
  return signature
}
