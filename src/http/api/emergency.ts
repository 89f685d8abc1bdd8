import { GatewayError } from '../../core/errors.ts'
import type { ApiCall } from './endpoint.ts'

/**
 * Why a record may be consulted without consent in an emergency (DM 7/9/2023 art. 20: the person cannot give it, and the
 * risk is grave and imminent). Codes, so that nothing personal is written into the audit trail.
 */
export const emergencyReasons = ['physical-incapacity', 'legal-incapacity', 'mental-incapacity'] as const

export type EmergencyReason = (typeof emergencyReasons)[number]

/**
 * Requires whoever asks for purpose EMERGENCY to declare why, in `Emergency-Reason` or in the body, and has it audited.
 * Throws `parameter-missing`, `parameter-invalid`, and `parameter-count` where they differ.
 */
export function requireEmergencyReason({ caller, note, request }: ApiCall, inBody?: unknown): void {
  const lines = request.headers.filter(([name]) => name.toLowerCase() === 'emergency-reason')
  const told = [...lines.map(([, value]): unknown => value.trim()), ...(inBody === undefined ? [] : [inBody])]
  const [reason, ...others] = new Set(told)
  if (caller.assertion?.purposeOfUse !== 'EMERGENCY') {
    if (told.length === 0) return
    throw new GatewayError('parameter-invalid', 'A reason of emergency goes with the purpose EMERGENCY only')
  }
  if (reason === undefined) {
    throw new GatewayError('parameter-missing', 'An emergency must be declared: emergencyReason, or Emergency-Reason')
  }
  if (others.length > 0) throw new GatewayError('parameter-count', 'The reason of emergency may be told once')
  const declared = emergencyReasons.find((one) => one === reason)
  if (declared === undefined) {
    throw new GatewayError('parameter-invalid', `The reason of emergency is one of ${emergencyReasons.join(', ')}`)
  }
  note({ emergencyReason: declared })
}
