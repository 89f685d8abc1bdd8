import type { GatewayError } from '../../core/errors.ts'
import type { Clock } from '../../core/ports.ts'

/** How long nobody is asked after a first failure; doubled by each further one. */
const firstPauseMs = 1_000
/** No failure is told again for longer than this without asking. A refusal is not asked about sooner. */
export const longestPauseMs = 30_000

/** A failure that is told again for a while instead of asking. */
export interface BackOff {
  /** The failure, as long as its time lasts. */
  current(): GatewayError | undefined
  /** `details.retryAfterMs` of the failure is heeded, within our bounds. */
  remember(error: GatewayError): void
  clear(): void
}

export function backOff(clock: Clock): BackOff {
  let failure: { readonly error: GatewayError; readonly until: number } | undefined
  let pauseMs = 0
  const current = () => (failure !== undefined && clock.now() < failure.until ? failure.error : undefined)
  return {
    current,
    remember(error) {
      // Requests that were under way together and failed together count once.
      if (current() === undefined) pauseMs = Math.min(longestPauseMs, Math.max(firstPauseMs, pauseMs * 2))
      const ownMs = error.code === 'community-rejected' ? longestPauseMs : pauseMs
      const askedMs = Number(error.details.retryAfterMs ?? 0)
      failure = { error, until: clock.now() + Math.min(longestPauseMs, Math.max(ownMs, askedMs)) }
    },
    clear() {
      failure = undefined
      pauseMs = 0
    },
  }
}
