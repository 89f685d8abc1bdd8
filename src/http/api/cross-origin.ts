import type { IncomingMessage, ServerResponse } from 'node:http'

const exposed =
  'X-Correlation-ID, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, ETag, WWW-Authenticate, Content-Disposition, X-Document-Verified'
const accepted = [
  ...['Authorization', 'DPoP', 'FSE-JWT-Signature', 'Agid-JWT-Signature', 'Agid-JWT-TrackingEvidence', 'Digest'],
  ...['Content-Type', 'Accept', 'Prefer', 'If-None-Match', 'X-Correlation-ID', 'Emergency-Reason'],
].join(', ')

/**
 * Lets pages of the origins that are named read the answer (Fetch, CORS protocol); nothing is said to others. True when
 * the request only asks whether it may be made: then the answer has been sent.
 */
export function shareWith(
  origins: readonly string[],
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  methods: string,
): boolean {
  const { origin } = incoming.headers
  if (origins.length === 0) return false
  outgoing.setHeader('vary', 'Origin')
  if (origin === undefined || !origins.includes(origin)) return false
  outgoing.setHeader('access-control-allow-origin', origin)
  outgoing.setHeader('access-control-expose-headers', exposed)
  if (incoming.method !== 'OPTIONS' || incoming.headers['access-control-request-method'] === undefined) return false
  outgoing
    .writeHead(204, {
      'access-control-allow-methods': methods,
      'access-control-allow-headers': accepted,
      'access-control-max-age': '600',
      'cache-control': 'no-store',
    })
    .end()
  return true
}
