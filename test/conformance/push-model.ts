import type {
  Clock,
  JournalDraft,
  JournaledPush,
  Outbox,
  PushJournal,
  PushState,
  WaitingDelivery,
} from '../../src/core/ports.ts'
import { pushOf } from '../unit/store/child/drafts.ts'

interface Held {
  readonly draft: JournalDraft
  readonly sequence: number
  identities: readonly string[]
  state: PushState
  settledAt?: number
  reason?: string
  attempts: number
  nextAt: number
  claimed: boolean
  dead: boolean
}

/** What of a store is held against the model. */
export interface Pushes {
  readonly journal: Pick<PushJournal, 'append' | 'about' | 'touching' | 'naming' | 'repeated' | 'find' | 'discard'>
  readonly outbox: Pick<Outbox, 'delivered' | 'failed' | 'retry' | 'discard'> & {
    claim(options: Parameters<Outbox['claim']>[0]): Promise<readonly Pick<WaitingDelivery, 'id' | 'attempts'>[]>
  }
}

/**
 * What the journal of pushes promises together with the outbox, in the plainest words and in memory. It is told which place
 * a push got, and has no generation.
 */
export function modelPushes(clock: Clock, placeOf: (id: string) => number): Pushes {
  const held: Held[] = []

  const find = (id: string) => held.find(({ draft }) => draft.id === id)
  const pending = (id: string) => {
    const one = find(id)
    return one?.state === 'pending' ? one : undefined
  }
  const withIdentity = (identities: readonly string[]) => {
    for (const identity of identities) {
      const taker = held.find((one) => one.identities.includes(identity))
      if (taker !== undefined) return taker
    }
    return undefined
  }

  function isBehind(one: Held): boolean {
    return held.some(
      (other) =>
        other.state === 'pending' &&
        other.sequence < one.sequence &&
        other.draft.objects.some((object) => one.draft.objects.includes(object)),
    )
  }

  function settle(one: Held, state: PushState, reason?: string): void {
    Object.assign(one, { state, settledAt: clock.now(), ...(reason === undefined ? {} : { reason }) })
    if (state === 'discarded') one.identities = []
  }

  async function discard(id: string, reason: string): Promise<boolean> {
    const one = pending(id)
    if (one === undefined || (one.claimed && one.nextAt > clock.now())) return false
    settle(one, 'discarded', reason)
    return true
  }

  return {
    journal: {
      async append(draft) {
        const before = withIdentity(draft.identities) ?? find(draft.id)
        if (before !== undefined) return { repeats: told(before) }
        for (const one of held) one.identities = one.identities.filter((identity) => !draft.frees.includes(identity))
        const now = clock.now()
        const sequence = placeOf(draft.id)
        const state = draft.deliverAs === undefined ? 'kept' : 'pending'
        held.push({
          ...{ draft, sequence, state, identities: draft.identities },
          ...{ attempts: 0, nextAt: now, claimed: false, dead: false },
        })
        return { sequence }
      },
      async about(patients, since) {
        const named = held.filter(({ draft }) =>
          draft.patients.some((one) => patients.some(({ value }) => value === one.value)),
        )
        const asked = named.filter(
          ({ state, sequence }) => state === 'pending' || (since !== undefined && sequence > since),
        )
        return { generation: 0, sequence: named.at(-1)?.sequence ?? 0, pushes: asked.map(told) }
      },
      touching: async (objects) =>
        held
          .filter(({ state, draft }) => state === 'pending' && draft.objects.some((object) => objects.includes(object)))
          .map(told),
      naming: async (objects) =>
        held
          .filter(({ state, draft }) => state === 'kept' && draft.objects.some((object) => objects.includes(object)))
          .map(told),
      async repeated(identities) {
        const taker = withIdentity(identities)
        return taker && told(taker)
      },
      async find(id) {
        const one = find(id)
        return one && told(one)
      },
      discard,
    },
    outbox: {
      async claim({ now, limit, leaseMs }) {
        const due = held
          .filter((one) => one.state === 'pending' && !one.dead && one.nextAt <= now && !isBehind(one))
          .sort((a, b) => a.nextAt - b.nextAt || a.sequence - b.sequence)
          .slice(0, limit)
        for (const one of due) Object.assign(one, { claimed: true, attempts: one.attempts + 1, nextAt: now + leaseMs })
        return due.map(({ draft: { id }, attempts }) => ({ id, attempts }))
      },
      async delivered(id) {
        const one = pending(id)
        if (one !== undefined) settle(one, 'delivered')
      },
      async failed(id, outcome) {
        const one = pending(id)
        if (one === undefined || !one.claimed || one.attempts !== outcome.attempt) return
        one.claimed = false
        if ('nextAt' in outcome) one.nextAt = outcome.nextAt
        else one.dead = true
      },
      async retry(id, now) {
        const one = pending(id)
        if (one === undefined || !(one.dead || (!one.claimed && one.nextAt > now))) return false
        Object.assign(one, { dead: false, attempts: 0, nextAt: now })
        return true
      },
      discard,
    },
  }
}

function told({ draft, sequence, state, settledAt, reason }: Held): JournaledPush {
  return {
    ...pushOf(draft, sequence, state),
    ...(settledAt === undefined ? {} : { settledAt }),
    ...(reason === undefined ? {} : { reason }),
  }
}
