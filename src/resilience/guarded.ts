import type { Clock, Community } from '../core/ports.ts'
import { type GuardOptions, guard } from './guard.ts'
import { type BreakerState, type GuardEvents, type GuardedActor, type Watched, worstOf } from './health.ts'

/** A community whose actors each have their own limit in time, slots and breaker. */
export type GuardedCommunity = Community & Watched

/**
 * Never waits past `timeoutMs` or the call's deadline, whatever the adapter does; an adapter that goes on keeps its slot.
 * Adds to the community's own failures `community-timeout`, `community-busy` (no slot), `community-unavailable` (breaker
 * open, `details.breaker`), `caller-gone` and, after disposal, `overloaded`. Callers who leave, full slots and a peer's
 * refusals never count against its health. Disposal disposes the community too.
 */
export function guarded(
  community: Community,
  options: GuardOptions & {
    /** Of one retrieval; absent, as of every other call. Documents take longer than their metadata. */
    readonly retrievalTimeoutMs?: number
  },
  events: GuardEvents = {},
  clock: Clock = { now: () => Date.now() },
): GuardedCommunity {
  const { name, home, registry, repository, patients, consents, citizens } = community
  const guardOf = (actor: GuardedActor) => {
    const changed = (from: BreakerState, to: BreakerState): void => {
      try {
        events.onStateChange?.({ name, home, actor, from, to, at: clock.now() })
      } catch {
        // Thrown on, an observer's mistake would pass through opossum's events and fail a call that went well.
      }
    }
    const timeoutMs = actor === 'repository' ? (options.retrievalTimeoutMs ?? options.timeoutMs) : options.timeoutMs
    return guard(actor, { ...options, timeoutMs }, changed, clock)
  }
  const asking = registry && { guard: guardOf('registry'), actor: registry }
  const retrieving = repository && { guard: guardOf('repository'), actor: repository }
  const locating = patients && { guard: guardOf('patients'), actor: patients }
  const consulting = consents && { guard: guardOf('consents'), actor: consents }
  const looking = citizens && { guard: guardOf('citizens'), actor: citizens }
  const guards = [asking, retrieving, locating, consulting, looking].flatMap((each) => each?.guard ?? [])

  return {
    // Whoever delivers, or changes something elsewhere, waits longer than a guard would.
    ...community,
    ...(asking && {
      registry: {
        query: (query, call) => asking.guard.run(call, (limited) => asking.actor.query(query, limited)),
      },
    }),
    ...(retrieving && {
      repository: {
        mostAtOnce: retrieving.actor.mostAtOnce,
        retrieve: (references, call) =>
          retrieving.guard.run(call, (limited) => retrieving.actor.retrieve(references, limited)),
      },
    }),
    ...(locating && {
      patients: {
        locate: (patientId, call) => locating.guard.run(call, (limited) => locating.actor.locate(patientId, limited)),
      },
    }),
    ...(consulting && {
      consents: {
        consents: (patient, call) =>
          consulting.guard.run(call, (limited) => consulting.actor.consents(patient, limited)),
      },
    }),
    ...(looking && {
      citizens: {
        look: (patientId, call) => looking.guard.run(call, (limited) => looking.actor.look(patientId, limited)),
      },
    }),
    health() {
      const actors = guards.map((each) => each.health())
      return { name, home, state: worstOf(actors.map((actor) => actor.state)), actors }
    },
    async [Symbol.asyncDispose]() {
      for (const each of guards) each.shutdown()
      await community[Symbol.asyncDispose]()
    },
  }
}
