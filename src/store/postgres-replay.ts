import { hash } from 'node:crypto'
import { GatewayError } from '../core/errors.ts'
import type { Use } from '../core/ports.ts'
import type { Connections } from './postgres-connections.ts'
import { quoted } from './postgres-schema.ts'

/**
 * How long a use is kept beyond its `until`. The instant a call is judged at was read before it waited for a lock, and each
 * replica reads its own clock; longer than any call may wait and than clocks of replicas may differ, together.
 */
export const graceMs = 60_000

/** The uses that are remembered in a schema of the server. */
export interface PostgresReplay {
  /**
   * Judges and remembers one call after the other, each seeing those before it, and commits them together. Resolves, when
   * they are on disk, to each call's first use that was taken. A use that is past its `until` at `now` is taken: it may have
   * been forgotten. Rejects with GatewayError.
   */
  remember(calls: readonly (readonly Use[])[], now: number): Promise<readonly (Use | undefined)[]>
}

/** A use as it is asked about: of a thing a call uses several times the first, until the latest of its times. */
interface Asked {
  readonly use: Use
  readonly until: number
}

/** What of a call the server has to judge. */
interface Question {
  /** Of distinct keys; those before the first that is taken whatever the server knows. */
  readonly asked: readonly Asked[]
  /** Taken if none of the others is. */
  readonly doomed: Use | undefined
}

/** The replay memory of a schema. */
export function postgresReplay(schema: string, writer: Connections): PostgresReplay {
  const statement = `CALL ${quoted(schema)}.remember_uses(
    $1::bytea[], $2::int[], $3::boolean[], $4::int[], $5::bytea[], $6::bigint[], $7, $8, $9, NULL)`

  return {
    async remember(calls, now) {
      const questions = calls.map((uses) => questionOf(uses, now))
      const asked = questions.flatMap((question) => question.asked)
      if (asked.length === 0) return questions.map(({ doomed }) => doomed)
      // In the order in which every replica takes hold of them.
      const keys = [...new Set(asked.map(({ use }) => use.key))].sort()
      const places = new Map(keys.map((key, index) => [key, index + 1]))
      const instant = Math.ceil(now)
      const [row] = await writer.run<{ taken: readonly number[] }>(statement, [
        keys.map(bytesOf),
        endsOf(questions),
        questions.map(({ doomed }) => doomed === undefined),
        asked.map(({ use }) => places.get(use.key)),
        asked.map(({ use }) => (use.presenter === undefined ? null : digestOf(use.presenter))),
        asked.map(({ until }) => until),
        instant,
        instant - graceMs,
        forgettable(asked.length),
      ])
      const taken = row?.taken
      if (taken?.length !== calls.length) throw unacknowledged()
      return questions.map(({ doomed }, index) => {
        const place = taken[index]
        if (place === 0) return doomed
        const answer = place === undefined ? undefined : asked[place - 1]
        if (answer === undefined) throw unacknowledged()
        return answer.use
      })
    },
  }
}

/** Judges what a call says of itself: uses that are too old, and those of one thing. */
function questionOf(uses: readonly Use[], now: number): Question {
  const own = new Map<string, Asked>()
  for (const use of uses) {
    const until = Math.ceil(use.until)
    const known = own.get(use.key)
    const fits = known === undefined || (use.presenter !== undefined && known.use.presenter === use.presenter)
    if (until < now || !fits) return { asked: [...own.values()], doomed: use }
    own.set(use.key, { use: known?.use ?? use, until: Math.max(known?.until ?? until, until) })
  }
  return { asked: [...own.values()], doomed: undefined }
}

/** For each question the place of its last use among all of them, counted from 1. */
function endsOf(questions: readonly Question[]): number[] {
  let end = 0
  return questions.map(({ asked }) => {
    end += asked.length
    return end
  })
}

/** How many old uses are forgotten at most: more than are remembered, so that the table shrinks again. */
function forgettable(remembered: number): number {
  return Math.max(128, 2 * remembered)
}

function bytesOf(key: string): Buffer {
  return Buffer.from(key, 'hex')
}

/** Of one size whatever it was, and nothing that names anybody. */
function digestOf(presenter: string): Buffer {
  return hash('sha256', presenter, 'buffer')
}

function unacknowledged(): GatewayError {
  return new GatewayError('internal', 'A batch was not fully acknowledged')
}
