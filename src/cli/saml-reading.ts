import { Refusal } from '../trust/refusal.ts'
import type { SamlProfile } from '../trust/saml/trusted-issuer.ts'
import { presentedCertificate } from '../trust/x509/certificate.ts'
import { readSignature, type XmlSignature } from '../trust/xml-signature.ts'
import { plainValue, type ReadAssertion, readAssertion } from '../wire/saml/assertion-read.ts'
import { sistemaTsAttributes } from '../wire/saml/sistema-ts.ts'
import { readHL7Code } from '../wire/saml/xua.ts'
import { NONE, type Node, type XmlTree } from '../wire/xml.ts'
import { onlyChild } from '../wire/xml-child.ts'
import { dsigNames } from '../wire/xml-signature.ts'

/**
 * The profile an assertion seems to be of: nobody but Sistema TS asks when its users authenticated, and of the others only
 * XUA confirms subjects.
 */
export function profileOf(assertion: ReadAssertion | string): SamlProfile {
  if (typeof assertion === 'string') return 'ini'
  if (assertion.attributes.has(sistemaTsAttributes.authenticatedAt)) return 'sistema-ts'
  return assertion.confirmations.length > 0 ? 'xua' : 'ini'
}

/** How many attributes, or values of one, are told of. */
const most = 128

/** Far more than any assertion has, of attributes or of anything else in one place. */
const implausible = 4_096

/** Reads an assertion to tell of it. One that is out of all proportion is left to the verifier alone: reading takes time. */
export function readToTell(tree: XmlTree, assertion: Node): ReadAssertion | string {
  const parts = tree.children(assertion)
  const outsized = parts.length > implausible || parts.some((part) => tree.children(part).length > implausible)
  return outsized ? 'implausible' : readAssertion(tree, assertion)
}

/** What an assertion says of itself, believed or not; nothing when it has not the shape of one. */
export function statedBy(
  tree: XmlTree,
  node: Node,
  assertion: ReadAssertion | string,
): Readonly<Record<string, unknown>> {
  if (typeof assertion === 'string') return {}
  const { attributes, audiences, authn, confirmations, id, issueInstant, issuer, notBefore, notOnOrAfter, subject } =
    assertion
  const statements = authn()
  const { algorithm, certificate } = signatureOn(tree, node)
  return {
    id,
    issuer,
    subject,
    issueInstant,
    validity: { notBefore, notOnOrAfter },
    ...(audiences.length === 0 ? {} : { audiences }),
    ...(confirmations.length === 0 ? {} : { confirmations: confirmations.map(({ method }) => method) }),
    ...(statements.length === 0
      ? {}
      : { authentication: statements.flatMap((one) => [...one.classRefs, ...one.declRefs]) }),
    algorithm,
    certificate,
    attributes: toldOf(tree, attributes),
  }
}

function toldOf(tree: XmlTree, attributes: ReadAssertion['attributes']): Readonly<Record<string, unknown>> {
  const listed: [string, unknown][] = []
  for (const [name, values] of attributes) {
    if (listed.length === most) break
    listed.push([name, told(tree, values)])
  }
  return Object.fromEntries(listed)
}

function told(tree: XmlTree, values: readonly Node[]): unknown {
  const texts = values.slice(0, most).map((value) => plainValue(tree, value) ?? readHL7Code(tree, value) ?? null)
  return texts.length === 1 ? texts[0] : texts
}

/** By which algorithm an assertion is signed, and the certificate that came along. */
function signatureOn(tree: XmlTree, assertion: Node) {
  const node = onlyChild(tree, assertion, dsigNames.ds, 'Signature')
  const signature = node === NONE ? undefined : readable(tree, node)
  if (signature === undefined) return {}
  const { algorithm, keyInfo } = signature
  const data = keyInfo === NONE ? NONE : onlyChild(tree, keyInfo, dsigNames.ds, 'X509Data')
  const [element] = data === NONE ? [] : tree.children(data, dsigNames.ds, 'X509Certificate')
  const certificate = element === undefined ? undefined : presentedCertificate(tree.text(element), { folded: true })
  return { algorithm, certificate }
}

function readable(tree: XmlTree, signature: Node): XmlSignature | undefined {
  try {
    return readSignature(tree, signature, { sha1: true, maxReferences: 1 })
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
