import { createHash, createHmac, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { CompactEncrypt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dpopVerifier } from '../../src/trust/jwt/dpop.ts'
import { fseVerifier } from '../../src/trust/jwt/fse.ts'
import { readJwk, thumbprintOf } from '../../src/trust/jwt/jwk.ts'
import { fixedKeys, type KeySet, readKeySet } from '../../src/trust/jwt/key-set.ts'
import { pdndVerifier } from '../../src/trust/jwt/pdnd.ts'
import { portalVerifier } from '../../src/trust/jwt/portal.ts'
import type { JwsAlgorithm } from '../../src/trust/jwt/token.ts'
import { clinician, homes } from '../support/builders.ts'
import {
  base64url,
  type Changes,
  creation,
  fseHeaders,
  fseOptions,
  jwksBytes,
  nowSeconds,
  outcomeOf,
  type PairChanges,
  pairOf,
  pemOf,
  publicJwk,
  signedToken,
  stopped,
  x5cOf,
} from '../support/jwt.ts'

const rsa = pairOf('portal')
const curve = pairOf('region-050', 'signing-ec')
const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const attackerCurve = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey

const keySet: KeySet = readKeySet(jwksBytes([publicJwk(rsa, 'rsa'), publicJwk(curve, 'ec')]))
const verify = portalVerifier({
  keys: fixedKeys(keySet),
  clock: stopped,
  issuer: 'https://login.example',
  audience: ['https://crocevia.example'],
  community: homes.tuscany,
})

const header = { alg: 'RS256', typ: 'JWT', kid: 'rsa' }
const claims: Readonly<Record<string, unknown>> = {
  ...creation,
  iss: 'https://login.example',
  aud: 'https://crocevia.example',
  sub: clinician,
  iat: nowSeconds,
  exp: nowSeconds + 300,
}
const accepted = signedToken(header, claims, rsa.key)
const acceptedCurve = signedToken({ ...header, alg: 'ES256', kid: 'ec' }, claims, curve.key, 'ES256')
const [headerPart = '', payloadPart = '', signaturePart = ''] = accepted.split('.')

const judged = (text: string): Promise<string> => outcomeOf(() => verify(text))

/** Every attack stands between two acceptances of the token it was made from. */
function control(what: string, judge: () => Promise<string>): void {
  const check = async () => expect(`${what}: ${await judge()}`).toBe(`${what}: accepted`)
  beforeAll(check)
  afterAll(check)
}

/** The token with header and payload as told, and the signature it came with. */
function altered(head: string | Changes, body: string | Changes = claims, signature = signaturePart): string {
  return `${base64url(head)}.${base64url(body)}.${signature}`
}

function mac(head: Changes, secret: string | Buffer, hash = 'sha256'): string {
  const input = `${base64url(head)}.${base64url(claims)}`
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`
}

describe('a forger without a key', () => {
  control('the token signed by RSA', () => judged(accepted))
  control('the token signed by ECDSA', () => judged(acceptedCurve))

  const spellings = ['none', 'None', 'NONE', 'nOnE', 'none ', 'n\u043ene', '', 'null']
  it.each(spellings)('claims the algorithm “%s”', async (alg) => {
    expect(await judged(altered({ ...header, alg }))).toBe('signature algorithm-is-not-allowed')
    expect(await judged(altered({ ...header, alg }, claims, ''))).toBe('signature algorithm-is-not-allowed')
  })

  it.each([[null], [true], [0], [[]], [['none']], [{ alg: 'RS256' }], [{}], [undefined]])(
    'claims the algorithm %j, which is no text',
    async (alg) => {
      expect(await judged(altered({ ...header, alg }))).toBe('signature algorithm-is-not-allowed')
    },
  )

  it('claims an algorithm that only the language knows', async () => {
    for (const alg of ['constructor', '__proto__', 'toString', 'RS1', 'RS256 ', 'RS256\u0000', 'rs256', 'EdDSA']) {
      expect(await judged(altered({ ...header, alg }))).toBe('signature algorithm-is-not-allowed')
    }
  })

  it('takes the signature away', async () => {
    expect(await judged(`${headerPart}.${payloadPart}.`)).toBe('signature signature-is-missing')
    expect(await judged(`${headerPart}.${payloadPart}`)).toBe('malformed token-has-not-three-parts')
    expect(await judged(`${headerPart}.${payloadPart}.AA`)).toBe('signature signature-does-not-hold')
    expect(await judged(`${headerPart}.${payloadPart}.${'A'.repeat(342)}`)).toBe('signature signature-does-not-hold')
  })

  it('changes a claim, or moves the signature to another token', async () => {
    expect(await judged(altered(header, { ...claims, subject_role: 'DSA' }))).toBe('signature signature-does-not-hold')
    expect(await judged(altered({ ...header, typ: 'at+jwt' }))).toBe('signature signature-does-not-hold')
    const other = signedToken(header, { ...claims, jti: 'x' }, rsa.key).split('.')
    expect(await judged(`${headerPart}.${payloadPart}.${other[2]}`)).toBe('signature signature-does-not-hold')
  })

  it.each([
    ['PEM of the key', createPublicKey(rsa.key).export({ type: 'spki', format: 'pem' })],
    [
      'PEM without the last line break',
      createPublicKey(rsa.key).export({ type: 'spki', format: 'pem' }).toString().trim(),
    ],
    ['PKCS#1 PEM of the key', createPublicKey(rsa.key).export({ type: 'pkcs1', format: 'pem' })],
    ['DER of the key', createPublicKey(rsa.key).export({ type: 'spki', format: 'der' })],
    ['PEM of the certificate', pemOf('portal/signing.crt.pem')],
    ['JWK of the key', JSON.stringify(publicJwk(rsa, 'rsa'))],
    ['empty text', ''],
  ])('uses the %s as a secret (CVE-2015-9235)', async (_what, secret) => {
    for (const [alg, hash] of [
      ['HS256', 'sha256'],
      ['HS384', 'sha384'],
      ['HS512', 'sha512'],
    ] as const) {
      expect(await judged(mac({ ...header, alg }, secret, hash))).toBe('signature algorithm-is-not-allowed')
    }
    expect(await judged(mac(header, secret))).toBe('signature signature-does-not-hold')
  })

  it.each([
    ['zeros (CVE-2022-21449)', Buffer.alloc(64)],
    ['zeros in DER', Buffer.from('3006020100020100', 'hex')],
    [
      'the order of the curve',
      Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'.repeat(2), 'hex'),
    ],
    ['one zero', Buffer.concat([Buffer.alloc(31), Buffer.from([1]), Buffer.alloc(32)])],
    ['nothing of the right length', Buffer.alloc(63)],
    ['too much', Buffer.alloc(128)],
  ])('signs by ECDSA with %s', async (_what, signature) => {
    const [head, body] = acceptedCurve.split('.')
    expect(await judged(`${head}.${body}.${signature.toString('base64url')}`)).toBe('signature signature-does-not-hold')
  })

  it('sends the right ECDSA signature in DER, or with bytes around it', async () => {
    const [head, body, signature = ''] = acceptedCurve.split('.')
    const raw = Buffer.from(signature, 'base64url')
    const integer = (bytes: Buffer) => Buffer.concat([Buffer.from([2, bytes.length + 1, 0]), bytes])
    const numbers = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))])
    const der = Buffer.concat([Buffer.from([0x30, numbers.length]), numbers])
    for (const bytes of [der, Buffer.concat([raw, Buffer.alloc(1)]), Buffer.concat([Buffer.alloc(1), raw])]) {
      expect(await judged(`${head}.${body}.${bytes.toString('base64url')}`)).toBe('signature signature-does-not-hold')
    }
  })
})

describe('a forger with a key of their own', () => {
  control('the token signed by RSA', () => judged(accepted))
  control('the token signed by ECDSA', () => judged(acceptedCurve))

  const forged = (more: Changes, key: KeyObject = attacker, algorithm: JwsAlgorithm = 'RS256') => {
    return judged(signedToken({ ...header, alg: algorithm, ...more }, claims, key, algorithm))
  }
  const ownJwk = createPublicKey(attacker).export({ format: 'jwk' })

  it('signs in another’s name', async () => {
    expect(await forged({})).toBe('signature signature-does-not-hold')
    expect(await forged({ kid: 'ec' }, attackerCurve, 'ES256')).toBe('signature signature-does-not-hold')
  })

  it('brings the key along (CVE-2018-0114)', async () => {
    expect(await forged({ jwk: ownJwk })).toBe('header jwk-is-not-allowed')
    expect(await forged({ jwk: ownJwk, kid: undefined })).toBe('header jwk-is-not-allowed')
  })

  it.each(['jku', 'x5u'])('says by %s where the key is', async (name) => {
    for (const url of ['https://evil.example/k', 'https://login.example@evil.example/', 'file:///etc/passwd', '']) {
      expect(await forged({ [name]: url })).toBe(`header ${name}-is-not-allowed`)
    }
  })

  it.each([
    '../../../../dev/null',
    '/dev/null',
    'https://evil.example/jwks.json',
    "x' UNION SELECT 'secret' --",
    'rsa\u0000',
    '__proto__',
    'constructor',
    '$(id)',
  ])('names the key “%s”', async (kid) => {
    expect(await forged({ kid })).toBe('certificate key-is-unknown')
  })

  it('names no key, several, or what is no name', async () => {
    expect(await forged({ kid: undefined })).toBe('signature signature-does-not-hold')
    expect(await forged({ kid: ['rsa'] })).toBe('header kid-is-malformed')
    expect(await forged({ kid: { rsa: 1 } })).toBe('header kid-is-malformed')
  })

  it('brings certificates to where nobody looks at them', async () => {
    expect(await forged({ x5c: x5cOf(pairOf('stranger')) })).toBe('signature signature-does-not-hold')
    expect(await judged(signedToken({ ...header, x5c: x5cOf(pairOf('stranger')) }, claims, rsa.key))).toBe('accepted')
  })

  it('mixes kinds of keys, curves and paddings', async () => {
    expect(await forged({ kid: 'ec' })).toBe('signature key-and-algorithm-do-not-fit')
    expect(await forged({ kid: 'rsa' }, attackerCurve, 'ES256')).toBe('signature key-and-algorithm-do-not-fit')
    const p384 = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey
    expect(await forged({ kid: 'ec' }, p384, 'ES384')).toBe('signature algorithm-is-not-allowed')
    expect(await judged(signedToken({ ...header, alg: 'PS256' }, claims, rsa.key, 'RS256'))).toBe(
      'signature signature-does-not-hold',
    )
    expect(await judged(signedToken(header, claims, rsa.key, 'PS256'))).toBe('signature signature-does-not-hold')
    expect(await judged(signedToken(header, claims, rsa.key, 'RS512'))).toBe('signature signature-does-not-hold')
  })

  it('encrypts instead of signing', async () => {
    const text = await new CompactEncrypt(Buffer.from(accepted))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT', kid: 'rsa' })
      .encrypt(createPublicKey(rsa.key))
    expect(text.split('.')).toHaveLength(5)
    expect(await judged(text)).toBe('malformed token-is-encrypted')
  })
})

describe('somebody who plays with the spelling of an accepted token', () => {
  control('the token', () => judged(accepted))

  it('cannot write it in a second way', async () => {
    const last = signaturePart.at(-1) ?? ''
    const stray = `${accepted.slice(0, -1)}${String.fromCharCode(last.charCodeAt(0) + 1)}`
    expect(Buffer.from(stray.split('.')[2] ?? '', 'base64url')).toEqual(Buffer.from(signaturePart, 'base64url'))
    const others = [
      ` ${accepted}`,
      `${accepted} `,
      `${accepted}\n`,
      `${accepted}=`,
      `${accepted}==`,
      `${accepted}%3D`,
      `${accepted}.`,
      `.${accepted}`,
      accepted.replace('.', '..'),
      accepted.replace('.', '.\n'),
      `${accepted.slice(0, 50)}\r\n${accepted.slice(50)}`,
      `${accepted}\u0000`,
      stray,
    ]
    for (const text of others) expect(await judged(text)).toMatch(/^malformed /)
    const standard = `${headerPart}.${payloadPart}.${Buffer.from(signaturePart, 'base64url').toString('base64')}`
    expect(await judged(standard)).toMatch(/^malformed signature-is-not-base64url$/)
  })

  it('cannot send it in another serialization (RFC 7515 §7.2)', async () => {
    const general = { payload: payloadPart, signatures: [{ protected: headerPart, signature: signaturePart }] }
    expect(await judged(JSON.stringify(general))).toMatch(/^malformed /)
  })

  it.each([
    ['crit', ['exp'], 'header crit-is-not-allowed'],
    ['crit', [], 'header crit-is-not-allowed'],
    ['crit', ['b64'], 'header crit-is-not-allowed'],
    ['b64', false, 'header b64-is-not-allowed'],
    ['zip', 'DEF', 'header zip-is-not-allowed'],
    ['cty', 'JWT', 'header nested-content-is-not-allowed'],
    ['enc', 'A128GCM', 'header enc-is-not-allowed'],
    ['typ', 'dpop+jwt', 'header typ-is-another'],
    ['typ', 'secevent+jwt', 'header typ-is-another'],
    ['typ', ['JWT'], 'header typ-is-malformed'],
  ])('cannot change how it is read by %s = %j, even with the signer’s key', async (name, value, outcome) => {
    expect(await judged(signedToken({ ...header, [name]: value }, claims, rsa.key))).toBe(outcome)
  })

  const twice = (json: string, member: string) => `${json.slice(0, -1)},${member}}`
  const [headerJson, claimsJson] = [JSON.stringify(header), JSON.stringify(claims)]

  it.each([
    ['"alg":"RS256"'],
    ['"alg":"none"'],
    ['"\\u0061lg":"none"'],
    ['"a\\u006cg":"none"'],
    ['"kid":"ec"'],
    ['"x":{"a":1,"a":2}'],
    ['"x":[{"a":1,"\\u0061":2}]'],
  ])('cannot state a header member twice: %s', async (member) => {
    const text = signedToken(twice(headerJson, member), claims, rsa.key)
    expect(await judged(text)).toBe('malformed header-repeats-a-member')
  })

  it.each([
    ['"exp":99999999999'],
    ['"\\u0065xp":4102444800'],
    ['"aud":"https://other.example"'],
    ['"sub\\u006aect_role":"AAS","subject_role":"DSA"'],
    ['"cnf":{"jkt":"a","jk\\u0074":"b"}'],
  ])('cannot state a claim twice: %s', async (member) => {
    const text = signedToken(header, twice(claimsJson, member), rsa.key)
    expect(await judged(text)).toBe('malformed payload-repeats-a-member')
  })

  it('cannot state what two readers understand in two ways', async () => {
    const odd = [
      `\ufeff${claimsJson}`,
      `${claimsJson}{}`,
      twice(claimsJson, '"x":"\\ud800"'),
      `${claimsJson.slice(0, -1)},}`,
      `/* */${claimsJson}`,
      twice(claimsJson, '"x":NaN'),
      twice(claimsJson, '"x":1e'),
      twice(claimsJson, "'x':1"),
      `[${claimsJson}]`,
      JSON.stringify(claimsJson),
    ]
    for (const payload of odd)
      expect(await judged(signedToken(header, payload, rsa.key))).toMatch(/^malformed payload-/)
  })

  it('cannot reach behind an object', async () => {
    const { subject_role: _, ...roleless } = claims
    const inherited = twice(JSON.stringify(roleless), '"__proto__":{"subject_role":"DSA"}')
    expect(await judged(signedToken(header, inherited, rsa.key))).toBe('attributes subject-role-missing')
    const { aud: __, ...deaf } = claims
    const audible = twice(JSON.stringify(deaf), '"__proto__":{"aud":"https://crocevia.example"}')
    expect(await judged(signedToken(header, audible, rsa.key))).toBe('audience aud-missing')
  })
})

describe('somebody who bends times and audiences', () => {
  control('the token', () => judged(accepted))

  const claimed = (json: string) => {
    const { exp: _, ...rest } = claims
    return judged(signedToken(header, `${JSON.stringify(rest).slice(0, -1)},${json}}`, rsa.key))
  }

  it.each([
    ['"exp":NaN', 'malformed payload-is-not-json'],
    ['"exp":Infinity', 'malformed payload-is-not-json'],
    ['"exp":1e400', 'attributes exp-malformed'],
    ['"exp":1e22', 'attributes exp-malformed'],
    ['"exp":9007199254740993', 'attributes exp-malformed'],
    ['"exp":4102444800000', 'attributes times-in-milliseconds'],
    ['"exp":4102444800.5', 'attributes exp-malformed'],
    ['"exp":"4102444800"', 'attributes exp-malformed'],
    ['"exp":[4102444800]', 'attributes exp-malformed'],
    ['"exp":{"valueOf":4102444800}', 'attributes exp-malformed'],
    ['"exp":true', 'attributes exp-malformed'],
    ['"exp":null', 'attributes exp-malformed'],
    ['"exp":""', 'attributes exp-malformed'],
    ['"exp":-1', 'attributes exp-malformed'],
    ['"exp":0', 'validity expired'],
    ['"EXP":4102444800', 'attributes exp-missing'],
    ['"exp ":4102444800', 'attributes exp-missing'],
    ['"exp":4.1024448e9', 'accepted'],
    ['"exp":4102444800,"nbf":"0"', 'attributes nbf-malformed'],
    ['"exp":4102444800,"nbf":4102444799', 'validity not-yet-valid'],
  ])('states %s', async (json, outcome) => {
    expect(await claimed(json)).toBe(outcome)
  })

  it.each([
    ['https://crocevia.example/'],
    ['https://CROCEVIA.example'],
    ['https://crocevia.example.evil.example'],
    ['https://crocevia.example https://evil.example'],
    ['https://crocevia.exampl'],
    ['*'],
    [''],
    [['https://crocevia.example/']],
    [[['https://crocevia.example']]],
    [{ 'https://crocevia.example': true }],
    [true],
    [null],
    [undefined],
  ])('is meant for %j', async (aud) => {
    const outcome = await judged(signedToken(header, { ...claims, aud }, rsa.key))
    expect(outcome).toMatch(/ aud-(is-somebody-else|malformed|missing)$/)
  })

  it('takes a token of one kind for another', async () => {
    const voucher = { ...claims, client_id: 'c', nbf: nowSeconds, jti: 'j', purposeId: 'p' }
    const pdnd = pdndVerifier({ keys: fixedKeys(keySet), clock: stopped, issuer: undefined, audience: undefined })
    const typed = (typ: string) => signedToken({ ...header, typ }, voucher, rsa.key)
    expect(await outcomeOf(() => pdnd.voucher(typed('at+jwt')))).toBe('accepted')
    expect(await outcomeOf(() => pdnd.voucher(typed('JWT')))).toBe('header typ-is-another')
    expect(await outcomeOf(() => dpopVerifier({ clock: stopped })(typed('at+jwt'), {}))).toMatch(/^header /)
  })
})

describe('somebody who brings certificates', () => {
  const veneto = pairOf('region-050')
  const judge = (changes: PairChanges) => {
    return outcomeOf(() => fseVerifier(fseOptions).pair(fseHeaders(changes), { operation: 'create' }))
  }
  control('the pair', () => judge({}))

  it('shows another’s certificate and signs by their own key', async () => {
    for (const key of [attacker, pairOf('region-120').key]) {
      expect(await judge({ pair: { certificate: veneto.certificate, key } })).toBe('signature signature-does-not-hold')
    }
  })

  it('shows a certificate that nobody vouches for, or that pretends', async () => {
    for (const defect of ['self-signed', 'unknown-ca', 'expired', 'not-yet-valid']) {
      expect(await judge({ pair: pairOf(`bad/${defect}`) })).toMatch(/^certificate /)
    }
  })

  it('adds the right certificate behind, or before, their own', async () => {
    const own = pairOf('bad/self-signed')
    const [mine, right] = [x5cOf(own)[0], x5cOf(veneto)[0]]
    const headed = (x5c: unknown) => judge({ pair: own, header: { x5c }, bearerHeader: { x5c } })
    expect(await headed([mine, right])).toMatch(/^certificate /)
    expect(await headed([right, mine])).toBe('signature signature-does-not-hold')
    const root = fseOptions.trust.anchors.map(({ raw }) => raw.toString('base64'))
    expect(await headed([mine, ...root])).toMatch(/^certificate /)
    expect(await headed([...root, mine])).toMatch(/^certificate |^signature /)
  })

  it('hides the certificate in another form', async () => {
    const [der = ''] = x5cOf(veneto)
    const pem = Buffer.from(pemOf('region-050/signing.crt.pem')).toString('base64')
    const trailing = Buffer.concat([veneto.certificate.raw, Buffer.from('x')]).toString('base64')
    for (const x5c of [[pem], [`${der}\n`], [` ${der}`], [trailing], der, [[der]], [null], [], {}]) {
      expect(await judge({ header: { x5c } })).toMatch(/^certificate x5c-/)
    }
  })

  it('signs the two tokens by different certificates, both good', async () => {
    const other = pairOf('region-120')
    expect(await judge({ bearerPair: other })).toBe('coherence certificates-differ')
    const pretending = { bearer: { iss: 'auth:S1#050#050REGIONEVENETO-DEV' } }
    expect(await judge({ bearerPair: other, ...pretending })).toBe('coherence iss-and-certificate-differ')
  })

  it('puts together tokens of two calls, or one token twice', async () => {
    const [[, first = ''] = [], [, second = ''] = []] = fseHeaders()
    const pairs: [string, string][][] = [
      [
        ['authorization', first],
        ['FSE-JWT-Signature', first.slice('Bearer '.length)],
      ],
      [
        ['authorization', `Bearer ${second}`],
        ['FSE-JWT-Signature', second],
      ],
    ]
    for (const headers of pairs) {
      expect(await outcomeOf(() => fseVerifier(fseOptions).pair(headers, { operation: 'create' }))).toBe(
        'coherence iss-and-certificate-differ',
      )
    }
    const sub = 'PROVAX80A01H501M^^^&2.16.840.1.113883.2.9.4.3.2&ISO'
    expect(await judge({ signature: { sub } })).toBe('coherence subjects-differ')
  })
})

describe('a thief of a bound voucher', () => {
  const jwkOf = (key: KeyObject) => createPublicKey(key).export({ format: 'jwk' }) as Record<string, unknown>
  const thumbprint = (key: KeyObject) => thumbprintOf(readJwk(jwkOf(key))?.key ?? key)
  const voucherHeader = { alg: 'RS256', typ: 'at+jwt', kid: 'rsa' }
  const voucherClaims = { ...claims, client_id: 'c', nbf: nowSeconds, jti: 'v', purposeId: 'p' }
  const voucher = signedToken(voucherHeader, { ...voucherClaims, cnf: { jkt: thumbprint(curve.key) } }, rsa.key)
  const request = { method: 'POST', url: 'https://crocevia.example/fhir/DocumentReference' }
  const ath = createHash('sha256').update(voucher).digest('base64url')

  function proof(key: KeyObject, changes: Changes = {}, jwk = jwkOf(key)): string {
    const payload = { htm: request.method, htu: request.url, iat: nowSeconds, jti: 'p', ath, ...changes }
    return signedToken({ alg: 'ES256', typ: 'dpop+jwt', jwk }, payload, key, 'ES256')
  }

  const verifier = pdndVerifier({
    keys: fixedKeys(keySet),
    clock: stopped,
    issuer: 'https://login.example',
    audience: ['https://crocevia.example'],
  })
  const judge = (headers: [string, string][], at = request) => outcomeOf(() => verifier.call(headers, at))
  const authorization: [string, string] = ['authorization', `DPoP ${voucher}`]
  control('the holder’s request', () => judge([authorization, ['dpop', proof(curve.key)]]))

  it('presents it as a bearer token', async () => {
    expect(await judge([['authorization', `Bearer ${voucher}`]])).toBe('header voucher-is-no-bearer-token')
    const stolenToo: [string, string] = ['dpop', proof(curve.key)]
    expect(await judge([['authorization', `Bearer ${voucher}`], stolenToo])).toBe('header voucher-is-no-bearer-token')
  })

  it('proves a key of their own, or claims the holder’s', async () => {
    expect(await judge([authorization, ['dpop', proof(attackerCurve)]])).toBe('audience token-is-bound-to-another')
    const claiming = proof(attackerCurve, {}, jwkOf(curve.key))
    expect(await judge([authorization, ['dpop', claiming]])).toBe('signature signature-does-not-hold')
  })

  it('uses the holder’s proof for another request, another token, or later', async () => {
    const stolen: [string, string] = ['dpop', proof(curve.key)]
    expect(await judge([authorization, stolen], { ...request, method: 'DELETE' })).toBe('audience htm-is-another')
    expect(await judge([authorization, stolen], { ...request, url: 'https://crocevia.example/fhir/Patient' })).toBe(
      'audience htu-is-another',
    )
    const elsewhere: [string, string] = ['dpop', proof(curve.key, { ath: 'x' })]
    expect(await judge([authorization, elsewhere])).toBe('audience proof-is-for-another-token')
    const old: [string, string] = ['dpop', proof(curve.key, { iat: nowSeconds - 600 })]
    expect(await judge([authorization, old])).toBe('validity issued-too-long-ago')
  })

  it('sends several proofs, one of which may be right', async () => {
    const [right, own] = [proof(curve.key), proof(attackerCurve)]
    expect(await judge([authorization, ['dpop', own], ['DPoP', right]])).toBe('header dpop-is-repeated')
    expect(await judge([authorization, ['dpop', `${own}, ${right}`]])).toBe('header dpop-is-no-bare-token')
    expect(await judge([authorization, ['dpop', `${own},${right}`]])).toMatch(/^malformed /)
  })

  it('takes the binding out of the voucher, and with it the signature', async () => {
    const [head, , signature] = voucher.split('.')
    const loose = `${head}.${base64url(voucherClaims)}.${signature}`
    expect(await judge([['authorization', `Bearer ${loose}`]])).toBe('signature signature-does-not-hold')
  })
})
