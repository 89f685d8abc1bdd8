import type { HomeCommunityId } from '../core/model/identifiers.ts'

/** `open`: not asked for now. `half-open`: the next call will tell whether it is well again. */
export type BreakerState = 'closed' | 'half-open' | 'open'

/** What a guard watches separately: one breaker and one set of slots each. */
export type GuardedActor = 'registry' | 'repository' | 'patients' | 'consents' | 'citizens'

export interface ActorHealth {
  readonly actor: GuardedActor
  readonly state: BreakerState
  /** When the state was entered, in the clock's milliseconds. */
  readonly since: number
  /** Calls the adapter has not ended, among them those whose callers were released. */
  readonly running: number
  readonly concurrency: number
}

export interface CommunityHealth {
  readonly name: string
  readonly home: HomeCommunityId
  /** The worst of its actors. */
  readonly state: BreakerState
  readonly actors: readonly ActorHealth[]
}

export interface GuardStateChange {
  readonly name: string
  readonly home: HomeCommunityId
  readonly actor: GuardedActor
  readonly from: BreakerState
  readonly to: BreakerState
  readonly at: number
}

/** Told of what a guard decides; what it throws is ignored, so that no observer can harm a call. */
export interface GuardEvents {
  onStateChange?(change: GuardStateChange): void
}

/** Something whose health can be asked for: a guarded community. */
export interface Watched {
  health(): CommunityHealth
}

/** The health of all guarded communities, for the operator port. */
export interface HealthRegistry {
  /** Watches a guard from now on, and hands it back. */
  add<G extends Watched>(guard: G): G
  remove(guard: Watched): void
  /** In the order of joining. */
  health(): readonly CommunityHealth[]
}

export function healthRegistry(): HealthRegistry {
  const guards = new Set<Watched>()
  return {
    add(guard) {
      guards.add(guard)
      return guard
    },
    remove(guard) {
      guards.delete(guard)
    },
    health: () => [...guards].map((guard) => guard.health()),
  }
}

const severity: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 }

export function worstOf(states: readonly BreakerState[]): BreakerState {
  return states.reduce<BreakerState>((worst, state) => (severity[state] > severity[worst] ? state : worst), 'closed')
}
