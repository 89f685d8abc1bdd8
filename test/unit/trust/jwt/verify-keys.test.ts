import { generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { readJwk, thumbprintOf } from '../../../../src/trust/jwt/jwk.ts'
import { type JwksOptions, jwksSource } from '../../../../src/trust/jwt/jwks.ts'
import { fixedKeys, readKeySet } from '../../../../src/trust/jwt/key-set.ts'
import { byPresentation, certificateThumbprint, pinnedCertificates } from '../../../../src/trust/jwt/keys.ts'
import type { JwsAlgorithm } from '../../../../src/trust/jwt/token.ts'
import { certificateKeys } from '../../../../src/trust/jwt/x5c.ts'
import { certificatesOf } from '../../../../src/trust/x509/certificate.ts'
import { at, jwksBytes, outcomeOf, pairOf, pemOf, publicJwk, signingAuthorities, x5cOf } from '../../../support/jwt.ts'

const [veneto, lazio, curve] = [pairOf('region-050'), pairOf('region-120'), pairOf('region-050', 'signing-ec')]

function hint(header: Record<string, unknown>, algorithm: JwsAlgorithm = 'RS256') {
  return { header, algorithm }
}

describe('a public key', () => {
  it('has the thumbprint that another implementation works out', async () => {
    for (const { key } of [veneto, curve]) {
      const read = readJwk(publicJwk({ key, certificate: veneto.certificate }))
      const jwk = await exportJWK(read?.key as never)
      expect(read === undefined ? '' : thumbprintOf(read.key)).toBe(await calculateJwkThumbprint(jwk))
    }
  })

  const rsa = publicJwk(veneto)
  it.each([
    ['a secret', { kty: 'oct', k: 'c2VjcmV0' }],
    ['a private key', { ...veneto.key.export({ format: 'jwk' }) }],
    ['one for encryption', { ...rsa, use: 'enc' }],
    ['one that does not verify', { ...rsa, key_ops: ['encrypt'] }],
    ['one for another algorithm', { ...rsa, alg: 'RSA-OAEP' }],
    ['one for an algorithm it does not fit', { ...rsa, alg: 'ES256' }],
    ['one that is too short', publicJwk(pairOf('bad/weak'))],
    ['one whose exponent proves nothing', { ...rsa, e: 'AQ' }],
    ['one that is enormous', { ...rsa, n: 'A'.repeat(4_000) }],
    [
      'one on a curve nobody agreed to',
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'jwk' }),
    ],
    ['one of another type', generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })],
    ['one that is not on its curve', { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }],
    ['one whose name is no text', { ...rsa, kid: 1 }],
  ])('is not %s', (_what, jwk) => {
    expect(readJwk(jwk as Record<string, unknown>)).toBeUndefined()
  })
})

describe('a fixed key set', () => {
  const choose = (keys: readonly object[], header: Record<string, unknown>, algorithm: JwsAlgorithm = 'RS256') => {
    return outcomeOf(() => fixedKeys(readKeySet(jwksBytes(keys))).keyFor(hint(header, algorithm), at))
  }
  const [a, b] = [publicJwk(veneto, 'a'), publicJwk(lazio, 'b')]

  it('gives the key a token names', async () => {
    const found = await fixedKeys(readKeySet(jwksBytes([a, b]))).keyFor(hint({ kid: 'b' }), at)
    expect(found.key.export({ format: 'jwk' })).toMatchObject({ n: b.n })
    expect(found.signer).toBe(`jwk:${thumbprintOf(found.key)}`)
  })

  it('gives the only key that fits to a token that names none', async () => {
    expect(await choose([a, publicJwk(curve, 'c')], {}, 'ES256')).toBe('accepted')
    expect(await choose([a, b], {})).toBe('certificate key-is-ambiguous')
    expect(await choose([publicJwk(veneto), publicJwk(lazio)], {})).toBe('certificate key-is-ambiguous')
  })

  it('uses none of the keys that share a name, usable or not', async () => {
    expect(await choose([a, { ...b, kid: 'a' }, publicJwk(lazio, 'c')], { kid: 'a' })).toBe(
      'certificate key-is-unknown',
    )
    expect(await choose([a, { kty: 'oct', k: 'AA', kid: 'a' }, b], { kid: 'a' })).toBe('certificate key-is-unknown')
  })

  it('does not lend a key to another algorithm', async () => {
    expect(await choose([a, b], { kid: 'a' }, 'ES256')).toBe('signature key-and-algorithm-do-not-fit')
    expect(await choose([{ ...a, alg: 'RS256' }, b], { kid: 'a' }, 'PS256')).toBe(
      'signature key-and-algorithm-do-not-fit',
    )
  })

  it('is refused when there is no usable key, or too many', () => {
    expect(() => readKeySet(jwksBytes([{ kty: 'oct', k: 'AA' }]))).toThrow('no usable key')
    expect(() => readKeySet(jwksBytes(Array.from({ length: 65 }, () => a)))).toThrow('too many keys')
    expect(() => readKeySet(Buffer.from('{"keys":[],"keys":[]}'))).toThrow('repeats a member')
  })
})

describe('certificates in a token', () => {
  const keys = certificateKeys({ anchors: signingAuthorities }, { use: 'signature', names: [/^S1#050#/] })
  const choose = (header: Record<string, unknown>) => outcomeOf(() => keys.keyFor(hint(header), at))
  const [der = ''] = x5cOf(veneto)

  it('are accepted when an anchor vouches for the first', async () => {
    expect(await choose({ x5c: [der] })).toBe('accepted')
    const thumbprint = certificateThumbprint(veneto.certificate)
    expect(await choose({ x5c: [der], 'x5t#S256': thumbprint, kid: 'whatever' })).toBe('accepted')
  })

  it.each([
    ['certificate x5c-is-missing', undefined],
    ['certificate x5c-is-malformed', []],
    ['certificate x5c-is-malformed', der],
    ['certificate x5c-is-malformed', [1]],
    ['certificate x5c-is-malformed', ['AAAA']],
    ['certificate x5c-is-malformed', [der.replace(/\+/g, '-').replace(/\//g, '_')]],
    ['certificate x5c-is-too-long', Array.from({ length: 9 }, () => der)],
    ['certificate x5c-holds-line-breaks', [der.replace(/(.{64})/g, '$1\n')]],
    ['certificate x5c-holds-pem', [Buffer.from(pemOf('region-050/signing.crt.pem')).toString('base64')]],
  ])('are refused as %s', async (outcome, x5c) => {
    expect(await choose(x5c === undefined ? {} : { x5c })).toBe(outcome)
  })

  it.each(['expired', 'not-yet-valid', 'unknown-ca', 'self-signed', 'right-ca-wrong-home'])(
    'are refused when the signer’s is %s',
    async (defect) => {
      expect(await choose({ x5c: x5cOf(pairOf(`bad/${defect}`)) })).toMatch(/^certificate certificate-/)
    },
  )

  it('are refused when the thumbprint names another', async () => {
    const thumbprint = certificateThumbprint(lazio.certificate)
    expect(await choose({ x5c: [der], 'x5t#S256': thumbprint })).toBe('certificate thumbprint-and-certificate-differ')
  })

  it('that were handed over beforehand are chosen by thumbprint, or by being the only one that fits', async () => {
    const pinned = pinnedCertificates([veneto.certificate, lazio.certificate, curve.certificate])
    const chosen = (header: Record<string, unknown>, algorithm?: JwsAlgorithm) => {
      return outcomeOf(() => pinned.keyFor(hint(header, algorithm), at))
    }
    expect(await chosen({ 'x5t#S256': certificateThumbprint(lazio.certificate) })).toBe('accepted')
    expect(await chosen({}, 'ES256')).toBe('accepted')
    expect(await chosen({})).toBe('certificate key-is-ambiguous')
    expect(await chosen({ 'x5t#S256': 'AA' })).toBe('certificate key-is-unknown')
    const expired = pinnedCertificates(certificatesOf(pemOf('bad/expired/signing.crt.pem')))
    expect(await outcomeOf(() => expired.keyFor(hint({}), at))).toBe('certificate certificate-expired')
  })

  it('are looked at only where they are expected', async () => {
    const others = fixedKeys(readKeySet(jwksBytes([publicJwk(veneto, 'a')])))
    const chosen = (source: Parameters<typeof byPresentation>[0], header: Record<string, unknown>) => {
      return outcomeOf(() => byPresentation(source).keyFor(hint(header), at))
    }
    expect(await chosen({ others }, { x5c: [der], kid: 'a' })).toBe('certificate x5c-is-not-expected')
    expect(await chosen({ certified: keys }, { kid: 'a' })).toBe('certificate x5c-is-missing')
    expect(await chosen({ certified: keys, others }, { kid: 'a' })).toBe('accepted')
  })
})

describe('a key set at an address', () => {
  const minute = 60_000
  const first = jwksBytes([publicJwk(veneto, 'a')])
  const second = jwksBytes([publicJwk(veneto, 'a'), publicJwk(lazio, 'b')])

  /** A source at a clock of its own, whose owner answers as told. */
  function source(more: Partial<JwksOptions> = {}) {
    const state = { now: at, fetched: 0, body: first as Uint8Array | undefined, status: 200 }
    const keys = jwksSource({
      clock: { now: () => state.now },
      fetch: async () => {
        state.fetched++
        if (state.body === undefined) throw new Error('refused')
        return { status: state.status, body: state.body }
      },
      ...more,
    })
    const ask = async (kid: string): Promise<string> => {
      try {
        return await outcomeOf(() => keys.keyFor(hint({ kid }), state.now))
      } catch (error) {
        if (error instanceof GatewayError) return `${error.code} ${error.details.reason}`
        throw error
      }
    }
    return { state, keys, ask }
  }

  it('is fetched once for all who need it at once, and not again while it is fresh', async () => {
    const { ask, state } = source()
    expect(await Promise.all([ask('a'), ask('a'), ask('a')])).toEqual(['accepted', 'accepted', 'accepted'])
    state.now += 10 * minute
    expect(await ask('a')).toBe('accepted')
    expect(state.fetched).toBe(1)
    state.now += 1
    expect(await ask('a')).toBe('accepted')
    expect(state.fetched).toBe(2)
  })

  it('is fetched again for an unknown name, at most once per cooldown', async () => {
    const { ask, state } = source()
    await ask('a')
    state.body = second
    expect(await ask('b')).toBe('certificate key-is-unknown')
    expect(state.fetched).toBe(1)
    state.now += 30_000
    expect(await ask('b')).toBe('accepted')
    const flood = await Promise.all(Array.from({ length: 100 }, (_, index) => ask(`x${index}`)))
    expect(new Set(flood)).toEqual(new Set(['certificate key-is-unknown']))
    expect(state.fetched).toBe(2)
  })

  it('drops a key that its owner took out', async () => {
    const { ask, state } = source()
    state.body = second
    expect(await ask('b')).toBe('accepted')
    state.body = first
    state.now += 11 * minute
    expect(await ask('b')).toBe('certificate key-is-unknown')
  })

  it('is used for a day when it cannot be had, and then no more, and nobody is blamed', async () => {
    const { ask, state } = source()
    await ask('a')
    state.body = undefined
    state.now += 10 * minute + 86_400_000
    expect(await ask('a')).toBe('accepted')
    expect(await ask('new')).toBe('community-unavailable keys-unavailable')
    state.now += 1
    expect(await ask('a')).toBe('community-unavailable keys-unavailable')
    state.body = first
    state.now += 5_000
    expect(await ask('a')).toBe('accepted')
  })

  it('is not asked for in a hurry after a failure', async () => {
    const { ask, state } = source()
    state.body = undefined
    expect(await ask('a')).toBe('community-unavailable keys-unavailable')
    expect(await ask('a')).toBe('community-unavailable keys-unavailable')
    expect(state.fetched).toBe(1)
    state.now += 5_000
    state.body = first
    expect(await ask('a')).toBe('accepted')
  })

  it.each([
    ['another status', { status: 302 }, {}],
    ['too many bytes', {}, { maxBytes: 100 }],
    ['no keys', { body: jwksBytes([]) }, {}],
    ['no JSON', { body: Buffer.from('<html>') }, {}],
  ])('is not replaced by an answer with %s', async (_what, answer, more) => {
    const { ask, state } = source(more)
    Object.assign(state, answer)
    expect(await ask('a')).toBe('community-unavailable keys-unavailable')
  })

  it('is waited for no longer than the deadline, however deaf its owner', async () => {
    const { ask } = source({ fetch: () => new Promise(() => undefined), timeoutMs: 5 })
    expect(await ask('a')).toBe('community-unavailable keys-unavailable')
  })

  it('lets one caller give up without taking the keys from the others', async () => {
    let answer: (value: { status: number; body: Uint8Array }) => void = () => undefined
    const { keys } = source({
      fetch: () =>
        new Promise((resolve) => {
          answer = resolve
        }),
    })
    const gone = new AbortController()
    const [left, stayed] = [keys.keyFor(hint({ kid: 'a' }), at, gone.signal), keys.keyFor(hint({ kid: 'a' }), at)]
    gone.abort(new Error('gone'))
    await expect(left).rejects.toThrow('gone')
    answer({ status: 200, body: first })
    await expect(stayed).resolves.toMatchObject({ signer: expect.stringMatching(/^jwk:/) })
  })

  it('can be asked for beforehand', async () => {
    const { keys, state } = source()
    await keys.refresh()
    expect(state.fetched).toBe(1)
    state.body = undefined
    await expect(keys.refresh()).rejects.toMatchObject({ code: 'community-unavailable', fault: 'community' })
  })

  it('does not make those who have keys wait again once its owner failed', async () => {
    let answer: () => Promise<{ status: number; body: Uint8Array }> = async () => ({ status: 200, body: first })
    const { ask, state } = source({ fetch: () => answer(), timeoutMs: 600_000 })
    expect(await ask('a')).toBe('accepted')
    answer = () => Promise.reject(new Error('refused'))
    state.now += 11 * minute
    expect(await ask('a')).toBe('accepted')
    answer = () => new Promise(() => undefined)
    state.now += 5_000
    expect(await ask('a')).toBe('accepted')
  })
})
