import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorCodes, GatewayError } from '../../../src/core/errors.ts'
import { correlationId as correlation, homeCommunityId } from '../../../src/core/model/identifiers.ts'
import {
  codiceFiscaleCheckCharacter,
  isCodiceFiscale,
  isNumericCodiceFiscale,
} from '../../../src/core/model/patient.ts'
import { createEvents, type Events } from '../../../src/telemetry/events.ts'
import { createLog, type LogLevel } from '../../../src/telemetry/log.ts'
import { createMetrics } from '../../../src/telemetry/metrics.ts'

const tuscany = homeCommunityId('2.16.840.1.113883.2.9.2.90')
const campania = homeCommunityId('2.16.840.1.113883.2.9.2.150')
const community = { home: campania, name: 'campania' }
const correlationId = correlation('6f0c')

function start(level: LogLevel = 'debug') {
  const lines: string[] = []
  const metrics = createMetrics()
  const events = createEvents(createLog({ level, destination: { write: (line) => void lines.push(line) } }), metrics)
  return { events, metrics, lines, logged: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

const asked = [
  { home: tuscany, name: 'tuscany', durationMs: 41.7, outcome: 'answered' },
  { home: campania, name: 'campania', durationMs: 6000.2, outcome: 'failed' },
] as const

const timeout = new GatewayError('community-timeout', 'The community did not answer in time')

/** Every event once, with the error given where it takes one: exhaustive over the events by its type. */
function every(error: GatewayError): { readonly [Name in keyof Events]: Parameters<Events[Name]>[0] } {
  return {
    gatewayListening: { face: 'soap', port: 8443 },
    gatewayStopping: { because: 'SIGTERM' },
    configRejected: { paths: ['communities[2].guard.timeoutMs'] },
    trustReloaded: { parties: 5 },
    trustReloadFailed: { paths: ['keys/signing.pem'], error },
    certificateEnding: { certificate: 'gateway/signing', daysLeft: 29 },
    certificateDistrusted: { party: 'region-050', reason: 'certificate-revoked' },
    handshakeFailed: { error },
    exchangeStarted: { correlationId },
    exchangeFinished: { correlationId, transaction: 'ITI-18', outcome: 'failure', error, asked, durationMs: 6003.4 },
    legFinished: { correlationId, community, outcome: 'failed', error, durationMs: 6000.2 },
    breakerChanged: { community, actor: 'registry', state: 'open' },
    keySetFailed: { set: 'portal', error },
    voucherFailed: { community, error },
    credentialsRefused: { community },
    entryDropped: { correlationId, community, reason: 'metadata-invalid', entries: 2 },
    wrongPatientRefused: { correlationId, community },
    ordersUnknown: { correlationId, community, error },
    sourcesDisagree: { correlationId, homes: [tuscany, campania], what: ['hash', 'size'] },
    auditWritten: { correlationId, durationMs: 0.3 },
    auditFailed: { correlationId, transaction: 'ITI-18', error },
    storeFailed: { operation: 'append', error },
    deliveryMade: { id: 'b4b2', kind: 'notify-retrieve:ini', attempt: 1 },
    deliveryFailed: { id: 'b4b2', kind: 'notify-retrieve:ini', attempt: 2, error, retryInMs: 4000 },
    deliveryDead: { id: 'b4b2', kind: 'notify-retrieve:ini', attempt: 100, error },
    deliveryRetried: { id: 'b4b2', kind: 'notify-retrieve:ini' },
    deliveryDiscarded: { id: 'b4b2', kind: 'notify-retrieve:ini' },
    workflowTold: { correlationId, id: 'b4b2', eventType: 'SEND_TO_INI', eventStatus: 'BLOCKING_ERROR' },
    pushTaken: { correlationId, transaction: 'ITI-42', outcome: 'accepted' },
  }
}

function tellAll(events: Events, error: GatewayError): void {
  for (const [name, fields] of Object.entries(every(error))) {
    const tell = events[name as keyof Events] as (fields: unknown) => void
    tell(fields)
  }
}

describe('events', () => {
  const names = Object.keys(every(timeout)) as (keyof Events)[]

  it.each(names)('%s writes one line and counts once', async (name) => {
    const { events, metrics, logged } = start()
    const tell = events[name] as (fields: unknown) => void
    tell(every(timeout)[name])
    const event = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    expect(logged()).toMatchObject([{ event, level: expect.any(String), time: expect.stringMatching(/Z$/) }])
    expect(await metrics.text()).toContain(`crocevia_events_total{event="${event}"} 1`)
  })

  it('tells of an exchange what an operator looks for, and nothing else', () => {
    const { events, logged } = start()
    events.exchangeFinished({
      correlationId,
      transaction: 'ITI-18',
      outcome: 'partial-success',
      asked,
      durationMs: 6003.4,
    })
    const { time: _, ...line } = logged()[0] ?? {}
    expect(line).toEqual({
      level: 'info',
      event: 'exchange-finished',
      correlationId: '6f0c',
      transaction: 'ITI-18',
      outcome: 'partial-success',
      asked: [
        { home: tuscany, outcome: 'answered', ms: 42 },
        { home: campania, outcome: 'failed', ms: 6000 },
      ],
      ms: 6003,
    })
  })

  it.each([
    ['parameter-invalid', 'info'],
    ['assertion-invalid', 'warn'],
    ['community-timeout', 'warn'],
    ['internal', 'error'],
  ] as const)('tells an exchange that ended with %s at level %s', (code, level) => {
    const { events, logged } = start()
    const error = new GatewayError(code, 'x')
    events.exchangeFinished({ correlationId, transaction: 'ITI-18', outcome: 'failure', error, asked, durationMs: 1 })
    expect(logged()).toMatchObject([{ level, error: { code } }])
  })

  it('leaves out fields that the events do not have', () => {
    const { events, lines } = start()
    const smuggled = { ...asked[0], patient: 'PROVAX00X00X000Y' }
    events.exchangeFinished({
      correlationId,
      transaction: 'ITI-18',
      outcome: 'success',
      asked: [smuggled],
      durationMs: 1,
    })
    expect(lines.join()).not.toContain('PROVAX')
  })

  it('counts what it does not log at the level in force', async () => {
    const { events, metrics, lines } = start('error')
    events.auditWritten({ correlationId, durationMs: 2 })
    expect(lines).toEqual([])
    expect(await metrics.text()).toContain('crocevia_audit_append_duration_seconds_count 1')
  })

  it('measures exchanges, legs and breakers in seconds and by names from the configuration', async () => {
    const { events, metrics } = start()
    events.exchangeStarted({ correlationId })
    events.exchangeStarted({ correlationId })
    events.exchangeFinished({
      correlationId,
      transaction: 'ITI-18',
      outcome: 'failure',
      error: timeout,
      asked,
      durationMs: 250,
    })
    events.legFinished({ correlationId, community, outcome: 'failed', error: timeout, durationMs: 1500 })
    events.breakerChanged({ community, actor: 'registry', state: 'open' })
    events.breakerChanged({ community, actor: 'registry', state: 'half-open' })
    const text = await metrics.text()
    for (const sample of [
      'crocevia_requests_total{transaction="ITI-18",outcome="failure"} 1',
      'crocevia_request_errors_total{transaction="ITI-18",code="community-timeout"} 1',
      'crocevia_requests_in_flight 1',
      'crocevia_request_duration_seconds_sum{transaction="ITI-18"} 0.25',
      'crocevia_leg_duration_seconds_sum{community="campania",outcome="failed"} 1.5',
      'crocevia_leg_errors_total{community="campania",code="community-timeout"} 1',
      'crocevia_breaker_state{community="campania",actor="registry"} 1',
    ]) {
      expect(text).toContain(sample)
    }
  })

  it('keeps the metrics of two gateways in one process apart', async () => {
    const [one, other] = [start(), start()]
    one.events.wrongPatientRefused({ correlationId, community })
    expect(await one.metrics.text()).toContain('wrong-patient-refused')
    expect(await other.metrics.text()).not.toContain('wrong-patient-refused')
  })

  it('lets no codice fiscale into the log or the metrics, whatever errors carry it', async () => {
    await fc.assert(
      fc.asyncProperty(errors(), async ({ error, secret }) => {
        const { events, metrics, lines } = start()
        tellAll(events, error)
        expect(lines).toHaveLength(names.length)
        const told = (lines.join('') + (await metrics.text())).toLowerCase()
        expect(told).not.toContain(secret.toLowerCase())
      }),
      { numRuns: 300 },
    )
  })
})

const letter = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ')
const digitOrOmocode = fc.constantFrom(...'0123456789LMNPQRSTUV')

/** Codici fiscali of nobody: personal ones with omocodia, and numeric ones, with valid check characters. */
const codiciFiscali = fc.oneof(
  fc
    .tuple(...[...'AAAAAA00A00A000'].map((kind) => (kind === 'A' ? letter : digitOrOmocode)))
    .map((characters) => characters.join(''))
    .map((first15) => first15 + codiceFiscaleCheckCharacter(first15))
    .filter(isCodiceFiscale),
  fc.stringMatching(/^[0-9]{10}$/).map((first10) => {
    const code = [...'0123456789'].map((check) => first10 + check).find(isNumericCodiceFiscale)
    return code ?? '00000000000'
  }),
)

/** Errors that carry a codice fiscale in every place text can be in. */
function errors(): fc.Arbitrary<{ error: GatewayError; secret: string }> {
  const around = fc.constantFrom(
    (secret: string) => secret,
    (secret: string) => secret.toLowerCase(),
    (secret: string) => `No patient ${secret}^^^&2.16.840.1.113883.2.9.4.3.2&ISO`,
    (secret: string) => `first line\n    at ${secret} (file:///src/${secret}.ts:1:2)\n${secret}`,
  )
  const shapes = fc.constantFrom(
    (text: string): unknown => text,
    (text: string): unknown => new Error(text),
    (text: string): unknown => new AggregateError([new Error(text)], text),
    (text: string): unknown => Object.assign(new Error(text), { name: text, code: text }),
    (text: string): unknown => Object.assign(new TypeError('x'), { code: text, errno: text, stack: text }),
    (text: string): unknown => ({ message: text, code: text, stack: text, name: text }),
    (text: string): unknown => new Error(text, { cause: new RangeError(text, { cause: text }) }),
  )
  return fc
    .tuple(codiciFiscali, around, shapes, fc.constantFrom(...errorCodes))
    .map(([secret, quoted, shape, code]) => {
      const text = quoted(secret)
      const issues = [{ severity: 'error', code: text, text, location: text }] as const
      return { secret, error: new GatewayError(code, text, { cause: shape(text), issues, details: { text } }) }
    })
}
