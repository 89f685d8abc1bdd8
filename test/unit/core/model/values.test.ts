import { describe, expect, it } from 'vitest'
import { asGatewayError, errorCodes, GatewayError } from '../../../../src/core/errors.ts'
import { type FederatedAnswer, type Leg, statusOf } from '../../../../src/core/model/answers.ts'
import { homeCommunityId, homeOid, isOid, oid } from '../../../../src/core/model/identifiers.ts'
import { inRange, isTimestamp, startOf, timestamp } from '../../../../src/core/model/timestamp.ts'
import { homes, issue } from '../../../support/builders.ts'

describe('an object identifier', () => {
  it.each(['2.16.840.1', '1.0', '0.9', `1.${'2'.repeat(62)}`])('%s is one', (text) => expect(isOid(text)).toBe(true))
  it.each(['', '2', '3.1', '2.01', '2.16.', '.2', '2..1', 'urn:oid:1.2', '1.2\n', `1.${'2'.repeat(63)}`])(
    '%j is none',
    (text) => expect(isOid(text)).toBe(false),
  )
  it('is refused with parameter-invalid', () => {
    expect(() => oid('x')).toThrow(expect.objectContaining({ code: 'parameter-invalid' }))
  })
})

describe('a home community id', () => {
  it.each(['urn:oid:2.16.840.1.113883.2.9.2.90', '2.16.840.1.113883.2.9.2.90'])('is read from %s', (text) => {
    expect(homeCommunityId(text)).toBe(homes.tuscany)
    expect(homeOid(homeCommunityId(text))).toBe('2.16.840.1.113883.2.9.2.90')
  })
  it.each(['', 'urn:oid:', 'urn:uuid:1.2', 'URN:OID:1.2', 'urn:oid:1.2 '])('is not read from %j', (text) => {
    expect(() => homeCommunityId(text)).toThrow(GatewayError)
  })
})

describe('a timestamp', () => {
  it.each(['2024', '202402', '20240229', '2024022923', '202402292359', '20240229235960'])('%s is one', (text) => {
    expect(timestamp(text)).toBe(text)
  })
  it.each(['', '24', '20241', '202413', '20240132', '2024010124', '202401010060', '2024-01-01', '20240101Z', '2024\n'])(
    '%j is none',
    (text) => expect(isTimestamp(text)).toBe(false),
  )
  it.each([
    ['2024', '20240101000000'],
    ['202402', '20240201000000'],
    ['2024020311', '20240203110000'],
  ])('%s begins at %s', (text, start) => expect(startOf(timestamp(text))).toBe(start))
  it.each([
    ['20240101', true],
    ['2024', true],
    ['20231231235959', false],
    ['20240131235959', true],
    ['202402', false],
  ])('%s in the half-open January 2024: %s', (text, inside) => {
    expect(inRange(timestamp(text), { from: timestamp('202401'), to: timestamp('202402') })).toBe(inside)
  })
})

describe('a gateway error', () => {
  it('knows for every code whose doing it is', () => {
    for (const code of errorCodes)
      expect(new GatewayError(code, 'x').fault).toMatch(/^(caller|trust|community|gateway)$/)
  })
  it('is kept as it is; anything else becomes internal without its words', () => {
    const own = new GatewayError('patient-unknown', 'x')
    expect(asGatewayError(own)).toBe(own)
    const foreign = asGatewayError(new Error('secret'))
    expect(foreign.code).toBe('internal')
    expect(foreign.message).not.toContain('secret')
  })
})

describe('the status of a federated answer', () => {
  const leg = (outcome: Leg['outcome']): Leg => ({ home: homes.tuscany, name: 'tuscany', durationMs: 1, outcome })
  const failure = { home: homes.ini, error: new GatewayError('community-timeout', 'late') }
  const told = { ...issue('X'), home: homes.ini }
  const nothing = { entries: [], submissionSets: [], folders: [], associations: [], issues: [] }
  it.each<[string, Partial<FederatedAnswer>, string]>([
    ['all answered', { asked: [leg('answered')], failures: [] }, 'success'],
    ['nobody was asked', { asked: [], failures: [] }, 'success'],
    ['one failed', { asked: [leg('answered'), leg('failed')], failures: [failure] }, 'partial-success'],
    ['all failed', { asked: [leg('failed')], failures: [failure] }, 'failure'],
    ['one reported an error', { asked: [leg('partial')], failures: [], issues: [told] }, 'partial-success'],
    [
      'only warnings',
      { asked: [leg('answered')], failures: [], issues: [{ ...told, severity: 'warning' }] },
      'success',
    ],
    ['one in part, one not', { asked: [leg('partial'), leg('failed')], failures: [failure] }, 'partial-success'],
  ])('when %s', (_what, given, status) => {
    expect(statusOf({ ...nothing, asked: [], failures: [], ...given })).toBe(status)
  })
})
