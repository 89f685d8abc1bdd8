import { samePatientId } from '../../src/core/model/patient.ts'
import type { JournalDraft, JournaledPush, PushJournal } from '../../src/core/ports.ts'

/** A journal of pushes in memory, with the promises of the port; the engines' suites hold those against the real ones. */
export interface MemoryJournal extends PushJournal {
  readonly pushes: readonly JournaledPush[]
  /** It is with the record. */
  deliver(id: string): void
}

export function memoryJournal(): MemoryJournal {
  const pushes: JournaledPush[] = []
  const taken = new Map<string, string>()
  let generation = 0
  const settle = (id: string, end: Partial<JournaledPush>) => {
    const index = pushes.findIndex((push) => push.id === id && push.state === 'pending')
    const push = pushes[index]
    if (push === undefined) return false
    pushes[index] = { ...push, ...end }
    generation++
    return true
  }
  const found = (identities: readonly string[]) => {
    const id = identities.map((identity) => taken.get(identity)).find((one) => one !== undefined)
    return pushes.find((push) => push.id === id)
  }
  return {
    pushes,
    deliver: (id) => void settle(id, { state: 'delivered', settledAt: 1 }),
    async append({ identities, frees, deliverAs, ...draft }: JournalDraft) {
      const repeats = found(identities) ?? pushes.find(({ id }) => id === draft.id)
      if (repeats !== undefined) return { repeats }
      for (const freed of frees) taken.delete(freed)
      for (const identity of identities) taken.set(identity, draft.id)
      const sequence = pushes.length + 1
      // As the engines keep it: as text.
      const kept = JSON.parse(JSON.stringify(draft)) as typeof draft
      pushes.push({ ...kept, sequence, state: deliverAs === undefined ? 'kept' : 'pending' })
      generation++
      return { sequence }
    },
    repeated: async (identities) => found(identities),
    async about(patients, since) {
      const theirs = pushes.filter((push) => push.patients.some((one) => patients.some((id) => samePatientId(one, id))))
      return {
        generation,
        sequence: theirs.at(-1)?.sequence ?? 0,
        pushes: theirs.filter(({ state, sequence }) => {
          return state === 'pending' || (since !== undefined && sequence > since)
        }),
      }
    },
    touching: async (objects) =>
      pushes.filter(({ state, objects: own }) => state === 'pending' && own.some((one) => objects.includes(one))),
    naming: async (objects) =>
      pushes.filter(({ state, objects: own }) => state === 'kept' && own.some((one) => objects.includes(one))),
    find: async (id) => pushes.find((push) => push.id === id),
    async discard(id, reason) {
      for (const [identity, holder] of taken) if (holder === id) taken.delete(identity)
      return settle(id, { state: 'discarded', reason, settledAt: 1 })
    },
    list: async ({ limit }) => pushes.toReversed().slice(0, limit),
  }
}
