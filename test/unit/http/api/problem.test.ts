import { describe, expect, it } from 'vitest'
import { type ErrorCode, errorCodes, GatewayError } from '../../../../src/core/errors.ts'
import { correlationId } from '../../../../src/core/model/identifiers.ts'
import { challenges } from '../../../../src/http/api/challenge.ts'
import { apiProblems, problemOf } from '../../../../src/http/api/problem.ts'
import { refused } from '../../../../src/trust/refusal.ts'

const id = correlationId('0c9d7c34-4f6f-4a55-9c55-1c3a6c2b9d22')

describe('a problem', () => {
  it.each(errorCodes)('of %s has a type of its own, a title and a status of failure', (code) => {
    const { problem } = problemOf(new GatewayError(code, 'a sentence'), id)
    expect(problem).toMatchObject({
      type: expect.stringMatching(/^urn:crocevia:problem:[a-z-]+$/),
      title: expect.stringMatching(/./),
      instance: 'urn:uuid:0c9d7c34-4f6f-4a55-9c55-1c3a6c2b9d22',
    })
    expect(problem.status).toBeGreaterThanOrEqual(400)
    const words = Object.values(apiProblems).map(({ word }) => word)
    expect(new Set(words).size).toBe(words.length)
  })

  it.each<[ErrorCode, number]>([
    ['assertion-missing', 401],
    ['assertion-invalid', 401],
    ['access-denied', 403],
    ['document-unknown', 404],
    ['caller-gone', 408],
    ['request-too-large', 413],
    ['media-type-unsupported', 415],
    ['internal', 500],
    ['community-unavailable', 502],
    ['overloaded', 503],
    ['community-timeout', 504],
  ])('of %s has status %i', (code, status) => {
    expect(problemOf(new GatewayError(code, 'x'), id).problem.status).toBe(status)
  })

  it('tells the reason of a refused token and of nothing else', () => {
    const of = (error: GatewayError) => problemOf(error, id).problem.reason
    expect(of(refused('validity', 'expired'))).toBe('expired')
    expect(of(new GatewayError('access-denied', 'x', { details: { reason: 'role' } }))).toBeUndefined()
    expect(of(new GatewayError('internal', 'x', { details: { reason: 'disk' } }))).toBeUndefined()
  })

  it('of a community names the consequence of what it said, in two languages, and not its words', () => {
    const issues = [
      { severity: 'warning', code: 'R220', text: 'x' },
      { severity: 'error', code: 'PFA11', text: 'Missing Consultation Consent' },
    ] as const
    const { problem } = problemOf(new GatewayError('community-rejected', 'a sentence', { issues }), id)
    expect(problem.consequence).toMatch(/has not consented to consultation/)
    expect(problem.consequenceIt).toMatch(/non ha dato il consenso/)
    expect(JSON.stringify(problem)).not.toMatch(/PFA11|Missing/)
  })

  it('of a community that was not heard says that something may be missing, and of all others nothing', () => {
    const of = (...[code, options]: [ErrorCode, { details: { reason: string } }?]) =>
      problemOf(new GatewayError(code, 'x', options), id).problem.consequence
    for (const code of [
      'community-timeout',
      'community-unavailable',
      'community-misbehaved',
      'community-busy',
    ] as const) {
      expect(of(code)).toMatch(/may be missing/)
    }
    const others = errorCodes.filter((code) => new GatewayError(code, '').fault !== 'community')
    expect(others.filter((code) => of(code) !== undefined)).toEqual([])
    expect(of('community-rejected')).toBeUndefined()
    expect(of('community-unavailable', { details: { reason: 'keys-unavailable' } })).toBeUndefined()
  })

  it('of keys that cannot be had says when to try again', () => {
    const error = new GatewayError('community-unavailable', 'x', { details: { reason: 'keys-unavailable' } })
    const { problem, retryAfter } = problemOf(error, id)
    expect(problem).toMatchObject({ type: 'urn:crocevia:problem:keys-unavailable', status: 503 })
    expect(retryAfter).toBe(5)
    expect(problemOf(new GatewayError('community-unavailable', 'x'), id)).not.toHaveProperty('retryAfter')
  })

  it('of a repeated header is the request’s, not the token’s', () => {
    expect(problemOf(refused('header', 'authorization-is-repeated'), id).problem).toMatchObject({
      type: 'urn:crocevia:problem:request-malformed',
      status: 400,
    })
    expect(problemOf(refused('signature', 'signed-header-is-repeated'), id).problem.status).toBe(401)
  })

  it('in published words keeps them, and our instance where they name none', () => {
    const published = { type: '/msg/x', title: 't', detail: 'd', status: 403 }
    const reason = { reason: 'expired' }
    const error = refused('validity', 'expired')
    expect(problemOf(error, id, published).problem).toEqual({ ...published, ...reason, instance: `urn:uuid:${id}` })
    const named = { ...published, instance: '/y' }
    expect(problemOf(error, id, named).problem).toEqual({ ...named, ...reason })
  })
})

describe('a challenge', () => {
  const both = ['Bearer', 'DPoP'] as const
  const plain = ['Bearer realm="crocevia"', 'DPoP realm="crocevia", algs="RS256 ES256"']

  it('tells the schemes, and no fault to whoever brought no token', () => {
    expect(challenges(both, undefined, refused('missing', 'authorization-is-missing'))).toEqual(plain)
    expect(challenges(both, 'Basic x', refused('header', 'authorization-is-no-bearer-token'))).toEqual(plain)
    expect(challenges(['Bearer'], undefined, refused('missing', 'authorization-is-missing'))).toEqual([plain[0]])
    expect(challenges([], 'Bearer x', refused('validity', 'expired'))).toEqual([])
  })

  it('tells the fault in the scheme that was used', () => {
    const error = refused('validity', 'expired')
    const fault = ', error="invalid_token", error_description="expired"'
    expect(challenges(both, 'bearer x', error)).toEqual([`${plain[0]}${fault}`, plain[1]])
    expect(challenges(both, 'DPoP x', error)).toEqual([plain[0], `${plain[1]}${fault}`])
  })

  it('tells a proof that is missing or refused from a token that is', () => {
    const missing = new GatewayError('assertion-missing', 'x', {
      details: { reason: 'dpop-is-missing', part: 'proof' },
    })
    expect(challenges(both, 'DPoP x', missing)[1]).toContain(
      'error="invalid_dpop_proof", error_description="dpop-is-missing"',
    )
    const another = new GatewayError('assertion-invalid', 'x', { details: { reason: 'htu-is-another', part: 'proof' } })
    expect(challenges(both, 'DPoP x', another)[1]).toContain('error="invalid_dpop_proof"')
  })

  it('tells a repeated header from a refused token', () => {
    expect(challenges(both, 'Bearer x', refused('header', 'authorization-is-repeated'))[0]).toContain(
      'error="invalid_request"',
    )
  })
})
