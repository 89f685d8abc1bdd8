import { X509Certificate } from 'node:crypto'
import type { Peer } from '../core/model/call.ts'
import type { HomeCommunityId } from '../core/model/identifiers.ts'
import type { TrustedIssuer } from './trust-store.ts'
import { isIssuedByAnchor } from './x509/issued.ts'

/** A party of the configuration: how it is recognised on a connection, and whose signature it brings. */
export interface Party {
  readonly name: string
  readonly home: HomeCommunityId
  /** A member of our own affinity domain, whose assertions nobody else may hand on. */
  readonly consumer: boolean
  /** INI hands on assertions of the regions it speaks for; everybody else brings their own. */
  readonly forwards: boolean
  readonly callers: { readonly anchors: readonly X509Certificate[]; readonly names: readonly RegExp[] } | undefined
  readonly assertions: TrustedIssuer | undefined
}

/** What a connection's certificate says. */
interface Presented {
  readonly commonName?: string
  readonly subject: string
  readonly fingerprint: string
  readonly raw: Buffer
}

/**
 * Recognises the presenter of a certificate: the name must be one of a party's, and the certificate must be issued by that
 * party's own authorities. Transport security has accepted anybody whom the authorities of any party vouch for.
 */
export function identifier(parties: readonly Party[]): (certificate: Presented) => Peer {
  return ({ commonName, subject, fingerprint, raw }) => {
    const stranger: Peer = { subject, fingerprint }
    if (commonName === undefined) return stranger
    const certificate = new X509Certificate(raw)
    const matching = parties.filter(({ callers }) => {
      return (
        callers?.names.some((pattern) => pattern.test(commonName)) === true &&
        isIssuedByAnchor(certificate, callers.anchors)
      )
    })
    const [party] = matching
    // A certificate that fits two parties tells neither.
    if (party === undefined || matching.length > 1) return stranger
    return { ...stranger, name: party.name, home: party.home }
  }
}
