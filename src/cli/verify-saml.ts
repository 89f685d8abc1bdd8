import type { GatewayError } from '../core/errors.ts'
import type { Assertion } from '../core/model/call.ts'
import { homeCommunityId } from '../core/model/identifiers.ts'
import { understands } from '../http/soap/endpoint.ts'
import { policyFaultOf, securitySubcode } from '../http/soap/policy-fault.ts'
import { signatureHolds } from '../trust/algorithms.ts'
import { assertionsIn, requireSamePatient } from '../trust/authenticate.ts'
import type { SamlProfile, TrustedIssuer } from '../trust/saml/trusted-issuer.ts'
import { type VerifySaml, verifyAssertion, verifyIdentification, verifySistemaTs } from '../trust/saml/verify-saml.ts'
import { identificationAttributes } from '../wire/saml/ini.ts'
import { samlNames } from '../wire/saml/names.ts'
import { openEnvelope } from '../wire/soap.ts'
import { defaultXmlLimits, type Node, readTree, type XmlTree } from '../wire/xml.ts'
import { instantOf, millisecondsOf, oneOf, optionsOf } from './arguments.ts'
import { CliError } from './exit.ts'
import { largestInput } from './input.ts'
import { profileOf, readToTell, statedBy } from './saml-reading.ts'
import { anchorsFrom, certificatesFrom } from './trust-files.ts'
import { accepted, isoOf, type Judge, kindOf, type Verdict, verdictOn } from './verdict.ts'

const options = {
  trust: { type: 'string', multiple: true, default: [] as string[] },
  crl: { type: 'string', multiple: true, default: [] as string[] },
  at: { type: 'string' },
  audience: { type: 'string', multiple: true },
  profile: { type: 'string' },
  presenter: { type: 'string' },
  skew: { type: 'string', default: '60' },
  'allow-sha1': { type: 'boolean', default: false },
  lenient: { type: 'boolean', default: false },
} as const

const profiles: readonly SamlProfile[] = ['ini', 'xua', 'sistema-ts']

/** Who vouches for the identifiers of a citizen (ini.md §2.5). */
const registry = 'ANA'

/** What an assertion is judged by. */
interface Rules {
  /** Undefined, told from the assertion. */
  readonly profile: SamlProfile | undefined
  readonly issuer: Omit<TrustedIssuer, 'profile'>
  readonly circumstances: Omit<VerifySaml, 'issuers'>
}

/** Judges the assertions of a SOAP message, or one assertion by itself. Throws CliError for wrong arguments. */
export async function samlJudge(args: readonly string[]): Promise<Judge> {
  const values = optionsOf(args, options, ['trust', 'crl', 'audience'])
  const { audience, presenter, profile, trust } = values
  if (trust.length === 0) throw new CliError('usage', '--trust is needed: the certificates that are believed, in PEM')
  const [own] = presenter === undefined ? [] : certificatesFrom('presenter', [presenter])
  const rules: Rules = {
    profile: profile === undefined ? undefined : oneOf('profile', profile, profiles),
    issuer: {
      // Nobody's: what it would be compared with is not asked about.
      community: homeCommunityId('urn:oid:0.0'),
      trust: await anchorsFrom(trust, values.crl),
      sha1: values['allow-sha1'],
      replay: 'message',
      // What only some communities state is asked for when INI's profile is, not when the shape alone tells.
      mandatory: values.lenient || values.profile !== 'ini' ? [] : ['document-types', 'application'],
    },
    circumstances: {
      now: instantOf(values.at),
      skewMs: millisecondsOf('skew', values.skew),
      check: signatureHolds,
      ...(audience === undefined ? {} : { audiences: audience }),
      ...(own === undefined ? {} : { presenter: own.raw }),
    },
  }
  return (input) => judge(input, rules)
}

async function judge(input: Buffer, rules: Rules): Promise<Verdict> {
  let dialect = rules.profile ?? 'ini'
  let read: Verdict['read'] = {}
  try {
    const tree = readTree(input, { ...defaultXmlLimits, maxBytes: largestInput })
    const { attribute, identification } = found(tree, rules)
    if (attribute === undefined) {
      read = statedBy(tree, identification, readToTell(tree, identification))
      return accepted({ ...read, ...identificationOf(tree, identification, rules) })
    }
    const stated = readToTell(tree, attribute)
    dialect = rules.profile ?? profileOf(stated)
    read = { profile: dialect, ...statedBy(tree, attribute, stated) }
    const { patientId, ...own } = verified(tree, attribute, dialect, rules)
    read = { ...read, ...own, ...(patientId === undefined ? {} : { patientId }) }
    if (identification === undefined) return accepted(read)
    const identified = identificationOf(tree, identification, rules)
    requireSamePatient(identified, patientId)
    return accepted({ ...read, identification: identified })
  } catch (error) {
    return verdictOn(error, await dialectOf(dialect), read)
  }
}

type Found =
  | { readonly attribute: Node; readonly identification: Node | undefined }
  | { readonly attribute: undefined; readonly identification: Node }

/** The assertions of a message as the gateway finds them, or the document when that is an assertion itself. */
function found(tree: XmlTree, { issuer }: Rules): Found {
  if (!tree.is(tree.root, samlNames.saml, 'Assertion')) {
    const envelope = openEnvelope(tree, understands)
    const { attribute, identification } = assertionsIn(envelope, identifierOf(issuer))
    return { attribute, identification }
  }
  const read = readToTell(tree, tree.root)
  const identifies =
    typeof read !== 'string' && read.issuer === registry && read.attributes.has(identificationAttributes.codes)
  return identifies
    ? { attribute: undefined, identification: tree.root }
    : { attribute: tree.root, identification: undefined }
}

function identifierOf(issuer: Rules['issuer']): TrustedIssuer {
  return { ...issuer, profile: 'ini', issuers: [registry], mandatory: [] }
}

/** What the gateway makes of an assertion of that profile. Throws Refusal. */
function verified(
  tree: XmlTree,
  node: Node,
  profile: SamlProfile,
  { issuer, circumstances }: Rules,
): Verdict['read'] & Pick<Assertion, 'patientId'> {
  const options = { ...circumstances, issuers: [{ ...issuer, profile }] }
  if (profile === 'sistema-ts') {
    const { authenticatedAt, digest, level, locality, mode, organization, signer, subject, validUntil } =
      verifySistemaTs(tree, node, options)
    const user = { subject, authenticatedAt, organization, locality, level, mode }
    return { ...user, signer, digest, validUntil: isoOf(validUntil) }
  }
  const { community: _nobodys, evidence, validUntil, ...said } = verifyAssertion(tree, node, options)
  return { ...said, digest: evidence.digest, validUntil: isoOf(validUntil) }
}

function identificationOf(tree: XmlTree, node: Node, { issuer, circumstances }: Rules) {
  const options = { ...circumstances, issuers: [identifierOf(issuer)] }
  const { digest, identification, signer, validUntil } = verifyIdentification(tree, node, options)
  return { ...identification, signer, digest, validUntil: isoOf(validUntil) }
}

/** With which code the gateway would answer a refusal to whoever brings assertions of that profile. */
async function dialectOf(profile: SamlProfile): Promise<(error: GatewayError) => string> {
  if (profile === 'xua') return (error) => securitySubcode(error) ?? kindOf(error)
  if (profile === 'sistema-ts') return kindOf
  const { federation } = await import('../config/federation.ts')
  const codes = federation.shape.gateway.shape.policyFaults.parse(undefined)
  return (error) => policyFaultOf(error, codes)?.code ?? kindOf(error)
}
