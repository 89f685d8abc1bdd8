import { organizations } from '../../contracts/affinity-domain/organizations.ts'
import type { GatewayError } from '../core/errors.ts'
import { homeCommunityId } from '../core/model/identifiers.ts'
import { type FsePair, fseVerifier } from '../trust/jwt/fse.ts'
import type { FseOperation } from '../trust/jwt/fse-claims.ts'
import { fseProblem } from '../trust/jwt/fse-problem.ts'
import { readKeySet } from '../trust/jwt/key-set.ts'
import { jwsAlgorithms, readToken } from '../trust/jwt/token.ts'
import { type TokenProfile, type TokenQuestion, tokenProfiles, verifyToken } from '../trust/jwt/verify-token.ts'
import { Refusal, refused } from '../trust/refusal.ts'
import { instantOf, millisecondsOf, oneOf, optionsOf } from './arguments.ts'
import { CliError } from './exit.ts'
import { largestInput } from './input.ts'
import { tokenTrustFrom, usable } from './trust-files.ts'
import { accepted, isoOf, type Judge, kindOf, type Verdict, verdictOn } from './verdict.ts'

const options = {
  trust: { type: 'string', multiple: true, default: [] as string[] },
  at: { type: 'string' },
  audience: { type: 'string' },
  issuer: { type: 'string' },
  profile: { type: 'string', default: 'jwt' },
  operation: { type: 'string' },
  skew: { type: 'string' },
} as const

const operations: readonly FseOperation[] = ['validation', 'create', 'replace', 'update', 'delete', 'read']

/** `fse` is the two tokens of one call, that of `Authorization` first. */
type Profile = TokenProfile | 'fse'

/** Judges a token, or the pair of tokens of the FSE 2.0 gateway. Throws CliError for wrong arguments. */
export function jwtJudge(args: readonly string[]): Judge {
  const values = optionsOf(args, options, ['trust'])
  const { audience, issuer, operation, skew } = values
  const profile = oneOf<Profile>('profile', values.profile, [...tokenProfiles, 'fse'])
  // A proof of possession brings its own key, which vouches for nothing else.
  if (values.trust.length === 0 && profile !== 'dpop') {
    throw new CliError('usage', '--trust is needed: certificates in PEM, or key sets in JSON')
  }
  const question = {
    trust: trustOf(values.trust),
    at: instantOf(values.at),
    organizations,
    // Nobody's: what it would be compared with is not asked about.
    community: homeCommunityId('urn:oid:0.0'),
    ...(audience === undefined ? {} : { audience }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(skew === undefined ? {} : { clockSkewMs: millisecondsOf('skew', skew) }),
    ...(operation === undefined ? {} : { operation: oneOf('operation', operation, operations) }),
  }
  return async (input) => {
    // A token is ASCII; whatever is not shows in the alphabet.
    const text = input.toString('latin1')
    try {
      if (profile === 'fse') return accepted(await pairIn(text, question))
      const { read } = await verifyToken(text, { ...question, profile })
      return accepted({ profile, ...read })
    } catch (error) {
      return verdictOn(error, codeFor(profile), { profile, ...statedIn(text, profile), ...problemOf(error, profile) })
    }
  }
}

function trustOf(paths: readonly string[]): TokenQuestion['trust'] {
  const files = paths.map((path) => [path, tokenTrustFrom(path)] as const)
  return {
    certificates: files.flatMap(([, file]) => ('certificates' in file ? file.certificates : [])),
    jwks: files.flatMap(([path, file]) => {
      return 'keySet' in file ? [usable('trust', path, () => readKeySet(file.keySet))] : []
    }),
  }
}

/** The two tokens, with what they say together. Throws Refusal. */
async function pairIn(text: string, question: Omit<TokenQuestion, 'profile'>): Promise<Verdict['read']> {
  const { at, audience, clockSkewMs, operation, trust } = question
  const tokens = tokensIn(text)
  const [bearer, signature] = tokens
  if (bearer === undefined || signature === undefined) throw refused('missing', 'a-token-of-the-pair-is-missing')
  if (tokens.length > 2) throw refused('malformed', 'more-than-a-pair-of-tokens')
  const verifier = fseVerifier({
    clock: { now: () => at },
    audience,
    trust: { anchors: trust.certificates },
    organizations,
    maxLength: largestInput,
    ...(clockSkewMs === undefined ? {} : { clockSkewMs }),
  })
  const headers = [
    ['Authorization', `Bearer ${bearer}`],
    ['FSE-JWT-Signature', signature],
  ] as const
  const pair = await verifier.pair(headers, { operation })
  return {
    profile: 'fse',
    authorization: toldOf(pair.bearer),
    signature: toldOf(pair.signature),
    ...pair.signature.claims,
  }
}

function tokensIn(text: string): string[] {
  return text.split(/\s+/, 4).filter((token) => token !== '')
}

function toldOf(token: FsePair['bearer'] | FsePair['signature']) {
  const { certificate, commonName, digest, expiresAt, issuedAt, issuer, subject, tokenId } = token
  const times = { issuedAt: isoOf(issuedAt), expiresAt: isoOf(expiresAt) }
  return { issuer, subject, tokenId, ...times, signer: commonName, certificate, digest }
}

/** The national gateway answers its pairs by problem details (ini.md §5.5); for other tokens the kind is told. */
function codeFor(profile: Profile): (error: GatewayError) => string {
  return (error) => (isNational(profile) && error instanceof Refusal ? fseProblem(error).type : kindOf(error))
}

function problemOf(error: unknown, profile: Profile) {
  return isNational(profile) && error instanceof Refusal ? { problem: fseProblem(error) } : {}
}

function isNational(profile: Profile): boolean {
  return profile.startsWith('fse')
}

/** What a token says of itself, as far as it can be taken apart. */
function statedIn(text: string, profile: Profile): Verdict['read'] {
  const [token = ''] = profile === 'fse' ? tokensIn(text) : [text.replace(/\r?\n$/, '')]
  const form = { algorithms: jwsAlgorithms, types: undefined, embeddedKey: profile === 'dpop', maxLength: largestInput }
  try {
    const { header, payload } = readToken(token, form)
    const { alg, kid, typ } = header
    return { alg, typ, kid, claims: payload }
  } catch (error) {
    if (error instanceof Refusal) return {}
    throw error
  }
}
