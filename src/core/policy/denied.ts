import { GatewayError } from '../errors.ts'

/** What of a claim does not agree with what is asked. */
export type Disagreeing = 'action' | 'role' | 'patient' | 'document-types' | 'index-transfer' | 'consent'

/** The refusal; `about` says to faces with codes of their own what to tell. */
export function denied(about: Disagreeing, message: string): GatewayError {
  return new GatewayError('access-denied', message, { details: { about } })
}
