import { X509Certificate } from 'node:crypto'
import type { Peer } from '../core/model/call.ts'
import type { HomeCommunityId } from '../core/model/identifiers.ts'
import type { TrustedIssuer } from './saml/trusted-issuer.ts'
import type { MessageRules } from './soap/verify-message.ts'
import { commonNameOf, factsOf } from './x509/certificate.ts'
import { distrust, type TrustAnchors } from './x509/chain.ts'

/** A party of the configuration: how it is recognised on a connection, and whose signature it brings. */
export interface Party {
  readonly name: string
  /** Absent for who belongs to no community. */
  readonly home?: HomeCommunityId
  /** A member of our own affinity domain, whose assertions nobody else may hand on. */
  readonly consumer: boolean
  /** INI hands on assertions of the regions it speaks for; everybody else brings their own. */
  readonly forwards: boolean
  readonly callers: TrustedCallers | undefined
  readonly assertions: TrustedIssuer | undefined
  /** Who vouches for the identifiers of a citizen: the registry behind INI (`ANA`; ini.md §2.5). */
  readonly identification?: TrustedIssuer
  /** How its messages must be signed, beyond the assertion in them. */
  readonly message?: MessageDemands
}

/** The ModI signature a party's messages must bear; time and memory are the authenticator's. */
export type MessageDemands = Omit<MessageRules, 'clock' | 'clockSkewMs' | 'check'>

/** Whose certificates on a connection are this party's. */
export interface TrustedCallers {
  readonly trust: TrustAnchors
  /** Patterns of the common name. */
  readonly names: readonly RegExp[]
  /** Patterns of alternative names: DNS, URI, e-mail. */
  readonly alternativeNames?: readonly RegExp[]
  /** Certificate policies, one at least (`1.3.76.29.1.10`; ini.md §5.4). Absent, any. */
  readonly policies?: readonly string[]
}

/** What a connection's certificate says. */
export interface Presented {
  readonly subject: string
  readonly fingerprint: string
  readonly raw: Uint8Array
  /** Certificates that came along with it. */
  readonly supplied?: readonly X509Certificate[]
}

interface Known {
  readonly certificate: X509Certificate
  readonly supplied: readonly X509Certificate[]
}

/** How many certificates of connections are remembered as read; then it begins anew. */
const remembered = 1_024

/**
 * Recognises the presenter of a certificate: the common or an alternative name must be one of a party's, and the certificate must be issued by that
 * party's own authorities and not be revoked. Transport security has accepted anybody whom the authorities of any party
 * vouch for. Why a certificate that bears a party's name was not accepted goes to `onDistrust`.
 */
export function identifier(
  parties: readonly Party[],
  now: () => number,
  onDistrust: (party: string, reason: string) => void = () => {},
): (certificate: Presented) => Peer {
  const known = new Map<string, Known>()
  const read = (raw: Uint8Array, fingerprint: string, supplied: readonly X509Certificate[]): Known => {
    const before = known.get(fingerprint)
    // A resumed session brings no chain: what came along with the first handshake still does.
    if (before !== undefined && supplied.length === 0) return before
    const present = { certificate: before?.certificate ?? new X509Certificate(raw), supplied }
    if (known.size >= remembered) known.clear()
    known.set(fingerprint, present)
    return present
  }
  return ({ subject, fingerprint, raw, ...presented }) => {
    const stranger: Peer = { subject, fingerprint }
    const { certificate, supplied } = read(raw, fingerprint, presented.supplied ?? [])
    const matching = parties.filter(({ name, callers }) => {
      if (callers === undefined || !bearsName(certificate, callers)) return false
      const { policies } = callers
      const demands = { use: 'client', ...(policies === undefined ? {} : { policies }) } as const
      const reason = distrust(certificate, supplied, callers.trust, demands, now())
      if (reason !== undefined) onDistrust(name, reason)
      return reason === undefined
    })
    const [party] = matching
    // A certificate that fits two parties tells neither.
    if (party === undefined || matching.length > 1) return stranger
    return { ...stranger, name: party.name, ...(party.home === undefined ? {} : { home: party.home }) }
  }
}

function bearsName(certificate: X509Certificate, { names, alternativeNames = [] }: TrustedCallers): boolean {
  const name = commonNameOf(certificate)
  if (name !== undefined && names.some((pattern) => pattern.test(name))) return true
  if (alternativeNames.length === 0) return false
  const alternatives = alternativesOf(certificate)
  return alternativeNames.some((pattern) => alternatives.some((one) => pattern.test(one)))
}

function alternativesOf(certificate: X509Certificate): readonly string[] {
  try {
    const { dns, uri, email } = factsOf(certificate).alternativeNames
    return [...dns, ...uri, ...email]
  } catch {
    // What cannot be read bears no name.
    return []
  }
}
