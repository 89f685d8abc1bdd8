import type { GatewayError } from '../../core/errors.ts'
import type { Peer } from '../../core/model/call.ts'
import type { Clock } from '../../core/ports.ts'
import type { Fault } from '../../wire/soap.ts'
import { faultOf, soapErrors } from './error-table.ts'
import { iniFault, type PolicyFaultCodes } from './policy-fault.ts'

/** In whose words a peer is refused: INI's, or those of WS-Security and IHE XUA. */
export type RefusalDialect = 'ini' | 'wss' | 'xua'

/** How failures are told to each peer. */
export interface Refusals {
  /** Whether the failure of a known transaction is told by a fault, not by the transaction's own means. */
  readonly asFault: (error: GatewayError, peer: Peer) => boolean
  readonly faultOf: (error: GatewayError, peer: Peer) => ReturnType<typeof faultOf>
}

/**
 * Failures in the dialect of who is told. To IHE XUA an assertion that is sound and not enough is an application failure,
 * told by a RegistryError (ihe.md §1.13, `withauthzconsent`); everybody else is told by a fault.
 */
export function refusals(
  dialectOf: (peer: Peer) => RefusalDialect,
  parts: { readonly codes: PolicyFaultCodes; readonly clock: Clock },
): Refusals {
  return {
    asFault(error, peer) {
      if (error.code === 'access-denied') return dialectOf(peer) !== 'xua' || peer.name === undefined
      return soapErrors[error.code].as === 'fault'
    },
    faultOf(error, peer) {
      const own: Fault | undefined =
        dialectOf(peer) === 'ini' ? iniFault(error, parts.codes, parts.clock.now()) : undefined
      return own === undefined ? faultOf(error) : { fault: own }
    },
  }
}
