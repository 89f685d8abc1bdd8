import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../src/core/errors.ts'
import { canonicalJson } from '../../../src/store/chain.ts'
import { loggedFailure } from '../../../src/telemetry/failure.ts'

function thrownBy(action: () => unknown): unknown {
  try {
    return action()
  } catch (error) {
    return error
  }
}

describe('loggedFailure', () => {
  it('tells codes, fault and typed details, and neither the message nor free text', () => {
    const details = {
      status: 503,
      started: true,
      phase: 'connect',
      reason: 'UND_ERR_SOCKET',
      origin: 'https://xca.example:8443',
      text: 'Mario Rossi was not found',
      home: 'PROVAX00X00X000Y',
    }
    expect(loggedFailure(new GatewayError('community-unavailable', 'a sentence', { details }))).toEqual({
      code: 'community-unavailable',
      fault: 'community',
      details: {
        status: 503,
        started: true,
        phase: 'connect',
        reason: 'UND_ERR_SOCKET',
        origin: 'https://xca.example:8443',
      },
    })
  })

  it('tells what explains the other side’s words, never the words', () => {
    const explain = (...issues: GatewayError['issues']) =>
      loggedFailure(new GatewayError('community-rejected', 'x', { issues })).explain
    const error = { severity: 'error', text: 'Mario Rossi' } as const
    expect(explain({ ...error, code: 'RSSMRA80A01H501U' })).toBeUndefined()
    expect(explain({ severity: 'warning', code: 'R220', text: '' }, { ...error, code: 'CRF2' })).toBe('CRF2')
    expect(explain({ ...error, code: 'R999' })).toBe('R<n>')
    expect(explain({ ...error, code: 'XDSRegistryError', text: 'Internal Error 1011' })).toBe('Internal Error <n>')
  })

  it('names the causes by class and system code', async () => {
    const refused = await new Promise<Error>((resolve) => {
      // Port 1 of the loopback: nothing listens.
      connect(1, '127.0.0.1').once('error', resolve)
    })
    const cause = new TypeError('fetch failed', { cause: refused })
    expect(loggedFailure(new GatewayError('community-unavailable', 'x', { cause })).causes).toEqual([
      { name: 'TypeError' },
      { name: 'Error', code: 'ECONNREFUSED' },
    ])
  })

  it('tells where in our code the gateway itself failed, by paths that name no machine', () => {
    const { at, causes } = loggedFailure(thrownBy(() => canonicalJson(Number.NaN)))
    expect(causes?.[0]?.name).toBe('TypeError')
    expect(causes?.[0]?.at).toEqual([expect.stringMatching(/^src\/store\/chain\.ts:\d+:\d+$/)])
    expect(at?.[0]).toMatch(/^src\/core\/errors\.ts:\d+:\d+$/)
  })

  it('tells no places of what others did wrong', () => {
    expect(loggedFailure(new GatewayError('request-malformed', 'x', { cause: new Error('y') }))).toEqual({
      code: 'request-malformed',
      fault: 'caller',
      causes: [{ name: 'Error' }],
    })
  })

  it('takes a stack that no longer fits its message for unknown', () => {
    const cause = new Error('first')
    cause.stack = 'Error: second\n    at told (file:///srv/src/told.ts:1:2)'
    expect(loggedFailure(new GatewayError('internal', 'x', { cause })).causes).toEqual([{ name: 'Error' }])
  })

  it('follows causes that go in a circle no further than its bound', () => {
    const circle = new Error('x')
    circle.cause = circle
    expect(loggedFailure(new GatewayError('caller-gone', 'x', { cause: circle })).causes).toHaveLength(5)
  })

  it.each(['text', 7, null, { code: 'EACCES' }])('takes a cause that is no error: %j', (cause) => {
    expect(loggedFailure(new GatewayError('caller-gone', 'x', { cause })).causes).toHaveLength(1)
  })
})
