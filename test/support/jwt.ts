import { createPrivateKey, createPublicKey, type KeyObject, randomUUID, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { organizations } from '../../contracts/affinity-domain/organizations.ts'
import { authorities } from '../../src/core/model/patient.ts'
import { signWith } from '../../src/trust/algorithms.ts'
import type { FseOptions } from '../../src/trust/jwt/fse.ts'
import { type KeySet, readKeySet } from '../../src/trust/jwt/key-set.ts'
import type { JwsAlgorithm } from '../../src/trust/jwt/token.ts'
import { Refusal } from '../../src/trust/refusal.ts'
import { certificatesOf } from '../../src/trust/x509/certificate.ts'
import { citizen, clinician } from './builders.ts'

const folder = new URL('../../certs-dev/out/', import.meta.url)

export function pemOf(path: string): string {
  return readFileSync(new URL(path, folder), 'utf8')
}

/** The instant these tests are at, in milliseconds: a whole second, within the validity of the development certificates. */
export const at = Math.floor(Date.now() / 1000) * 1000
/** The same in seconds, as tokens state it. */
export const nowSeconds = at / 1000
export const stopped = { now: () => at }

export interface SigningPair {
  readonly certificate: X509Certificate
  readonly key: KeyObject
}

/** A pair of the development identities. */
export function pairOf(name: string, kind = 'signing'): SigningPair {
  return {
    certificate: new X509Certificate(pemOf(`${name}/${kind}.crt.pem`)),
    key: createPrivateKey(pemOf(`${name}/${kind}.key.pem`)),
  }
}

export const signingAuthorities = certificatesOf(pemOf('signing-ca.pem'))

/** An object as JSON; a text as it is, so that tests may write what no serialiser writes. */
type Part = string | Readonly<Record<string, unknown>>

export function base64url(part: Part): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
}

/** A compact JWS over exactly these parts, whatever they say of the algorithm. */
export function signedToken(header: Part, payload: Part, key: KeyObject, algorithm: JwsAlgorithm = 'RS256'): string {
  const input = `${base64url(header)}.${base64url(payload)}`
  return `${input}.${signWith(algorithm, Buffer.from(input), key).toString('base64url')}`
}

export function x5cOf({ certificate }: SigningPair): readonly string[] {
  return [certificate.raw.toString('base64')]
}

/** A key set of public keys, with `kid`s unless they are undefined. */
export function keySetOf(keys: readonly (readonly [kid: string | undefined, pair: SigningPair])[]): KeySet {
  return readKeySet(jwksBytes(keys.map(([kid, pair]) => publicJwk(pair, kid))))
}

export function publicJwk({ key }: SigningPair, kid?: string): Record<string, unknown> {
  return { ...createPublicKey(key).export({ format: 'jwk' }), ...(kid === undefined ? {} : { kid }) }
}

export function jwksBytes(keys: readonly object[]): Uint8Array {
  return Buffer.from(JSON.stringify({ keys }))
}

/** What was refused, as `kind reason`; `accepted` when it was not. Other failures are failures of the test. */
export async function outcomeOf(verification: () => unknown): Promise<string> {
  try {
    await verification()
    return 'accepted'
  } catch (error) {
    if (error instanceof Refusal) return `${error.kind} ${error.reason}`
    throw error
  }
}

export const fseAudience = 'https://gateway.example/govway/rest/in/FSE/gateway/v1'

export const fseOptions: FseOptions = {
  audience: fseAudience,
  clock: stopped,
  trust: { anchors: signingAuthorities },
  organizations,
}

/** A claim replaced, or left out when `undefined`. */
export type Changes = Readonly<Record<string, unknown>>

/** The reserved claims of one token of a pair. */
export function reserved(kind: 'auth' | 'integrity', { certificate }: SigningPair): Record<string, unknown> {
  const name = /^CN=(.*)$/m.exec(certificate.subject)?.[1]
  return {
    iss: `${kind}:${name}`,
    iat: nowSeconds,
    exp: nowSeconds + 300,
    jti: randomUUID(),
    aud: fseAudience,
    sub: clinician,
  }
}

/** The claims of a document's creation by a clinician of Veneto. */
export const creation: Readonly<Record<string, unknown>> = {
  subject_organization_id: '050',
  subject_organization: 'Regione Veneto',
  locality: 'Laboratorio Esempio^^^^^&2.16.840.1.113883.2.9.4.1.3&ISO^^^^050202000001',
  subject_role: 'AAS',
  person_id: `${citizen.value}^^^&${authorities.codiceFiscale}&ISO`,
  patient_consent: true,
  purpose_of_use: 'TREATMENT',
  resource_hl7_type: "('11502-2^^2.16.840.1.113883.6.1')",
  action_id: 'CREATE',
  attachment_hash: 'ccd1a23b4a73c838e4dfc2a1948aaec8389ebd331cbaebc1b3144c74fca17da5',
  subject_application_id: 'FEDGW',
  subject_application_vendor: 'ESEMPIO SPA',
  subject_application_version: '1.0.0',
}

export interface PairChanges {
  readonly pair?: SigningPair
  readonly bearerPair?: SigningPair
  readonly header?: Changes
  readonly bearerHeader?: Changes
  readonly bearer?: Changes
  readonly signature?: Changes
}

/** The two tokens of a call, in their headers. */
export function fseHeaders(changes: PairChanges = {}): [string, string][] {
  const { bearer = {}, pair = pairOf('region-050'), signature = {} } = changes
  const { bearerPair = pair } = changes
  const header = (own: SigningPair, more: Changes = {}) => ({ alg: 'RS256', typ: 'JWT', x5c: x5cOf(own), ...more })
  const first = { ...reserved('auth', bearerPair), ...bearer }
  const second = { ...reserved('integrity', pair), ...creation, ...signature }
  return [
    ['authorization', `Bearer ${signedToken(header(bearerPair, changes.bearerHeader), first, bearerPair.key)}`],
    ['FSE-JWT-Signature', signedToken(header(pair, changes.header), second, pair.key)],
  ]
}
