import { describe, expect, it } from 'vitest'
import { iniAnswer } from '../../../adapters/ini/outcome.ts'
import { nothingFound } from '../../../src/core/model/answers.ts'
import { answer, entry, issue } from '../../support/builders.ts'

const statuses = ['success', 'partial-success', 'failure'] as const
const severities = ['error', 'warning'] as const
const every = statuses.flatMap((status) => severities.map((severity) => [status, severity] as const))

describe.each(every)('INI’s %s with a %s', (status, severity) => {
  const reply = (code: string) =>
    ({ kind: 'answer', status, answer: answer({ issues: [issue(code, { severity })] }) }) as const

  it.each(['QND1', 'QND2', 'R220'])('%s is an empty answer', (code) => {
    expect(iniAnswer(reply(code))).toEqual(nothingFound)
  })

  it.each(['CRF1', 'CRF2'])('%s is the region of assistance failing', (code) => {
    expect(() => iniAnswer(reply(code))).toThrow(
      expect.objectContaining({ code: 'community-rejected', issues: [issue(code, { severity })] }),
    )
  })
})

describe('a fault of INI', () => {
  const fault = (code: string, sender = false) => ({ kind: 'fault', issue: issue(code), sender }) as const

  it.each(['PIT2', 'PST4', 'PFC3', 'PFA11', 'PFA14'])('%s is a refusal, though it is called the receiver’s', (code) => {
    expect(() => iniAnswer(fault(code))).toThrow(expect.objectContaining({ code: 'community-rejected' }))
  })

  it('with QND1 is an empty answer', () => expect(iniAnswer(fault('QND1'))).toEqual(nothingFound))

  it('of its own is INI being unavailable', () => {
    expect(() => iniAnswer(fault('Receiver'))).toThrow(expect.objectContaining({ code: 'community-unavailable' }))
    expect(() => iniAnswer(fault('constructor'))).toThrow(expect.objectContaining({ code: 'community-unavailable' }))
  })
})

it('anything else is what every registry means by it', () => {
  const found = answer({ entries: [entry('a')] })
  expect(iniAnswer({ kind: 'answer', status: 'success', answer: found })).toEqual(found)
  const failed = { kind: 'answer', status: 'failure', answer: answer({ issues: [issue('XDSRegistryError')] }) } as const
  expect(() => iniAnswer(failed)).toThrow(expect.objectContaining({ code: 'community-rejected' }))
})
