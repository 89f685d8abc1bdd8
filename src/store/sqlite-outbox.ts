import type { WaitingDelivery } from '../core/ports.ts'
import { doneKeptMs, forgettable, type OutboxChange, type OutboxPage } from './outbox.ts'
import type { StoreFile } from './sqlite-file.ts'

/** The outbox in the store's file; `OutboxTable` says what each method does. Throws FileError, or what node:sqlite throws. */
export interface SqliteOutbox {
  change(changes: readonly OutboxChange[], now: number): readonly boolean[]
  claim(now: number, limit: number, until: number): readonly WaitingDelivery[]
  list(page: OutboxPage): readonly WaitingDelivery[] | undefined
}

interface Row {
  readonly place: number
  readonly id: string
  readonly kind: string
  readonly key: string
  readonly content: string
  readonly putAt: number
  readonly attempts: number
  readonly nextAt: number
  readonly dead: number
  readonly reason: string | null
}

interface Done {
  readonly place: number
  readonly key: string
  readonly first: number
}

const columns = 'place, id, kind, key, content, put_at AS putAt, attempts, next_at AS nextAt, dead, reason'

/** The outbox of a file. Throws what node:sqlite throws. */
export function outboxIn({ db, write }: StoreFile): SqliteOutbox {
  const forget = db.prepare(
    'DELETE FROM outbox_done WHERE id IN (SELECT id FROM outbox_done WHERE done_at < ? ORDER BY done_at LIMIT ?)',
  )
  const insert = db.prepare(
    `INSERT INTO outbox (id, kind, key, content, put_at, next_at, first)
     SELECT $id, $kind, $key, $content, $now, $now, NOT EXISTS (SELECT 1 FROM outbox WHERE key = $key)
     WHERE NOT EXISTS (SELECT 1 FROM outbox_done WHERE id = $id)
     ON CONFLICT (id) DO NOTHING`,
  )
  const fail = db.prepare(
    `UPDATE outbox SET claimed = 0, dead = ?, reason = ?, next_at = coalesce(?, next_at)
     WHERE id = ? AND claimed = 1 AND attempts = ?`,
  )
  const retry = db.prepare(
    `UPDATE outbox SET dead = 0, attempts = 0, next_at = $now
     WHERE id = $id AND (dead = 1 OR (claimed = 0 AND next_at > $now))`,
  )
  const remove = db.prepare('DELETE FROM outbox WHERE id = ? RETURNING place, key, first')
  const removeIdle = db.prepare(
    'DELETE FROM outbox WHERE id = ? AND (claimed = 0 OR next_at <= ?) RETURNING place, key, first',
  )
  const insertDone = db.prepare('INSERT INTO outbox_done (id, place, done_at, reason) VALUES (?, ?, ?, ?)')
  const promote = db.prepare(
    'UPDATE outbox SET first = 1 WHERE place = (SELECT place FROM outbox WHERE key = ? ORDER BY place LIMIT 1)',
  )
  const due = db.prepare(
    'SELECT place FROM outbox WHERE first = 1 AND dead = 0 AND next_at <= ? ORDER BY next_at, place LIMIT ?',
  )
  const claim = db.prepare(
    `UPDATE outbox SET claimed = 1, attempts = attempts + 1, next_at = ? WHERE place = ? RETURNING ${columns}`,
  )
  const placeOf = db.prepare(
    'SELECT place FROM outbox WHERE id = $id UNION ALL SELECT place FROM outbox_done WHERE id = $id',
  )
  const page = (condition: string) =>
    db.prepare(`SELECT ${columns} FROM outbox WHERE ${condition} place > ? ORDER BY place LIMIT ?`)
  const pages = { both: page(''), waiting: page('dead = 0 AND'), dead: page('dead = 1 AND') }

  function finish(id: string, done: Done | undefined, now: number, reason: string | null): boolean {
    if (done === undefined) return false
    insertDone.run(id, done.place, now, reason)
    if (done.first === 1) promote.run(done.key)
    return true
  }

  function changed(change: OutboxChange, now: number): boolean {
    const { verb, id } = change
    switch (verb) {
      case 'put': {
        const { kind, key, content } = change
        return insert.run({ id, kind, key, content, now }).changes === 1
      }
      case 'delivered':
        return finish(id, remove.get(id) as Done | undefined, now, null)
      case 'failed':
        return fail.run(0, change.reason, change.nextAt, id, change.attempt).changes === 1
      case 'dead':
        return fail.run(1, change.reason, null, id, change.attempt).changes === 1
      case 'retry':
        return retry.run({ id, now: change.now }).changes === 1
      case 'discard':
        return finish(id, removeIdle.get(id, now) as Done | undefined, now, change.reason)
    }
  }

  return {
    change: (changes, now) =>
      write(() => {
        // Before the new ones need its room.
        forget.run(now - doneKeptMs, forgettable(changes.length))
        return changes.map((change) => changed(change, now))
      }),
    claim: (now, limit, until) =>
      write(() => {
        const places = due.all(now, limit) as unknown as Pick<Row, 'place'>[]
        return places.map(({ place }) => delivery(claim.get(until, place) as unknown as Row))
      }),
    list({ state, after, limit }) {
      const start = after === undefined ? { place: 0 } : placeOf.get({ id: after })
      if (start === undefined) return undefined
      return (pages[state ?? 'both'].all(start.place ?? 0, limit) as unknown as Row[]).map(delivery)
    },
  }
}

function delivery({ place: _, dead, reason, ...known }: Row): WaitingDelivery {
  return { ...known, state: dead === 1 ? 'dead' : 'waiting', ...(reason === null ? {} : { reason }) }
}
