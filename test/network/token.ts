import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto'
import { decodeProtectedHeader, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type { Signer } from './assertion.ts'
import { commonName, readCertificate, whyNotTrusted } from './certificate.ts'
import { codiceFiscale } from './citizens.ts'
import { type Identifier, readCx } from './entry.ts'
import { FhirProblem } from './fhir-search.ts'
import { authority } from './organizations.ts'

/** What a token claims; the patient has no default. */
export interface TokenClaims {
  readonly audience: string
  /** CX. */
  readonly patient: string
  /** Replaced, or left out when `undefined`. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Milliseconds since the epoch. */
  readonly now?: number
  readonly lifetimeSeconds?: number
}

/** A signed token in the shape of the national gateway's (ini.md §5.2, §5.3). */
export async function bearerToken(given: TokenClaims, { key, certificate }: Signer): Promise<string> {
  const { audience, patient, claims = {}, now = Date.now(), lifetimeSeconds = 300 } = given
  const own = new X509Certificate(certificate)
  const issued = Math.floor(now / 1000)
  const payload = {
    iss: `auth:${commonName(own)}`,
    aud: audience,
    iat: issued,
    exp: issued + lifetimeSeconds,
    jti: randomUUID(),
    sub: `${codiceFiscale('VRDMRC67T20X257')}^^^&${authority.codiceFiscale}&ISO`,
    subject_role: 'AAS',
    purpose_of_use: 'TREATMENT',
    action_id: 'READ',
    subject_organization_id: '090',
    person_id: patient,
    ...claims,
  }
  return new SignJWT(payload as JWTPayload)
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', x5c: [own.raw.toString('base64')] })
    .sign(createPrivateKey(key))
}

export interface TokenTrust {
  readonly root: X509Certificate
  readonly now: () => number
  readonly signer: string
  readonly audience: string
}

/** What a token claimed, verified. */
export interface Bearer {
  readonly id: string
  readonly issuer: string
  readonly role: string
  readonly purpose: string
  readonly action: string
  readonly person: Identifier
}

const role = /^[A-Z]{3}$/

/** Checks tokens, each of which is good for one request. Throws FhirProblem: 401 for who asks, 403 for what they may. */
export function tokenGuard({
  root,
  now,
  signer,
  audience,
}: TokenTrust): (authorization: string | undefined) => Promise<Bearer> {
  const used = new Set<string>()
  return async (authorization) => {
    const text = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(authorization ?? '')?.[1]
    if (text === undefined) throw new FhirProblem(401, 'login', 'A bearer token is missing')
    const certificate = certificateIn(text)
    const reason = certificate === undefined ? 'missing' : whyNotTrusted(certificate, root, now())
    if (certificate === undefined || reason !== undefined || commonName(certificate) !== signer) {
      throw new FhirProblem(401, 'login', 'The certificate in x5c is not trusted')
    }
    const payload = await verified(text, certificate, { issuer: `auth:${signer}`, audience, now: now() })
    const bearer = readClaims(payload)
    if (used.has(bearer.id)) throw new FhirProblem(401, 'login', 'The token was already used')
    used.add(bearer.id)
    return bearer
  }
}

function certificateIn(text: string): X509Certificate | undefined {
  try {
    const { x5c, alg, typ } = decodeProtectedHeader(text)
    const [first] = x5c ?? []
    return alg === 'RS256' && typ === 'JWT' && first !== undefined ? readCertificate(first) : undefined
  } catch {
    return undefined
  }
}

async function verified(
  text: string,
  certificate: X509Certificate,
  { issuer, audience, now }: { issuer: string; audience: string; now: number },
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(text, certificate.publicKey, {
      algorithms: ['RS256'],
      issuer,
      audience,
      currentDate: new Date(now),
      clockTolerance: 30,
      requiredClaims: ['iat', 'exp', 'jti', 'sub'],
    })
    return payload
  } catch (error) {
    throw new FhirProblem(401, 'login', `The token does not hold: ${(error as Error).message}`)
  }
}

function readClaims(payload: JWTPayload): Bearer {
  const claim = (name: string, right: (value: string) => boolean): string => {
    const value = payload[name]
    if (typeof value !== 'string' || !right(value)) {
      throw new FhirProblem(403, 'forbidden', `The claim ${name} is missing or not as agreed`)
    }
    return value
  }
  claim('sub', isSubject)
  claim('subject_organization_id', (value) => value === '090')
  const person = readCx(claim('person_id', (value) => readCx(value) !== undefined))
  if (person === undefined) throw new FhirProblem(403, 'forbidden', 'The claim person_id names nobody')
  return {
    id: claim('jti', (value) => value.length > 0),
    issuer: String(payload.iss),
    role: claim('subject_role', (value) => role.test(value)),
    purpose: claim('purpose_of_use', (value) => /^[A-Z]+( [A-Z]+)?$/.test(value)),
    action: claim('action_id', (value) => ['CREATE', 'READ', 'UPDATE', 'DELETE'].includes(value)),
    person,
  }
}

/** Somebody, or something that is nobody: only a codice fiscale is looked at more closely (ini.md §5.2). */
function isSubject(text: string): boolean {
  const id = readCx(text)
  return id !== undefined && (id.authority !== authority.codiceFiscale || /^[A-Z0-9]{11,16}$/.test(id.value))
}

/** Whether the token is about the very identifier asked for: people are named as they are asked about. */
export function isAbout({ person }: Bearer, asked: Identifier): boolean {
  return person.authority === asked.authority && person.value === asked.value
}
