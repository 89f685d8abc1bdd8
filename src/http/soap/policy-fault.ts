import type { GatewayError } from '../../core/errors.ts'
import { type Fault, soapNames } from '../../wire/soap.ts'
import { escapeText } from '../../wire/xml-write.ts'

/** Codes for refusals whose code no public source tells; the configuration names them (ini.md §9 no. 2). */
export interface PolicyFaultCodes {
  readonly signature: string
  readonly validity: string
  readonly audience: string
  readonly replay: string
  readonly coherence: string
  readonly action: string
  readonly documentTypes: string
}

/** A refusal as INI's access policy knows it: its code, and its words where they are known (ini.md §6.1). */
export interface PolicyFault {
  readonly code: string
  readonly description: string
}

const attributes: PolicyFault = { code: 'PIT2', description: 'Missing mandatory attributes in the attribute assertion' }
const patient: PolicyFault = { code: 'PFC9', description: 'The assertion is not about the patient of the message' }
const consent: PolicyFault = { code: 'PFA11', description: 'Missing Consultation Consent' }
const role: PolicyFault = { code: 'PFA14', description: 'This role has not the rights to access the service' }
const authority: PolicyFault = {
  code: 'PFC3',
  description: 'Certificate within the SAML assertion not issued by a trusted CA',
}

/** What INI would call a refusal; undefined for failures that are no refusals of its policy. */
export function policyFaultOf(error: GatewayError, codes: PolicyFaultCodes): PolicyFault | undefined {
  const { code, details, message } = error
  const reason = String(details.reason ?? '')
  const named = (code: string): PolicyFault => ({ code, description: message })
  if (code === 'access-denied') {
    switch (details.about) {
      case 'patient':
        return patient
      case 'consent':
        return consent
      case 'index-transfer':
        return attributes
      case 'action':
        return named(codes.action)
      case 'document-types':
        return named(codes.documentTypes)
      default:
        return role
    }
  }
  if (code !== 'assertion-missing' && code !== 'assertion-invalid') return undefined
  switch (details.kind) {
    case 'missing':
      return { code: 'PST4', description: 'Missing attribute assertion' }
    case 'header':
      return { code: 'PST5', description: `Missing or invalid WS-Security header elements: ${reason}` }
    case 'malformed':
      if (reason === 'missing-issuer') return { code: 'PIT1', description: 'Missing Issuer in assertion' }
      return { code: 'PST6', description: `Failure in unmarshalling the assertion: ${reason}` }
    case 'attributes':
      return reason === 'patient-is-malformed' ? patient : attributes
    case 'certificate':
      return authority
    case 'signature':
      return named(codes.signature)
    case 'validity':
      return named(codes.validity)
    case 'audience':
      return named(codes.audience)
    case 'replay':
      return named(codes.replay)
    default:
      return reason === 'identification-is-about-another-patient' ? patient : named(codes.coherence)
  }
}

/**
 * A refusal in INI's own fault shape: `InvalidSecurityToken`, or `SecurityTokenUnavailable` for the family PST, with
 * Timestamp, ErrorCode and Description, under the code Receiver as INI itself sends it (ini.md §1.6 no. 3, §6.1).
 */
export function iniFault(error: GatewayError, codes: PolicyFaultCodes, now: number): Fault | undefined {
  const found = policyFaultOf(error, codes)
  if (found === undefined) return undefined
  const name = found.code.startsWith('PST') ? 'SecurityTokenUnavailable' : 'InvalidSecurityToken'
  return {
    code: 'Receiver',
    subcodes: [`wsse:${name}`],
    reason: found.description,
    detail:
      `<wsse:${name} xmlns:wsse="${soapNames.wsse}" xmlns:wsrf-bf="http://docs.oasis-open.org/wsrf/bf-2">` +
      `<wsrf-bf:Timestamp>${new Date(now).toISOString()}</wsrf-bf:Timestamp>` +
      `<wsrf-bf:ErrorCode>${escapeText(found.code)}</wsrf-bf:ErrorCode>` +
      `<wsrf-bf:Description>${escapeText(found.description)}</wsrf-bf:Description></wsse:${name}>`,
  }
}

/** WS-Security's own word for a refusal of a kind (WSS 1.1 §12; ihe.md §1.13); undefined when no kind is told. */
export function securitySubcode({ details }: GatewayError): `wsse:${string}` | 'wsu:MessageExpired' | undefined {
  switch (details.kind) {
    case 'missing':
      return 'wsse:SecurityTokenUnavailable'
    case 'header':
      return 'wsse:InvalidSecurity'
    case 'malformed':
    case 'attributes':
    case 'coherence':
      return 'wsse:InvalidSecurityToken'
    case 'signature':
      return 'wsse:FailedCheck'
    case 'validity':
      return 'wsu:MessageExpired'
    case 'certificate':
    case 'audience':
    case 'replay':
      return 'wsse:FailedAuthentication'
    default:
      return undefined
  }
}
