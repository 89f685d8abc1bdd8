import { asGatewayError, type GatewayError } from '../../core/errors.ts'
import { type ChangedEntry, changesBetween } from '../../core/federation/index-changes.ts'
import type { IndexSoFar, Progress, Watch } from '../../core/federation/progressive.ts'
import type { CommunityFailure, FederatedAnswer, Leg, MergedEntry } from '../../core/model/answers.ts'
import type { AuthenticatedCall } from '../../core/model/call.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import type { ApiCall, StreamedAnswer } from './endpoint.ts'
import { eventBytes, eventStreamHeaders, eventStreamType, heartbeat, type StreamEvent } from './event-stream.ts'
import {
  communityView,
  type EntryView,
  failureView,
  type IndexView,
  idOf,
  type NameOf,
  progressView,
} from './index-view.ts'
import { problemOf } from './problem.ts'

/** One question under way. */
export interface Asking {
  readonly call: AuthenticatedCall & Pick<ApiCall, 'held'>
  readonly view: IndexView
  readonly nameOf: NameOf
  readonly note: ApiCall['note']
  /** Takes down when communities were heard. */
  hear(legs: readonly Leg[]): void
  ask(signal: AbortSignal, progressed?: Watch['progressed']): Promise<FederatedAnswer>
  /** The answer as it is told plainly; takes down what is audited. */
  told(answer: FederatedAnswer): Readonly<Record<string, unknown>>
}

type Step = { readonly progress: Progress } | { readonly answer: FederatedAnswer } | { readonly error: GatewayError }

/** How many documents one event tells of. */
const mostInEvent = 100

/**
 * The answer as it comes: events `entries`, `removed`, `failure`, `progress`, and at last `complete` or `problem`. Whoever
 * follows them has what `complete` tells, and after a `problem` nothing. Rejects with what fails before anybody is asked. At
 * most one state waits to be taken: while the caller takes none, communities' answers are gathered into the next.
 */
export async function streamed(asking: Asking, heartbeatMs = 10_000): Promise<StreamedAnswer> {
  const left = new AbortController()
  asking.call.held.defer(end)
  let offered = Promise.withResolvers<Step>()
  let taken = Promise.withResolvers<void>()
  const ended: Promise<Step> = asking
    .ask(AbortSignal.any([asking.call.signal, left.signal]), (progress) => {
      taken = Promise.withResolvers()
      offered.resolve({ progress })
      return taken.promise
    })
    .then(
      (answer) => ({ answer }),
      (thrown: unknown) => ({ error: asGatewayError(thrown) }),
    )
  const first = await Promise.race([offered.promise, ended])
  if ('error' in first) throw first.error

  async function* stream(account: (error?: GatewayError) => Promise<void>): AsyncGenerator<Uint8Array> {
    const teller = tellerOf(asking)
    try {
      for (;;) {
        const step = await unlessLong([offered.promise, ended], heartbeatMs)
        if (step === undefined) yield heartbeat
        else if ('progress' in step) {
          offered = Promise.withResolvers()
          for (const event of teller.progress(step.progress)) yield eventBytes(event)
          taken.resolve()
        } else {
          yield* last(step, teller, asking, account)
          return
        }
      }
    } finally {
      end()
    }
  }

  /** Also of what nobody began to read. */
  function end(): void {
    left.abort()
    taken.resolve()
  }
  return { contentType: eventStreamType, headers: eventStreamHeaders, stream }
}

async function* last(
  step: Exclude<Step, { readonly progress: Progress }>,
  teller: Teller,
  asking: Asking,
  account: (error?: GatewayError) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  try {
    if ('error' in step) throw step.error
    const { answer } = step
    const data = asking.told(answer)
    for (const event of teller.answer(answer)) yield eventBytes(event)
    await account()
    yield eventBytes({ event: 'complete', data })
  } catch (thrown) {
    const error = asGatewayError(thrown)
    for (const event of teller.nothing()) yield eventBytes(event)
    const recorded = await account(error).then(
      () => error,
      (failure: unknown) => asGatewayError(failure),
    )
    yield eventBytes({ event: 'problem', data: problemOf(recorded, asking.call.correlationId).problem })
  }
}

/** Undefined when it takes longer. */
async function unlessLong<T>(promises: readonly Promise<T>[], milliseconds: number): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), milliseconds)
  try {
    return await Promise.race([...promises, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

type Teller = ReturnType<typeof tellerOf>

/** Knows what was told, and tells what is new. */
function tellerOf({ hear, nameOf, note, view }: Asking) {
  let told: IndexSoFar = { entries: [], associations: [] }
  const heard = new Set<HomeCommunityId>()
  const failed = new Set<HomeCommunityId>()
  const everTold = new Set<string>()

  function* news(
    index: IndexSoFar,
    asked: readonly Leg[],
    failures: readonly CommunityFailure[],
    total: number,
  ): Generator<StreamEvent> {
    hear(asked)
    note({ asked })
    for (const { error, home } of failures.filter((one) => !failed.has(one.home))) {
      failed.add(home)
      yield { event: 'failure', data: failureView(home, error, nameOf) }
    }
    yield* changed(index)
    const communities = asked.filter(({ home }) => !heard.has(home)).map(communityView)
    for (const { home } of asked) heard.add(home)
    yield { event: 'progress', data: { ...progressView(asked, total), communities } }
  }

  function* changed(index: IndexSoFar): Generator<StreamEvent> {
    const { added, altered, merged, removed, superseded } = changesBetween(told, index)
    const entries = view.entries(index)
    told = index
    for (const entry of added) everTold.add(entry.uniqueId)
    note({ results: everTold.size })
    if (removed.length > 0) yield { event: 'removed', data: { ids: removed.map(idOf) } }
    const changes = [
      ...added.map((entry) => change('added', entry, entries)),
      ...merged.map((one) => change('merged', one.entry, entries, one)),
      ...superseded.map((one) => change('superseded', one.entry, entries, one)),
      ...altered.map((one) => change('altered', one.entry, entries, one)),
    ]
    for (let from = 0; from < changes.length; from += mostInEvent) {
      yield { event: 'entries', data: { changes: changes.slice(from, from + mostInEvent) } }
    }
  }

  return {
    progress: ({ asked, failures, index, total }: Progress) => news(index, asked, failures, total),
    answer: (answer: FederatedAnswer) => news(answer, answer.asked, answer.failures, answer.asked.length),
    *nothing(): Generator<StreamEvent> {
      yield* changed({ entries: [], associations: [] })
    },
  }
}

function change(
  kind: 'added' | 'merged' | 'superseded' | 'altered',
  entry: MergedEntry,
  entries: ReadonlyMap<MergedEntry, EntryView>,
  changed?: ChangedEntry,
) {
  const former = changed === undefined ? undefined : idOf(changed.before)
  return {
    change: kind,
    ...(former === undefined || former === idOf(entry) ? {} : { formerId: former }),
    entry: entries.get(entry),
  }
}
