import { describe, expect, it } from 'vitest'
import { type ErrorCode, errorCodes, GatewayError } from '../../../src/core/errors.ts'
import { isFinal, reasonOf } from '../../../src/journal/verdict.ts'

describe('isFinal', () => {
  it('is what the other side refused and what cannot be delivered at all, and nothing that may pass', () => {
    const passing: readonly ErrorCode[] = [
      'caller-gone',
      'assertion-missing',
      'assertion-invalid',
      'access-denied',
      'community-unavailable',
      'community-timeout',
      'community-busy',
      'community-misbehaved',
      'document-altered',
      'overloaded',
      'internal',
    ]
    const judged = errorCodes.filter((code) => !isFinal(new GatewayError(code, '')))
    expect(judged).toEqual(passing)
  })
})

describe('reasonOf', () => {
  it('keeps what the other side said word for word', () => {
    const error = new GatewayError('community-rejected', 'It was refused', {
      issues: [
        { severity: 'error', code: 'R224', text: 'Documento già presente  (versione 2)' },
        { severity: 'warning', code: 'R220', text: '' },
      ],
    })
    expect(reasonOf(error)).toBe('community-rejected: R224 Documento già presente  (versione 2); R220 ')
  })

  it('says what we know when the other side said nothing', () => {
    expect(reasonOf(new GatewayError('community-timeout', 'No answer in time'))).toBe(
      'community-timeout: No answer in time',
    )
  })

  it.each([
    ['of any length', 'à'.repeat(100_000)],
    ['that is cut within a character', '\u{1F600}'.repeat(50_000)],
    ['of what is no text', 'a\0b\uD800c'],
  ])('makes a text that can be kept %s', (_what, text) => {
    const issues = [{ severity: 'error', code: 'R1', text } as const]
    const reason = reasonOf(new GatewayError('community-rejected', '', { issues }))
    expect(reason.length).toBeLessThanOrEqual(8000)
    expect(reason.isWellFormed()).toBe(true)
    expect(reason).not.toContain('\0')
  })
})
