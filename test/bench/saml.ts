import { createPrivateKey, generateKeyPairSync, sign, verify, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { homeCommunityId } from '../../src/core/model/identifiers.ts'
import { authorities } from '../../src/core/model/patient.ts'
import { fileSigner } from '../../src/keys/file-signer.ts'
import { signatureHolds } from '../../src/trust/algorithms.ts'
import { samlIssuer, type Vouching } from '../../src/trust/saml/issue-saml.ts'
import type { TrustedIssuer } from '../../src/trust/saml/trusted-issuer.ts'
import { verifyAssertion } from '../../src/trust/saml/verify-saml.ts'
import { certificatesOf } from '../../src/trust/x509/certificate.ts'
import { samlNames } from '../../src/wire/saml/names.ts'
import { encodeEnvelope } from '../../src/wire/soap.ts'
import { defaultXmlLimits, type Node, readTree, type XmlTree } from '../../src/wire/xml.ts'
import { certificates } from '../support/gateway-config.ts'
import { findDocumentsAnswer } from './find-documents-answer.ts'
import { interleaved, type Measurement, rssMb, seconds } from './measurement.ts'

const times = 1_000
const rounds = 9

/** Verifications per second of the assertion in a 12 kB message, reading the message included, against bare RSA. */
export async function samlVerify(): Promise<Measurement> {
  const bytes = Buffer.from(await message(`<x:Body xmlns:x="urn:x">${'padding '.repeat(512)}</x:Body>`))
  const { value, floor } = await interleaved(rounds, () => perSecond(() => verified(read(bytes))), rawVerifications())
  return {
    bench: 'saml-verify',
    unit: 'verifications/s',
    value,
    floor,
    floorIs: `bare RSA-2048 verifications; reading a message of ${bytes.length} bytes is part of the value`,
    ratio: value / floor,
    rssMb: rssMb(),
  }
}

/** Verifications per second of an assertion before a 7 MB unsigned body, against the same in a small message. */
export async function samlVerify7mb(): Promise<Measurement> {
  const large = read(Buffer.from(await message(body(findDocumentsAnswer(1000)))))
  const small = read(Buffer.from(await message('<x:Body xmlns:x="urn:x"/>')))
  const { value, floor } = await interleaved(
    rounds,
    () => perSecond(() => verified(large)),
    () => perSecond(() => verified(small)),
  )
  return {
    bench: 'saml-verify-7mb',
    unit: 'verifications/s',
    value,
    floor,
    floorIs: 'the same assertion verified in a small message; reading the message aside in both',
    ratio: value / floor,
    rssMb: rssMb(),
  }
}

/** Assertions issued per second, against bare RSA. */
export async function samlIssue(): Promise<Measurement> {
  const issuer = portal()
  const { value, floor } = await interleaved(
    rounds,
    async () => await perSecondAsync(() => issuer.issue(vouching)),
    rawSignatures(),
  )
  return {
    bench: 'saml-issue',
    unit: 'assertions/s',
    value,
    floor,
    floorIs: 'bare RSA-2048 signatures',
    ratio: value / floor,
    rssMb: rssMb(),
  }
}

async function perSecond(work: () => unknown): Promise<number> {
  const time = await seconds(() => {
    for (let index = 0; index < times; index++) work()
  })
  return times / time
}

async function perSecondAsync(work: () => Promise<unknown>): Promise<number> {
  const time = await seconds(async () => {
    for (let index = 0; index < times; index++) await work()
  })
  return times / time
}

/** RSA-2048 over a text as long as a SignedInfo. */
function rawVerifications(): () => Promise<number> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const data = Buffer.alloc(900, 'x')
  const signature = sign('sha256', data, privateKey)
  return () => perSecond(() => verify('sha256', data, publicKey, signature))
}

function rawSignatures(): () => Promise<number> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const data = Buffer.alloc(900, 'x')
  return () => perSecond(() => sign('sha256', data, privateKey))
}

const issuers: readonly TrustedIssuer[] = [
  {
    community: homeCommunityId('urn:oid:2.16.840.1.113883.2.9.2.90'),
    profile: 'ini',
    issuers: ['090'],
    trust: { anchors: certificatesOf(readFileSync(join(certificates, 'signing-ca.pem'), 'utf8')) },
    signers: [/^S[0-9]+#090#/],
    sha1: false,
    replay: 'message',
    mandatory: ['document-types', 'application'],
  },
]

interface Signed {
  readonly tree: XmlTree
  readonly assertion: Node
}

function verified({ tree, assertion }: Signed): unknown {
  // Without the memory of signatures that held: every round does the arithmetic.
  const circumstances = { now: Date.now(), skewMs: 0, audiences: [], check: signatureHolds }
  return verifyAssertion(tree, assertion, { ...circumstances, issuers })
}

const vouching: Vouching = {
  subject: 'PROVAY00X00X000Z^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
  role: 'AAS',
  purposeOfUse: 'TREATMENT',
  action: 'READ',
  organization: '090',
  organizationName: 'Regione Toscana',
  locality: 'Ambulatorio di prova^^^^^&2.16.840.1.113883.2.9.4.1.3&ISO^^^^090202',
  inCare: true,
  patientId: { value: 'PROVAX00X00X000Y', authority: authorities.codiceFiscale },
  documentTypes: [{ code: '11502-2', scheme: '2.16.840.1.113883.6.1' }],
  application: { id: 'app', vendor: 'Prova', version: '1.0' },
}

function portal() {
  const file = (name: string) => readFileSync(join(certificates, 'portal', name), 'utf8')
  const signer = fileSigner({
    certificate: new X509Certificate(file('signing.crt.pem')),
    intermediates: [],
    key: createPrivateKey(file('signing.key.pem')),
  })
  return samlIssuer(() => signer, { issuer: '090', lifetimeMs: 3_600_000, clock: { now: () => Date.now() } })
}

async function message(content: string): Promise<string> {
  return encodeEnvelope(
    { action: 'urn:x', messageId: 'urn:uuid:x', assertion: await portal().issue(vouching) },
    content,
  )
}

function read(bytes: Buffer): Signed {
  const tree = readTree(bytes, { ...defaultXmlLimits, maxBytes: 64e6 })
  const header = tree.children(tree.root)[0] as Node
  for (const block of tree.children(header)) {
    const [found] = tree.children(block, samlNames.saml, 'Assertion')
    if (found !== undefined) return { tree, assertion: found }
  }
  throw new Error('The message has no assertion')
}

/** The message in the answer's body, as the unsigned body of ours. */
function body(answer: Buffer): string {
  const text = answer.toString('utf8')
  return text.slice(text.indexOf('<ns5:AdhocQueryResponse'), text.indexOf('</soap:Body>'))
}
