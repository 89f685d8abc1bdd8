import type { Assertion, KnownAs, Peer } from '../core/model/call.ts'
import type { HomeCommunityId } from '../core/model/identifiers.ts'
import { authorities, patientId, samePatientId } from '../core/model/patient.ts'
import type { Clock, ReplayMemory, Use } from '../core/ports.ts'
import { messageIdOf } from '../wire/addressing.ts'
import type { Identification } from '../wire/saml/ini.ts'
import { samlNames } from '../wire/saml/names.ts'
import { type Envelope, soapNames } from '../wire/soap.ts'
import type { Node, XmlTree } from '../wire/xml.ts'
import { onlyChild } from '../wire/xml-child.ts'
import type { SignatureCheck } from './algorithms.ts'
import type { Party } from './parties.ts'
import { refused } from './refusal.ts'
import { requireNew, useKey } from './replay.ts'
import type { TrustedIssuer } from './saml/trusted-issuer.ts'
import { type VerifySaml, verifyAssertion, verifyIdentification } from './saml/verify-saml.ts'
import { verifyMessage } from './soap/verify-message.ts'

/** What authentication needs besides the parties. */
export interface AuthenticationParts {
  readonly clock: Clock
  readonly clockSkewMs: number
  readonly check: SignatureCheck
  readonly replay: ReplayMemory
  /** Names by which we are addressed in assertions. */
  readonly audiences: readonly string[]
  /** The home of an organization code, for the region of assistance. */
  readonly homeOf: (organizationCode: string) => HomeCommunityId | undefined
}

/** Finds and verifies who asks. `presenter` is the certificate of the connection, DER. */
export type Authenticate = (envelope: Envelope, peer: Peer, presenter?: Uint8Array) => Promise<Assertion>

/**
 * Finds the attribute assertion in the security header and verifies it for who presents it: a party brings assertions of
 * its own, INI also those of the regions, and with them what the national registry knows of the citizen. A party that signs
 * its messages must have signed this one. The message must be new and the presenter of an assertion always the same. Throws `assertion-missing` or `assertion-invalid`.
 */
export function authenticator(parties: readonly Party[], parts: AuthenticationParts): Authenticate {
  return async (envelope, peer, presenter) => {
    const party = parties.find(({ name }) => name === peer.name)
    const issuers = issuersFor(party, parties)
    const found = assertionsIn(envelope, party?.identification)
    const options: Omit<VerifySaml, 'issuers'> = {
      now: parts.clock.now(),
      skewMs: parts.clockSkewMs,
      audiences: parts.audiences,
      check: parts.check,
      ...(presenter === undefined ? {} : { presenter }),
    }
    const assertion = verifyAssertion(envelope.tree, found.attribute, { ...options, issuers })
    const known = identified(envelope.tree, found.identification, { ...options, issuers: found.identifiers }, assertion)
    const issuer = issuers.find(({ issuers: names }) => names === undefined || names.includes(assertion.issuer))
    const signed = party?.message === undefined ? undefined : verifyMessage(envelope, { ...party.message, ...parts })
    const uses = usesOf(envelope, assertion, { peer, party, issuer }, parts.clockSkewMs)
    await requireNew(parts.replay, [...uses, ...(signed?.uses ?? [])])
    return known === undefined ? assertion : { ...assertion, patientKnownAs: knownAs(known, parts.homeOf) }
  }
}

function issuersFor(presenter: Party | undefined, parties: readonly Party[]): readonly TrustedIssuer[] {
  const believed = presenter?.forwards === true ? parties.filter(({ consumer }) => !consumer) : [presenter]
  return believed.flatMap((party) => party?.assertions ?? [])
}

interface Found {
  readonly attribute: Node
  readonly identification?: Node
  readonly identifiers: readonly TrustedIssuer[]
}

/** The assertions of the one security header: an attribute assertion, and an identification where one may come along. */
export function assertionsIn({ tree, headers }: Envelope, identification: TrustedIssuer | undefined): Found {
  const security = headers.filter((node) => tree.is(node, soapNames.wsse, 'Security'))
  const [header, ...otherHeaders] = security
  if (header === undefined) throw refused('missing', 'no-security-header')
  if (otherHeaders.length > 0) throw refused('header', 'several-security-headers')
  const assertions = tree.children(header, samlNames.saml, 'Assertion')
  const identifying = (node: Node) => identification?.issuers?.includes(issuerOf(tree, node)) === true
  const [attribute, ...others] = assertions.filter((node) => !identifying(node))
  const [second, ...more] = assertions.filter(identifying)
  if (attribute === undefined) throw refused('missing', 'no-assertion')
  if (others.length > 0 || more.length > 0) throw refused('header', 'several-assertions')
  if (second === undefined) return { attribute, identifiers: [] }
  return { attribute, identification: second, identifiers: identification === undefined ? [] : [identification] }
}

function issuerOf(tree: XmlTree, assertion: Node): string {
  const issuer = onlyChild(tree, assertion, samlNames.saml, 'Issuer')
  return issuer < 0 ? '' : tree.text(issuer).trim()
}

/** What the registry vouches for; it must be about the patient of the attribute assertion. */
function identified(
  tree: XmlTree,
  node: Node | undefined,
  options: VerifySaml,
  { patientId: patient }: Assertion,
): Identification | undefined {
  if (node === undefined) return undefined
  const { identification } = verifyIdentification(tree, node, options)
  requireSamePatient(identification, patient)
  return identification
}

/** The registry speaks of the patient of the attribute assertion, or of nobody. Throws Refusal. */
export function requireSamePatient({ codes }: Pick<Identification, 'codes'>, patient: Assertion['patientId']): void {
  const about =
    patient !== undefined &&
    codes.some(({ value }) => samePatientId({ value, authority: authorities.codiceFiscale }, patient))
  if (!about) throw refused('coherence', 'identification-is-about-another-patient')
}

/** The identifiers that are valid; a code the registry holds and nobody can have is no reason to refuse the rest. */
function knownAs({ codes, regions }: Identification, homeOf: AuthenticationParts['homeOf']): KnownAs {
  const identifiers = codes.flatMap(({ value }) => {
    try {
      return [patientId(value, authorities.codiceFiscale)]
    } catch {
      return []
    }
  })
  const current = regions.filter((region) => region.current)
  const [region] = current
  const assistedBy = region === undefined || current.length > 1 ? undefined : homeOf(region.code)
  return { identifiers, ...(assistedBy === undefined ? {} : { assistedBy }) }
}

/**
 * What must be new: the message of this presenter, and the assertion for any other presenter or altogether. Who forwards
 * the messages of others repeats them to the letter when it loses patience (ini.md §6.2 no. 5): whatever it asks for bears
 * being asked for again, and nobody else can present what it did.
 */
function usesOf(
  envelope: Envelope,
  assertion: Assertion,
  {
    peer,
    party,
    issuer,
  }: { readonly peer: Peer; readonly party?: Party | undefined; readonly issuer?: TrustedIssuer | undefined },
  skewMs: number,
): readonly Use[] {
  const presenter = peer.name ?? peer.fingerprint
  const until = assertion.validUntil + skewMs
  const id = useKey('assertion', `${assertion.community} ${assertion.issuer}`, assertion.id)
  if (issuer?.replay === 'once') return [{ key: id, until }]
  if (party?.forwards === true) return [{ key: id, presenter, until }]
  const messageId = messageIdOf(envelope)
  if (messageId === undefined) throw refused('replay', 'message-without-id')
  return [
    { key: useKey('message', presenter, messageId), until },
    { key: id, presenter, until },
  ]
}
