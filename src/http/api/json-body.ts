import { GatewayError } from '../../core/errors.ts'
import type { PresentedRequest } from './guard.ts'

type JsonObject = Readonly<Record<string, unknown>>

/** Reads one JSON object that every reader understands alike; throws for anything else. */
export type ReadObject = (bytes: Uint8Array) => JsonObject

/** The object in the body of a request. Throws `media-type-unsupported` and `request-malformed`. */
export function jsonObject({ headers, body }: PresentedRequest, readObject: ReadObject): JsonObject {
  const types = headers.filter(([name]) => name.toLowerCase() === 'content-type').map(([, value]) => value)
  const [type = '', ...others] = types
  if (others.length > 0 || !/^application\/json\s*(?:;\s*charset=(?:utf-8|"utf-8")\s*)?$/i.test(type.trim())) {
    throw new GatewayError('media-type-unsupported', 'The body must be application/json')
  }
  try {
    return readObject(body)
  } catch (error) {
    throw new GatewayError('request-malformed', 'The body is not one JSON object', { cause: error })
  }
}

/** Throws `request-malformed` where a contract knows no such member: a misspelt one must not be passed over. */
export function requireNothingBut(object: JsonObject, names: readonly string[]): void {
  if (Object.keys(object).some((name) => !names.includes(name))) {
    throw new GatewayError('request-malformed', `Only ${names.join(', ')} may stand there`)
  }
}

/** A member's text; nothing where there is none, or where it is said to be none. Throws `request-malformed`. */
export function textIn(object: JsonObject, name: string): string | undefined {
  const value = Object.hasOwn(object, name) ? object[name] : undefined
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  throw odd(name)
}

/** An object within an object. Throws `request-malformed`. */
export function objectOf(value: unknown, name: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw odd(name)
  return value as JsonObject
}

/** What is said of a member that is not as its contract has it; its value is not repeated. */
export function odd(name: string): GatewayError {
  return new GatewayError('request-malformed', `The member ${name} is missing, or is not as the contract has it`)
}
