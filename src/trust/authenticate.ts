import { GatewayError } from '../core/errors.ts'
import type { Assertion, Peer } from '../core/model/call.ts'
import type { Clock } from '../core/ports.ts'
import { samlNames } from '../wire/saml.ts'
import { type Envelope, soapNames } from '../wire/soap.ts'
import type { Party } from './parties.ts'
import type { TrustedIssuer } from './trust-store.ts'
import { verifyAssertion } from './verify-saml.ts'

/**
 * Finds the one assertion in the security header and verifies it for who presents it: a party brings assertions of its
 * own, INI also those of the regions. Throws `assertion-missing` or `assertion-invalid`; the reason goes to the log.
 */
export function authenticator(
  parties: readonly Party[],
  time: { readonly clock: Clock; readonly clockSkewMs: number },
) {
  const issuersFor = ({ name }: Peer): readonly TrustedIssuer[] => {
    const presenter = parties.find((party) => party.name === name)
    const believed = presenter?.forwards === true ? parties.filter(({ consumer }) => !consumer) : [presenter]
    return believed.flatMap((party) => party?.assertions ?? [])
  }
  return ({ tree, headers }: Envelope, peer: Peer): Assertion => {
    const security = headers.filter((node) => tree.is(node, soapNames.wsse, 'Security'))
    const [header] = security
    if (header === undefined) throw missing('The message has no security header')
    if (security.length > 1) throw invalid('several-security-headers')
    const [assertion, ...others] = tree.children(header, samlNames.saml, 'Assertion')
    if (assertion === undefined) throw missing('The security header has no assertion')
    if (others.length > 0) throw invalid('several-assertions')
    return verifyAssertion(tree, assertion, { parties: issuersFor(peer), ...time })
  }
}

function missing(message: string): GatewayError {
  return new GatewayError('assertion-missing', message)
}

function invalid(reason: string): GatewayError {
  return new GatewayError('assertion-invalid', 'The assertion is not accepted', { details: { reason } })
}
