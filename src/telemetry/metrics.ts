import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** One gateway's metrics; every label has few values: transactions, outcomes, codes, names from the configuration. */
export interface Metrics {
  readonly contentType: string
  /** The Prometheus text format. */
  text(): Promise<string>
  readonly events: Counter<'event'>
  readonly requests: Counter<'transaction' | 'outcome'>
  readonly errors: Counter<'transaction' | 'code'>
  readonly inFlight: Gauge
  readonly requestDuration: Histogram<'transaction'>
  readonly legDuration: Histogram<'community' | 'outcome'>
  readonly legErrors: Counter<'community' | 'code'>
  /** 0 closed, 1 half open, 2 open. */
  readonly breakerState: Gauge<'community' | 'actor'>
  readonly droppedEntries: Counter<'community' | 'reason'>
  readonly auditDuration: Histogram
  /** `made`, `failed` (to be tried again) or `dead`. */
  readonly deliveries: Counter<'kind' | 'outcome'>
  /** `accepted` or `repeated`. */
  readonly pushes: Counter<'transaction' | 'outcome'>
  /** Documented kinds and outcomes, or `other`. */
  readonly workflowEvents: Counter<'type' | 'status'>
  /** Seconds; 0 when there is none, absent when the store did not tell. */
  readonly oldestDelivery: Gauge<'state'>
  /** Seconds since the epoch. */
  readonly certificateEnd: Gauge<'certificate'>
}

/**
 * A registry of its own per gateway, so that several may live in one process. `process: true` adds Node's own metrics
 * (memory, event loop), which observe the whole process: at most one gateway asks for them.
 */
export function createMetrics({ process = false }: { readonly process?: boolean } = {}): Metrics {
  const registry = new Registry()
  const registers = [registry]
  if (process) collectDefaultMetrics({ register: registry })

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    events: new Counter({
      name: 'crocevia_events_total',
      help: 'Business events, by name; each one is also a line of the log',
      labelNames: ['event'],
      registers,
    }),
    requests: new Counter({
      name: 'crocevia_requests_total',
      help: 'Exchanges finished, by transaction and outcome',
      labelNames: ['transaction', 'outcome'],
      registers,
    }),
    errors: new Counter({
      name: 'crocevia_request_errors_total',
      help: 'Exchanges that ended with an error, by transaction and error code',
      labelNames: ['transaction', 'code'],
      registers,
    }),
    inFlight: new Gauge({
      name: 'crocevia_requests_in_flight',
      help: 'Exchanges begun and not finished',
      registers,
    }),
    requestDuration: new Histogram({
      name: 'crocevia_request_duration_seconds',
      help: 'From the arrival of a message to its answer',
      labelNames: ['transaction'],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30],
      registers,
    }),
    legDuration: new Histogram({
      name: 'crocevia_leg_duration_seconds',
      help: 'How long a community took for its part of a federated question',
      labelNames: ['community', 'outcome'],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30],
      registers,
    }),
    legErrors: new Counter({
      name: 'crocevia_leg_errors_total',
      help: 'Communities that failed to answer, by error code',
      labelNames: ['community', 'code'],
      registers,
    }),
    breakerState: new Gauge({
      name: 'crocevia_breaker_state',
      help: 'Breaker of a community: 0 closed, 1 half open, 2 open',
      labelNames: ['community', 'actor'],
      registers,
    }),
    droppedEntries: new Counter({
      name: 'crocevia_entries_dropped_total',
      help: 'Entries of an answer that were not told on, by reason',
      labelNames: ['community', 'reason'],
      registers,
    }),
    certificateEnd: new Gauge({
      name: 'crocevia_certificate_not_after_seconds',
      help: 'When a certificate ends, in seconds since the epoch',
      labelNames: ['certificate'],
      registers,
    }),
    deliveries: new Counter({
      name: 'crocevia_deliveries_total',
      help: 'Attempts to deliver what waits in the outbox, by kind and outcome',
      labelNames: ['kind', 'outcome'],
      registers,
    }),
    pushes: new Counter({
      name: 'crocevia_pushes_total',
      help: 'Pushes handed to the journal, by transaction and whether they were there before',
      labelNames: ['transaction', 'outcome'],
      registers,
    }),
    workflowEvents: new Counter({
      name: 'crocevia_workflow_events_total',
      help: 'What the national FSE 2.0 gateway told of publications, by kind of event and outcome',
      labelNames: ['type', 'status'],
      registers,
    }),
    oldestDelivery: new Gauge({
      name: 'crocevia_outbox_oldest_seconds',
      help: 'Age of what was put first of all that waits to be delivered, and of all that is dead; 0 when there is none',
      labelNames: ['state'],
      registers,
    }),
    auditDuration: new Histogram({
      name: 'crocevia_audit_append_duration_seconds',
      help: 'How long a record took to become durable',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
  }
}
