import { asGatewayError, GatewayError } from '../errors.ts'
import type { CommunityFailure, Leg } from '../model/answers.ts'
import type { AuthorizedCall } from '../model/call.ts'
import type { Clock, Community } from '../ports.ts'

export interface FanOut<A> {
  readonly answers: readonly { readonly from: Community; readonly answer: A }[]
  readonly failures: readonly CommunityFailure[]
  readonly asked: readonly Leg[]
}

/** Told as each leg ends; the streaming faces and the metrics listen. */
export type OnLeg = (leg: Leg, community: Community, error?: GatewayError) => void

/**
 * Asks all at once under the call's one deadline. Every leg ends with an answer or with a failure as a value, also when
 * the community never answers; a failure of ours is one of that leg. Rejects only with `caller-gone`.
 */
export async function fanOut<A extends { readonly issues: readonly { readonly severity: string }[] }>(
  targets: readonly Community[],
  call: AuthorizedCall,
  clock: Clock,
  ask: (community: Community, call: AuthorizedCall) => Promise<A>,
  onLeg?: OnLeg,
): Promise<FanOut<A>> {
  const late = lateness(call, clock)
  const signal = AbortSignal.any([call.signal, late])
  const legs = targets.map(async (community) => {
    const { home, name } = community
    const started = clock.now()
    try {
      const answer = await unlessAborted(() => ask(community, { ...call, signal }), signal)
      const outcome = answer.issues.some(({ severity }) => severity === 'error') ? 'partial' : 'answered'
      const leg: Leg = { home, name, durationMs: clock.now() - started, outcome }
      onLeg?.(leg, community)
      return { leg, answered: { from: community, answer } }
    } catch (thrown) {
      const error = late.aborted && !call.signal.aborted ? timedOut(thrown) : asGatewayError(thrown)
      const leg: Leg = { home, name, durationMs: clock.now() - started, outcome: 'failed' }
      onLeg?.(leg, community, error)
      return { leg, failure: { home, error } }
    }
  })
  const ended = await Promise.all(legs)
  if (call.signal.aborted) throw new GatewayError('caller-gone', 'The caller left before the answer')
  return {
    answers: ended.flatMap(({ answered }) => (answered === undefined ? [] : [answered])),
    failures: ended.flatMap(({ failure }) => (failure === undefined ? [] : [failure])),
    asked: ended.map(({ leg }) => leg),
  }
}

function timedOut(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError && thrown.fault === 'community') return thrown
  return new GatewayError('community-timeout', 'The community did not answer in time', { cause: thrown })
}

/** Aborts when the call's deadline has passed. */
export function lateness(call: AuthorizedCall, clock: Clock): AbortSignal {
  return AbortSignal.timeout(Math.ceil(Math.max(0, call.deadline - clock.now())))
}

/** Ends the wait with the signal, even when the work is deaf to it; does not begin once it is aborted. */
export async function unlessAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw signal.reason
  let leave: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
  })
  try {
    return await Promise.race([work(), aborted])
  } finally {
    if (leave !== undefined) signal.removeEventListener('abort', leave)
  }
}
