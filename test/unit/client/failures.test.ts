import { errors } from 'undici'
import { describe, expect, it } from 'vitest'
import { failedBeforeAnswer, failure, interrupted, type Progress } from '../../../src/client/failures.ts'
import { GatewayError } from '../../../src/core/errors.ts'

const target = { community: 'region-050', home: 'urn:oid:1.2.3', origin: 'https://registry.example' }
const { signal } = new AbortController()
const failing = (error: unknown, stage: Progress['stage'] = 'body'): GatewayError =>
  failure(error, { stage }, signal, target)
const coded = (code: string, more: object = {}): Error => Object.assign(new Error('broken'), { code, ...more })

describe('what a failed request comes to', () => {
  it.each([
    [new errors.HeadersTimeoutError(), 'community-timeout'],
    [new errors.BodyTimeoutError(), 'community-timeout'],
    [new errors.HeadersOverflowError(), 'community-misbehaved'],
    [new errors.HTTPParserError('Response does not match the HTTP/1.1 protocol'), 'community-misbehaved'],
    [new errors.SocketError('other side closed'), 'community-unavailable'],
    [new errors.ClientDestroyedError(), 'overloaded'],
    [new errors.InvalidArgumentError('invalid header'), 'internal'],
    [coded('ECONNRESET'), 'community-unavailable'],
    [coded('EPIPE'), 'community-unavailable'],
    [new TypeError('a mistake of ours'), 'internal'],
    ['not an error', 'internal'],
  ])('%s is %s', (error, code) => {
    expect(failing(error).code).toBe(code)
  })

  it.each([
    [coded('ENOTFOUND', { syscall: 'getaddrinfo' }), 'connecting', 'dns'],
    [coded('ECONNREFUSED', { syscall: 'connect' }), 'connecting', 'connect'],
    [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'connecting', 'connect'],
    [new errors.ConnectTimeoutError(), 'connecting', 'connect'],
    [coded('CERT_HAS_EXPIRED'), 'connecting', 'tls'],
    [coded('ECONNRESET', { syscall: 'read' }), 'connecting', 'tls'],
    [coded('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'connected', 'tls'],
    [coded('ECONNRESET'), 'connected', 'request'],
    [coded('ECONNRESET'), 'answering', 'answer'],
    [coded('ECONNRESET'), 'body', 'answer'],
  ] as const)('%s while %s failed at %s', (error, stage, phase) => {
    const failed = failing(error, stage)
    expect(failed.details.phase).toBe(phase)
    expect(failedBeforeAnswer(failed)).toBe(phase === 'connect' || phase === 'request')
  })

  it('asks anew after no other failure', () => {
    expect(failedBeforeAnswer(failing(new errors.HeadersTimeoutError(), 'connected'))).toBe(false)
    expect(failedBeforeAnswer(failing(new errors.ClientDestroyedError(), 'connected'))).toBe(false)
    expect(failedBeforeAnswer(coded('ECONNRESET'))).toBe(false)
  })

  it('is what it was when it is a GatewayError already, even after the signal ended', () => {
    const error = new GatewayError('community-misbehaved', 'Too much')
    expect(failure(error, { stage: 'body' }, AbortSignal.abort(), target)).toBe(error)
  })

  it('keeps neither the bytes of the peer nor its certificate', () => {
    const parser = Object.assign(new errors.HTTPParserError('bad'), { data: 'Rossi Mario' })
    const certificate = coded('ERR_TLS_CERT_ALTNAME_INVALID', { cert: { subject: {} } })
    for (const error of [parser, certificate]) {
      const { cause } = failing(error)
      expect(cause).toMatchObject({ message: error.message, name: error.name })
      expect(Object.keys(Object(cause)).sort()).toEqual(['code', 'name'])
    }
  })
})

describe('why a signal ended the wait', () => {
  const ended = (reason?: unknown) => interrupted(AbortSignal.abort(reason), target)

  it('is the time when its reason is a TimeoutError, wherever it was joined', () => {
    const late = AbortSignal.abort(new DOMException('late', 'TimeoutError'))
    expect(interrupted(late, target).code).toBe('community-timeout')
    expect(interrupted(AbortSignal.any([signal, late]), target).code).toBe('community-timeout')
  })

  it('is the caller for any other reason, and explains whatever error came of it', () => {
    const reasons = [undefined, null, 'gone', new Error('TimeoutError'), new DOMException('gone', 'AbortError')]
    for (const reason of reasons) expect(ended(reason).code).toBe('caller-gone')
    const aborted = AbortSignal.abort()
    expect(failure(coded('ECONNRESET'), { stage: 'body' }, aborted, target).code).toBe('caller-gone')
  })
})
