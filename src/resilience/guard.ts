import CircuitBreaker from 'opossum'
import { asGatewayError, GatewayError } from '../core/errors.ts'
import type { AuthorizedCall } from '../core/model/call.ts'
import type { Clock } from '../core/ports.ts'
import type { ActorHealth, BreakerState, GuardedActor } from './health.ts'
import { limited, over } from './limit.ts'
import { slotsOf } from './slots.ts'

export interface GuardOptions {
  /** How long one call may take. */
  readonly timeoutMs: number
  /** Most calls at one time, per actor. */
  readonly concurrency: number
  /** Most calls that wait for a slot, in the order they came, no longer than `timeoutMs`; default none. */
  readonly queue?: number
  /** The breaker opens above this share of failed calls … */
  readonly openAtErrorPercent: number
  /** … once so many have ended within its window, which is ten seconds or twice `timeoutMs`. */
  readonly minimumCalls: number
  /** How long an open breaker waits before it lets one call try. */
  readonly resetMs: number
}

/** The guard of one actor: a limit in time, a number of slots and a breaker. */
export interface Guard {
  /** Rejects with GatewayError only. */
  run<T>(call: AuthorizedCall, ask: (call: AuthorizedCall) => Promise<T>): Promise<T>
  health(): ActorHealth
  /** Takes no more calls. Those under way end by themselves. */
  shutdown(): void
}

export function guard(
  actor: GuardedActor,
  options: GuardOptions,
  changed: (from: BreakerState, to: BreakerState) => void,
  clock: Clock,
): Guard {
  const { timeoutMs, concurrency } = options
  const health = { actor, state: 'closed' as BreakerState, since: clock.now(), running: 0, concurrency }
  let probing = false

  // opossum decides when to open, try and close, and hears verdicts rather than calls. Given the calls, it would count
  // those it refuses, those that found no slot and those whose callers left as calls that went well: the failures of a
  // community that hangs would drown in them, and one caller's leaving would close a half-open breaker.
  const breaker = new CircuitBreaker((verdict: () => Promise<void>) => verdict(), {
    // Time is the signal's business; opossum's timeout frees the slot while the call goes on.
    timeout: false,
    errorThresholdPercentage: options.openAtErrorPercent,
    volumeThreshold: options.minimumCalls,
    resetTimeout: options.resetMs,
    // A community that hangs fails no faster than its time runs out; a short window would forget one failure at the next.
    rollingCountTimeout: Math.max(10_000, 2 * timeoutMs),
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
  })
  const enter = (to: BreakerState) => (): void => {
    const from = health.state
    health.state = to
    health.since = clock.now()
    changed(from, to)
  }
  breaker.on('open', enter('open')).on('halfOpen', enter('half-open')).on('close', enter('closed'))

  function refusal(call: AuthorizedCall): GatewayError | undefined {
    if (breaker.isShutdown) return new GatewayError('overloaded', 'The gateway is stopping and asks nobody more')
    const late = over(call, clock.now())
    if (late !== undefined) return late
    if (breaker.opened || (breaker.halfOpen && probing)) {
      return new GatewayError(
        'community-unavailable',
        'The community is not being asked for now because it failed repeatedly',
        { details: { actor, breaker: 'open' } },
      )
    }
    return undefined
  }

  const slots = slotsOf(concurrency, options.queue ?? 0, actor)

  async function hear(verdict: Verdict, probe: boolean): Promise<void> {
    // What began before the breaker opened is old news: while half-open, only the call that tries is heard.
    if (verdict === 'unknown' || breaker.isShutdown || breaker.opened || breaker.halfOpen !== probe) return
    const told = verdict === 'well' ? () => Promise.resolve() : () => Promise.reject(new Error(verdict))
    await breaker.fire(told).catch(() => undefined)
  }

  return {
    async run(call, ask) {
      const refused = refusal(call)
      if (refused !== undefined) throw refused
      const waiting = slots.take(call, Math.min(timeoutMs, call.deadline - clock.now()))
      if (waiting !== undefined) {
        await waiting
        // Meanwhile the breaker may have opened or the time run out.
        const refusedNow = refusal(call)
        if (refusedNow !== undefined) {
          slots.giveBack()
          throw refusedNow
        }
      }
      const probe = breaker.halfOpen
      if (probe) probing = true
      health.running++
      const ended = (): void => {
        health.running--
        slots.giveBack()
      }
      try {
        const answer = await limited(call, timeoutMs, clock.now(), (signal) => ask({ ...call, signal }), ended)
        await hear('well', probe)
        return answer
      } catch (error) {
        await hear(verdictOf(error), probe)
        throw asGatewayError(error)
      } finally {
        if (probe) probing = false
      }
    },
    health: () => ({ ...health }),
    shutdown: () => breaker.shutdown(),
  }
}

type Verdict = 'ill' | 'well' | 'unknown'

/** What a failed call says about the community's health. A refusal in its own words shows that it is there and thinks. */
function verdictOf(error: unknown): Verdict {
  if (!(error instanceof GatewayError)) return 'unknown'
  switch (error.code) {
    case 'community-unavailable':
    case 'community-misbehaved':
    case 'community-busy':
      return 'ill'
    case 'community-timeout':
      // Cut off by the exchange before its own time was up: it might have answered yet.
      return error.details.limit === 'deadline' ? 'unknown' : 'ill'
    case 'community-rejected':
      return 'well'
    default:
      return error.issues.length > 0 ? 'well' : 'unknown'
  }
}
