import type { SignatureAlgorithm } from '../algorithms.ts'
import { refused } from '../refusal.ts'
import { isJsonObject, type JsonObject, JsonRefusal, member, readJsonObject } from './strict-json.ts'

/** Signature algorithms of RFC 7518 §3.1 that a token may name: all but `none` and the symmetric ones. */
export type JwsAlgorithm = Exclude<SignatureAlgorithm, 'RS1'>

export const jwsAlgorithms: readonly JwsAlgorithm[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
]

/** The longest token that is looked at unless told otherwise, in characters. */
export const defaultMaxLength = 65_536

/** What a token must look like before any cryptography. */
export interface TokenForm {
  readonly algorithms: readonly JwsAlgorithm[]
  /** Accepted `typ` values, as media types without `application/` (RFC 7515 §4.1.9); undefined accepts any or none. */
  readonly types: readonly string[] | undefined
  /** Whether `typ` may be left out where `types` are named. */
  readonly untyped?: boolean
  /** Whether the key stands in the header (`jwk`), as in a DPoP proof and nowhere else. */
  readonly embeddedKey?: boolean
  readonly maxLength?: number
}

/** A token taken apart. Nothing in it is believed yet. */
export interface Token {
  readonly text: string
  readonly header: JsonObject
  readonly algorithm: JwsAlgorithm
  readonly payload: JsonObject
  /** What the signature is over (RFC 7515 §5.2). */
  readonly signed: Buffer
  readonly signature: Buffer
}

/**
 * Takes a compact JWS with JSON claims apart (RFC 7515 §7.1, RFC 8725): one spelling only, so that no two texts are the same
 * token, and nothing in the header that would steer the verifier. Throws Refusal.
 */
export function readToken(text: string, form: TokenForm): Token {
  if (text === '') throw refused('missing', 'token-is-empty')
  if (text.length > (form.maxLength ?? defaultMaxLength)) throw refused('malformed', 'token-is-too-long')
  const [first, second] = dotsOf(text)
  const header = headerOf(text.slice(0, first))
  const algorithm = algorithmOf(header, form)
  requirePlainHeader(header, form)
  return {
    text,
    header,
    algorithm,
    payload: objectOf('payload', text.slice(first + 1, second)),
    signed: Buffer.from(text.slice(0, second), 'latin1'),
    signature: signatureOf(text.slice(second + 1)),
  }
}

/** The places of the two dots of a token that has exactly two. */
function dotsOf(text: string): readonly [number, number] {
  const after = (place: number) => (place < 0 ? -1 : text.indexOf('.', place + 1))
  const first = text.indexOf('.')
  const second = after(first)
  const third = after(second)
  const fourth = after(third)
  if (fourth >= 0 && after(fourth) < 0) throw refused('malformed', 'token-is-encrypted')
  if (second < 0 || third >= 0) throw refused('malformed', 'token-has-not-three-parts')
  return [first, second]
}

/**
 * Strict base64url (RFC 7515 §2). Node's decoder passes over what it does not know and over stray bits; spelling the bytes
 * again shows both.
 */
function bytesOf(part: string, text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.toString('base64url') !== text) throw refused('malformed', `${part}-is-not-base64url`)
  return bytes
}

/** The headers of one signer are all alike, certificates included: what was read before is not read again. */
const headers = new Map<string, JsonObject>()
const remembered = 512
const longestRemembered = 16_384

function headerOf(text: string): JsonObject {
  const known = headers.get(text)
  if (known !== undefined) return known
  const header = objectOf('header', text)
  if (text.length <= longestRemembered) {
    if (headers.size >= remembered) headers.clear()
    headers.set(text, header)
  }
  return header
}

function objectOf(part: string, text: string): JsonObject {
  if (text === '') throw refused('malformed', `${part}-is-empty`)
  const bytes = bytesOf(part, text)
  try {
    return readJsonObject(bytes)
  } catch (error) {
    if (error instanceof JsonRefusal) throw refused('malformed', `${part}-${error.reason}`)
    throw error
  }
}

function signatureOf(text: string): Buffer {
  if (text === '') throw refused('signature', 'signature-is-missing')
  return bytesOf('signature', text)
}

function algorithmOf(header: JsonObject, { algorithms }: TokenForm): JwsAlgorithm {
  const named = member(header, 'alg')
  // Case counts, and nothing but a member of the list is ever compared with anything else again.
  const algorithm = algorithms.find((one) => one === named)
  if (algorithm === undefined) throw refused('signature', 'algorithm-is-not-allowed')
  return algorithm
}

/** Header parameters that would have us fetch a key, take the sender's, or read the content in another way. */
const steering: readonly string[] = ['jku', 'x5u', 'crit', 'b64', 'zip', 'enc']

function requirePlainHeader(header: JsonObject, form: TokenForm): void {
  for (const name of steering) {
    if (Object.hasOwn(header, name)) throw refused('header', `${name}-is-not-allowed`)
  }
  if (form.embeddedKey === true ? !isJsonObject(member(header, 'jwk')) : Object.hasOwn(header, 'jwk')) {
    throw refused('header', form.embeddedKey === true ? 'jwk-is-missing' : 'jwk-is-not-allowed')
  }
  if (Object.hasOwn(header, 'cty')) throw refused('header', 'nested-content-is-not-allowed')
  const kid = member(header, 'kid')
  if (kid !== undefined && (typeof kid !== 'string' || kid === '' || kid.length > 256)) {
    throw refused('header', 'kid-is-malformed')
  }
  requireType(header, form)
}

function requireType(header: JsonObject, { types, untyped }: TokenForm): void {
  const type = member(header, 'typ')
  if (type !== undefined && typeof type !== 'string') throw refused('header', 'typ-is-malformed')
  if (types === undefined || (type === undefined && untyped === true)) return
  const bare = type?.toLowerCase().replace(/^application\//, '')
  if (!types.some((one) => one.toLowerCase() === bare)) throw refused('header', 'typ-is-another')
}
