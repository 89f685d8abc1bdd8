import { type RoutingMode, route } from '../policy/routing.ts'
import type { Community } from '../ports.ts'
import { type FederationParts, federate, type QueryGateway } from './query.ts'

/** Asks on behalf of our own users: ITI-18 comes in, the federation answers (ITI TF-1: 18.1.1.1). */
export function initiatingGateway(
  parts: FederationParts & { readonly communities: readonly Community[]; readonly mode: RoutingMode },
): QueryGateway {
  const { communities, mode } = parts
  return {
    query(query, caller, wishes) {
      return federate(query, caller, (known) => route(query, known, communities, mode), parts, wishes)
    },
  }
}
