import { describe, expect, it } from 'vitest'
import { nothingFound } from '../../../../src/core/model/answers.ts'
import { answerOf } from '../../../../src/wire/ebrim/outcome.ts'
import { answer, entry, issue } from '../../../support/builders.ts'

const replied = (status: string, more: Parameters<typeof answer>[0] = {}) =>
  ({ kind: 'answer', status, answer: answer(more) }) as const
const warning = (code: string) => issue(code, { severity: 'warning' })

describe('a registry’s reply', () => {
  it('that succeeds is the answer, with its warnings', () => {
    const more = { entries: [entry('a')], issues: [warning('W')] }
    expect(answerOf(replied('success', more))).toEqual(answer(more))
  })

  it('that succeeds in part is the answer, with its errors', () => {
    const more = { entries: [entry('a')], issues: [issue('XDSRegistryError')] }
    expect(answerOf(replied('partial-success', more))).toEqual(answer(more))
  })

  it('about a patient nobody knows is empty', () => {
    expect(answerOf(replied('failure', { issues: [issue('XDSUnknownPatientId')] }))).toEqual(nothingFound)
    const both = { entries: [entry('a')], issues: [issue('XDSUnknownPatientId')] }
    expect(answerOf(replied('partial-success', both))).toEqual(answer({ entries: both.entries }))
  })

  it.each([
    ['XDSRegistryBusy', 'community-busy'],
    ['XDSRepositoryBusy', 'community-busy'],
    ['XDSRegistryNotAvailable', 'community-unavailable'],
    ['XDSRegistryOutOfResources', 'community-unavailable'],
    ['XDSRegistryError', 'community-rejected'],
    ['XDSTooManyResults', 'community-rejected'],
    ['a code nobody has seen', 'community-rejected'],
    ['constructor', 'community-rejected'],
    ['__proto__', 'community-rejected'],
  ])('that fails with %s is %s, with its own words', (code, meaning) => {
    const issues = [issue(code)]
    expect(() => answerOf(replied('failure', { issues }))).toThrow(
      expect.objectContaining({ code: meaning, fault: 'community', issues }),
    )
  })

  it('that fails without saying why is a refusal', () => {
    expect(() => answerOf(replied('failure'))).toThrow(expect.objectContaining({ code: 'community-rejected' }))
  })

  it('that is another failure beside an unknown patient is that failure', () => {
    const issues = [issue('XDSUnknownPatientId'), issue('XDSRegistryBusy')]
    expect(() => answerOf(replied('failure', { issues }))).toThrow(expect.objectContaining({ code: 'community-busy' }))
  })

  it.each([
    [true, 'community-rejected'],
    [false, 'community-unavailable'],
  ])('that is a fault, our doing %s, is %s', (sender, code) => {
    const told = issue('env:X')
    expect(() => answerOf({ kind: 'fault', issue: told, sender })).toThrow(
      expect.objectContaining({ code, issues: [told] }),
    )
  })
})
