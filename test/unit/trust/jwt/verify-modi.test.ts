import { createHash, randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fixedKeys } from '../../../../src/trust/jwt/key-set.ts'
import { type ModiPartner, modiVerifier } from '../../../../src/trust/jwt/modi.ts'
import type { SignedMessage } from '../../../../src/trust/jwt/modi-integrity.ts'
import { certificateKeys } from '../../../../src/trust/jwt/x5c.ts'
import { formatDigestHeader } from '../../../../src/wire/digest-header.ts'
import {
  at,
  type Changes,
  keySetOf,
  nowSeconds,
  outcomeOf,
  pairOf,
  signedToken,
  signingAuthorities,
  stopped,
  x5cOf,
} from '../../../support/jwt.ts'

const partner = pairOf('region-120')
const audience = 'https://crocevia.example/rest/fse/v1'
const body = Buffer.from('{"testo": "Ciao mondo"}')
const digestOf = (bytes: Uint8Array) => formatDigestHeader(createHash('sha256').update(bytes).digest())

const certified: ModiPartner = {
  keys: certificateKeys({ anchors: signingAuthorities }, { use: 'signature', names: [/^S1#120#/] }),
  clock: stopped,
  audience: [audience],
  authentication: 'ID_AUTH_REST_02',
  integrity: 'INTEGRITY_REST_01',
}
const named: ModiPartner = { ...certified, keys: fixedKeys(keySetOf([['k', partner]])) }

const times = { aud: audience, iat: nowSeconds, nbf: nowSeconds, exp: nowSeconds + 60 }
const header = { alg: 'RS256', typ: 'JWT', x5c: x5cOf(partner) }
const namedHeader = { alg: 'RS256', typ: 'JWT', kid: 'k' }

function token(claims: Changes, headerChanges: Changes = {}): string {
  return signedToken({ ...header, ...headerChanges }, { ...times, ...claims }, partner.key)
}

interface Sent {
  readonly body?: Uint8Array
  readonly digest?: string | undefined
  readonly type?: string | undefined
  readonly signedHeaders?: unknown
  readonly claims?: Changes
  readonly jti?: string
  readonly more?: readonly (readonly [string, string])[]
}

/** A message as the guidelines show it, with a token for who sends it. */
function message(sent: Sent = {}): SignedMessage {
  const { claims = {}, jti = randomUUID(), more = [], type = 'application/json' } = sent
  const bytes = sent.body ?? body
  const digest = 'digest' in sent ? sent.digest : digestOf(bytes)
  const lines: [string, string][] = []
  if (digest !== undefined) lines.push(['Digest', digest])
  lines.push(['Content-Type', type])
  const signed =
    'signedHeaders' in sent ? sent.signedHeaders : lines.map(([name, value]) => ({ [name.toLowerCase()]: value }))
  const signature = token({ jti, signed_headers: signed, ...claims })
  return {
    headers: [...lines, ...more, ['Authorization', `Bearer ${token({ jti })}`], ['Agid-JWT-Signature', signature]],
    body: bytes,
  }
}

function judged(sent: Sent, changes: Partial<ModiPartner> = {}): Promise<string> {
  return outcomeOf(() => modiVerifier({ ...certified, ...changes }).request(message(sent)))
}

describe('ID_AUTH_REST', () => {
  it('01 knows no replay; 02 has a jti that is used once', async () => {
    const first = modiVerifier({ ...certified, authentication: 'ID_AUTH_REST_01' })
    const second = modiVerifier(certified)
    expect(await first.authentication(token({ iss: 'a', sub: 'b' }))).toEqual({
      issuer: 'a',
      subject: 'b',
      audience: [audience],
      issuedAt: at,
      expiresAt: at + 60_000,
      signer: 'S1#120#120REGIONELAZIO-DEV',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      uses: [],
    })
    expect(await outcomeOf(() => second.authentication(token({})))).toBe('attributes jti-missing')
    expect((await second.authentication(token({ jti: 'j' }))).uses).toEqual([
      { key: expect.any(String), until: at + 65_000 },
    ])
  })

  it.each<[string, Changes, Changes]>([
    ['attributes iat-missing', { iat: undefined }, {}],
    ['attributes exp-missing', { exp: undefined }, {}],
    ['audience aud-missing', { aud: undefined }, {}],
    ['audience aud-is-somebody-else', { aud: `${audience}/x` }, {}],
    ['validity issued-in-the-future', { iat: nowSeconds + 6, exp: nowSeconds + 60 }, {}],
    ['accepted', { iat: nowSeconds + 5, exp: nowSeconds + 60 }, {}],
    ['validity issued-too-long-ago', { iat: nowSeconds - 306 }, {}],
    ['accepted', { iat: nowSeconds - 305 }, {}],
    ['header typ-is-another', {}, { typ: 'at+jwt' }],
    ['certificate x5c-is-missing', {}, { x5c: undefined }],
    ['certificate certificate-belongs-to-somebody-else', {}, { x5c: x5cOf(pairOf('region-050')) }],
  ])('is judged: %s', async (outcome, claims, headerChanges) => {
    const text = token({ jti: 'j', ...claims }, headerChanges)
    expect(await outcomeOf(() => modiVerifier(certified).authentication(text))).toBe(outcome)
  })

  it('has the issuer and the clock tolerance the partner agreed to', async () => {
    const judge = (claims: Changes, changes: Partial<ModiPartner>) => {
      return outcomeOf(() => modiVerifier({ ...certified, ...changes }).authentication(token({ jti: 'j', ...claims })))
    }
    expect(await judge({ iss: 'a' }, { issuer: 'a' })).toBe('accepted')
    expect(await judge({ iss: 'b' }, { issuer: 'a' })).toBe('audience iss-is-another')
    expect(await judge({}, { issuer: 'a' })).toBe('attributes iss-missing')
    expect(await judge({ iat: nowSeconds + 30, exp: nowSeconds + 60 }, { clockSkewMs: 30_000 })).toBe('accepted')
    const keyed = { jti: 'j' }
    const text = signedToken(namedHeader, { ...times, ...keyed }, partner.key)
    expect(await outcomeOf(() => modiVerifier(named).authentication(text))).toBe('accepted')
    expect(await outcomeOf(() => modiVerifier(certified).authentication(text))).toBe('certificate x5c-is-missing')
  })
})

describe('INTEGRITY_REST', () => {
  it('is accepted for the message that was signed', async () => {
    const { authentication, integrity, uses } = await modiVerifier(certified).request(message({ jti: 'j' }))
    expect(authentication?.tokenId).toBe('j')
    expect(integrity?.signedHeaders).toEqual([
      ['digest', 'SHA-256=hPq3xjgxGMr98LL2/lP2Y66DVCTcXdwL+YpNQD/gmvk='],
      ['content-type', 'application/json'],
    ])
    expect(uses).toHaveLength(1)
  })

  const right = [{ digest: digestOf(body) }, { 'content-type': 'application/json' }]
  it.each<[string, Sent]>([
    ['signature digest-differs', { digest: 'SHA-256=cFfTOCesrWTLVzxn8fmHl4AcrUs40Lv5D275FmAZ96E=' }],
    ['signature signed-header-differs', { type: 'application/xml', signedHeaders: right }],
    ['signature signed-header-is-absent', { digest: undefined, signedHeaders: right }],
    ['signature digest-is-missing', { digest: undefined }],
    ['signature content-type-is-not-signed', { signedHeaders: right.slice(0, 1) }],
    ['signature digest-is-not-signed', { signedHeaders: right.slice(1) }],
    ['signature content-encoding-is-not-signed', { more: [['Content-Encoding', 'gzip']] }],
    ['signature signed-header-is-repeated', { more: [['digest', digestOf(body)]] }],
    ['signature signed-header-is-repeated', { more: [['content-type', 'text/html']] }],
    ['signature digest-is-malformed', { digest: digestOf(body).replace('256', '512') }],
    ['signature digest-is-malformed', { digest: `${digestOf(body)},${digestOf(Buffer.from('x'))}` }],
    ['attributes signed-headers-missing', { signedHeaders: undefined }],
    ['attributes signed-headers-malformed', { signedHeaders: [] }],
    ['attributes signed-headers-malformed', { signedHeaders: Object.assign({}, ...right) }],
    ['attributes signed-headers-malformed', { signedHeaders: [Object.assign({}, ...right)] }],
    ['attributes signed-headers-malformed', { signedHeaders: [{ Digest: digestOf(body) }, right[1]] }],
    ['attributes signed-headers-malformed', { signedHeaders: [...right, right[0]] }],
    ['attributes signed-headers-malformed', { signedHeaders: [...right, { x: 1 }] }],
    ['attributes signed-headers-malformed', { signedHeaders: [...right, {}] }],
    ['coherence jti-is-not-shared', { claims: { jti: 'another' } }],
    ['coherence jti-is-not-shared', { claims: { jti: undefined } }],
    ['validity expired', { claims: { exp: nowSeconds - 10 } }],
    ['audience aud-is-somebody-else', { claims: { aud: 'https://other.example' } }],
  ])('is judged: %s', async (outcome, sent) => {
    expect(await judged(sent)).toBe(outcome)
  })

  it('covers whatever else was signed', async () => {
    const signedHeaders = [...right, { 'x-correlation-id': '1' }]
    expect(await judged({ signedHeaders, more: [['X-Correlation-ID', '1']] })).toBe('accepted')
    expect(await judged({ signedHeaders, more: [['X-Correlation-ID', '2']] })).toBe('signature signed-header-differs')
    expect(await judged({ signedHeaders })).toBe('signature signed-header-is-absent')
  })

  it('is needed where there is a body, and elsewhere as the partner agreed', async () => {
    const unsigned = (bytes: Uint8Array): SignedMessage => {
      return { headers: [['authorization', `Bearer ${token({ jti: 'j' })}`]], body: bytes }
    }
    const judge = (given: SignedMessage, changes: Partial<ModiPartner> = {}) => {
      return outcomeOf(() => modiVerifier({ ...certified, ...changes }).request(given))
    }
    const absent = 'missing agid-jwt-signature-is-missing'
    const empty = new Uint8Array()
    expect(await judge(unsigned(body))).toBe(absent)
    expect(await judge(unsigned(empty))).toBe('accepted')
    expect(await judge(unsigned(empty), { signEmptyBody: true })).toBe(absent)
    expect(await judged({ body: empty }, { signEmptyBody: true })).toBe('accepted')
    expect(await judged({ body: empty, digest: undefined }, { signEmptyBody: true })).toBe(
      'signature digest-is-missing',
    )
    expect(await judged({ body: empty, digest: undefined })).toBe('accepted')
    expect(await judged({ body: empty, digest: digestOf(body) })).toBe('signature digest-differs')
    const { integrity: _, ...unconcerned } = certified
    expect(await outcomeOf(() => modiVerifier(unconcerned).request(unsigned(body)))).toBe('accepted')
  })

  it('has its own jti, and the label in one case, where the partner agreed to that', async () => {
    const verifier = modiVerifier({ ...certified, sharedJti: false })
    const { uses } = await verifier.request(message({ claims: { jti: 'another' } }))
    expect(uses).toHaveLength(2)
    const digest = digestOf(body).replace('SHA', 'sha')
    expect(await judged({ digest })).toBe('accepted')
    expect(await judged({ digest }, { digestLabels: 'exact' })).toBe('signature digest-is-malformed')
  })

  it('is signed by who signed the other token', async () => {
    const other = pairOf('region-050')
    const text = signedToken({ ...header, x5c: x5cOf(other) }, { ...times, jti: 'j' }, other.key)
    const { body: bytes, headers } = message({ jti: 'j' })
    const lines = [...headers].map(([name, value]): [string, string] => {
      return [name, name === 'Authorization' ? `Bearer ${text}` : value]
    })
    const keys = certificateKeys({ anchors: signingAuthorities }, { use: 'signature' })
    const verifier = modiVerifier({ ...certified, keys })
    expect(await outcomeOf(() => verifier.authentication(text))).toBe('accepted')
    expect(await outcomeOf(() => verifier.request({ headers: lines, body: bytes }))).toBe('coherence signers-differ')
  })

  it('is remembered by the token the partner agreed to', async () => {
    const given = message({ jti: 'j' })
    const uses = async (changes: Partial<ModiPartner>) => {
      return (await modiVerifier({ ...certified, ...changes }).request(given)).uses
    }
    const [byFirst, bySecond] = [await uses({ replay: 'authorization' }), await uses({ replay: 'integrity' })]
    expect(byFirst).toHaveLength(1)
    expect(bySecond).toHaveLength(1)
    expect(byFirst).not.toEqual(bySecond)
    expect(await uses({ authentication: 'ID_AUTH_REST_01' })).toEqual(bySecond)
  })

  it('02 names its key and brings none along', async () => {
    const claims = { jti: 'j', signed_headers: right }
    const verifier = modiVerifier({ ...named, integrity: 'INTEGRITY_REST_02' })
    const judge = (head: Changes) => {
      return outcomeOf(() => verifier.integrity(signedToken(head, { ...times, ...claims }, partner.key), undefined))
    }
    expect(await judge(namedHeader)).toBe('accepted')
    expect(await judge({ ...namedHeader, kid: undefined })).toBe('header kid-is-missing')
    expect(await judge({ ...namedHeader, kid: 'x' })).toBe('certificate key-is-unknown')
  })
})

describe('AUDIT_REST', () => {
  const evidence = {
    iss: 'client',
    jti: 't',
    purposeId: 'purpose',
    userID: 'user-1',
    userLocation: 'ward',
    LoA: 'https://www.spid.gov.it/SpidL2',
  }
  const tracked = (claims: Changes = {}) => {
    return signedToken(namedHeader, { ...times, ...evidence, dnonce: 1234567890123, ...claims }, partner.key)
  }
  const digestOfToken = (text: string) => createHash('sha256').update(text).digest('hex')
  const first = modiVerifier({ ...named, audit: 'AUDIT_REST_01' })
  const second = modiVerifier({ ...named, audit: 'AUDIT_REST_02' })

  it('01 tells who stands behind a request', async () => {
    expect(await first.tracking(tracked({ dnonce: undefined }), { purposeId: 'purpose' })).toMatchObject({
      issuer: 'client',
      tokenId: 't',
      purposeId: 'purpose',
      userId: 'user-1',
      userLocation: 'ward',
      levelOfAssurance: 'https://www.spid.gov.it/SpidL2',
      uses: [{ until: at + 65_000 }],
    })
  })

  it.each<[string, Changes]>([
    ['attributes iss-missing', { iss: undefined }],
    ['attributes jti-missing', { jti: undefined }],
    ['attributes purpose-id-missing', { purposeId: undefined }],
    ['attributes user-id-missing', { userID: undefined }],
    ['attributes user-location-missing', { userLocation: '' }],
    ['accepted', { LoA: undefined }],
    ['attributes dnonce-malformed', { dnonce: '123' }],
    ['coherence purpose-id-differs', { purposeId: 'another' }],
    ['audience aud-is-somebody-else', { aud: 'x' }],
  ])('is judged: %s', async (outcome, claims) => {
    expect(await outcomeOf(() => first.tracking(tracked(claims), { purposeId: 'purpose' }))).toBe(outcome)
  })

  it('02 is tied to the voucher by a digest and a nonce', async () => {
    const text = tracked()
    const voucher = { purposeId: 'purpose', trackingDigest: digestOfToken(text).toUpperCase() }
    expect(await outcomeOf(() => second.tracking(text, voucher))).toBe('accepted')
    expect(await outcomeOf(() => second.tracking(text, { purposeId: 'purpose' }))).toBe(
      'coherence voucher-states-no-digest',
    )
    const other = tracked({ jti: 'u' })
    expect(await outcomeOf(() => second.tracking(other, voucher))).toBe('coherence voucher-states-another-digest')
    const without = tracked({ dnonce: undefined })
    const own = { purposeId: 'purpose', trackingDigest: digestOfToken(without) }
    expect(await outcomeOf(() => second.tracking(without, own))).toBe('attributes dnonce-missing')
  })

  it('travels with the message, once and bare', async () => {
    const { authentication: _, integrity: __, ...voucherPartner } = named
    const verifier = modiVerifier({ ...voucherPartner, audit: 'AUDIT_REST_01' })
    const judge = (headers: SignedMessage['headers']) => {
      return outcomeOf(() => verifier.request({ headers, body: new Uint8Array() }, { purposeId: 'purpose' }))
    }
    const line = ['Agid-JWT-TrackingEvidence', tracked()] as const
    expect(await judge([line])).toBe('accepted')
    expect(await judge([])).toBe('missing agid-jwt-tracking-evidence-is-missing')
    expect(await judge([line, line])).toBe('header agid-jwt-tracking-evidence-is-repeated')
  })
})
