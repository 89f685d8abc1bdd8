import { organizations } from '../../contracts/affinity-domain/organizations.ts'
import type { FseTokens } from '../config/tokens.ts'
import type { UnderstoodToken } from '../http/api/guard.ts'
import { type FseToken, fseVerifier } from '../trust/jwt/fse.ts'
import { fseProblem } from '../trust/jwt/fse-problem.ts'
import { Refusal } from '../trust/refusal.ts'
import { commonNameOf } from '../trust/x509/certificate.ts'
import { certificateOf, type Guarding, type GuardParts, given, patterns } from './guarding.ts'

/** Guards by pairs of tokens as the national gateway takes them, and refuses in its words (ini.md §5). */
export function fseGuarding(tokens: FseTokens, parts: GuardParts): Guarding {
  const { audience, channel, maximumAgeMs, policies, region, signatureHeader, signers, strictClaims } = tokens
  const { check, clock, clockSkewMs, home } = parts
  const verifier = fseVerifier({
    ...{ audience, check, clock, clockSkewMs, maximumAgeMs, organizations, signatureHeader, strictClaims },
    trust: parts.anchorsOf(tokens),
    signers: patterns(signers),
    ...given('policies', policies),
    ...given('region', region),
  })
  return {
    schemes: ['Bearer'],
    problemOf: (error) => (error instanceof Refusal ? fseProblem(error, tokens) : undefined),
    async verify(request, signal) {
      const { operation, ...sent } = request.matter
      const commonName = channel === 'any' ? undefined : (commonNameOf(certificateOf(request)) ?? '')
      const pair = await verifier.pair(request.headers, { operation, ...sent }, given('commonName', commonName), signal)
      const { bearer, signature, uses } = pair
      return {
        caller: {
          profile: 'fse',
          assertion: signature.assertionFor(home),
          subject: signature.subject,
          validUntil: Math.min(bearer.expiresAt, signature.expiresAt),
          signer: signature.commonName,
          tokens: [fseToken('fse-authentication', bearer), fseToken('fse-signature', signature)],
        },
        uses,
      }
    },
  }
}

function fseToken(kind: 'fse-authentication' | 'fse-signature', token: FseToken): UnderstoodToken {
  const { commonName: signer, digest, expiresAt: validUntil, issuedAt, issuer, subject, tokenId: id } = token
  return { kind, id, issuer, subject, issuedAt, validUntil, signer, digest }
}
