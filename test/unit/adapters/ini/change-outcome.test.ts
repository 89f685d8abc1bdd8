import { describe, expect, it } from 'vitest'
import { changeOutcome, lookUpOutcome, meanings } from '../../../../adapters/ini/outcome.ts'
import type { SubmissionReply } from '../../../../src/config/adapter.ts'
import type { Issue } from '../../../../src/core/errors.ts'
import { nothingFound } from '../../../../src/core/model/answers.ts'
import { answer, entry, issue } from '../../../support/builders.ts'

const statuses = ['success', 'partial-success', 'failure'] as const
const severities = ['error', 'warning'] as const
const every = statuses.flatMap((status) => severities.map((severity) => [status, severity] as const))

const said = (status: (typeof statuses)[number], ...issues: Issue[]): SubmissionReply => ({
  ...{ kind: 'answer', status },
  issues,
})
const fault = (code: string, text = 'told by INI', sender = false): SubmissionReply => ({
  ...{ kind: 'fault', sender },
  issue: issue(code, { text }),
})
const errorOf = (reply: SubmissionReply) => {
  const outcome = changeOutcome(reply)
  return typeof outcome === 'string' ? outcome : outcome.error
}

/** ini.md §6.1: whatever can answer a change, and the look-ups before it. */
const judged = 'PST4 PST5 PST6 PST10 PIT1 PIT2 PFC3 PFC9 PFA11 PFA14 R50 R56 R80 R153 R166 R227'.split(' ')
const others = 'R220 R221 R224 QND1 QND2 CRF1 CRF2 EDS3'.split(' ')

it('every code that can answer a change has a row', () => {
  expect([...judged, ...others].filter((code) => !meanings.has(code))).toEqual([])
})

describe.each(every)('INI’s %s with a %s', (status, severity) => {
  const reply = (code: string) => said(status, issue(code, { severity }))

  it.each(['R220', 'QND2'])('%s leaves the change to our own registry', (code) => {
    expect(changeOutcome(reply(code))).toBe('ours')
  })
})

describe('INI’s failure', () => {
  it.each(severities)('with R224 as a %s means that it was made before', (severity) => {
    expect(changeOutcome(said('failure', issue('R224', { severity })))).toBe('made')
  })

  it.each([...judged, 'R999', 'PZZ1'])('with %s is final', (code) => {
    expect(errorOf(said('failure', issue(code)))).toMatchObject({ code: 'community-rejected', issues: [issue(code)] })
    expect(errorOf(fault(code))).toMatchObject({ code: 'community-rejected' })
  })

  it('with CRF1 may have been made: it is told again', () => {
    expect(errorOf(said('failure', issue('CRF1')))).toMatchObject({ code: 'community-unavailable' })
  })

  it('with CRF2 is final, and says who is to be told first', () => {
    const error = errorOf(said('failure', issue('CRF2')))
    expect(error).toMatchObject({ code: 'community-rejected', message: expect.stringContaining('tell its operators') })
  })

  it.each(['Internal Error 1011', 'Internal Error 9000', 'Internal Error init service', 'Internal Server Error'])(
    'in its own trouble (%s) passes',
    (text) => {
      expect(errorOf(said('failure', issue('XDSRegistryError', { text })))).toMatchObject({
        code: 'community-unavailable',
        issues: [{ text }],
      })
    },
  )

  it.each([
    ['XDSRegistryError', 'Unavailable $XDSDocumentUniqueId'],
    ['XDSRegistryError', 'RPDA non individuata per servizio trasferimento indice'],
    ['XDSSomethingNew', 'nobody has explained it'],
  ])('with %s (%s) is final', (code, text) => {
    expect(errorOf(said('failure', issue(code, { text })))).toMatchObject({ code: 'community-rejected' })
  })

  it.each([
    ['R221', 'overtaken'],
    ['XDSMetadataVersionError', 'overtaken'],
    ['QND1', 'nothing-found'],
    ['EDS3', 'nothing-found'],
    ['UnresolvedReferenceException', 'nothing-found'],
    ['XDSRegistryDeprecatedDocumentError', 'replaced'],
  ])('with %s says what is to be looked at again: %s', (code, because) => {
    expect(changeOutcome(said('failure', issue(code)))).toMatchObject({
      because,
      error: { code: 'community-rejected' },
    })
  })

  it('without a word is final', () => {
    expect(errorOf(said('failure'))).toMatchObject({ code: 'community-rejected' })
  })

  it('with several reasons is as bad as the worst of them', () => {
    expect(errorOf(said('failure', issue('R224'), issue('R50')))).toMatchObject({ code: 'community-rejected' })
    expect(errorOf(said('failure', issue('CRF1'), issue('R50')))).toMatchObject({ code: 'community-rejected' })
    expect(changeOutcome(said('failure', issue('R221'), issue('R50')))).not.toHaveProperty('because')
    expect(errorOf(said('failure', issue('R224'), issue('CRF1')))).toMatchObject({ code: 'community-unavailable' })
  })
})

describe('INI’s success', () => {
  it('without errors, or with remarks only, is one', () => {
    expect(changeOutcome(said('success'))).toBe('made')
    expect(changeOutcome(said('success', issue('XDSExtraMetadataNotSaved', { severity: 'warning' })))).toBe('made')
  })

  it('with an error is none', () => {
    expect(errorOf(said('success', issue('R50')))).toMatchObject({ code: 'community-rejected' })
  })
})

describe('a fault of INI', () => {
  it.each(['Missing upload consent', 'Missing Consultation Consent'])('that says %s has judged', (text) => {
    expect(errorOf(fault('Receiver', text))).toMatchObject({ code: 'community-rejected', issues: [{ text }] })
  })

  it.each(['Internal Server Error', 'java.lang.NullPointerException'])('of its own (%s) passes', (text) => {
    expect(errorOf(fault('Receiver', text))).toMatchObject({ code: 'community-unavailable' })
  })

  it('of ours is final', () => {
    expect(errorOf(fault('Sender', 'bad message', true))).toMatchObject({ code: 'community-rejected' })
  })
})

describe('a look-up before a change', () => {
  const asked = (status: (typeof statuses)[number], ...issues: Issue[]) =>
    ({ kind: 'answer', status, answer: answer({ issues }) }) as const

  it('finds what is there, and nothing where INI has nothing', () => {
    const found = answer({ entries: [entry('a')] })
    expect(lookUpOutcome({ kind: 'answer', status: 'success', answer: found })).toEqual(found)
    for (const [status, severity] of every) {
      expect(lookUpOutcome(asked(status, issue('QND1', { severity })))).toEqual(nothingFound)
    }
  })

  it('is left to us where the patient is ours', () => {
    for (const code of ['QND2', 'R220']) expect(lookUpOutcome(asked('failure', issue(code)))).toBe('ours')
  })

  it.each([
    ['CRF1', 'community-unavailable'],
    ['CRF2', 'community-rejected'],
    ['PFA14', 'community-rejected'],
  ])('fails with %s as a change does', (code, expected) => {
    expect(() => lookUpOutcome(asked('failure', issue(code)))).toThrow(expect.objectContaining({ code: expected }))
  })
})
