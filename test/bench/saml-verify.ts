import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { homeCommunityId } from '../../src/core/model/identifiers.ts'
import { authorities } from '../../src/core/model/patient.ts'
import { samlIssuer } from '../../src/trust/issue-saml.ts'
import { certificatesOf } from '../../src/trust/trust-store.ts'
import { verifyAssertion } from '../../src/trust/verify-saml.ts'
import { samlNames } from '../../src/wire/saml.ts'
import { encodeEnvelope } from '../../src/wire/soap.ts'
import { defaultXmlLimits, type Node, readTree, type XmlTree } from '../../src/wire/xml.ts'
import { certificates } from '../support/gateway-config.ts'
import { findDocumentsAnswer } from './find-documents-answer.ts'
import { interleaved, type Measurement, rssMb, seconds } from './measurement.ts'

const clock = { now: () => Date.now() }

/** Verifications per second of an assertion before a 7 MB unsigned body, against the same in a 12 kB message. */
export async function samlVerify7mb(): Promise<Measurement> {
  const large = message(body(findDocumentsAnswer(1000)))
  const small = message('<x:Body xmlns:x="urn:x"/>')
  const { value, floor } = await interleaved(
    9,
    () => rate(large),
    () => rate(small),
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

const parties = () => [
  {
    community: homeCommunityId('urn:oid:2.16.840.1.113883.2.9.2.90'),
    issuers: ['090'],
    anchors: certificatesOf(readFileSync(join(certificates, 'signing-ca.pem'), 'utf8')),
    signers: [/^S[0-9]+#090#/],
  },
]

interface Signed {
  readonly tree: XmlTree
  readonly assertion: Node
}

function message(content: string): Signed {
  const file = (name: string) => readFileSync(join(certificates, 'portal', name), 'utf8')
  const issuer = samlIssuer(
    { certificate: file('signing.crt.pem'), key: file('signing.key.pem') },
    { issuer: '090', lifetimeMs: 3_600_000, clock },
  )
  const assertion = issuer.issue({
    subject: 'PROVAY00X00X000Z^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
    role: 'AAS',
    purposeOfUse: 'TREATMENT',
    action: 'READ',
    organization: '090',
    patientId: { value: 'PROVAX00X00X000Y', authority: authorities.codiceFiscale },
  })
  const xml = encodeEnvelope({ action: 'urn:x', messageId: 'urn:uuid:x', assertion }, content)
  const tree = readTree(Buffer.from(xml), { ...defaultXmlLimits, maxBytes: 64e6 })
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

const options = { clock, clockSkewMs: 0 }

async function rate({ tree, assertion }: Signed): Promise<number> {
  const verifier = { ...options, parties: believed }
  const times = 1_000
  const time = await seconds(() => {
    for (let index = 0; index < times; index++) verifyAssertion(tree, assertion, verifier)
  })
  return times / time
}

const believed = parties()
