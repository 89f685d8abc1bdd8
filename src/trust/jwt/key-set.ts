import type { KeyObject } from 'node:crypto'
import { refused } from '../refusal.ts'
import { type PublicJwk, readJwk } from './jwk.ts'
import { bareKey, type KeyHint, type KeySource } from './keys.ts'
import { isJsonObject, member, readJsonObject } from './strict-json.ts'

/** Public keys that sign tokens, no two of one name. */
export interface KeySet {
  readonly keys: readonly PublicJwk[]
}

/** How many keys a set may have, usable or not. */
const maxKeys = 64

/**
 * Reads a JWK Set (RFC 7517 §5), or one JWK by itself. Keys that are not usable are passed over; of keys that share a `kid`
 * none is used. Throws JsonRefusal or Error when there is no usable key.
 */
export function readKeySet(bytes: Uint8Array): KeySet {
  const document = readJsonObject(bytes)
  const listed = Object.hasOwn(document, 'kty') ? [document] : member(document, 'keys')
  if (!Array.isArray(listed)) throw new Error('The document is no key set')
  if (listed.length > maxKeys) throw new Error('The key set has too many keys')
  const names = listed.map((one: unknown) => (isJsonObject(one) ? member(one, 'kid') : undefined))
  const keys = listed.flatMap((one: unknown, index) => {
    const name = names[index]
    const shared = name !== undefined && names.indexOf(name) !== names.lastIndexOf(name)
    const jwk = isJsonObject(one) && !shared ? readJwk(one) : undefined
    return jwk === undefined ? [] : [jwk]
  })
  if (keys.length === 0) throw new Error('The key set has no usable key')
  return { keys }
}

/** One set of several. */
export function unitedKeySets(sets: readonly KeySet[]): KeySet {
  return { keys: sets.flatMap(({ keys }) => keys) }
}

/**
 * The key that a token names by `kid`, or the only one that fits the algorithm when it names none; undefined when there is
 * no such key. Throws Refusal when it is not to be told which, or when the named one has another purpose.
 */
export function keyIn({ keys }: KeySet, { algorithm, header }: KeyHint): KeyObject | undefined {
  const kid = member(header, 'kid')
  const named = kid === undefined ? keys : keys.filter((one) => one.kid === kid)
  const fit = named.filter(({ algorithms }) => algorithms.includes(algorithm))
  if (fit.length > 1) throw refused('certificate', 'key-is-ambiguous')
  if (fit.length === 0 && kid !== undefined && named.length > 0) {
    throw refused('signature', 'key-and-algorithm-do-not-fit')
  }
  return fit[0]?.key
}

/** Keys from a set that does not change. */
export function fixedKeys(set: KeySet): KeySource {
  return {
    keyFor(hint) {
      const key = keyIn(set, hint)
      if (key === undefined) throw refused('certificate', 'key-is-unknown')
      return bareKey(key)
    },
  }
}
