import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Ending, expiryFindings } from '../../../src/cli/doctor-expiry.ts'
import { listFindings } from '../../../src/cli/doctor-lists.ts'
import { asLines, fail, ok, warn } from '../../../src/cli/finding.ts'
import { factsOf } from '../../../src/trust/x509/certificate.ts'
import { readRevocationList } from '../../../src/trust/x509/revocation.ts'
import { certificates } from '../../support/gateway-config.ts'

const day = 86_400_000
const read = (name: string) => readFileSync(join(certificates, name))
const certificate = new X509Certificate(read('gateway/tls.crt.pem'))
const { notAfter, notBefore } = factsOf(certificate)
const ending: Ending = { what: 'gateway.identity.tls', certificate, own: true }

describe('the end of a certificate', () => {
  it.each<[string, number, string, string]>([
    ['61 days before', notAfter - 61 * day, 'ok', '61 days'],
    ['60 days before', notAfter - 60 * day, 'warn', 'less than 60'],
    ['30 days before', notAfter - 30 * day, 'warn', 'less than 30'],
    ['7 days before', notAfter - 7 * day, 'warn', 'less than 7'],
    ['a moment after', notAfter + 1, 'fail', 'expired on'],
    ['before its beginning', notBefore - 1, 'fail', 'not valid before'],
  ])('is told as it is %s', (_when, now, level, found) => {
    const [finding, ...others] = expiryFindings([ending], now)
    expect(others).toEqual([])
    expect(finding).toMatchObject({ level, found: expect.stringContaining(found) })
    if (level !== 'ok') expect(finding?.advice).toBeTruthy()
  })

  it('is told once however often the certificate is named', () => {
    const again = { ...ending, what: 'communities[0].trust.tls[0]', own: false }
    expect(expiryFindings([ending, again], notBefore + day)).toHaveLength(1)
  })
})

describe('the next revocation list', () => {
  const list = readRevocationList(read('ca.crl.pem'))
  const finding = (now: number, period?: number) => {
    const shown = period === undefined ? list : { ...list, thisUpdate: list.nextUpdate - period }
    return listFindings([{ what: 'list', list: shown }], { graceMs: day, now })[0]
  }

  it.each<[string, number, string]>([
    ['long due', list.nextUpdate + day + 1, 'fail'],
    ['due, and relied upon a while', list.nextUpdate + 1, 'warn'],
    ['due in a week', list.nextUpdate - 7 * day, 'warn'],
    ['due in three months', list.nextUpdate - 90 * day, 'ok'],
    ['from the future', list.thisUpdate - 1, 'fail'],
  ])('is told as it is %s', (_when, now, level) => {
    expect(finding(now)?.level).toBe(level)
  })

  it('calls for nothing from the first day on when a new one comes every day', () => {
    expect(finding(list.nextUpdate - day + 1, day)?.level).toBe('ok')
    expect(finding(list.nextUpdate - 6 * day, 30 * day)?.level).toBe('warn')
  })
})

describe('findings', () => {
  it('are one line each, with what to do where there is something', () => {
    expect(asLines([ok('a', 'fine'), warn('long', 'late', 'renew'), fail('b', 'gone', 'put it back')])).toBe(
      'ok    a     fine\nwarn  long  late → renew\nfail  b     gone → put it back\n',
    )
  })
})
