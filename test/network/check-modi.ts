import type { KeyObject, X509Certificate } from 'node:crypto'
import {
  createLocalJWKSet,
  decodeProtectedHeader,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import { SignedXml } from 'xml-crypto'
import { commonName, readCertificate, whyNotTrusted } from './certificate.ts'
import { type SoapFault, securityFault, soap12, wsse, wsu } from './faults.ts'
import { type ModiPart, partPlaces } from './modi-message.ts'
import { gatewaySigner } from './registry-face.ts'
import type { PeerRequest } from './server.ts'
import { children, cutOut, type Element, only, parseXml } from './xml.ts'

const ds = 'http://www.w3.org/2000/09/xmldsig#'
const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const rsaSha256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'
const sha256 = 'http://www.w3.org/2001/04/xmlenc#sha256'
const skewMs = 30_000

/** What a signature must cover, all of it and nothing else. */
export interface MessageDemands {
  readonly parts: readonly ModiPart[]
  /** The longest time from Created to Expires. */
  readonly longestMs: number
}

/** What the tokens in the headers must say. */
export interface TokenDemands {
  readonly audience: string
  readonly issuer: string
  readonly purposeId: string
  /** The client that the voucher must be for, and PDND's keys as they are now. */
  readonly clientId: string
  readonly jwks: () => Promise<JSONWebKeySet>
  /** Whether the voucher must be bound to a key, with a proof along. */
  readonly dpop?: boolean
}

interface Guarding {
  readonly root: X509Certificate
  readonly now: () => number
  /** The path that `To` must name. */
  readonly path: string
}

/** Checks messages and tokens of the gateway as ModI has it (sistema-ts.md B.1, B.2). What may be used once is remembered. */
export function modiGuard(
  { message, tokens }: { readonly message?: MessageDemands; readonly tokens?: TokenDemands },
  guarding: Guarding,
): (request: PeerRequest) => Promise<void> {
  const used = new Set<string>()
  const once = (id: string): void => {
    if (used.has(id)) throw securityFault('FailedAuthentication', 'The message or token was already used')
    used.add(id)
  }
  return async (request) => {
    if (message !== undefined) once(checkMessage(request.body, message, guarding))
    if (tokens !== undefined) for (const id of await checkTokens(request.headers, tokens, guarding)) once(id)
  }
}

/** Gives the id of the message. Throws SoapFault. */
function checkMessage(text: string, { parts, longestMs }: MessageDemands, { root, now, path }: Guarding): string {
  const envelope = parseXml(text)
  const header = only(envelope, soap12, 'Header')
  const security = only(header, wsse, 'Security')
  const signature = only(security, ds, 'Signature')
  if (security === undefined || signature === undefined) throw failed('The message is not signed once')
  const certificate = tokenOf(security, signature)
  if (certificate === undefined || whyNotTrusted(certificate, root, now()) !== undefined) {
    throw securityFault('FailedAuthentication', 'The certificate of the message is not trusted')
  }
  if (commonName(certificate) !== gatewaySigner) {
    throw securityFault('FailedAuthentication', 'The message is signed by somebody else')
  }
  checkForm(signature)
  const signed = signedElements(text, signature, certificate.publicKey)
  const places = new Map(parts.map((part) => [part, place(envelope, part)]))
  if (signed.size !== parts.length) throw failed('The signature covers more or less than was agreed')
  for (const [part, { id }] of places) if (!signed.has(id)) throw failed(`${part} is not signed`)
  const content = (part: ModiPart): Element | undefined => signed.get(places.get(part)?.id ?? '')
  checkTimes(content('Timestamp'), longestMs, now())
  const to = content('To')?.textContent?.trim() ?? ''
  if (!URL.canParse(to) || new URL(to).pathname !== path) throw failed('The message is for somebody else')
  const id = content('MessageID')?.textContent?.trim() ?? ''
  if (parts.includes('MessageID') && id === '') throw failed('The message has no id')
  return id
}

/** The certificate in the one token of the header, which the signature must name. */
function tokenOf(security: Element, signature: Element): X509Certificate | undefined {
  const token = only(security, wsse, 'BinarySecurityToken')
  const reference = only(only(only(signature, ds, 'KeyInfo'), wsse, 'SecurityTokenReference'), wsse, 'Reference')
  const id = token?.getAttributeNS(wsu, 'Id') ?? ''
  if (id === '' || reference?.getAttribute('URI') !== `#${id}`) throw failed('The signature names no token')
  return readCertificate(token?.textContent ?? '')
}

function checkForm(signature: Element): void {
  const info = only(signature, ds, 'SignedInfo')
  const algorithm = (element: Element | undefined): string => element?.getAttribute('Algorithm') ?? ''
  const references = info ? children(info, ds, 'Reference') : []
  const good =
    algorithm(only(info, ds, 'CanonicalizationMethod')) === exclusive &&
    algorithm(only(info, ds, 'SignatureMethod')) === rsaSha256 &&
    references.every((reference) => {
      const transform = only(only(reference, ds, 'Transforms'), ds, 'Transform')
      return algorithm(only(reference, ds, 'DigestMethod')) === sha256 && algorithm(transform) === exclusive
    })
  if (!good) throw failed('The form of the signature is not the agreed one')
}

/** What was signed, from the very bytes that were signed, by the ids referred to. */
function signedElements(text: string, signature: Element, key: KeyObject): ReadonlyMap<string, Element> {
  const verifier = new SignedXml({ publicCert: key.export({ type: 'spki', format: 'pem' }).toString() })
  try {
    verifier.loadSignature(cutOut(signature))
    if (!verifier.checkSignature(text)) throw failed('The signature does not verify')
  } catch {
    throw failed('The signature does not verify')
  }
  return new Map(
    verifier.getSignedReferences().map((canonical) => {
      const element = parseXml(canonical)
      return [element.getAttributeNS(wsu, 'Id') ?? '', element]
    }),
  )
}

/** Where a part stands, whatever is signed: as a block of the header, in our security header, or as the body. */
function place(envelope: Element, part: ModiPart): { readonly id: string } {
  const { namespace, local } = partPlaces[part]
  const header = only(envelope, soap12, 'Header')
  const parent = part === 'Body' ? envelope : part === 'Timestamp' ? only(header, wsse, 'Security') : header
  const found = only(parent, namespace, local)
  const id = found?.getAttributeNS(wsu, 'Id') ?? ''
  if (id === '') throw failed(`The message has no ${part} that could be signed`)
  return { id }
}

function checkTimes(timestamp: Element | undefined, longestMs: number, now: number): void {
  const at = (local: string): number => Date.parse(only(timestamp, wsu, local)?.textContent?.trim() ?? '')
  const [created, expires] = [at('Created'), at('Expires')]
  const good = created <= now + skewMs && expires > now && expires > created && expires - created <= longestMs
  if (!good) throw securityFault('MessageExpired', 'The message is not of this time')
}

/** Gives the ids of what may be used once. Rejects with SoapFault. */
async function checkTokens(
  headers: PeerRequest['headers'],
  demands: TokenDemands,
  { root, now }: Guarding,
): Promise<string[]> {
  const evidence = headers['agid-jwt-trackingevidence']
  const tracked = await claimsOf(typeof evidence === 'string' ? evidence : '', root, now())
  const stated = {
    audience: tracked.aud === demands.audience,
    issuer: tracked.iss === demands.issuer,
    purpose: tracked.purposeId === demands.purposeId,
    user: typeof tracked.userID === 'string' && tracked.userID !== '',
    location: typeof tracked.userLocation === 'string' && tracked.userLocation !== '',
    id: typeof tracked.jti === 'string' && tracked.jti !== '',
  }
  const wrong = Object.entries(stated).find(([, right]) => !right)
  if (wrong !== undefined) throw failed(`The tracking evidence is not as agreed: ${wrong[0]}`)
  await checkVoucher(headers, demands, now())
  return [`evidence ${tracked.jti}`]
}

async function claimsOf(token: string, root: X509Certificate, now: number): Promise<JWTPayload> {
  const { alg, typ, x5c } = headerOf(token)
  const certificate = readCertificate(x5c?.[0] ?? '')
  if (certificate === undefined || alg !== 'RS256' || typ !== 'JWT') throw failed('The token has no usable header')
  if (whyNotTrusted(certificate, root, now) !== undefined || commonName(certificate) !== gatewaySigner) {
    throw securityFault('FailedAuthentication', 'The certificate of the token is not trusted')
  }
  return await verified(token, certificate.publicKey, now)
}

async function checkVoucher(headers: PeerRequest['headers'], demands: TokenDemands, now: number): Promise<void> {
  const scheme = demands.dpop === true ? 'DPoP' : 'Bearer'
  const token = new RegExp(`^${scheme} ([\\w-]+\\.[\\w-]+\\.[\\w-]+)$`).exec(headers.authorization ?? '')?.[1] ?? ''
  const { alg, typ } = headerOf(token)
  if (alg !== 'RS256' || typ !== 'at+jwt') throw failed('There is no voucher')
  const claims = await verified(token, createLocalJWKSet(await demands.jwks()), now)
  const good =
    claims.aud === demands.audience && claims.client_id === demands.clientId && claims.purposeId === demands.purposeId
  if (!good) throw failed('The voucher is for somebody else')
}

function headerOf(token: string) {
  try {
    return decodeProtectedHeader(token)
  } catch {
    throw failed('A token is missing or cannot be read')
  }
}

async function verified(token: string, key: KeyObject | JWTVerifyGetKey, now: number): Promise<JWTPayload> {
  const rules = { algorithms: ['RS256'], currentDate: new Date(now), requiredClaims: ['iat', 'exp'] }
  try {
    const { payload } = await (typeof key === 'function' ? jwtVerify(token, key, rules) : jwtVerify(token, key, rules))
    if (Number(payload.iat) * 1000 > now + skewMs) throw new Error('from the future')
    return payload
  } catch {
    throw failed('A token does not hold')
  }
}

function failed(reason: string): SoapFault {
  return securityFault('FailedCheck', reason)
}
