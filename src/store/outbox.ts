import { GatewayError } from '../core/errors.ts'
import type { Clock, Delivery, Outbox, WaitingDelivery } from '../core/ports.ts'
import { type GroupCommitOptions, groupCommit } from './group-commit.ts'

/** One change of the outbox. `attempt`, `nextAt` and `now` are whole numbers. */
export type OutboxChange =
  | ({ readonly verb: 'put' } & Delivery)
  | { readonly verb: 'delivered'; readonly id: string }
  | {
      readonly verb: 'failed'
      readonly id: string
      readonly attempt: number
      readonly reason: string
      readonly nextAt: number
    }
  | { readonly verb: 'dead'; readonly id: string; readonly attempt: number; readonly reason: string }
  | { readonly verb: 'retry'; readonly id: string; readonly now: number }
  | { readonly verb: 'discard'; readonly id: string; readonly reason: string }

/** Which deliveries are asked for; the limit is positive. */
export interface OutboxPage {
  readonly state: 'waiting' | 'dead' | undefined
  readonly after: string | undefined
  readonly limit: number
}

/** What each engine does in its own way. Numbers are whole. Rejects with GatewayError. */
export interface OutboxTable {
  /** Does one change after the other and commits them together; resolves to whether each changed anything. */
  change(changes: readonly OutboxChange[], now: number): Promise<readonly boolean[]>
  claim(now: number, limit: number, until: number): Promise<readonly WaitingDelivery[]>
  /** `undefined` when the id to go on after is not known. */
  list(page: OutboxPage): Promise<readonly WaitingDelivery[] | undefined>
}

/** How long the id of what was delivered or discarded is kept: putting it again within that time changes nothing. */
export const doneKeptMs = 7 * 24 * 3_600_000

const mostAtOnce = 100
const longest = { id: 256, kind: 128, key: 1024, content: 262_144, reason: 16_384 } as const

/** How many old ids are forgotten with so many changes: more than are done with, so that the table shrinks again. */
export function forgettable(changes: number): number {
  return Math.max(128, 2 * changes)
}

/** The outbox of a store. Concurrent changes share a commit; `drain` refuses new ones and waits for those before. */
export function outboxOn(
  table: OutboxTable,
  clock: Clock,
  limits: Omit<GroupCommitOptions<OutboxChange, boolean>, 'write'>,
): Outbox & { drain(): Promise<void> } {
  const changes = groupCommit<OutboxChange, boolean>({
    write: async (batch) => await table.change(batch, whole(clock.now())),
    ...limits,
  })

  return {
    async put({ id, kind, key, content }) {
      insistOn({ id, kind, key, content })
      await changes.add({ verb: 'put', id, kind, key, content })
    },
    async claim({ now, limit, leaseMs }) {
      if (!(leaseMs > 0)) throw unfit('leaseMs')
      const most = bounded(limit)
      return most === 0 ? [] : await table.claim(whole(now), most, whole(now + leaseMs))
    },
    async delivered(id) {
      await changes.add({ verb: 'delivered', id })
    },
    async failed(id, outcome) {
      const { attempt, reason } = outcome
      insistOn({ reason })
      if (!('nextAt' in outcome)) await changes.add({ verb: 'dead', id, attempt, reason })
      else await changes.add({ verb: 'failed', id, attempt, reason, nextAt: whole(outcome.nextAt) })
    },
    async list({ state, after, limit }) {
      const most = bounded(limit)
      const page = most === 0 ? [] : await table.list({ state, after, limit: most })
      if (page === undefined) throw new GatewayError('parameter-invalid', 'No such delivery is known')
      return page
    },
    retry: async (id, now) => await changes.add({ verb: 'retry', id, now: whole(now) }),
    async discard(id, reason) {
      insistOn({ reason })
      return await changes.add({ verb: 'discard', id, reason })
    },
    drain: () => changes.drain(),
  }
}

/** Throws GatewayError for a text that is too long, or that an engine would keep otherwise than it is. */
export function insistOn(texts: Readonly<Partial<Record<keyof typeof longest, string>>>): void {
  for (const [name, text] of Object.entries(texts) as [keyof typeof longest, string][]) {
    const named = name === 'content' || name === 'reason' || text !== ''
    const fits = text.length <= longest[name] && text.isWellFormed() && !text.includes('\0')
    if (!named || !fits) throw unfit(name)
  }
}

/** The instant, in whole milliseconds. Throws GatewayError for what is none. */
export function whole(number: number): number {
  const result = Math.ceil(number)
  if (!Number.isSafeInteger(result)) throw unfit('instant')
  return result
}

/** How many rows a page of that limit may have. */
export function bounded(limit: number): number {
  return Math.max(0, Math.min(Math.trunc(limit), mostAtOnce))
}

function unfit(what: string): GatewayError {
  return new GatewayError('internal', 'A delivery cannot be kept so', { details: { what } })
}
