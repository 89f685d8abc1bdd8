import { GatewayError } from '../errors.ts'

declare const brand: unique symbol
type Brand<Name extends string> = string & { readonly [brand]: Name }

/** An ISO object identifier in dotted form, at most 64 characters. */
export type Oid = Brand<'Oid'>
/** A community's identifier in `urn:oid:` form (ITI TF-2: 3.38.4.1.2.1). */
export type HomeCommunityId = Brand<'HomeCommunityId'>
/** Names one exchange in logs, traces and the audit trail. Never derived from a person. */
export type CorrelationId = Brand<'CorrelationId'>

const oidPattern = /^[0-2](\.(0|[1-9][0-9]*))+$/

export function isOid(text: string): text is Oid {
  return text.length <= 64 && oidPattern.test(text)
}

export function oid(text: string): Oid {
  if (!isOid(text)) throw new GatewayError('parameter-invalid', 'An object identifier is malformed')
  return text
}

/**
 * The community named by `urn:oid:<oid>`, or by a bare OID, which some peers and all of HL7 V3 use.
 * Throws `parameter-invalid`.
 */
export function homeCommunityId(text: string): HomeCommunityId {
  const bare = text.startsWith('urn:oid:') ? text.slice('urn:oid:'.length) : text
  if (!isOid(bare)) throw new GatewayError('parameter-invalid', 'A homeCommunityId must have the form urn:oid:<oid>')
  return `urn:oid:${bare}` as HomeCommunityId
}

export function homeOid(home: HomeCommunityId): Oid {
  return home.slice('urn:oid:'.length) as Oid
}

export function correlationId(text: string): CorrelationId {
  return text as CorrelationId
}
