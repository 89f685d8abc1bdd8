import { describe, expect, it } from 'vitest'
import type { Consent } from '../../../../src/core/model/change.ts'
import { timestamp } from '../../../../src/core/model/timestamp.ts'
import { type ConsentOptions, consented, consentTable, dependsOnConsent } from '../../../../src/core/policy/consent.ts'

const purposes = 'TREATMENT EMERGENCY PUBEMERGENCY SYSADMIN PERSONAL UPDATE CONSENT ADMINISTRATIVE'.split(' ')
const professionals = 'AAS APR PSS INF FAR DSA DAM OAM DRS RSA MRP OGC OPI MDS DAP'.split(' ')
const others = 'ASS TUT GEN ING NOR INI GTW'.split(' ')
const pastBefore = timestamp('20200519')
const past = { hiddenBefore: pastBefore }

/** `C2` given, `!C2` not given. */
const told = (text: string): Consent[] =>
  text
    .split(' ')
    .flatMap((word) => (word === '' ? [] : [{ name: word.replace('!', ''), given: !word.startsWith('!') }]))

const decided = (role: string, purposeOfUse: string, consents: string, options: ConsentOptions = { pastBefore }) =>
  consented({ role, purposeOfUse, subject: 's' }, told(consents), consentTable(options), options)

describe('what a purpose needs', () => {
  const needs: Readonly<Record<string, object>> = {
    TREATMENT: { refused: 'C2' },
    EMERGENCY: { refused: 'C2' },
    PUBEMERGENCY: { refused: 'C2' },
    UPDATE: { authoredOnly: true },
  }
  const rows = [...professionals, ...others].flatMap((role) =>
    [...purposes, 'ACCESS UPDATE', 'constructor'].map((purpose) => {
      const without = professionals.includes(role) && Object.hasOwn(needs, purpose) ? needs[purpose] : {}
      return [role, purpose, without ?? {}] as const
    }),
  )
  it.each(rows)('%s for %s, without consent: %o', (role, purpose, without) => {
    for (const consents of ['', '!C2', 'C1 C3', '!C2 C3', 'C1 !C2 !C4']) {
      expect(decided(role, purpose, consents)).toEqual(without)
    }
    expect(decided(role, purpose, 'C2 C3')).toEqual({})
    const viewer = { role, purposeOfUse: purpose, subject: 's' }
    expect(dependsOnConsent(viewer, consentTable())).toBe(Object.keys(without).length > 0)
  })

  it.each(['TREATMENT', 'EMERGENCY', 'PUBEMERGENCY', 'UPDATE'])('%s needs none when it is exempt', (purpose) => {
    const options = { exempt: [purpose], pastBefore }
    expect(decided('DRS', purpose, '!C2', options)).toEqual({})
    const other = purpose === 'TREATMENT' ? 'EMERGENCY' : 'TREATMENT'
    expect(decided('DRS', other, '!C2', options)).toEqual({ refused: 'C2' })
  })

  it.each(['C5', 'C6', 'C7', 'C8'] as const)('%s is needed for the purposes the options name', (name) => {
    const options = { purposes: { [name]: ['PREVENTION', 'TREATMENT'] } }
    expect(decided('AAS', 'PREVENTION', 'C2 C3')).toEqual({})
    expect(decided('AAS', 'PREVENTION', 'C2 C3', options)).toEqual({ refused: name })
    expect(decided('AAS', 'PREVENTION', `${name} C3`, options)).toEqual({})
    expect(decided('AAS', 'TREATMENT', 'C2 C3', options)).toEqual({ refused: name })
    expect(decided('ASS', 'PREVENTION', '', options)).toEqual({})
  })

  it('a consent told twice is given when it is so both times', () => {
    expect(decided('AAS', 'TREATMENT', 'C2 !C2 C3')).toEqual({ refused: 'C2' })
    expect(decided('AAS', 'TREATMENT', 'C2 C2 C3')).toEqual({})
  })

  it('is said row by row, with its source', () => {
    for (const { source } of consentTable()) expect(source).toMatch(/§/)
    expect(new Set(consentTable().map(({ needs }) => needs))).toEqual(new Set(['C2', 'C5', 'C6', 'C7', 'C8']))
  })
})

describe('the past', () => {
  it.each([
    ['', past],
    ['C3', {}],
    ['!C3', past],
    ['C4', past],
    ['!C4', {}],
    ['C3 C4', past],
    ['C3 !C4', {}],
    ['!C3 C4', past],
    ['!C3 !C4', {}],
    ['C3 !C3', past],
    ['C4 !C4', past],
  ])('by “%s” is told: %o', (consents, outcome) => {
    for (const purpose of ['TREATMENT', 'EMERGENCY', 'UPDATE']) {
      expect(decided('APR', purpose, `C2 ${consents}`.trim())).toEqual(outcome)
    }
    for (const [role, purpose] of [
      ['ASS', 'PERSONAL'],
      ['GTW', 'UPDATE'],
      ['NOR', 'SYSADMIN'],
    ] as const) {
      expect(decided(role, purpose, consents)).toEqual({})
    }
  })

  it('begins when the options say, and is nothing when they do not', () => {
    expect(decided('APR', 'TREATMENT', 'C2', { pastBefore: timestamp('2015') })).toEqual({ hiddenBefore: '2015' })
    expect(decided('APR', 'TREATMENT', 'C2 !C3 C4', {})).toEqual({})
  })
})
