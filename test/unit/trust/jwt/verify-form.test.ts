import fc from 'fast-check'
import { CompactSign } from 'jose'
import { describe, expect, it } from 'vitest'
import { member, readJsonObject } from '../../../../src/trust/jwt/strict-json.ts'
import { readToken, type TokenForm } from '../../../../src/trust/jwt/token.ts'
import { base64url, outcomeOf, pairOf, signedToken } from '../../../support/jwt.ts'

const { key } = pairOf('portal')
const form: TokenForm = { algorithms: ['RS256', 'ES256'], types: ['JWT', 'at+jwt'] }
const header = { alg: 'RS256', typ: 'JWT' }

function reading(text: string, more: Partial<TokenForm> = {}): Promise<string> {
  return outcomeOf(() => readToken(text, { ...form, ...more }))
}

describe('strict JSON', () => {
  const read = (text: string) => readJsonObject(Buffer.from(text))

  it('reads what JSON.parse reads', () => {
    const value = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 5 }))
    fc.assert(
      fc.property(value, (object) => {
        const text = JSON.stringify(object)
        expect(read(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  it.each([
    ['repeats-a-member', '{"a":1,"a":1}'],
    ['repeats-a-member', '{"a":1,"\\u0061":1}'],
    ['repeats-a-member', '{"x":{"y":[{"a":1,"b":{},"a":2}]}}'],
    ['repeats-a-member', '{"":1,"":2}'],
    ['repeats-a-member', '{"__proto__":1,"__proto__":2}'],
    ['is-nested-too-deeply', `{"a":${'['.repeat(17)}${']'.repeat(17)}}`],
    ['is-not-unicode-text', '{"a":"\\ud800"}'],
    ['is-not-unicode-text', '{"\\udc00":1}'],
    ['is-not-json', '{"a":1,}'],
    ['is-not-json', '{"a":NaN}'],
    ['is-not-json', '{"a":01}'],
    ['is-not-json', '\ufeff{"a":1}'],
    ['is-not-json', '{"a":"x'],
    ['is-not-json', '{"a":1} {"b":1}'],
    ['is-not-an-object', '[{"a":1}]'],
    ['is-not-an-object', 'null'],
    ['is-not-an-object', '"text"'],
  ])('refuses a text that %s: %s', (reason, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ reason }))
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(() => readJsonObject(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))).toThrow(
      expect.objectContaining({ reason: 'is-not-utf-8' }),
    )
  })

  it('refuses more members than anybody needs', () => {
    const named = `{${Array.from({ length: 5_000 }, (_, index) => `"m${index}":0`).join(',')}}`
    const listed = `{"a":[${'{},'.repeat(5_000)}0]}`
    for (const text of [named, listed]) {
      expect(() => read(text)).toThrow(expect.objectContaining({ reason: 'has-too-many-members' }))
    }
  })

  it('lets equal names stand in different objects, and brackets and escapes in texts', () => {
    expect(read('{"a":{"a":1},"b":[{"a":1},{"a":2}],"c":"{\\"a\\":1,\\"a\\":[","d":"\\\\"}')).toMatchObject({ d: '\\' })
  })

  it('takes nothing of JavaScript for a claim', () => {
    const claims = read('{"aud":"x"}')
    expect(member(claims, 'constructor')).toBeUndefined()
    expect(member(claims, '__proto__')).toBeUndefined()
    expect(member(read('{"__proto__":{"aud":"y"}}'), 'aud')).toBeUndefined()
  })
})

describe('a token', () => {
  const token = signedToken(header, { sub: 'x' }, key)

  it('is taken apart as another implementation put it together', async () => {
    const payload = { sub: 'x', text: 'perché' }
    const text = await new CompactSign(Buffer.from(JSON.stringify(payload))).setProtectedHeader(header).sign(key)
    expect(readToken(text, form)).toMatchObject({ algorithm: 'RS256', header, payload })
  })

  it.each([
    ['malformed token-has-not-three-parts', token.replace(/\.[^.]*$/, '')],
    ['malformed token-has-not-three-parts', `${token}.`],
    ['malformed token-has-not-three-parts', 'abc'],
    ['malformed token-is-encrypted', 'eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d'],
    ['missing token-is-empty', ''],
    ['malformed header-is-empty', token.replace(/^[^.]*/, '')],
    ['malformed payload-is-empty', token.replace(/\.[^.]*\./, '..')],
    ['signature signature-is-missing', token.replace(/[^.]*$/, '')],
    ['malformed header-is-not-base64url', ` ${token}`],
    ['malformed signature-is-not-base64url', `${token}\n`],
    ['malformed signature-is-not-base64url', `${token}==`],
    ['malformed payload-is-not-base64url', token.replace('.', '.\t')],
    ['malformed header-is-not-json', `${base64url('nothing')}.e30.AA`],
    ['malformed payload-is-not-an-object', signedToken(header, '[]', key)],
    ['malformed token-is-too-long', `${token}${'A'.repeat(65_536)}`],
  ])('is refused as %s', async (outcome, text) => {
    expect(await reading(text)).toBe(outcome)
  })

  it('has one spelling only: bits that no byte uses must be zero', async () => {
    const part = base64url('{"a":10}')
    const stray = `${part.slice(0, -1)}${String.fromCharCode(part.charCodeAt(part.length - 1) + 1)}`
    expect(Buffer.from(stray, 'base64url')).toEqual(Buffer.from(part, 'base64url'))
    expect(await reading(`${base64url(header)}.${part}.AA`)).toBe('accepted')
    expect(await reading(`${base64url(header)}.${stray}.AA`)).toBe('malformed payload-is-not-base64url')
  })

  it.each([
    ['signature algorithm-is-not-allowed', { ...header, alg: 'HS256' }],
    ['signature algorithm-is-not-allowed', { ...header, alg: 'rs256' }],
    ['signature algorithm-is-not-allowed', { ...header, alg: ['RS256'] }],
    ['signature algorithm-is-not-allowed', { typ: 'JWT' }],
    ['signature algorithm-is-not-allowed', { ...header, alg: 'PS256' }],
    ['header crit-is-not-allowed', { ...header, crit: ['exp'] }],
    ['header b64-is-not-allowed', { ...header, b64: true }],
    ['header zip-is-not-allowed', { ...header, zip: 'DEF' }],
    ['header enc-is-not-allowed', { ...header, enc: 'A256GCM' }],
    ['header jwk-is-not-allowed', { ...header, jwk: {} }],
    ['header jku-is-not-allowed', { ...header, jku: 'https://x.example' }],
    ['header x5u-is-not-allowed', { ...header, x5u: 'https://x.example' }],
    ['header nested-content-is-not-allowed', { ...header, cty: 'JWT' }],
    ['header kid-is-malformed', { ...header, kid: 1 }],
    ['header kid-is-malformed', { ...header, kid: 'k'.repeat(257) }],
    ['header typ-is-malformed', { ...header, typ: 1 }],
    ['header typ-is-another', { ...header, typ: 'dpop+jwt' }],
    ['header typ-is-another', { alg: 'RS256' }],
    ['accepted', { ...header, typ: 'application/AT+JWT' }],
    ['accepted', { ...header, typ: 'jwt', kid: '../../etc/passwd' }],
  ])('is judged by its header: %s', async (outcome, changed) => {
    expect(await reading(signedToken(changed, { sub: 'x' }, key))).toBe(outcome)
  })

  it('may be untyped, or bring a key, only where the profile says so', async () => {
    expect(await reading(signedToken({ alg: 'RS256' }, {}, key), { untyped: true })).toBe('accepted')
    expect(await reading(token, { embeddedKey: true })).toBe('header jwk-is-missing')
    expect(await reading(signedToken({ ...header, jwk: {} }, {}, key), { embeddedKey: true })).toBe('accepted')
  })

  it('is read or refused, whatever its bytes', () => {
    fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }), async (parts) => {
        const text = parts.map((part) => base64url(part)).join('.')
        expect(await reading(text)).not.toBe('accepted')
      }),
    )
  })
})
