import { NONE, type Node, type XmlTree } from '../xml.ts'
import { onlyChild } from '../xml-child.ts'
import { dsigNames } from '../xml-signature.ts'
import { samlNames } from './names.ts'

/** How a subject is to be confirmed (SAML 2.0 Core §2.4.1.1). */
export interface Confirmation {
  readonly method: string
  readonly notBefore?: string
  readonly notOnOrAfter?: string
  readonly recipient?: string
  /** Certificates of holder-of-key, base64 as written. */
  readonly certificates: readonly string[]
}

export interface AuthnStatement {
  readonly instant: string
  readonly sessionNotOnOrAfter?: string
  readonly classRefs: readonly string[]
  readonly declRefs: readonly string[]
  readonly contexts: number
}

/** What an assertion says, before anybody believes it. Instants are as written; texts are trimmed. */
export interface ReadAssertion {
  readonly id: string
  readonly issuer: string
  readonly issueInstant: string
  /** NameID. */
  readonly subject: string
  readonly confirmations: readonly Confirmation[]
  readonly notBefore?: string
  readonly notOnOrAfter?: string
  /** Each restriction on its own: one audience of every one must be met. */
  readonly audiences: readonly (readonly string[])[]
  readonly oneTimeUse: boolean
  /** Reads the statements of authentication; not every profile looks at them. */
  readonly authn: () => readonly AuthnStatement[]
  /** The AttributeValue elements by attribute name. */
  readonly attributes: ReadonlyMap<string, readonly Node[]>
}

/** Far more than any profile has; reading goes before the signature, so that a stranger pays for it. */
const mostAttributes = 256
const mostParts = 64

/** Conditions anybody may make; one that is not understood makes an assertion void (SAML 2.0 Core §2.5.1.1). */
const knownConditions = new Set(['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction'])

/**
 * Reads an assertion element (SAML 2.0 Core §2.3.3). Answers a word when its shape is not that of an assertion about one
 * subject; nothing is defaulted. What it reads is only as good as the signature over that very element.
 */
export function readAssertion(tree: XmlTree, assertion: Node): ReadAssertion | string {
  const { saml } = samlNames
  if (!tree.is(assertion, saml, 'Assertion')) return 'not-a-SAML-2-0-assertion'
  if (tree.attribute(assertion, 'Version') !== '2.0') return 'not-a-SAML-2-0-assertion'
  const id = tree.attribute(assertion, 'ID')
  const issueInstant = tree.attribute(assertion, 'IssueInstant')
  if (id === undefined || id === '' || issueInstant === undefined) return 'assertion-without-id-or-instant'
  const parts = partsOf(tree, assertion)
  if (parts === undefined) return 'too-many-parts'
  const [issuer = NONE, secondIssuer] = parts.Issuer
  const issuerText = issuer === NONE || secondIssuer !== undefined ? '' : textOf(tree, issuer)
  if (issuerText === '') return 'missing-issuer'
  const [subject = NONE, secondSubject] = parts.Subject
  const nameId = subject === NONE || secondSubject !== undefined ? NONE : onlyChild(tree, subject, saml, 'NameID')
  const subjectText = nameId === NONE ? '' : textOf(tree, nameId)
  if (subjectText === '') return 'missing-subject'
  const [conditions = NONE, secondConditions] = parts.Conditions
  if (secondConditions !== undefined) return 'several-conditions'
  const restrictions = conditions === NONE ? [] : tree.children(conditions)
  if (restrictions.some((one) => tree.namespace(one) !== saml || !knownConditions.has(tree.local(one)))) {
    return 'condition-not-understood'
  }
  if (tree.children(subject).length > mostParts || restrictions.length > mostParts) return 'too-many-parts'
  const attributes = attributesOf(tree, parts.AttributeStatement)
  if (typeof attributes === 'string') return attributes
  return {
    id,
    issuer: issuerText,
    issueInstant,
    subject: subjectText,
    confirmations: tree.children(subject, saml, 'SubjectConfirmation').map((one) => confirmationOf(tree, one)),
    ...written(tree, conditions, 'NotBefore', 'notBefore'),
    ...written(tree, conditions, 'NotOnOrAfter', 'notOnOrAfter'),
    audiences: restrictions
      .filter((one) => tree.local(one) === 'AudienceRestriction')
      .map((one) => tree.children(one, saml, 'Audience').map((audience) => textOf(tree, audience))),
    oneTimeUse: restrictions.some((one) => tree.local(one) === 'OneTimeUse'),
    authn: () => parts.AuthnStatement.map((one) => authnOf(tree, one)),
    attributes,
  }
}

type Parts = Record<'Issuer' | 'Subject' | 'Conditions' | 'AuthnStatement' | 'AttributeStatement', Node[]>

/** The children that have a name of SAML, in one pass; undefined when there are more than any assertion has. */
function partsOf(tree: XmlTree, assertion: Node): Parts | undefined {
  const parts: Parts = { Issuer: [], Subject: [], Conditions: [], AuthnStatement: [], AttributeStatement: [] }
  let count = 0
  for (let child = tree.first(assertion); child !== NONE; child = tree.next(child)) {
    if (++count > mostParts) return undefined
    const local = tree.local(child)
    if (Object.hasOwn(parts, local) && tree.namespace(child) === samlNames.saml) parts[local as keyof Parts].push(child)
  }
  return parts
}

function textOf(tree: XmlTree, node: Node): string {
  return tree.text(node).trim()
}

function written<Name extends string>(tree: XmlTree, node: Node, local: string, name: Name): { [N in Name]?: string } {
  const value = node === NONE ? undefined : tree.attribute(node, local)
  return value === undefined ? {} : ({ [name]: value } as { [N in Name]?: string })
}

function confirmationOf(tree: XmlTree, confirmation: Node): Confirmation {
  const data = onlyChild(tree, confirmation, samlNames.saml, 'SubjectConfirmationData')
  const { ds } = dsigNames
  const keys = data === NONE ? [] : tree.children(data, ds, 'KeyInfo')
  const x509 = keys.flatMap((key) => tree.children(key, ds, 'X509Data'))
  return {
    method: tree.attribute(confirmation, 'Method') ?? '',
    ...written(tree, data, 'NotBefore', 'notBefore'),
    ...written(tree, data, 'NotOnOrAfter', 'notOnOrAfter'),
    ...written(tree, data, 'Recipient', 'recipient'),
    certificates: x509.flatMap((one) => tree.children(one, ds, 'X509Certificate').map((node) => textOf(tree, node))),
  }
}

function authnOf(tree: XmlTree, statement: Node): AuthnStatement {
  const { saml } = samlNames
  const contexts = tree.children(statement, saml, 'AuthnContext')
  const refs = (local: string) =>
    contexts.flatMap((context) => tree.children(context, saml, local).map((node) => textOf(tree, node)))
  return {
    instant: tree.attribute(statement, 'AuthnInstant') ?? '',
    ...written(tree, statement, 'SessionNotOnOrAfter', 'sessionNotOnOrAfter'),
    classRefs: refs('AuthnContextClassRef'),
    declRefs: refs('AuthnContextDeclRef'),
    contexts: contexts.length,
  }
}

function attributesOf(tree: XmlTree, statements: readonly Node[]): ReadonlyMap<string, readonly Node[]> | string {
  const { saml } = samlNames
  const attributes = new Map<string, Node[]>()
  let count = 0
  for (const statement of statements) {
    for (let attribute = tree.first(statement); attribute !== NONE; attribute = tree.next(attribute)) {
      if (!tree.is(attribute, saml, 'Attribute')) continue
      const name = tree.attribute(attribute, 'Name')
      if (name === undefined || name === '') return 'attribute-without-name'
      if (++count > mostAttributes) return 'too-many-attributes'
      const values = tree.children(attribute, saml, 'AttributeValue')
      const before = attributes.get(name)
      if (before === undefined) attributes.set(name, values)
      else before.push(...values)
    }
  }
  return attributes
}

/** The text of an AttributeValue; undefined when it is structured: the text around its elements would be invented. */
export function plainValue(tree: XmlTree, value: Node): string | undefined {
  return tree.first(value) === NONE ? textOf(tree, value) : undefined
}
