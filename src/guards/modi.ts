import type { ModiTokens } from '../config/tokens.ts'
import type { PresentedRequest, UnderstoodToken } from '../http/api/guard.ts'
import { authorizedToken } from '../trust/jwt/headers.ts'
import { byPresentation, type KeySource, pinnedCertificates } from '../trust/jwt/keys.ts'
import { type ModiToken, modiVerifier } from '../trust/jwt/modi.ts'
import type { Tracking } from '../trust/jwt/modi-tracking.ts'
import { type PdndCall, pdndVerifier, type Voucher } from '../trust/jwt/pdnd.ts'
import { certificateKeys } from '../trust/jwt/x5c.ts'
import { Refusal, refused } from '../trust/refusal.ts'
import { type Guarding, type GuardParts, given, ofProof, patterns, proofToken, urlOf } from './guarding.ts'

/** The name under which the keys of PDND are kept for a consumer. */
export const pdndSet = (consumer: string): string => `${consumer}/pdnd`

/** Guards by what an organization agreed to among the patterns of ModI, with or without vouchers of PDND. */
export function modiGuarding(name: string, tokens: ModiTokens, parts: GuardParts): Guarding {
  const { authentication, audience, audit, clockSkewMs, integrity, issuer, maximumAgeMs, pdnd } = tokens
  const { digestLabels, replay, sharedJti, signEmptyBody } = tokens
  const { check, clock } = parts
  const verifier = modiVerifier({
    ...{ audience, check, clock, clockSkewMs, maximumAgeMs, digestLabels, replay, sharedJti, signEmptyBody },
    keys: modiKeys(name, tokens.keys, parts),
    ...given('authentication', authentication),
    ...given('integrity', integrity),
    ...given('audit', audit),
    ...given('issuer', issuer),
  })
  const vouched = pdnd === undefined ? undefined : pdndVerifying(name, pdnd, { ...parts, clockSkewMs })
  return {
    schemes: vouched === undefined ? ['Bearer'] : ['Bearer', 'DPoP'],
    async verify(request, signal) {
      const call = await vouched?.(request, signal)
      const voucher = call?.voucher
      const shown = await verifier.request(request, voucher, signal)
      const primary = shown.authentication ?? voucher
      // The schema demands one of them.
      if (primary === undefined) throw refused('missing', 'authorization-is-missing')
      const all = [voucher, shown.authentication, shown.integrity, shown.tracking]
      return {
        caller: {
          profile: 'modi',
          ...given('subject', primary.subject),
          validUntil: Math.min(...all.flatMap((one) => one?.expiresAt ?? [])),
          signer: primary.signer,
          tokens: [
            ...(voucher === undefined ? [] : [voucherToken(voucher)]),
            ...proofToken(call?.proof),
            ...modiToken('modi-authentication', shown.authentication),
            ...modiToken('modi-integrity', shown.integrity).map((token) => ({
              ...token,
              signedHeaders: shown.integrity?.signedHeaders.map(([header]) => header),
            })),
            ...trackingToken(shown.tracking),
          ],
        },
        uses: [...(call?.uses ?? []), ...shown.uses],
      }
    },
  }
}

function modiKeys(name: string, keys: ModiTokens['keys'], { anchorsOf, keysOf }: GuardParts): KeySource {
  if (keys === undefined) return byPresentation({})
  if ('jwks' in keys) return keysOf(name, keys.jwks)
  const trust = anchorsOf(keys)
  const demands = {
    use: 'signature',
    ...(keys.signers === undefined ? {} : { names: patterns(keys.signers) }),
    ...given('policies', keys.policies),
  } as const
  return byPresentation({
    certified: certificateKeys(trust, demands),
    others: pinnedCertificates(trust.anchors, demands),
  })
}

function pdndVerifying(
  name: string,
  pdnd: NonNullable<ModiTokens['pdnd']>,
  { check, clock, clockSkewMs, keysOf }: GuardParts,
): (request: PresentedRequest, signal: AbortSignal) => Promise<PdndCall> {
  const { address, audience, clients, issuer, purposeIds, producerId, eserviceId, descriptorId } = pdnd
  const verifier = pdndVerifier({
    ...{ audience, check, clock, clockSkewMs, issuer },
    keys: keysOf(pdndSet(name), pdnd.jwks),
    ...given('purposeIds', purposeIds),
    ...given('producerId', producerId),
    ...given('eserviceId', eserviceId),
    ...given('descriptorId', descriptorId),
  })
  return async (request, signal) => {
    const { headers, method } = request
    const call = await verifier
      .call(headers, { method, url: urlOf(address, request) }, signal)
      .catch(async (error: unknown) => {
        // A sound voucher that comes with a refused proof is told from a refused voucher, as RFC 9449 §7.1 does.
        const { scheme, token } = authorizedToken(headers)
        const sound = async () => (await verifier.voucher(token, signal)).boundTo !== undefined
        if (scheme !== 'dpop' || !(error instanceof Refusal) || !(await sound())) throw error
        return await ofProof(() => Promise.reject(error))
      })
    if (clients !== undefined && !clients.includes(call.voucher.clientId)) {
      throw refused('audience', 'voucher-was-issued-to-another-client')
    }
    return call
  }
}

function voucherToken(voucher: Voucher): UnderstoodToken {
  const { audience, boundTo, clientId: client, digest, expiresAt: validUntil, issuedAt, signer, subject } = voucher
  const { purposeId, producerId, consumerId, eserviceId, descriptorId, tokenId: id } = voucher
  return {
    kind: 'voucher',
    ...{ id, subject, client, audience, issuedAt, validUntil, signer, digest, boundTo },
    ...{ purposeId, producerId, consumerId, eserviceId, descriptorId },
  }
}

function modiToken(kind: 'modi-authentication' | 'modi-integrity', token: ModiToken | undefined): UnderstoodToken[] {
  if (token === undefined) return []
  const { audience, digest, expiresAt: validUntil, issuedAt, issuer, signer, subject, tokenId: id } = token
  return [{ kind, id, issuer, subject, audience, issuedAt, validUntil, signer, digest }]
}

function trackingToken(tracking: Tracking | undefined): UnderstoodToken[] {
  if (tracking === undefined) return []
  const { digest, expiresAt: validUntil, issuedAt, issuer, levelOfAssurance, purposeId, signer } = tracking
  const { tokenId: id, userId, userLocation } = tracking
  const user = { purposeId, userId, userLocation, levelOfAssurance }
  return [{ kind: 'tracking-evidence', id, issuer, issuedAt, validUntil, signer, digest, ...user }]
}
