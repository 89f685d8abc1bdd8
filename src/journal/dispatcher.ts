import { asGatewayError, GatewayError } from '../core/errors.ts'
import type { Clock, Outbox, WaitingDelivery } from '../core/ports.ts'
import { type Backoff, delayAfter } from './backoff.ts'
import { isFinal, reasonOf } from './verdict.ts'

/**
 * Delivers, and resolves when the other side has confirmed. Rejects when it has not; as soon as it can once the signal ends
 * (a `TimeoutError` when the deadline has passed). It must bear being called again for what was delivered already.
 */
export type Deliverer = (delivery: WaitingDelivery, signal: AbortSignal) => Promise<void>

/** What may be told of an attempt: nothing of what was delivered, nor of its key. */
export interface Attempted {
  readonly id: string
  readonly kind: string
  /** Which attempt it was, counted from 1. */
  readonly attempt: number
}

/** The functions are told what happened, after it was written down; they must not throw. */
export interface DispatcherOptions {
  readonly outbox: Outbox
  /** Who delivers what, by kind. A kind nobody delivers is tried again like one that failed. */
  readonly deliverers: ReadonlyMap<string, Deliverer>
  readonly clock: Clock
  readonly backoff: Backoff
  /** How many deliveries may be under way at once. */
  readonly concurrency: number
  /** After so many failures a delivery is dead. */
  readonly mostAttempts: number
  /** How long one attempt may take. */
  readonly deadlineMs: number
  /** How often the outbox is looked at without being woken: for what is to be tried again, and what others left. */
  readonly everyMs: number
  /** How long disposal waits for deliveries under way. */
  readonly graceMs: number
  readonly onDelivered: (attempted: Attempted) => void
  readonly onFailed: (attempted: Attempted, error: GatewayError, nextAt: number) => void
  readonly onDead: (attempted: Attempted, error: GatewayError) => void
  /** The store did not answer: the outbox is looked at again later, a claim ends by itself. */
  readonly onTrouble: (error: GatewayError) => void
}

export interface Dispatcher extends AsyncDisposable {
  /** Something was put. */
  wake(): void
}

// Time to write down how an attempt ended, and for clocks of replicas to differ.
const marginMs = 30_000

/**
 * Delivers what waits in the outbox: at least once, and of one key one after the other, also with several dispatchers on one
 * outbox. Something is delivered twice when a process dies, or loses its store, between a delivery and its being written
 * down. A refusal by the other side makes a delivery dead at once. Looks at the outbox at once, when woken and from time to
 * time. Disposal claims nothing more and waits a while for what is under way; the claims of the rest end by themselves.
 */
export function dispatcher(options: DispatcherOptions): Dispatcher {
  const { outbox, deliverers, clock, concurrency, deadlineMs, graceMs } = options
  const running = new Map<AbortController, Promise<void>>()
  let woken = false
  let stopped = false
  let over = false
  let claiming: Promise<void> | undefined

  function wake(): void {
    woken = true
    if (stopped || running.size >= concurrency) return
    claiming ??= claimOn().finally(() => {
      claiming = undefined
      if (woken) wake()
    })
  }

  async function claimOn(): Promise<void> {
    try {
      while (woken && !stopped && running.size < concurrency) {
        woken = false
        const limit = concurrency - running.size
        const claimed = await outbox.claim({ now: clock.now(), limit, leaseMs: deadlineMs + marginMs })
        for (const delivery of claimed) begin(delivery)
      }
    } catch (error) {
      woken = false
      options.onTrouble(asGatewayError(error))
    }
  }

  function begin(delivery: WaitingDelivery): void {
    const attempt = new AbortController()
    const work = run(delivery, attempt).finally(() => {
      running.delete(attempt)
      wake()
    })
    running.set(attempt, work)
  }

  async function run(delivery: WaitingDelivery, attempt: AbortController): Promise<void> {
    const { signal } = attempt
    const timer = setTimeout(() => attempt.abort(tooLate()), deadlineMs)
    const delivering = delivered(delivery, signal)
    const failure = await Promise.race([delivering, endOf(signal)])
    clearTimeout(timer)
    try {
      await writtenDown(delivery, failure)
      // One that is deaf to its signal keeps its place; when it succeeds after all, it need not be tried again.
      if (signal.aborted && (await delivering) === undefined) await writtenDown(delivery, undefined)
    } catch (error) {
      options.onTrouble(asGatewayError(error))
    }
  }

  /** Resolves to why it failed, or to undefined when it was delivered. */
  async function delivered(delivery: WaitingDelivery, signal: AbortSignal): Promise<GatewayError | undefined> {
    const deliver = deliverers.get(delivery.kind)
    if (deliver === undefined) {
      return new GatewayError('internal', 'Nobody delivers this', { details: { kind: delivery.kind } })
    }
    try {
      await deliver(delivery, signal)
      return undefined
    } catch (error) {
      return asGatewayError(error)
    }
  }

  async function writtenDown(delivery: WaitingDelivery, error: GatewayError | undefined): Promise<void> {
    // Nobody waits any more, and the store may be closed.
    if (over) return
    const { id, kind, attempts: attempt } = delivery
    const attempted = { id, kind, attempt }
    if (error === undefined) {
      await outbox.delivered(id)
      options.onDelivered(attempted)
    } else if (isFinal(error) || attempt >= options.mostAttempts) {
      await outbox.failed(id, { attempt, reason: reasonOf(error), dead: true })
      options.onDead(attempted, error)
    } else {
      const nextAt = clock.now() + delayAfter(attempt, options.backoff)
      await outbox.failed(id, { attempt, reason: reasonOf(error), nextAt })
      options.onFailed(attempted, error, nextAt)
    }
  }

  async function stop(): Promise<void> {
    stopped = true
    clearInterval(timer)
    const { promise: late, resolve: giveUp } = Promise.withResolvers<void>()
    const grace = setTimeout(giveUp, graceMs)
    await Promise.race([settled(), late])
    clearTimeout(grace)
    over = true
    for (const attempt of running.keys()) attempt.abort()
  }

  async function settled(): Promise<void> {
    await claiming
    await Promise.all(running.values())
  }

  const timer = setInterval(wake, options.everyMs).unref()
  let stopping: Promise<void> | undefined
  wake()
  return {
    wake,
    [Symbol.asyncDispose]() {
      stopping ??= stop()
      return stopping
    },
  }
}

/** Resolves when the signal ends, to what is said of an attempt it ended. */
function endOf(signal: AbortSignal): Promise<GatewayError> {
  const { promise, resolve } = Promise.withResolvers<GatewayError>()
  const end = () => resolve(new GatewayError('community-timeout', 'A delivery was not confirmed in time'))
  signal.addEventListener('abort', end, { once: true })
  return promise
}

function tooLate(): DOMException {
  return new DOMException('The delivery took too long', 'TimeoutError')
}
