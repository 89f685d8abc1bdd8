import { hash, type KeyObject, timingSafeEqual } from 'node:crypto'
import { type CanonicalOptions, withCanonicalBytes } from '../wire/c14n.ts'
import { NONE, type Node, XmlError, type XmlTree } from '../wire/xml.ts'
import { onlyChild } from '../wire/xml-child.ts'
import { digestMethods, dsigNames, type HashName, signatureMethods } from '../wire/xml-signature.ts'
import type { SignatureAlgorithm, SignatureCheck } from './algorithms.ts'
import { refused } from './refusal.ts'

/** What an XML signature may be made of. */
export interface SignatureRules {
  /** RSA with SHA-1 and SHA-1 digests, for peers that have nothing better. */
  readonly sha1: boolean
  /** How many elements it may cover. */
  readonly maxReferences: number
}

/** One reference of a signature, as written. */
export interface Reference {
  readonly uri: string
  /** Whether the signature stands inside the element it covers and is left out of the digest. */
  readonly enveloped: boolean
  readonly hash: HashName
  readonly digest: Buffer
  readonly inclusivePrefixes: readonly string[]
}

/** A signature taken apart, before anybody believes it. Nodes belong to the tree it was read from. */
export interface XmlSignature {
  readonly node: Node
  readonly algorithm: SignatureAlgorithm
  readonly signedInfo: Node
  readonly inclusivePrefixes: readonly string[]
  readonly value: Buffer
  readonly references: readonly Reference[]
  /** NONE when there is none. */
  readonly keyInfo: Node
}

/**
 * Takes a `ds:Signature` apart: one SignedInfo, exclusive canonicalization, algorithms of the list, of each reference the
 * transforms enveloped-signature (or not) and exclusive canonicalization, in that order, and nothing else. Throws Refusal.
 */
export function readSignature(tree: XmlTree, signature: Node, rules: SignatureRules): XmlSignature {
  const { ds } = dsigNames
  const signedInfo = onlyChild(tree, signature, ds, 'SignedInfo')
  if (signedInfo === NONE) throw refused('signature', 'not-exactly-one-SignedInfo')
  const method = methodOf(tree, signedInfo, 'CanonicalizationMethod')
  if (tree.attribute(method, 'Algorithm') !== dsigNames.exclusiveC14n) {
    throw refused('signature', 'c14n-not-allowed')
  }
  const algorithm = signatureMethods.get(algorithmOf(tree, signedInfo, 'SignatureMethod'))
  if (algorithm === undefined || (algorithm === 'RS1' && !rules.sha1)) {
    throw refused('signature', 'SignatureMethod-not-allowed')
  }
  const references = tree.children(signedInfo, ds, 'Reference')
  if (references.length === 0) throw refused('signature', 'no-reference')
  if (references.length > rules.maxReferences) throw refused('signature', 'too-many-references')
  // CanonicalizationMethod, SignatureMethod and the references are all that a SignedInfo may hold.
  if (tree.children(signedInfo).length !== references.length + 2) throw refused('signature', 'unexpected-SignedInfo')
  return {
    node: signature,
    algorithm,
    signedInfo,
    inclusivePrefixes: inclusiveOf(tree, method),
    value: base64Of(tree, signature, 'SignatureValue'),
    references: references.map((reference) => referenceOf(tree, reference, rules)),
    keyInfo: onlyChild(tree, signature, ds, 'KeyInfo'),
  }
}

function referenceOf(tree: XmlTree, reference: Node, rules: SignatureRules): Reference {
  const uri = tree.attribute(reference, 'URI')
  if (uri === undefined || !/^#[^#\s()'"]+$/.test(uri)) throw refused('signature', 'reference-to-elsewhere')
  const digestMethod = digestMethods.get(algorithmOf(tree, reference, 'DigestMethod'))
  if (digestMethod === undefined || (digestMethod === 'sha1' && !rules.sha1))
    throw refused('signature', 'DigestMethod-not-allowed')
  const transforms = onlyChild(tree, reference, dsigNames.ds, 'Transforms')
  const steps = transforms === NONE ? [] : tree.children(transforms)
  const exclusive = steps.at(-1)
  const enveloped = steps.length === 2
  if (exclusive === undefined || steps.length > 2) throw refused('signature', 'unexpected-transforms')
  const algorithms = steps.map((step) => tree.is(step, dsigNames.ds, 'Transform') && tree.attribute(step, 'Algorithm'))
  if (algorithms.at(-1) !== dsigNames.exclusiveC14n || (enveloped && algorithms[0] !== dsigNames.enveloped)) {
    throw refused('signature', 'unexpected-transforms')
  }
  if (enveloped && tree.first(steps[0] ?? NONE) !== NONE) throw refused('signature', 'unexpected-transforms')
  const digest = base64Of(tree, reference, 'DigestValue')
  return { uri, enveloped, hash: digestMethod, digest, inclusivePrefixes: inclusiveOf(tree, exclusive) }
}

/**
 * Throws Refusal unless the element, without `omit`, is what the reference was made over. Returns the SHA-256 of its
 * canonical bytes, whatever the reference's own hash.
 */
export function requireDigest(tree: XmlTree, node: Node, reference: Reference, omit?: Node): Buffer {
  const { inclusivePrefixes, digest } = reference
  const options = omit === undefined ? { inclusivePrefixes } : { inclusivePrefixes, omit }
  return canonical(tree, node, options, (bytes) => {
    const actual = hash(reference.hash, bytes, 'buffer')
    if (actual.length !== digest.length || !timingSafeEqual(actual, digest))
      throw refused('signature', 'digest-differs')
    return reference.hash === 'sha256' ? actual : hash('sha256', bytes, 'buffer')
  })
}

/** Throws Refusal unless the key made the signature over its SignedInfo. Says nothing of what is referred to. */
export function requireSignature(tree: XmlTree, signature: XmlSignature, key: KeyObject, check: SignatureCheck): void {
  const { algorithm, signedInfo, inclusivePrefixes, value } = signature
  const holds = canonical(tree, signedInfo, { inclusivePrefixes }, (signed) => check(algorithm, signed, key, value))
  if (!holds) throw refused('signature', 'signature-does-not-hold')
}

/** The canonical bytes hold as long as they are used. */
function canonical<T>(tree: XmlTree, node: Node, options: CanonicalOptions, use: (bytes: Buffer) => T): T {
  try {
    return withCanonicalBytes(tree, node, options, use)
  } catch (error) {
    if (error instanceof XmlError) throw refused('signature', 'c14n-failed', error)
    throw error
  }
}

function methodOf(tree: XmlTree, parent: Node, local: string): Node {
  const method = onlyChild(tree, parent, dsigNames.ds, local)
  if (method === NONE) {
    throw refused('signature', local === 'CanonicalizationMethod' ? 'c14n-not-allowed' : `${local}-not-allowed`)
  }
  return method
}

function algorithmOf(tree: XmlTree, parent: Node, local: string): string {
  const method = methodOf(tree, parent, local)
  // Parameters (an HMAC length, a PSS digest) would change what the identifier promises.
  if (tree.first(method) !== NONE) throw refused('signature', `${local}-not-allowed`)
  return tree.attribute(method, 'Algorithm') ?? ''
}

function inclusiveOf(tree: XmlTree, method: Node): readonly string[] {
  const children = tree.children(method)
  const [list] = children
  if (list === undefined) return []
  if (children.length !== 1 || !tree.is(list, dsigNames.exclusiveC14n, 'InclusiveNamespaces')) {
    throw refused('signature', 'unexpected-c14n-parameters')
  }
  const prefixes = (tree.attribute(list, 'PrefixList') ?? '').split(/[ \t\r\n]+/).filter((prefix) => prefix !== '')
  if (prefixes.length > 16) throw refused('signature', 'too-many-inclusive-prefixes')
  return prefixes
}

function base64Of(tree: XmlTree, parent: Node, local: string): Buffer {
  const node = onlyChild(tree, parent, dsigNames.ds, local)
  // A comment changes nothing for us and once did for others: two readers might see two values.
  if (node === NONE || !tree.isPlain(node)) throw refused('signature', `${local}-malformed`)
  const text = tree.text(node).replace(/[ \t\r\n]/g, '')
  if (text.length > 2_048 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw refused('signature', `${local}-malformed`)
  return Buffer.from(text, 'base64')
}
