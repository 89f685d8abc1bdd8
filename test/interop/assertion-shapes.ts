import { signatureHolds } from '../../src/trust/algorithms.ts'
import type { TrustedIssuer } from '../../src/trust/saml/trusted-issuer.ts'
import { type VerifySaml, verifyAssertion, verifySistemaTs } from '../../src/trust/saml/verify-saml.ts'
import { certificatesOf } from '../../src/trust/x509/certificate.ts'
import { iniAttributes } from '../../src/wire/saml/ini.ts'
import { attributeFormats, samlNames } from '../../src/wire/saml/names.ts'
import { sistemaTsAttributes } from '../../src/wire/saml/sistema-ts.ts'
import { xuaAttributes } from '../../src/wire/saml/xua.ts'
import { type Node, readTree, type XmlTree } from '../../src/wire/xml.ts'
import { dsigNames } from '../../src/wire/xml-signature.ts'
import { citizen, clinician, homes } from '../support/builders.ts'
import { pem, plainIssuer } from '../support/saml.ts'
import { assertionId } from './signature-template.ts'

/** By which names the tests are addressed. */
export const audience = 'https://crocevia.example/fse'

/** The kinds of assertions we take, as others lay them out, and how they are verified. */
export interface AssertionShape {
  readonly name: string
  /** The prefixes its makers put into the list. */
  readonly prefixes: readonly string[]
  /** Indented, with the signature (or its template, or a placeholder) behind the issuer. */
  unsigned(signature: string): string
  /** Claims with the markup before them, so that they stand in no base64. */
  readonly claims: readonly string[]
  /** What we read of it. Throws Refusal. */
  verify(tree: XmlTree, assertion: Node, options?: { sha1?: boolean; presenter?: Uint8Array }): object
  /** Some of that. */
  readonly understood: object
}

function instants(): { readonly from: string; readonly to: string } {
  const at = (afterMs: number) => new Date(Date.now() + afterMs).toISOString()
  return { from: at(-60_000), to: at(3_600_000) }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;')
}

function attribute(
  name: string,
  value: string,
  { type = 'xs:string', format = attributeFormats.uri as string } = {},
): string {
  return `
    <saml2:Attribute Name="${name}" NameFormat="${format}">
      <saml2:AttributeValue xsi:type="${type}">${value}</saml2:AttributeValue>
    </saml2:Attribute>`
}

const patient = escaped(`${citizen.value}^^^&${citizen.authority}&ISO`)
const locality = 'Amb. Esempio^^^^^&amp;2.16.840.1.113883.2.9.4.1.3&amp;ISO^^^^050202'

function options(issuer: Partial<TrustedIssuer>, presenter: Uint8Array | undefined): VerifySaml {
  const trusted: TrustedIssuer = {
    ...plainIssuer,
    community: homes.veneto,
    issuers: ['050'],
    trust: { anchors: certificatesOf(pem('signing-ca.pem')) },
    signers: [/^S1#050#/u],
    ...issuer,
  }
  return {
    issuers: [trusted],
    check: signatureHolds,
    now: Date.now(),
    skewMs: 60_000,
    audiences: [audience],
    ...(presenter === undefined ? {} : { presenter }),
  }
}

/** ini.md §2.2, §2.3, §2.7. */
export const ini: AssertionShape = {
  name: "INI's attribute assertion",
  prefixes: ['xs'],
  unsigned(signature) {
    const { from, to } = instants()
    const basic = { format: attributeFormats.basic }
    return `<?xml version="1.0" encoding="UTF-8"?>
<saml2:Assertion xmlns:saml2="${samlNames.saml}" xmlns:xs="${samlNames.xs}"
    xmlns:xsi="${samlNames.xsi}" ID="${assertionId}" IssueInstant="${from}" Version="2.0"
    xsi:schemaLocation="${samlNames.saml} saml-schema-assertion-2.0.xsd">
  <saml2:Issuer>050</saml2:Issuer>
  ${signature}
  <saml2:Subject><saml2:NameID>${escaped(clinician)}</saml2:NameID></saml2:Subject>
  <saml2:Conditions NotBefore="${from}" NotOnOrAfter="${to}"/>
  <saml2:AuthnStatement AuthnInstant="${from}"><saml2:AuthnContext>
    <saml2:AuthnContextClassRef>${samlNames.x509}</saml2:AuthnContextClassRef>
  </saml2:AuthnContext></saml2:AuthnStatement>
  <saml2:AttributeStatement>${[
    attribute(iniAttributes.patientConsent, 'true'),
    attribute(iniAttributes.role, 'AAS'),
    attribute(iniAttributes.subjectId, escaped(clinician)),
    attribute(iniAttributes.hl7Type, "('60591-5^^2.16.840.1.113883.6.1','11502-2^^2.16.840.1.113883.6.1')"),
    attribute(iniAttributes.locality, locality),
    attribute(iniAttributes.purposeOfUse, 'TREATMENT'),
    attribute(iniAttributes.organizationId, '050'),
    attribute(iniAttributes.organization, 'Regione Vèneto'),
    attribute(iniAttributes.resourceId, patient),
    attribute(iniAttributes.actionId, 'READ'),
    attribute(iniAttributes.applicationId, 'FEDGW', basic),
    attribute(iniAttributes.applicationVendor, 'ESEMPIO &#x53;PA', basic),
    attribute(iniAttributes.applicationVersion, '1.0.0', basic),
  ].join('')}
  </saml2:AttributeStatement>
</saml2:Assertion>
`
  },
  claims: [
    ...['true', 'AAS', "('60591", 'Amb', 'TREATMENT', 'Regione', citizen.value, 'READ', 'FEDGW', 'ESEMPIO'].map(
      (value) => `"xs:string">${value}`,
    ),
    `<saml2:NameID>${escaped(clinician).slice(0, 16)}`,
  ],
  verify: (tree, assertion, { sha1 = false, presenter } = {}) =>
    verifyAssertion(tree, assertion, options({ sha1 }, presenter)),
  understood: {
    subject: clinician,
    role: 'AAS',
    purposeOfUse: 'TREATMENT',
    action: 'READ',
    organization: '050',
    organizationName: 'Regione Vèneto',
    inCare: true,
    patientId: citizen,
    application: { id: 'FEDGW', vendor: 'ESEMPIO SPA', version: '1.0.0' },
  },
}

function xuaShape(name: string, confirmation: (to: string) => string): AssertionShape {
  const coded = (attributeName: string, element: string, code: string) => `
    <saml2:Attribute Name="${attributeName}" NameFormat="${attributeFormats.uri}">
      <saml2:AttributeValue>
        <${element} xmlns="urn:hl7-org:v3" xsi:type="CE" code="${code}" codeSystem="1.2.3.4"
            displayName="Mèdico &amp; &quot;specialista&quot;"/>
      </saml2:AttributeValue>
    </saml2:Attribute>`
  return {
    name,
    prefixes: [],
    unsigned(signature) {
      const { from, to } = instants()
      return `<saml2:Assertion xmlns:saml2="${samlNames.saml}" xmlns:xs="${samlNames.xs}" xmlns:xsi="${samlNames.xsi}"
  Version="2.0" ID="${assertionId}" IssueInstant="${from}">
  <saml2:Issuer Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity">https://idp.regione.example</saml2:Issuer>
  ${signature}
  <saml2:Subject>
    <saml2:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified">${escaped(clinician)}</saml2:NameID>
    ${confirmation(to)}
  </saml2:Subject>
  <saml2:Conditions NotBefore="${from}" NotOnOrAfter="${to}">
    <saml2:AudienceRestriction><saml2:Audience>${audience}</saml2:Audience></saml2:AudienceRestriction>
  </saml2:Conditions>
  <saml2:AuthnStatement AuthnInstant="${from}" SessionIndex="_s1"><saml2:AuthnContext>
    <saml2:AuthnContextClassRef>${samlNames.x509}</saml2:AuthnContextClassRef>
  </saml2:AuthnContext></saml2:AuthnStatement>
  <saml2:AttributeStatement>${[
    attribute(xuaAttributes.subjectName, 'Clincx Prova'),
    attribute(xuaAttributes.organization, 'Regione Vèneto'),
    attribute(xuaAttributes.organizationId, 'urn:oid:2.16.840.1.113883.2.9.2.50'),
    attribute(xuaAttributes.homeCommunityId, homes.veneto),
    coded(xuaAttributes.role, 'Role', 'AAS'),
    coded(xuaAttributes.purposeOfUse, 'PurposeOfUse', 'TREATMENT'),
    attribute(xuaAttributes.resourceId, patient),
  ].join('')}
  </saml2:AttributeStatement>
</saml2:Assertion>`
    },
    claims: [
      ...['"xs:string">Regione', ' code="AAS', ' code="TREATMENT', `"xs:string">${citizen.value}`],
      ...[' codeSystem="1', '<saml2:Audience>https', `<saml2:Conditions NotBefore="2`],
    ],
    verify: (tree, assertion, { sha1 = false, presenter } = {}) =>
      verifyAssertion(
        tree,
        assertion,
        options({ profile: 'xua', sha1, issuers: ['https://idp.regione.example'] }, presenter),
      ),
    understood: {
      subject: clinician,
      role: 'AAS',
      purposeOfUse: 'TREATMENT',
      organization: 'urn:oid:2.16.840.1.113883.2.9.2.50',
      organizationName: 'Regione Vèneto',
      patientId: citizen,
    },
  }
}

/** ihe.md §1.13, confirmed by being presented. */
export const xua = xuaShape(
  'an XUA assertion',
  (to) => `<saml2:SubjectConfirmation Method="${samlNames.bearer}">
      <saml2:SubjectConfirmationData NotOnOrAfter="${to}" Recipient="${audience}"/>
    </saml2:SubjectConfirmation>`,
)

/** The same, confirmed by the key of the presenter, whose certificate (PEM) is folded and indented. */
export function xuaHolderOfKey(holder: string): AssertionShape {
  const base64 = holder
    .replace(/-----[A-Z ]+-----/g, '')
    .trim()
    .replaceAll('\n', '\n        ')
  return xuaShape(
    'an XUA assertion for the holder of a key',
    () => `<saml2:SubjectConfirmation Method="${samlNames.holderOfKey}">
      <saml2:SubjectConfirmationData xsi:type="saml2:KeyInfoConfirmationDataType">
        <ds:KeyInfo xmlns:ds="${dsigNames.ds}"><ds:X509Data><ds:X509Certificate>
        ${base64}
        </ds:X509Certificate></ds:X509Data></ds:KeyInfo>
      </saml2:SubjectConfirmationData>
    </saml2:SubjectConfirmation>`,
  )
}

/** sistema-ts.md A.6, with SAML as the default namespace and other prefixes for the schema's. */
export const sistemaTs: AssertionShape = {
  name: 'an assertion for Sistema TS',
  prefixes: ['xsd', '#default'],
  unsigned(signature) {
    const { from, to } = instants()
    const classes = 'urn:oasis:names:tc:SAML:2.0:ac:classes'
    const attributes = [
      attribute(sistemaTsAttributes.organizationId, '050', { type: 'xsd:string' }),
      attribute(sistemaTsAttributes.subjectId, citizen.value, { type: 'xsd:string' }),
      attribute(sistemaTsAttributes.authenticatedAt, '2026-06-16T15:30:00', { type: 'xsd:dateTime' }),
      attribute('urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code', 'AAL2', {
        type: 'xsd:string',
      }),
      attribute(sistemaTsAttributes.locality, '050201', { type: 'xsd:string' }),
    ]
    return `<Assertion ID="${assertionId}" IssueInstant="${from}" Version="2.0"
  xmlns="${samlNames.saml}" xmlns:xsd="${samlNames.xs}"
  xmlns:xsi="${samlNames.xsi}">
  <Issuer>050</Issuer>
  ${signature}
  <Subject><NameID>${citizen.value}</NameID></Subject>
  <Conditions NotBefore="${from}" NotOnOrAfter="${to}"/>
  <AuthnStatement AuthnInstant="${from}">
    <AuthnContext>
      <AuthnContextClassRef>${classes}:iso-iec-29115-LoA3</AuthnContextClassRef>
      <AuthnContextDeclRef>${classes}:SpidL2</AuthnContextDeclRef>
    </AuthnContext>
  </AuthnStatement>
  <AttributeStatement>${attributes.join('').replaceAll('saml2:', '')}
  </AttributeStatement>
</Assertion>`
  },
  claims: [
    ...[`<NameID>${citizen.value}`, `"xsd:string">${citizen.value}`, '"xsd:dateTime">2026-06-16T15'],
    ...['ac:classes:iso-iec-29115-LoA3', 'ac:classes:SpidL2', '"xsd:string">050201', '"xsd:string">AAL2'],
  ],
  verify: (tree, assertion, { sha1 = false, presenter } = {}) =>
    verifySistemaTs(tree, assertion, options({ profile: 'sistema-ts', sha1 }, presenter)),
  understood: {
    subject: citizen.value,
    authenticatedAt: '2026-06-16T15:30:00',
    organization: '050',
    locality: '050201',
    level: 'urn:oasis:names:tc:SAML:2.0:ac:classes:iso-iec-29115-LoA3',
    mode: 'urn:oasis:names:tc:SAML:2.0:ac:classes:SpidL2',
  },
}

/** What we make of a document that is an assertion. Throws Refusal. */
export function read(
  shape: AssertionShape,
  document: string,
  how: Parameters<AssertionShape['verify']>[2] = {},
): object {
  const tree = readTree(Buffer.from(document))
  return shape.verify(tree, tree.root, how)
}
