import { hash } from 'node:crypto'
import { GatewayError } from '../core/errors.ts'
import type { PatientId } from '../core/model/patient.ts'
import type { Clock, JournalDraft, JournaledPush, Outbox, PushJournal, PushState } from '../core/ports.ts'
import { type GroupCommitOptions, groupCommit } from './group-commit.ts'
import { bounded, insistOn, whole } from './outbox.ts'

/** A draft as an engine takes it. Lists are without repetition. */
export interface PushRow {
  readonly id: string
  /** The kind of its delivery; absent, there is none. */
  readonly kind?: string
  readonly content: string
  readonly identities: readonly string[]
  readonly frees: readonly string[]
  readonly patients: readonly string[]
  readonly objects: readonly string[]
}

/** What became of a row: `refused` when its id is that of a delivery which is no push. */
export type Appended =
  | { readonly outcome: 'appended' | 'repeats'; readonly sequence: number }
  | { readonly outcome: 'refused' }

/** A push as an engine keeps it. */
export interface HeldPush {
  readonly sequence: number
  readonly id: string
  readonly state: PushState
  /** When it ceased to be pending, or was appended when it never was. */
  readonly settledAt: number | null
  readonly reason: string | null
  readonly content: string
}

/** In their order; `undefined` when together they are larger than `mostTold`. */
export type HeldPushes = readonly HeldPush[] | undefined

/** What an engine holds about a person. */
export interface HeldChanges {
  readonly generation: number
  readonly sequence: number
  readonly pushes: HeldPushes
}

/** Which pushes are asked for; the limit is positive. */
export interface PushPage {
  readonly state: PushState | undefined
  readonly before: string | undefined
  readonly limit: number
}

/** What each engine does in its own way. Numbers are whole. Rejects with GatewayError. */
export interface PushTable {
  /**
   * Appends one row after the other, each seeing those before it, with its delivery, and commits them together. Pushes that
   * ceased to be pending before `forgetBefore` are forgotten first, a bounded number of them.
   */
  append(rows: readonly PushRow[], now: number, forgetBefore: number): Promise<readonly Appended[]>
  /** Seen at one moment, after everything that was committed before the call; all after `since`, unless that is absent. */
  about(patients: readonly string[], since: number | undefined): Promise<HeldChanges>
  touching(objects: readonly string[]): Promise<HeldPushes>
  /** The one that has taken the first identity that is taken. */
  repeated(identities: readonly string[]): Promise<HeldPush | undefined>
  find(which: { readonly id: string } | { readonly sequence: number }): Promise<HeldPush | undefined>
  /** At most as many as `mostTold` has room for, and one. `undefined` when the id to go on before is not known. */
  list(page: PushPage): Promise<readonly HeldPush[] | undefined>
}

export interface PushJournalOptions {
  readonly clock: Clock
  readonly outbox: Pick<Outbox, 'discard'>
  /** How long a push that is not pending is kept, and its identities are known. */
  readonly keptMs: number
  readonly limits: Omit<GroupCommitOptions<PushRow, Appended>, 'write' | 'weights'>
}

/** How long a push that is not pending is kept unless said otherwise. */
export const pushKeptMs = 90 * 24 * 3_600_000

/** How many bytes of pushes are read at once: more than anybody should have waiting. */
export const mostTold = 64 * 2 ** 20

const mostBytes = 4 * 2 ** 20
const most = { identities: 512, frees: 4096, patients: 64, objects: 4096 } as const
const longestText = 1024
// A batch is one statement: it must be done in the time that has; more wait than one batch.
const weights = { of: weightOf, batch: 2 * mostBytes, capacity: 16 * mostBytes }

/** How many old pushes are forgotten with so many new ones: more than come, but each may be large. */
export function forgettablePushes(appended: number): number {
  return Math.max(16, 2 * appended)
}

/** What stands for a text in an index: of one size, and naming nobody. */
export function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

/** The journal of pushes of a store. Concurrent appends share a commit; `drain` refuses new ones and waits for those before. */
export function pushJournalOn(table: PushTable, options: PushJournalOptions): PushJournal & { drain(): Promise<void> } {
  const { clock, outbox, keptMs, limits } = options
  if (!(keptMs > 0 && Number.isFinite(keptMs)))
    throw new GatewayError('internal', 'Pushes cannot be kept for that long', { details: { keptMs } })
  const appends = groupCommit<PushRow, Appended>({
    async write(rows) {
      const now = clock.now()
      return await table.append(rows, whole(now), whole(now - keptMs))
    },
    ...limits,
    weights,
  })

  return {
    async append(draft) {
      const appended = await appends.add(rowOf(draft))
      if (appended.outcome === 'refused') throw new GatewayError('internal', 'A push has the id of another delivery')
      const { outcome, sequence } = appended
      if (outcome === 'appended') return { sequence }
      const repeats = await table.find({ sequence })
      if (repeats === undefined) throw new GatewayError('internal', 'A push that was repeated is forgotten by now')
      return { repeats: pushOf(repeats) }
    },
    async repeated(identities) {
      const held = await table.repeated(texts('identities', identities))
      return held && pushOf(held)
    },
    async about(patients, since) {
      const { generation, sequence, pushes } = await table.about(named(patients), since)
      return { generation, sequence, pushes: told(pushes) }
    },
    touching: async (objects) => told(await table.touching(texts('objects', objects))),
    async naming(objects) {
      const { pushes } = await table.about(texts('objects', objects).map(subjectOf), 0)
      return told(pushes)
    },
    async find(id) {
      const held = await table.find({ id })
      return held && pushOf(held)
    },
    async discard(id, reason) {
      // The outbox would discard a delivery that is no push as well.
      const held = await table.find({ id })
      return held?.state === 'pending' && (await outbox.discard(id, reason))
    },
    async list({ state, before, limit }) {
      const rows = bounded(limit)
      const page = rows === 0 ? [] : await table.list({ state, before, limit: rows })
      if (page === undefined) throw new GatewayError('parameter-invalid', 'No such push is known')
      return page.map(pushOf)
    },
    drain: () => appends.drain(),
  }
}

/** Throws GatewayError for a draft that is too large, or whose texts could be kept otherwise than they are. */
function rowOf(draft: JournalDraft): PushRow {
  const { id, identities, frees, deliverAs, ...kept } = draft
  insistOn({ id, ...(deliverAs === undefined ? {} : { kind: deliverAs }) })
  if (draft.followedBy !== undefined) insistOn({ kind: draft.followedBy })
  const objects = texts('objects', draft.objects)
  const content = JSON.stringify(kept)
  const bytes = Buffer.byteLength(content)
  if (bytes > mostBytes) throw tooLarge('content', bytes, mostBytes)
  return {
    ...{ id, content },
    ...(deliverAs === undefined ? {} : { kind: deliverAs }),
    identities: texts('identities', identities),
    frees: texts('frees', frees),
    patients: [...named(draft.patients), ...(deliverAs === undefined ? objects.map(subjectOf) : [])],
    objects,
  }
}

/** How an object of what is only kept is found: nobody waits for it, so that it stands where persons do. */
function subjectOf(object: string): string {
  // No authority is called so.
  return `object ${object}`
}

function named(patients: readonly PatientId[]): readonly string[] {
  return texts(
    'patients',
    patients.map(({ value, authority }) => `${authority} ${value}`),
  )
}

function texts(what: keyof typeof most, list: readonly string[]): readonly string[] {
  if (list.length > most[what]) throw tooLarge(what, list.length, most[what])
  for (const text of list) {
    if (text.length > longestText) throw tooLarge(`text of ${what}`, text.length, longestText)
    // Its digest would be that of another text.
    if (!text.isWellFormed()) throw new GatewayError('internal', 'A push cannot be kept so', { details: { what } })
  }
  return [...new Set(list)]
}

function tooLarge(what: string, size: number, limit: number): GatewayError {
  return new GatewayError('request-too-large', 'More is pushed at once than can be kept', {
    details: { what, size, limit },
  })
}

function weightOf({ content, identities, frees, patients, objects }: PushRow): number {
  const texts = [identities, frees, patients, objects].flat()
  return texts.reduce((sum, text) => sum + text.length, Buffer.byteLength(content))
}

function told(pushes: HeldPushes): readonly JournaledPush[] {
  if (pushes === undefined) throw new GatewayError('overloaded', 'More pushes wait than can be read at once')
  return pushes.map(pushOf)
}

/** Throws GatewayError when the row was changed to what is no JSON. */
function pushOf({ sequence, id, state, settledAt, reason, content }: HeldPush): JournaledPush {
  return {
    ...parsed(content),
    ...{ id, sequence, state },
    ...(settledAt === null || state === 'kept' ? {} : { settledAt }),
    ...(reason === null ? {} : { reason }),
  }
}

function parsed(content: string): Omit<JournaledPush, 'id' | 'sequence' | 'state'> {
  try {
    return JSON.parse(content) as Omit<JournaledPush, 'id' | 'sequence' | 'state'>
  } catch {
    // The reason would quote the push.
    throw new GatewayError('internal', 'A push in the journal cannot be read')
  }
}
