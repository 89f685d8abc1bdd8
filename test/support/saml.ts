import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { SignedXml } from 'xml-crypto'
import { organizationHome } from '../../contracts/affinity-domain/organizations.ts'
import type { Peer } from '../../src/core/model/call.ts'
import type { ReplayMemory, Use } from '../../src/core/ports.ts'
import { fileSigner } from '../../src/keys/file-signer.ts'
import { signatureHolds } from '../../src/trust/algorithms.ts'
import { authenticator } from '../../src/trust/authenticate.ts'
import type { Party } from '../../src/trust/parties.ts'
import { samlIssuer, type Vouching } from '../../src/trust/saml/issue-saml.ts'
import type { TrustedIssuer } from '../../src/trust/saml/trusted-issuer.ts'
import type { Signer } from '../../src/trust/signer.ts'
import { certificatesOf } from '../../src/trust/x509/certificate.ts'
import { samlNames } from '../../src/wire/saml/names.ts'
import { openEnvelope, soapNames } from '../../src/wire/soap.ts'
import { readTree } from '../../src/wire/xml.ts'
import { dsigNames } from '../../src/wire/xml-signature.ts'
import { citizen, clinician, homes } from './builders.ts'

const folder = new URL('../../certs-dev/out/', import.meta.url)

export function pem(path: string): string {
  return readFileSync(new URL(path, folder), 'utf8')
}

/** The signing identity in a folder of the development PKI. */
export function signing(name: string, kind = 'signing'): SigningIdentity {
  return { certificate: pem(`${name}/${kind}.crt.pem`), key: pem(`${name}/${kind}.key.pem`) }
}

/** A key pair in PEM. */
export interface SigningIdentity {
  readonly certificate: string
  readonly key: string
}

export function signerOf({ certificate, key }: SigningIdentity): Signer {
  return fileSigner({ certificate: new X509Certificate(certificate), intermediates: [], key: createPrivateKey(key) })
}

export const clock = { now: () => Date.now() }

/** Remembers for as long as it lives, and in this process only. */
export function replayMemory(): ReplayMemory {
  const taken = new Map<string, string | undefined>()
  const isTaken = ({ key, presenter }: Use) =>
    taken.has(key) && (presenter === undefined || taken.get(key) !== presenter)
  return {
    async remember(uses) {
      const first = uses.find(isTaken)
      if (first === undefined) for (const { key, presenter } of uses) taken.set(key, presenter)
      return first
    },
  }
}

/** What every party of the tests has in common, where nothing else is said. */
export const plainIssuer = {
  profile: 'ini',
  sha1: false,
  replay: 'message',
  mandatory: [],
} as const satisfies Partial<TrustedIssuer>

function party(name: string, code: string, home: NonNullable<Party['home']>, more: Partial<Party> = {}): Party {
  return {
    name,
    home,
    consumer: false,
    forwards: false,
    callers: { trust: { anchors: certificatesOf(pem('ca.pem')) }, names: [new RegExp(`^A1#${code}#`, 'u')] },
    assertions: {
      ...plainIssuer,
      community: home,
      issuers: [code],
      trust: { anchors: certificatesOf(pem('signing-ca.pem')) },
      signers: [new RegExp(`^S1#${code}#`, 'u')],
    },
    ...more,
  }
}

/** Who is believed: two regions, INI, which hands on what the regions signed, and a consumer of our own. */
export const parties: readonly Party[] = [
  party('ini', '000', homes.ini, { forwards: true }),
  party('region-050', '050', homes.veneto),
  party('region-120', '120', homes.lazio),
  party('portal', '090', homes.tuscany, { consumer: true }),
]

export const veneto: Peer = { name: 'region-050', home: homes.veneto, subject: 'CN=A1#050#X', fingerprint: '00' }

/** What a clinician of region 050 claims. */
export const vouching: Vouching = {
  subject: clinician,
  role: 'AAS',
  purposeOfUse: 'TREATMENT',
  action: 'READ',
  organization: '050',
  organizationName: 'Regione Veneto',
  locality: 'OSPEDALE DI PROVA^^^^^&2.16.840.1.113883.2.9.4.1.2&ISO^^^^050001',
  inCare: true,
  patientId: citizen,
  documentTypes: [{ code: '11502-2', scheme: '2.16.840.1.113883.6.1' }],
  application: { id: 'app', vendor: 'Prova & figli', version: '1.0' },
}

export interface IssueOptions {
  readonly identity?: SigningIdentity
  readonly issuer?: string
  readonly lifetimeMs?: number
  readonly at?: number
}

/** An assertion as we sign them ourselves. */
export async function issued(claims: Partial<Vouching> = {}, options: IssueOptions = {}): Promise<string> {
  const { identity = signing('region-050'), issuer = '050', lifetimeMs = 300_000, at = Date.now() } = options
  const signer = signerOf(identity)
  const saml = samlIssuer(() => signer, { issuer, lifetimeMs, clock: { now: () => at } })
  return await saml.issue({ ...vouching, ...claims })
}

export interface MessageParts {
  /** Before the security header. */
  readonly headers?: string
  readonly body?: string
  /** Instead of the one security header around the assertion. */
  readonly security?: string
  /** A new one by default; none when empty. */
  readonly messageId?: string
}

export function message(assertion: string, parts: MessageParts = {}): Buffer {
  const { headers = '', body = '', security, messageId = randomUUID() } = parts
  const id = messageId === '' ? '' : `<wsa:MessageID xmlns:wsa="${soapNames.wsa}">urn:uuid:${messageId}</wsa:MessageID>`
  const header = security ?? `<wsse:Security xmlns:wsse="${soapNames.wsse}">${assertion}</wsse:Security>`
  return Buffer.from(
    `<env:Envelope xmlns:env="${soapNames.soap12}"><env:Header>${id}${headers}${header}</env:Header>` +
      `<env:Body>${body}</env:Body></env:Envelope>`,
  )
}

export interface AuthenticateOptions {
  readonly at?: { now(): number }
  readonly believed?: readonly Party[]
  readonly replay?: ReplayMemory
  readonly audiences?: readonly string[]
  readonly presenter?: Uint8Array
}

/** What the gateway makes of the assertion in a message, for who presents it. Rejects as the gateway does. */
export async function authenticate(bytes: Buffer, peer: Peer = veneto, options: AuthenticateOptions = {}) {
  const { at = clock, believed = parties, replay = replayMemory(), audiences = [], presenter } = options
  const envelope = openEnvelope(readTree(bytes), () => true)
  const parts = { clock: at, clockSkewMs: 60_000, check: signatureHolds, replay, audiences, homeOf: organizationHome }
  return await authenticator(believed, parts)(envelope, peer, presenter)
}

/** A reason for the log as a sentence, however its words are joined. */
export function inWords(reason: unknown): string {
  return String(reason).replaceAll('-', ' ')
}

/** An attribute assertion as a library would write it, indented, unsigned. */
export function unsigned(change: (xml: string) => string = (xml) => xml): string {
  const [from, to] = [new Date(Date.now() - 1_000), new Date(Date.now() + 300_000)].map((date) => date.toISOString())
  const attribute = (name: string, value: string) =>
    `<saml2:Attribute Name="${name}"><saml2:AttributeValue xsi:type="xs:string">${value}</saml2:AttributeValue></saml2:Attribute>`
  return change(`<saml2:Assertion xmlns:saml2="${samlNames.saml}" xmlns:xs="${samlNames.xs}" xmlns:xsi="${samlNames.xsi}" ID="_lib1" IssueInstant="${from}" Version="2.0">
  <saml2:Issuer>050</saml2:Issuer>
  <saml2:Subject><saml2:NameID>${clinician.replaceAll('&', '&amp;')}</saml2:NameID></saml2:Subject>
  <saml2:Conditions NotBefore="${from}" NotOnOrAfter="${to}"/>
  <saml2:AttributeStatement>
    ${attribute('urn:oasis:names:tc:xacml:2.0:subject:role', 'AAS')}
    ${attribute('urn:oasis:names:tc:xspa:1.0:subject:purposeofuse', 'TREATMENT')}
    ${attribute('urn:oasis:names:tc:xspa:1.0:subject:organization-id', '050')}
    ${attribute('urn:oasis:names:tc:xacml:1.0:resource:resource-id', `${citizen.value}^^^&amp;${citizen.authority}&amp;ISO`)}
    ${attribute('urn:oasis:names:tc:xacml:1.0:action:action-id', 'READ')}
  </saml2:AttributeStatement>
</saml2:Assertion>`)
}

export interface LibraryOptions {
  readonly identity?: SigningIdentity
  readonly signatureAlgorithm?: string
  readonly digestAlgorithm?: string
  readonly canonicalization?: string
  readonly transforms?: readonly string[]
  readonly prefixes?: readonly string[]
  readonly methodPrefixes?: readonly string[]
  readonly emptyUri?: boolean
  readonly hmacKey?: string
}

/** Signs by xml-crypto, so that our own code is not the only witness. */
export function signedByLibrary(xml: string, options: LibraryOptions = {}): string {
  const { identity = signing('region-050'), hmacKey } = options
  const signer = new SignedXml({
    privateKey: hmacKey ?? identity.key,
    publicCert: identity.certificate,
    signatureAlgorithm: options.signatureAlgorithm ?? 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    canonicalizationAlgorithm: (options.canonicalization ??
      dsigNames.exclusiveC14n) as 'http://www.w3.org/2001/10/xml-exc-c14n#',
    inclusiveNamespacesPrefixList: [...(options.methodPrefixes ?? [])],
  })
  if (hmacKey !== undefined) signer.enableHMAC()
  signer.addReference({
    xpath: "/*[local-name(.)='Assertion']",
    transforms: [...(options.transforms ?? [dsigNames.enveloped, dsigNames.exclusiveC14n])],
    digestAlgorithm: options.digestAlgorithm ?? 'http://www.w3.org/2001/04/xmlenc#sha256',
    ...(options.prefixes === undefined ? {} : { inclusiveNamespacesPrefixList: [...options.prefixes] }),
    ...(options.emptyUri === true ? { uri: '', isEmptyUri: true } : {}),
  })
  signer.computeSignature(xml, {
    prefix: 'ds',
    location: { reference: "/*/*[local-name(.)='Issuer']", action: 'after' },
  })
  return signer.getSignedXml()
}
