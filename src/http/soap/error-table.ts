import type { ErrorCode, GatewayError } from '../../core/errors.ts'
import { type Fault, SoapFaultError } from '../../wire/soap.ts'
import { securitySubcode } from './policy-fault.ts'

/** How a failure is told: by a SOAP fault with this HTTP status, or by a RegistryError inside a 200 (ihe.md §1.3). */
type Told =
  | { readonly as: 'fault'; readonly fault: Omit<Fault, 'reason'>; readonly status?: 401 | 403 | 413 | 415 | 503 }
  | { readonly as: 'registry-error'; readonly errorCode: string }

const sender: Told = { as: 'fault', fault: { code: 'Sender' } }
const notAuthenticated: Told = { as: 'fault', fault: { code: 'Sender', subcodes: ['wsse:FailedAuthentication'] } }
const registryError = (errorCode: string): Told => ({ as: 'registry-error', errorCode })

/** Every failure in XDS's words (ihe.md §1.15; WS-Security 1.1 §12). */
export const soapErrors: Readonly<Record<ErrorCode, Told>> = {
  'request-malformed': sender,
  'media-type-unsupported': { ...sender, status: 415 },
  'request-too-large': { ...sender, status: 413 },
  'parameter-missing': registryError('XDSStoredQueryMissingParam'),
  'parameter-count': registryError('XDSStoredQueryParamNumber'),
  'parameter-invalid': registryError('XDSRegistryError'),
  'query-unsupported': registryError('XDSUnknownStoredQuery'),
  'metadata-invalid': registryError('XDSRegistryMetadataError'),
  'document-duplicate': registryError('XDSDuplicateUniqueIdInRegistry'),
  'document-unknown': registryError('XDSDocumentUniqueIdError'),
  'repository-unknown': registryError('XDSUnknownRepositoryId'),
  'patient-unknown': registryError('XDSUnknownPatientId'),
  'patient-mismatch': registryError('XDSPatientIdDoesNotMatch'),
  'community-unknown': registryError('XDSUnknownCommunity'),
  'community-missing': registryError('XDSMissingHomeCommunityId'),
  'too-many-results': registryError('XDSTooManyResults'),
  'caller-gone': sender,
  'assertion-missing': { as: 'fault', fault: { code: 'Sender', subcodes: ['wsse:InvalidSecurity'] } },
  'assertion-invalid': notAuthenticated,
  'access-denied': notAuthenticated,
  'community-unavailable': registryError('XDSUnavailableCommunity'),
  'community-timeout': registryError('XDSUnavailableCommunity'),
  'community-busy': registryError('XDSUnavailableCommunity'),
  'community-rejected': registryError('XDSRegistryError'),
  'community-misbehaved': registryError('XDSUnavailableCommunity'),
  'document-altered': registryError('XDSRepositoryError'),
  overloaded: { as: 'fault', fault: { code: 'Receiver' }, status: 503 },
  internal: registryError('XDSRegistryError'),
}

/** The fault of a failure that is not told by a RegistryError. */
export function faultOf(error: GatewayError): { readonly fault: Fault; readonly status?: number } {
  if (error instanceof SoapFaultError) return { fault: error.soapFault }
  const told = soapErrors[error.code]
  if (told.as === 'registry-error') return { fault: { code: 'Receiver', reason: error.message } }
  const subcode = securitySubcode(error)
  const subcodes = subcode === undefined ? {} : { subcodes: [subcode] }
  return {
    fault: { ...told.fault, ...subcodes, reason: error.message },
    ...(told.status === undefined ? {} : { status: told.status }),
  }
}
