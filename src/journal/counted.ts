import type { CorrelationId } from '../core/model/identifiers.ts'
import type { PushJournal } from '../core/ports.ts'

/** A push as the journal was asked to keep it. */
export interface TakenPush {
  readonly correlationId: CorrelationId
  readonly transaction: string
  readonly outcome: 'accepted' | 'repeated'
}

/**
 * The same journal, which tells of every push whether it was kept or recognised. Of one that is recognised before it is
 * appended, the correlation id is that of the first.
 */
export function countedJournal(journal: PushJournal, onTaken: (push: TakenPush) => void): PushJournal {
  return {
    ...journal,
    async append(draft) {
      const { correlationId, transaction } = draft
      const appended = await journal.append(draft)
      onTaken({ correlationId, transaction, outcome: 'repeats' in appended ? 'repeated' : 'accepted' })
      return appended
    },
    async repeated(identities) {
      const push = await journal.repeated(identities)
      if (push !== undefined) {
        const { correlationId, transaction } = push
        onTaken({ correlationId, transaction, outcome: 'repeated' })
      }
      return push
    },
  }
}
