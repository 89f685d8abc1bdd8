import { GatewayError } from '../errors.ts'
import { namesPatient } from '../model/stored-query.ts'
import type { Community } from '../ports.ts'
import { type FederationParts, federate, type QueryGateway } from './query.ts'

/**
 * Answers other communities from ours (ITI TF-1: 18.1.1.2). It is given no other community, so a question cannot travel
 * in circles. Throws `community-unknown` for a home that is not ours and `community-missing` for a query with neither
 * home nor patient (ITI TF-2: 3.38.4.1.3).
 */
export function respondingGateway(parts: FederationParts & { readonly own: Community }): QueryGateway {
  const { own } = parts
  return {
    query(query, caller) {
      if (query.home !== undefined && query.home !== own.home) {
        return Promise.reject(new GatewayError('community-unknown', 'This gateway does not answer for that community'))
      }
      if (query.home === undefined && !namesPatient(query)) {
        return Promise.reject(
          new GatewayError('community-missing', 'A query without a patient must name our community'),
        )
      }
      return federate(query, caller, () => [own], { ...parts, communities: [own] })
    },
  }
}
