import { GatewayError } from '../../core/errors.ts'
import type { Clock } from '../../core/ports.ts'

/** What a caller may still ask in the minute under way. */
export interface Allowance {
  readonly limit: number
  readonly remaining: number
  /** Whole seconds until the next minute. */
  readonly resetSeconds: number
  readonly isExceeded: boolean
}

/** A bound on how often each caller asks. Callers are those the configuration names, so there are few. */
export interface RateLimit {
  /** Counts one request. */
  take(caller: string): Allowance
}

const minute = 60_000

/** So many requests of each caller in every minute of the clock. A replica counts what comes to it. */
export function rateLimit(perMinute: number, clock: Clock): RateLimit {
  const counts = new Map<string, number>()
  let current = 0
  return {
    take(caller) {
      const now = clock.now()
      const begun = Math.floor(now / minute)
      if (begun !== current) counts.clear()
      current = begun
      const count = (counts.get(caller) ?? 0) + 1
      counts.set(caller, count)
      return {
        limit: perMinute,
        remaining: Math.max(0, perMinute - count),
        resetSeconds: Math.max(1, Math.ceil(((begun + 1) * minute - now) / 1_000)),
        isExceeded: count > perMinute,
      }
    },
  }
}

/** What every answer tells of the allowance (RAC_ROBUSTEZZA_001). */
export function allowanceHeaders(allowance: Allowance | undefined): Readonly<Record<string, string>> {
  if (allowance === undefined) return {}
  const { limit, remaining, resetSeconds } = allowance
  return {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(resetSeconds),
  }
}

/** The refusal of a request beyond the allowance. */
export function tooManyRequests({ resetSeconds }: Allowance): GatewayError {
  return new GatewayError('overloaded', 'More was asked in this minute than is agreed', {
    details: { kind: 'rate', retryAfter: resetSeconds },
  })
}
