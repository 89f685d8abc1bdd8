import { generateKeyPair, type KeyObject, randomUUID, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { calculateJwkThumbprint, errors, exportJWK, importJWK, type JWK, type JWTPayload, jwtVerify } from 'jose'
import type { Asked } from './asked.ts'
import type { Behaviour } from './behaviour.ts'
import {
  type Clock,
  type Counterpart,
  type CounterpartOptions,
  type Face,
  type PeerReply,
  type PeerRequest,
  startCounterpart,
  systemClock,
} from './server.ts'

/** A purpose of a client, and the e-service it is for. */
export interface PdndPurpose {
  readonly id: string
  /** Audience of the e-service. */
  readonly audience: string
  /** Who offers and who uses it, and what; told in vouchers where given. */
  readonly service?: {
    readonly producerId: string
    readonly consumerId: string
    readonly eserviceId: string
    readonly descriptorId: string
  }
}

/** A client as it was registered. */
export interface PdndClient {
  readonly id: string
  /** Public RSA keys; each gets the name that `kidOf` tells. */
  readonly keys: readonly KeyObject[]
  readonly purposes: readonly PdndPurpose[]
}

/** What the server can be told to answer instead of a voucher. */
export type PdndRefusal = '015-0020' | '015-0021' | '015-0022' | 'rate-limit'

export interface Pdnd
  extends Counterpart<{
    /** `POST /token.oauth2`. */
    readonly token: string
    readonly jwks: string
  }> {
  /** Of client assertions. */
  readonly audience: string
  /** Why requests were refused, oldest first: a code of PDND, those of DPoP as `dpop-0011`. */
  readonly refusals: readonly string[]
  /** For every request from now on; absent: none any more. */
  refuse(refusal?: PdndRefusal): void
  /** Signs with a new key from now on. The old one is published along with it. */
  rotate(): Promise<void>
}

export interface PdndOptions extends CounterpartOptions {
  readonly clients: readonly PdndClient[]
  /** Of vouchers; default ten minutes. */
  readonly lifetimeSeconds?: number
  /** Whether every refusal has the one code `015-0008`, as in production; default: the code that says why. */
  readonly generic?: boolean
}

/** The name PDND gives a public key: its thumbprint (RFC 7638). */
export async function kidOf(key: KeyObject): Promise<string> {
  return await calculateJwkThumbprint(await exportJWK(key))
}

const tokenPath = '/token.oauth2'
const jwksPath = '/.well-known/jwks.json'
const audience = 'auth.pdnd.example/client-assertion'
const issuer = 'pdnd.example'

/**
 * The authorization server of PDND (sistema-ts.md B.2, B.4): vouchers for client assertions, bound to a key when a proof
 * comes along. Claims are checked strictly, as its feature flag has it: an unknown one is refused. The real one asks for
 * no client certificate; here, as everywhere in this network, one must be shown.
 */
export async function startPdnd(options: PdndOptions): Promise<Pdnd> {
  const { clients, clock = systemClock, generic = false, lifetimeSeconds = 600 } = options
  const keys: SigningKey[] = [await signingKey()]
  const refusals: string[] = []
  const registered = new Map<string, { client: PdndClient; key: KeyObject }>()
  for (const client of clients) {
    for (const key of client.keys) registered.set(await kidOf(key), { client, key })
  }
  let refusal: PdndRefusal | undefined
  const judge = assertionJudge({ registered, clock })
  const prove = proofJudge(clock)

  async function token(request: PeerRequest, endpoint: string): Promise<PeerReply> {
    const form = formOf(request)
    const { client, purpose, digest } = await judge(form)
    const jkt = await prove(request.headers.dpop, endpoint)
    if (refusal === 'rate-limit') return limited()
    if (refusal !== undefined) throw new Refused(refusal)
    const iat = Math.floor(clock.now() / 1000)
    const payload = {
      jti: randomUUID(),
      iss: issuer,
      aud: purpose.audience,
      client_id: client.id,
      sub: client.id,
      iat,
      nbf: iat,
      exp: iat + lifetimeSeconds,
      purposeId: purpose.id,
      ...purpose.service,
      ...(digest !== undefined && { digest }),
      ...(jkt !== undefined && { cnf: { jkt } }),
    }
    const body = {
      access_token: voucher(payload, keys.at(-1)),
      token_type: jkt === undefined ? 'Bearer' : 'DPoP',
      expires_in: lifetimeSeconds,
    }
    return json(200, body, { 'cache-control': 'no-cache, no-store', ...rateHeaders(99) })
  }

  const face = (origin: string): Face => ({
    name: 'token',
    serves: (path) => path === tokenPath || path === jwksPath,
    admits: () => true,
    contentType: 'application/json',
    async respond(request, behaviour, asked) {
      if (request.url.pathname === jwksPath) return json(200, { keys: keys.map(({ jwk }) => jwk) })
      try {
        if (request.method !== 'POST') return problem(405, '015-0000', 'Method Not Allowed', 'POST is asked for')
        requireNormal(behaviour)
        return await token(request, origin + tokenPath)
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        refusals.push(error.code)
        asked.outcome = 'refused'
        return refusalReply(error, generic, asked)
      }
    },
  })
  // No identity of the development PKI is PDND's: this one belongs to no party of the network.
  const counterpart = await startCounterpart({ ...options, party: 'stranger' }, (origin) => ({
    faces: [face(origin)],
    urls: { token: origin + tokenPath, jwks: origin + jwksPath },
  }))
  return {
    ...counterpart,
    name: 'pdnd',
    audience,
    refusals,
    refuse(asked) {
      refusal = asked
    },
    async rotate() {
      keys.push(await signingKey())
    },
  }
}

/** A request that gets no voucher, with the code that says why. */
class Refused extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

function requireNormal(behaviour: Behaviour): void {
  if (behaviour === 'refuse') throw new Refused('015-0021')
  if (behaviour === 'fault') throw new Refused('015-0000')
}

const formFields = ['client_assertion', 'client_assertion_type', 'client_id', 'grant_type']

function formOf({ headers, body }: PeerRequest): Readonly<Record<string, string>> {
  if (!/^application\/x-www-form-urlencoded(;|$)/.test(headers['content-type'] ?? '')) throw new Refused('015-0006')
  const pairs = [...new URLSearchParams(body)]
  const names = pairs.map(([name]) => name)
  // client_id may be missing, nothing else; nothing is told twice, and nothing unknown.
  const wanted = names.includes('client_id') ? formFields : formFields.filter((name) => name !== 'client_id')
  if (names.toSorted().join() !== wanted.join()) throw new Refused('015-0006')
  const form = Object.fromEntries(pairs)
  if (form.client_assertion_type !== 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer') {
    throw new Refused('015-0002')
  }
  if (form.grant_type !== 'client_credentials') throw new Refused('015-0003')
  return form
}

interface Judged {
  readonly client: PdndClient
  readonly purpose: PdndPurpose
  readonly digest?: { readonly alg: string; readonly value: string }
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

function assertionJudge({
  registered,
  clock,
}: {
  readonly registered: ReadonlyMap<string, { client: PdndClient; key: KeyObject }>
  readonly clock: Clock
}) {
  const used = usedIds(clock)
  return async (form: Readonly<Record<string, string>>): Promise<Judged> => {
    const assertion = form.client_assertion ?? ''
    const [header, claims] = partsOf(assertion, '015-0006')
    requireClaims(header, claims, form.client_id, clock.now())
    const known = registered.get(String(header.kid))
    if (known === undefined || known.client.id !== claims.sub) throw new Refused('015-0008')
    await verify(assertion, known.key, clock)
    const purpose = known.client.purposes.find(({ id }) => id === claims.purposeId)
    if (purpose === undefined) throw new Refused('015-0008')
    if (!used(`${claims.sub} ${claims.jti}`, Number(claims.exp))) throw new Refused('015-0008')
    const { digest } = claims as { digest?: Judged['digest'] }
    return { client: known.client, purpose, ...(digest !== undefined && { digest }) }
  }
}

/** Everything of a client assertion but its signature. */
function requireClaims(header: Members, claims: Members, clientId: string | undefined, now: number): void {
  const text = (value: unknown): value is string => typeof value === 'string' && value !== ''
  const seconds = (value: unknown): value is number => Number.isInteger(value) && String(value).length === 10
  const demand = (holds: boolean, code: string) => {
    if (!holds) throw new Refused(code)
  }
  demand(text(claims.jti), '015-0008')
  demand(seconds(claims.iat), '015-0009')
  demand(seconds(claims.exp), '015-0010')
  demand(text(claims.iss), '015-0011')
  demand(text(claims.sub), '015-0012')
  demand(uuid.test(String(claims.sub)), '015-0024')
  demand(clientId === undefined || uuid.test(clientId), '015-0023')
  demand(clientId === undefined || clientId === claims.sub, '015-0013')
  demand(claims.iss === claims.sub, '015-0011')
  demand(claims.purposeId !== undefined, '015-0030')
  demand(uuid.test(String(claims.purposeId)), '015-0014')
  demand(text(header.kid), '015-0015')
  demand(/^[a-zA-Z0-9_-]{43}$/.test(String(header.kid)), '015-0031')
  demand(claims.aud !== undefined, '015-0005')
  demand([claims.aud].flat().includes(audience), '015-0004')
  demand(header.alg !== undefined, '015-0028')
  demand(header.alg === 'RS256', '015-0029')
  if (claims.digest !== undefined) requireDigest(claims.digest)
  demand(onlyHas(header, ['alg', 'kid', 'typ']) && header.typ === 'JWT', '015-0032')
  demand(onlyHas(claims, ['aud', 'digest', 'exp', 'iat', 'iss', 'jti', 'purposeId', 'sub']), '015-0032')
  // A token from the future, or one that was meant to last, was not made for this request.
  demand(Number(claims.iat) * 1000 <= now + 30_000, '015-0019')
  demand(Number(claims.exp) > Number(claims.iat), '015-0010')
}

function requireDigest(digest: unknown): void {
  if (typeof digest !== 'object' || digest === null) throw new Refused('015-0025')
  const { alg, value, ...others } = digest as Members
  if (typeof value !== 'string' || Object.keys(others).length > 0) throw new Refused('015-0025')
  if (!/^[0-9a-f]{64}$/.test(value)) throw new Refused('015-0026')
  if (alg !== 'SHA256') throw new Refused('015-0027')
}

async function verify(assertion: string, key: KeyObject, clock: Clock): Promise<void> {
  try {
    await jwtVerify(assertion, key, { algorithms: ['RS256'], currentDate: new Date(clock.now()) })
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw new Refused('015-0017')
    throw new Refused('015-0033')
  }
}

/** Checks proofs (RFC 9449 §4.3) and gives the thumbprint of their key. A token request may do without. */
function proofJudge(clock: Clock) {
  const used = usedIds(clock)
  return async (proof: string | string[] | undefined, htu: string): Promise<string | undefined> => {
    if (proof === undefined) return undefined
    const demand = (holds: boolean, code: string) => {
      if (!holds) throw new Refused(`dpop-${code}`)
    }
    if (typeof proof !== 'string' || proof.includes(',')) throw new Refused('dpop-0022')
    const [header, claims] = partsOf(proof, 'dpop-0002')
    const now = Math.floor(clock.now() / 1000)
    demand(header.typ === 'dpop+jwt', '0008')
    demand(header.alg === 'RS256' || header.alg === 'ES256', '0017')
    const jwk = (header.jwk ?? {}) as JWK
    // Exactly what makes the key; a private member is not forgiven either.
    demand(hasExactly(jwk, header.alg === 'RS256' ? ['e', 'kty', 'n'] : ['crv', 'kty', 'x', 'y']), '0018')
    demand(onlyHas(header, ['alg', 'jwk', 'typ']), '0018')
    demand(claims.htm === 'POST', '0011')
    demand(claims.htu === htu, '0013')
    demand(typeof claims.jti === 'string' && claims.jti !== '', '0004')
    demand(Number.isInteger(claims.iat), '0006')
    demand(Number(claims.iat) <= now + 5, '0021')
    demand(Number(claims.iat) >= now - 60, '0020')
    demand(hasExactly(claims, ['htm', 'htu', 'iat', 'jti']), '0018')
    try {
      await jwtVerify(proof, await importJWK(jwk, String(header.alg)), { currentDate: new Date(clock.now()) })
    } catch {
      throw new Refused('dpop-0019')
    }
    demand(used(String(claims.jti), Number(claims.iat) + 120), '0005')
    return await calculateJwkThumbprint(jwk)
  }
}

type Members = Readonly<Record<string, unknown>>

function onlyHas(members: object, names: readonly string[]): boolean {
  return Object.keys(members).every((name) => names.includes(name))
}

function hasExactly(members: object, names: readonly string[]): boolean {
  return Object.keys(members).toSorted().join() === names.join()
}

function partsOf(token: string, code: string): readonly [Members, Members] {
  const parts = token.split('.')
  if (parts.length !== 3 || !parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part))) throw new Refused(code)
  const [header, claims] = parts.slice(0, 2).map((part): Members => {
    try {
      const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members
    } catch {}
    throw new Refused(code)
  })
  return [header ?? {}, claims ?? {}]
}

/** `false` for an id seen before. Ids are forgotten when what bears them has expired. */
function usedIds(clock: Clock): (id: string, untilSeconds: number) => boolean {
  const used = new Map<string, number>()
  return (id, until) => {
    for (const [known, end] of used) if (end * 1000 < clock.now()) used.delete(known)
    if (used.has(id)) return false
    used.set(id, until)
    return true
  }
}

interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly jwk: JWK
}

async function signingKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const kid = await kidOf(publicKey)
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } }
}

function voucher(payload: JWTPayload, key: SigningKey | undefined): string {
  if (key === undefined) throw new Error('There is no key to sign vouchers with')
  const header = { alg: 'RS256', typ: 'at+jwt', use: 'sig', kid: key.kid }
  const signed = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${signed}.${sign('sha256', Buffer.from(signed), key.privateKey).toString('base64url')}`
}

const rateIntervalMs = 2_000

function rateHeaders(remaining: number): Readonly<Record<string, string>> {
  return {
    'x-rate-limit-limit': '100',
    'x-rate-limit-interval': String(rateIntervalMs),
    'x-rate-limit-remaining': String(remaining),
  }
}

function limited(): PeerReply {
  return { ...problem(429, '015-0000', 'Too Many Requests', 'The rate is exceeded'), headers: rateHeaders(0) }
}

function refusalReply({ code }: Refused, generic: boolean, asked: Asked): PeerReply {
  asked.status = code === '015-0000' ? 500 : 400
  if (asked.status === 500) {
    return problem(500, code, "The request couldn't be fulfilled due to an internal error", 'Internal server error')
  }
  // Codes of proofs are of another series, in which 0020 to 0022 mean something else: they are never told.
  const told = generic || !code.startsWith('015-') ? '015-0008' : code
  return problem(400, told, 'The request contains bad syntax or cannot be fulfilled.', 'Bad request')
}

function problem(status: number, code: string, title: string, detail: string): PeerReply {
  const errors = [{ code, detail: 'Unable to generate a token for the given request' }]
  const body = { type: 'about:blank', status, title, detail, correlationId: randomUUID(), errors }
  return { ...json(status, body), contentType: 'application/problem+json' }
}

function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): PeerReply {
  return { status, contentType: 'application/json', body: JSON.stringify(body), headers }
}
