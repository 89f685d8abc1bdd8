import { hash } from 'node:crypto'
import { refused } from '../refusal.ts'
import { type JsonObject, member } from './strict-json.ts'

/** The longest single text a claim may be. */
const longestText = 4_096

/** A claim's name as the first words of a reason: `subject_role` and `purposeId` give `subject-role` and `purpose-id`. */
export function inKebab(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .toLowerCase()
}

/** A text claim; undefined when it is absent or empty. Throws Refusal `<name>-malformed` for anything but a text. */
export function optionalText(claims: JsonObject, name: string): string | undefined {
  const value = member(claims, name)
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'string' || value.length > longestText) throw refused('attributes', `${inKebab(name)}-malformed`)
  return value
}

/** A text claim that must be there. Throws Refusal `<name>-missing` or `<name>-malformed`. */
export function requiredText(claims: JsonObject, name: string): string {
  const value = optionalText(claims, name)
  if (value === undefined) throw refused('attributes', `${inKebab(name)}-missing`)
  return value
}

/** A claim that is true or false; undefined when it is absent. Throws Refusal `<name>-malformed`. */
export function optionalFlag(claims: JsonObject, name: string): boolean | undefined {
  const value = member(claims, name)
  if (value === undefined || typeof value === 'boolean') return value
  throw refused('attributes', `${inKebab(name)}-malformed`)
}

/** How the times of a token are judged. Durations in milliseconds. */
export interface TimeRules {
  readonly clockSkewMs: number
  /** Times that must be stated. */
  readonly required: readonly ('exp' | 'iat' | 'nbf')[]
  /** How long ago it may have been issued; absent, any time. */
  readonly maximumAgeMs?: number | undefined
  /** How long after being issued it may expire; absent, any time. */
  readonly maximumLifetimeMs?: number | undefined
}

/** What was stated, in milliseconds since the epoch. */
export interface Times {
  readonly issuedAt?: number
  readonly notBefore?: number
  readonly expiresAt?: number
}

/** Throws Refusal unless a token with these times may be used at `now` (RFC 7519 §4.1.4–4.1.6; times are whole seconds). */
export function requireTimes(claims: JsonObject, rules: TimeRules, now: number): Times {
  const issuedAt = timeOf(claims, 'iat', rules)
  const notBefore = timeOf(claims, 'nbf', rules)
  const expiresAt = timeOf(claims, 'exp', rules)
  const { clockSkewMs, maximumAgeMs, maximumLifetimeMs } = rules
  if (expiresAt !== undefined && now - clockSkewMs >= expiresAt) throw refused('validity', 'expired')
  if (notBefore !== undefined && now + clockSkewMs < notBefore) throw refused('validity', 'not-yet-valid')
  if (issuedAt !== undefined) {
    if (now + clockSkewMs < issuedAt) throw refused('validity', 'issued-in-the-future')
    if (maximumAgeMs !== undefined && now - clockSkewMs - maximumAgeMs > issuedAt) {
      throw refused('validity', 'issued-too-long-ago')
    }
    if (expiresAt !== undefined && expiresAt <= issuedAt) throw refused('validity', 'expires-before-it-is-issued')
    if (expiresAt !== undefined && maximumLifetimeMs !== undefined && expiresAt - issuedAt > maximumLifetimeMs) {
      throw refused('validity', 'lives-too-long')
    }
  }
  return {
    ...(issuedAt === undefined ? {} : { issuedAt }),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}

/** The year 5138 in seconds, or March 1973 in milliseconds: no token is meant for either. */
const implausible = 100_000_000_000
/** The year 5138 in milliseconds. */
const implausibleMs = implausible * 1_000

function timeOf(claims: JsonObject, name: 'exp' | 'iat' | 'nbf', { required }: TimeRules): number | undefined {
  const value = member(claims, name)
  if (value === undefined) {
    if (required.includes(name)) throw refused('attributes', `${name}-missing`)
    return undefined
  }
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    throw refused('attributes', `${name}-malformed`)
  }
  if (value >= implausible && value < implausibleMs) throw refused('attributes', 'times-in-milliseconds')
  if (value >= implausibleMs) throw refused('attributes', `${name}-malformed`)
  return value * 1_000
}

/** Throws Refusal unless one of the expected audiences is named, exactly. Undefined is for tools that only look. */
export function requireAudience(claims: JsonObject, expected: readonly string[] | undefined): readonly string[] {
  const value = member(claims, 'aud')
  const named: readonly unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value]
  const audiences = named.filter((one) => typeof one === 'string')
  if (audiences.length !== named.length || named.length > 64) throw refused('attributes', 'aud-malformed')
  if (expected === undefined) return audiences
  if (named.length === 0) throw refused('audience', 'aud-missing')
  if (!audiences.some((one) => expected.includes(one))) throw refused('audience', 'aud-is-somebody-else')
  return audiences
}

/** Throws Refusal unless the issuer is exactly the expected one. Undefined is for tools that only look. */
export function requireIssuer(claims: JsonObject, expected: string | undefined): string {
  const issuer = requiredText(claims, 'iss')
  if (expected !== undefined && issuer !== expected) throw refused('audience', 'iss-is-another')
  return issuer
}

/** SHA-256 in lower-case hexadecimal; of a text, of its UTF-8 bytes. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex')
}
