import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { accepted, kindOf, print, type Verdict, verdictOn } from '../../../src/cli/verdict.ts'
import { refused } from '../../../src/trust/refusal.ts'
import { SoapFaultError } from '../../../src/wire/soap.ts'
import { XmlError } from '../../../src/wire/xml.ts'
import { certificates } from '../../support/gateway-config.ts'

afterEach(() => vi.restoreAllMocks())

/** What is printed, parsed, and the exit code. */
function printed(verdict: Verdict): { readonly code: number; readonly value: Verdict; readonly text: string } {
  let text = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((piece) => {
    text += String(piece)
    return true
  })
  const code = print(verdict)
  return { code, text, value: JSON.parse(text) as Verdict }
}

describe('a verdict', () => {
  it('is one line of JSON and an exit code', () => {
    const { code, text, value } = printed(accepted({ a: 'one\ntwo' }))
    expect(code).toBe(0)
    expect(text.endsWith('}\n')).toBe(true)
    expect(text.indexOf('\n')).toBe(text.length - 1)
    expect(value).toEqual({ accepted: true, code: 'ok', reason: null, read: { a: 'one\ntwo' } })
    expect(printed(verdictOn(new XmlError('doctype', 7), kindOf)).code).toBe(1)
  })

  it('is of a bounded size whatever was read', () => {
    const read = {
      text: 'x'.repeat(1_000_000),
      list: Array.from({ length: 10_000 }, () => 'y'),
      [`k${'z'.repeat(9_999)}`]: 1,
    }
    expect(printed(accepted(read)).text.length).toBeLessThan(20_000)
  })

  it('names certificates and leaves functions and what is undefined out', () => {
    const certificate = new X509Certificate(readFileSync(join(certificates, 'gateway/tls.crt.pem')))
    const { read } = printed(accepted({ certificate, none: undefined, call: () => 1 })).value
    expect(Object.keys(read)).toEqual(['certificate'])
    expect(read.certificate).toMatchObject({ fingerprint256: certificate.fingerprint256 })
    expect(JSON.stringify(read)).not.toContain('BEGIN')
  })
})

describe('a refusal', () => {
  it('of the reader has its reason and its place', () => {
    expect(verdictOn(new XmlError('entity', 12), kindOf)).toEqual({
      accepted: false,
      code: 'malformed',
      reason: 'entity',
      read: { offset: 12 },
    })
  })

  it('of SOAP has the outer code and the inner word', () => {
    const fault = {
      code: 'Sender',
      subcodes: ['wsa:InvalidAddressingHeader', 'wsa:OnlyAnonymousAddressSupported'],
      reason: 'Not here',
    } as const
    expect(verdictOn(new SoapFaultError(fault), kindOf, { a: 1 })).toEqual({
      accepted: false,
      code: 'wsa:InvalidAddressingHeader',
      reason: 'only-anonymous-address-supported',
      read: { a: 1, answer: fault },
    })
    expect(verdictOn(new SoapFaultError({ code: 'Sender', reason: 'The envelope has no Body' }), kindOf)).toMatchObject(
      {
        code: 'Sender',
        reason: 'the-envelope-has-no-body',
      },
    )
  })

  it('of trust has the code of the dialect and its own reason', () => {
    expect(verdictOn(refused('validity', 'expired'), () => 'PFC3')).toMatchObject({ code: 'PFC3', reason: 'expired' })
    expect(verdictOn(refused('validity', 'expired'), kindOf)).toMatchObject({ code: 'validity', reason: 'expired' })
  })

  it('is nothing that was not meant as one', () => {
    expect(() => verdictOn(new TypeError('x is not a function'), kindOf)).toThrow(TypeError)
  })
})
