import type { ErrorCode, Fault, GatewayError } from '../core/errors.ts'
import type { Leg } from '../core/model/answers.ts'
import type { CorrelationId, HomeCommunityId } from '../core/model/identifiers.ts'
import type { DocumentEntry } from '../core/model/metadata.ts'
import { workflowEventStatuses, workflowEventTypes } from '../core/model/workflow.ts'
import type { AuditEvent } from '../core/ports.ts'
import { loggedFailure } from './failure.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

/** A transaction, a notification of INI, or `unknown` when the message did not say which. */
export type TransactionName =
  | `ITI-${number}`
  | `Notify${string}`
  | 'WorkflowStatus'
  | 'ConsentQuery'
  | 'RegisterConsentSet'
  | 'federated-query'
  | 'caller'
  | 'operator'
  | 'unknown'

export type BreakerState = 'closed' | 'half-open' | 'open'

/** A community by its identifier and by its name in the configuration. */
export interface NamedCommunity {
  readonly home: HomeCommunityId
  readonly name: string
}

interface InExchange {
  readonly correlationId: CorrelationId
}

interface OfCommunity {
  readonly community: NamedCommunity
}

/** Something that waited in the outbox; `attempt` counts from 1. */
interface OfDelivery {
  readonly id: string
  readonly kind: string
  readonly attempt: number
}

export interface ExchangeFinished extends InExchange {
  readonly transaction: TransactionName
  readonly outcome: AuditEvent['outcome']
  readonly error?: GatewayError
  readonly asked: readonly Leg[]
  readonly durationMs: number
}

export interface LegFinished extends InExchange, OfCommunity {
  readonly outcome: Leg['outcome']
  readonly error?: GatewayError
  readonly durationMs: number
}

/**
 * What the gateway tells its operators: one function per event, each of which writes a line of the log and counts. Fields
 * are codes, numbers, correlation ids and names from the configuration; of an error only its codes and places are told,
 * never its text. There is no field that could hold an identifier, a name or a message.
 */
export interface Events {
  gatewayListening(event: { readonly face: 'soap' | 'portal' | 'operator'; readonly port: number }): void
  gatewayStopping(event: { readonly because: 'SIGTERM' | 'SIGINT' | 'failure' }): void
  /** `paths` are keys of the configuration, `communities[2].guard.timeoutMs`. */
  configRejected(event: { readonly paths: readonly string[] }): void
  /** Keys, certificates and lists were read again; work under way goes on with those it began with. */
  trustReloaded(event: { readonly parties: number }): void
  /** They could not be: the ones before stay in use. `paths` are the files at fault. */
  trustReloadFailed(event: { readonly paths: readonly string[]; readonly error?: unknown }): void
  /** A certificate is about to end, or has: 60, 30, 7 and 0 days before, each told once. */
  certificateEnding(event: { readonly certificate: string; readonly daysLeft: number }): void
  /** A certificate that bears a party's name is not accepted. */
  certificateDistrusted(event: { readonly party: string; readonly reason: string }): void
  /** A connection that did not come about: no certificate, an unknown authority, a protocol error. */
  handshakeFailed(event: { readonly error: unknown }): void
  /** Raises the number in flight; the same exchange's `exchangeFinished` lowers it. */
  exchangeStarted(event: InExchange): void
  exchangeFinished(event: ExchangeFinished): void
  legFinished(event: LegFinished): void
  breakerChanged(
    event: OfCommunity & {
      readonly actor: 'registry' | 'repository' | 'patients' | 'consents' | 'citizens'
      readonly state: BreakerState
    },
  ): void
  /** The keys of an issuer could not be had; the old ones are used as long as they may be. */
  keySetFailed(event: { readonly set: string; readonly error: GatewayError }): void
  /** PDND gave no voucher for a community; `community-rejected` calls for somebody to look at the agreement. */
  voucherFailed(event: OfCommunity & { readonly error: GatewayError }): void
  /** Sistema TS refused our credentials: nothing more is sent with them until they change or somebody resets the latch. */
  credentialsRefused(event: OfCommunity): void
  entryDropped(event: InExchange & OfCommunity & { readonly reason: ErrorCode; readonly entries: number }): void
  wrongPatientRefused(event: InExchange & OfCommunity): void
  /** Prescriptions could not be had from who keeps the person's index: what cites their orders was not shown. */
  ordersUnknown(event: InExchange & OfCommunity & { readonly error: unknown }): void
  /** Communities told of the same document and differ; `what` names the attributes, never their values. */
  sourcesDisagree(
    event: InExchange & { readonly homes: readonly HomeCommunityId[]; readonly what: readonly (keyof DocumentEntry)[] },
  ): void
  auditWritten(event: InExchange & { readonly durationMs: number }): void
  auditFailed(event: InExchange & { readonly transaction: TransactionName; readonly error: unknown }): void
  storeFailed(event: {
    readonly operation: 'open' | 'append' | 'read' | 'verify' | 'outbox'
    readonly error: unknown
  }): void
  deliveryMade(event: OfDelivery): void
  /** It is tried again in `retryInMs`. */
  deliveryFailed(event: OfDelivery & { readonly error: GatewayError; readonly retryInMs: number }): void
  /** It is not tried again by itself, and holds back those behind it. */
  deliveryDead(event: OfDelivery & { readonly error: GatewayError }): void
  /** An operator did it; who and why is in the audit trail. */
  deliveryRetried(event: Omit<OfDelivery, 'attempt'>): void
  deliveryDiscarded(event: Omit<OfDelivery, 'attempt'>): void
  /** The journal was handed a push: it keeps it now, or had it already. */
  /** The national FSE 2.0 gateway told how a publication goes on, for the first time; `id` is the event's in the journal. */
  workflowTold(
    event: InExchange & { readonly id: string; readonly eventType: string; readonly eventStatus: string },
  ): void
  pushTaken(event: InExchange & { readonly transaction: string; readonly outcome: 'accepted' | 'repeated' }): void
}

const levels = { caller: 'info', trust: 'warn', community: 'warn', gateway: 'error' } as const satisfies Record<
  Fault,
  string
>
const breakerStates = { closed: 0, 'half-open': 1, open: 2 } as const satisfies Record<BreakerState, number>

/** The other side's word where it is known: labels have few values, and the log none that others choose. */
function oneOf(words: readonly string[], told: string): string {
  return words.includes(told) ? told : 'other'
}

/** Binds the events to one gateway's log and metrics. */
export function createEvents(log: Log, metrics: Metrics): Events {
  /** The only way into the log, so that whatever is logged is counted. */
  function tell(
    level: 'debug' | 'info' | 'warn' | 'error',
    event: string,
    fields: Readonly<Record<string, unknown>>,
  ): void {
    metrics.events.inc({ event })
    log[level]({ event, ...fields })
  }

  return {
    gatewayListening({ face, port }) {
      tell('info', 'gateway-listening', { face, port })
    },
    gatewayStopping({ because }) {
      tell('info', 'gateway-stopping', { because })
    },
    configRejected({ paths }) {
      tell('error', 'config-rejected', { paths })
    },
    trustReloaded({ parties }) {
      tell('info', 'trust-reloaded', { parties })
    },
    trustReloadFailed({ paths, error }) {
      tell('error', 'trust-reload-failed', { paths, ...(error === undefined ? {} : { error: loggedFailure(error) }) })
    },
    certificateEnding({ certificate, daysLeft }) {
      tell(daysLeft < 7 ? 'error' : 'warn', 'certificate-ending', { certificate, daysLeft })
    },
    certificateDistrusted({ party, reason }) {
      tell('warn', 'certificate-distrusted', { party, reason })
    },
    handshakeFailed({ error }) {
      const causes = loggedFailure(error).causes?.map(({ name, code }) => ({ name, code }))
      tell('warn', 'handshake-failed', { causes })
    },
    exchangeStarted({ correlationId }) {
      metrics.inFlight.inc()
      tell('debug', 'exchange-started', { correlationId })
    },
    exchangeFinished({ correlationId, transaction, outcome, error, asked, durationMs }) {
      const failure = error && loggedFailure(error)
      metrics.inFlight.dec()
      metrics.requests.inc({ transaction, outcome })
      metrics.requestDuration.observe({ transaction }, durationMs / 1000)
      if (failure !== undefined) metrics.errors.inc({ transaction, code: failure.code })
      const legs = asked.map(({ home, outcome, durationMs }) => ({ home, outcome, ms: Math.round(durationMs) }))
      const fields = { correlationId, transaction, outcome, error: failure, asked: legs, ms: Math.round(durationMs) }
      tell(failure === undefined ? 'info' : levels[failure.fault], 'exchange-finished', fields)
    },
    legFinished({ correlationId, community, outcome, error, durationMs }) {
      const failure = error && loggedFailure(error)
      const { home, name } = community
      metrics.legDuration.observe({ community: name, outcome }, durationMs / 1000)
      if (failure !== undefined) metrics.legErrors.inc({ community: name, code: failure.code })
      const fields = { correlationId, home, name, outcome, error: failure, ms: Math.round(durationMs) }
      tell(failure === undefined ? 'debug' : levels[failure.fault], 'leg-finished', fields)
    },
    breakerChanged({ community: { home, name }, actor, state }) {
      metrics.breakerState.set({ community: name, actor }, breakerStates[state])
      tell(state === 'open' ? 'warn' : 'info', 'breaker-changed', { home, name, actor, state })
    },
    keySetFailed({ set, error }) {
      tell('warn', 'key-set-failed', { set, error: loggedFailure(error) })
    },
    voucherFailed({ community: { home, name }, error }) {
      const failure = loggedFailure(error)
      tell(levels[failure.fault], 'voucher-failed', { home, name, error: failure })
    },
    credentialsRefused({ community: { home, name } }) {
      tell('error', 'credentials-refused', { home, name })
    },
    entryDropped({ correlationId, community: { home, name }, reason, entries }) {
      metrics.droppedEntries.inc({ community: name, reason }, entries)
      tell('warn', 'entry-dropped', { correlationId, home, name, reason, entries })
    },
    wrongPatientRefused({ correlationId, community: { home, name } }) {
      tell('error', 'wrong-patient-refused', { correlationId, home, name })
    },
    ordersUnknown({ correlationId, community: { home, name }, error }) {
      tell('warn', 'orders-unknown', { correlationId, home, name, error: loggedFailure(error) })
    },
    sourcesDisagree({ correlationId, homes, what }) {
      tell('warn', 'sources-disagree', { correlationId, homes, what })
    },
    auditWritten({ correlationId, durationMs }) {
      metrics.auditDuration.observe(durationMs / 1000)
      tell('debug', 'audit-written', { correlationId, ms: durationMs })
    },
    auditFailed({ correlationId, transaction, error }) {
      tell('error', 'audit-failed', { correlationId, transaction, error: loggedFailure(error) })
    },
    storeFailed({ operation, error }) {
      tell('error', 'store-failed', { operation, error: loggedFailure(error) })
    },
    deliveryMade({ id, kind, attempt }) {
      metrics.deliveries.inc({ kind, outcome: 'made' })
      tell('info', 'delivery-made', { id, kind, attempt })
    },
    deliveryFailed({ id, kind, attempt, error, retryInMs }) {
      metrics.deliveries.inc({ kind, outcome: 'failed' })
      tell('warn', 'delivery-failed', { id, kind, attempt, retryInMs, error: loggedFailure(error) })
    },
    deliveryDead({ id, kind, attempt, error }) {
      metrics.deliveries.inc({ kind, outcome: 'dead' })
      tell('error', 'delivery-dead', { id, kind, attempt, error: loggedFailure(error) })
    },
    deliveryRetried({ id, kind }) {
      tell('info', 'delivery-retried', { id, kind })
    },
    deliveryDiscarded({ id, kind }) {
      tell('warn', 'delivery-discarded', { id, kind })
    },
    workflowTold({ correlationId, id, ...told }) {
      const type = oneOf(workflowEventTypes, told.eventType)
      const status = oneOf(workflowEventStatuses, told.eventStatus)
      metrics.workflowEvents.inc({ type, status })
      tell(status === 'SUCCESS' ? 'info' : 'warn', 'workflow-told', { correlationId, id, type, status })
    },
    pushTaken({ correlationId, transaction, outcome }) {
      metrics.pushes.inc({ transaction, outcome })
      tell('debug', 'push-taken', { correlationId, transaction, outcome })
    },
  }
}
