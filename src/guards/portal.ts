import type { PortalTokens } from '../config/tokens.ts'
import type { PresentedRequest } from '../http/api/guard.ts'
import type { ClaimNames } from '../trust/jwt/assertion.ts'
import { boundKeyOf } from '../trust/jwt/confirmation.ts'
import { type DpopProof, dpopVerifier } from '../trust/jwt/dpop.ts'
import { authorizedToken, bareToken, valuesOf } from '../trust/jwt/headers.ts'
import { portalVerifier } from '../trust/jwt/portal.ts'
import { jwsAlgorithms, readToken } from '../trust/jwt/token.ts'
import { Refusal, refused } from '../trust/refusal.ts'
import { certificateOf, type Guarding, type GuardParts, given, ofProof, proofToken, urlOf } from './guarding.ts'

/** Guards what a portal asks for its users by the access tokens of their OpenID provider, bound to a key or not. */
export function portalGuarding(name: string, tokens: PortalTokens, parts: GuardParts): Guarding {
  const { address, claims, clients, maximumAgeMs, maximumLifetimeMs, ...options } = tokens
  const { check, clock, clockSkewMs, home } = parts
  const verify = portalVerifier({
    ...{ ...options, check, clock, clockSkewMs },
    keys: parts.keysOf(name, tokens.jwks),
    community: home,
    claims: present<ClaimNames>(claims),
    ...given('clients', clients),
    ...given('maximumAgeMs', maximumAgeMs),
    ...given('maximumLifetimeMs', maximumLifetimeMs),
  })
  const proofs = dpopVerifier({ check, clock })

  async function proofOf(request: PresentedRequest, token: string, signal: AbortSignal): Promise<DpopProof> {
    if (address === undefined) throw refused('header', 'authorization-is-no-bearer-token')
    const url = urlOf(address, request)
    return await ofProof(async () => {
      return await proofs(
        bareToken(request.headers, 'dpop'),
        { method: request.method, url, accessToken: token },
        signal,
      )
    })
  }

  return {
    schemes: address === undefined ? ['Bearer'] : ['Bearer', 'DPoP'],
    async verify(request, signal) {
      const { scheme, token } = authorizedToken(request.headers)
      const proof = scheme === 'dpop' ? await proofOf(request, token, signal) : undefined
      if (proof === undefined && valuesOf(request.headers, 'dpop').length > 0) {
        throw refused('header', 'dpop-is-not-expected')
      }
      const presenter = {
        certificate: certificateOf(request),
        ...(proof === undefined ? {} : { proofKey: proof.thumbprint }),
      }
      const { assertion, audience, client, issuedAt, uses } = await verify(token, presenter, signal).catch(
        blaming(token, proof),
      )
      const boundTo = boundKeyIn(token)
      // A proof of a key that the token does not name proves nothing about its presenter (RFC 9449 §7.1).
      if (proof !== undefined && boundTo === undefined) throw refused('header', 'token-is-bound-to-nobody')
      const { evidence, id, issuer, signer, subject, validUntil } = assertion
      const { digest } = evidence
      const own = id === digest ? undefined : id
      const access = { id: own, issuer, subject, client, audience, issuedAt, validUntil, signer, digest, boundTo }
      return {
        caller: {
          profile: 'portal',
          ...{ assertion, subject, validUntil, signer },
          tokens: [{ kind: 'access-token', ...access }, ...proofToken(proof)],
        },
        uses: [...uses, ...(proof?.uses ?? [])],
      }
    },
  }
}

/** A proof by another key than the token names is what is wrong, not the token (RFC 9449 §4.3, 12). */
function blaming(token: string, proof: DpopProof | undefined) {
  return async (error: unknown): Promise<never> => {
    const another = error instanceof Refusal && error.reason === 'token-is-bound-to-another'
    if (!another || proof === undefined || boundKeyIn(token) === proof.thumbprint) throw error
    return await ofProof(() => Promise.reject(error))
  }
}

/** The key a verified token is bound to. */
function boundKeyIn(token: string): string | undefined {
  return boundKeyOf(readToken(token, { algorithms: jwsAlgorithms, types: undefined }).payload)
}

/** Without the members that are undefined. */
function present<T extends object>(members: { [Name in keyof T]?: T[Name] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>
}
