import type { GatewayError } from '../../core/errors.ts'
import type { Scheme } from './guard.ts'

const realm = 'realm="crocevia"'

/** Algorithms of proofs that are accepted (RFC 9449 §7.1, `algs`). */
const proofAlgorithms = 'algs="RS256 ES256"'

/**
 * The values of `WWW-Authenticate` for a refusal (RFC 6750 §3, RFC 9449 §7.1), one for each scheme. The one that was used
 * also tells what was wrong: nothing is told to whoever brought no token at all, or in a scheme that is not among them.
 */
export function challenges(
  schemes: readonly Scheme[],
  authorization: string | undefined,
  error: GatewayError,
): readonly string[] {
  const used = schemes.find((scheme) => authorization?.toLowerCase().startsWith(`${scheme.toLowerCase()} `) === true)
  const fault = used === undefined ? undefined : faultOf(error)
  return schemes.map((scheme) => {
    const parameters = [realm]
    if (scheme === 'DPoP') parameters.push(proofAlgorithms)
    if (scheme === used && fault !== undefined) parameters.push(...fault)
    return `${scheme} ${parameters.join(', ')}`
  })
}

function faultOf({ code, details: { kind, part, reason } }: GatewayError): readonly string[] | undefined {
  if (code === 'assertion-missing' && part === undefined) return undefined
  const description = typeof reason === 'string' ? [`error_description="${reason}"`] : []
  if (part === 'proof') return ['error="invalid_dpop_proof"', ...description]
  if (kind === 'header' && typeof reason === 'string' && reason.endsWith('-is-repeated')) {
    return ['error="invalid_request"', ...description]
  }
  return ['error="invalid_token"', ...description]
}
