import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDigestHeader, parseDigestHeader, sha256InDigestHeader } from '../../../../src/wire/digest-header.ts'

const digest = createHash('sha256').update('{"testo": "Ciao mondo"}').digest()
const text = 'SHA-256=hPq3xjgxGMr98LL2/lP2Y66DVCTcXdwL+YpNQD/gmvk='

describe('the Digest header', () => {
  it('is spelt as the guidelines spell it', () => {
    expect(formatDigestHeader(digest)).toBe(text)
    expect(formatDigestHeader(digest, 'sha-256')).toBe(text.replace('SHA', 'sha'))
  })

  it('is read as it was spelt, also among others', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const spelt = formatDigestHeader(bytes)
        expect(Buffer.from(sha256InDigestHeader(spelt) ?? []).equals(bytes)).toBe(true)
        expect(Buffer.from(sha256InDigestHeader(`unixsum=30637, ${spelt}`) ?? []).equals(bytes)).toBe(true)
      }),
    )
    expect(parseDigestHeader('SHA=thvDyvhfIqlvFe+A9MYgxAfm1q5=,unixsum=30637')).toEqual([
      { algorithm: 'SHA', value: 'thvDyvhfIqlvFe+A9MYgxAfm1q5=' },
      { algorithm: 'unixsum', value: '30637' },
    ])
  })

  it('is compared by its label as the partner wants it', () => {
    const lower = text.replace('SHA', 'sha')
    expect(sha256InDigestHeader(lower)).toEqual(digest)
    expect(sha256InDigestHeader(lower, 'exact')).toBeUndefined()
    expect(sha256InDigestHeader(text, 'exact')).toEqual(digest)
  })

  it.each([
    ['nothing', ''],
    ['no value', 'SHA-256='],
    ['another algorithm', 'SHA-512=hPq3xjgxGMr98LL2/lP2Y66DVCTcXdwL+YpNQD/gmvk='],
    ['hexadecimal', `SHA-256=${digest.toString('hex')}`],
    ['base64url', text.replaceAll('/', '_').replaceAll('+', '-')],
    ['no padding', text.slice(0, -1)],
    ['stray bits', text.replace('vk=', 'vl=')],
    ['two of them', `${text},${text}`],
    ['white space inside', text.replace('=', '= ')],
    ['more than anybody needs', Array.from({ length: 9 }, () => text).join(',')],
  ])('holds no SHA-256 when it holds %s', (_what, header) => {
    expect(sha256InDigestHeader(header)).toBeUndefined()
  })
})
