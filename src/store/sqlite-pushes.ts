import type { PushState } from '../core/ports.ts'
import {
  type Appended,
  digestOf,
  forgettablePushes,
  type HeldChanges,
  type HeldPush,
  type HeldPushes,
  mostTold,
  type PushPage,
  type PushRow,
} from './push-journal.ts'
import type { StoreFile } from './sqlite-file.ts'

/** The pushes in the store's file; `PushTable` says what each method does. Throws FileError, or what node:sqlite throws. */
export interface SqlitePushes {
  append(rows: readonly PushRow[], now: number, forgetBefore: number): readonly Appended[]
  about(patients: readonly string[], since: number | undefined): HeldChanges
  touching(objects: readonly string[]): HeldPushes
  repeated(identities: readonly string[]): HeldPush | undefined
  find(which: { readonly id: string } | { readonly sequence: number }): HeldPush | undefined
  list(page: PushPage): readonly HeldPush[] | undefined
}

interface Place {
  readonly sequence: number
}

interface Head {
  readonly latest: number | null
  readonly settled: number | null
  readonly pending: number
}

const columns = 'sequence, id, state, settled_at AS settledAt, reason, content'

/** The pushes of a file. Throws what node:sqlite throws. */
export function pushesIn({ db, write, read }: StoreFile): SqlitePushes {
  const old = db.prepare('SELECT sequence FROM push WHERE settled_at < ? ORDER BY settled_at LIMIT ?')
  const forget = ['push_identity', 'push_patient', 'push'].map((table) =>
    db.prepare(`DELETE FROM ${table} WHERE sequence = ?`),
  )
  const taken = db.prepare('SELECT sequence FROM push_identity WHERE identity = ?')
  const known = db.prepare('SELECT sequence FROM push WHERE id = ?')
  const foreign = db.prepare('SELECT 1 FROM outbox WHERE id = $id UNION ALL SELECT 1 FROM outbox_done WHERE id = $id')
  const step = db.prepare('UPDATE push_step SET step = step + 1 RETURNING step AS sequence')
  const free = db.prepare('DELETE FROM push_identity WHERE identity = ?')
  const insert = db.prepare('INSERT INTO push (sequence, id, state, settled_at, content) VALUES (?, ?, ?, ?, ?)')
  const insertIdentity = db.prepare('INSERT INTO push_identity (identity, sequence) VALUES (?, ?)')
  const insertPatient = db.prepare('INSERT INTO push_patient (patient, sequence, settled) VALUES (?, ?, ?)')
  const insertObject = db.prepare('INSERT INTO push_object (object, sequence) VALUES (?, ?)')
  const touched = db.prepare('SELECT sequence FROM push_object WHERE object = ?')
  const put = db.prepare(
    `INSERT INTO outbox (id, kind, key, content, put_at, next_at, first)
     VALUES ($id, $kind, $id, $id, $now, $now, $first)`,
  )
  const head = db.prepare(
    `SELECT (SELECT max(sequence) FROM push_patient WHERE patient = $patient) AS latest,
       (SELECT max(settled) FROM push_patient WHERE patient = $patient) AS settled,
       EXISTS (SELECT 1 FROM push_patient WHERE patient = $patient AND settled IS NULL) AS pending`,
  )
  const pendingOf = db.prepare('SELECT sequence FROM push_patient WHERE patient = ? AND settled IS NULL')
  const laterOf = db.prepare('SELECT sequence FROM push_patient WHERE patient = ? AND sequence > ?')
  const at = db.prepare(`SELECT ${columns} FROM push WHERE sequence = ?`)
  const byId = db.prepare(`SELECT ${columns} FROM push WHERE id = ?`)
  const latest = db.prepare(`SELECT ${columns} FROM push WHERE sequence < ? ORDER BY sequence DESC LIMIT ?`)
  const latestIn = db.prepare(
    `SELECT ${columns} FROM push WHERE sequence < ? AND state = ? ORDER BY sequence DESC LIMIT ?`,
  )

  function takenBy(identities: readonly string[]): Place | undefined {
    for (const identity of identities) {
      const place = taken.get(digestOf(identity)) as unknown as Place | undefined
      if (place !== undefined) return place
    }
    return undefined
  }

  function appended(row: PushRow, now: number): Appended {
    const before = takenBy(row.identities) ?? (known.get(row.id) as unknown as Place | undefined)
    if (before !== undefined) return { outcome: 'repeats', sequence: before.sequence }
    if (row.kind !== undefined && foreign.get({ id: row.id }) !== undefined) return { outcome: 'refused' }
    const { sequence } = step.get() as unknown as Place
    for (const identity of row.frees) free.run(digestOf(identity))
    const state: PushState = row.kind === undefined ? 'kept' : 'pending'
    insert.run(sequence, row.id, state, state === 'kept' ? now : null, row.content)
    for (const identity of row.identities) insertIdentity.run(digestOf(identity), sequence)
    const settled = state === 'kept' ? sequence : null
    for (const patient of row.patients) insertPatient.run(digestOf(patient), sequence, settled)
    if (row.kind !== undefined) deliver(row, row.kind, sequence, now)
    return { outcome: 'appended', sequence }
  }

  /** Puts its delivery, which may go out at once when no earlier push that is pending touches one of its objects. */
  function deliver({ id, objects }: PushRow, kind: string, sequence: number, now: number): void {
    const digests = objects.map(digestOf)
    const first = digests.every((object) => touched.get(object) === undefined) ? 1 : 0
    for (const object of digests) insertObject.run(object, sequence)
    put.run({ id, kind, now, first })
  }

  function heldAt(sequences: ReadonlySet<number>): HeldPushes {
    const held: HeldPush[] = []
    let room = mostTold
    for (const sequence of [...sequences].sort((a, b) => a - b)) {
      const push = at.get(sequence) as unknown as HeldPush
      room -= Buffer.byteLength(push.content)
      if (room < 0) return undefined
      held.push(push)
    }
    return held
  }

  function about(patients: readonly string[], since: number | undefined): HeldChanges {
    let [generation, sequence] = [0, 0]
    const asked = new Set<number>()
    for (const patient of patients.map(digestOf)) {
      const found = head.get({ patient }) as unknown as Head
      sequence = Math.max(sequence, found.latest ?? 0)
      generation = Math.max(generation, sequence, found.settled ?? 0)
      if (found.pending === 1) for (const { sequence } of placesOf(pendingOf.all(patient))) asked.add(sequence)
      if (since === undefined || (found.latest ?? 0) <= since) continue
      for (const { sequence } of placesOf(laterOf.all(patient, since))) asked.add(sequence)
    }
    return { generation, sequence, pushes: heldAt(asked) }
  }

  return {
    append: (rows, now, forgetBefore) =>
      write(() => {
        // Before the new ones need its room.
        for (const { sequence } of placesOf(old.all(forgetBefore, forgettablePushes(rows.length)))) {
          for (const statement of forget) statement.run(sequence)
        }
        return rows.map((row) => appended(row, now))
      }),
    about: (patients, since) => read(() => about(patients, since)),
    touching: (objects) =>
      read(() => {
        const places = objects.flatMap((object) => placesOf(touched.all(digestOf(object))))
        return heldAt(new Set(places.map(({ sequence }) => sequence)))
      }),
    repeated: (identities) =>
      read(() => {
        const place = takenBy(identities)
        return place && (at.get(place.sequence) as unknown as HeldPush)
      }),
    find: (which) =>
      read(() => ('id' in which ? byId.get(which.id) : at.get(which.sequence)) as unknown as HeldPush | undefined),
    list: ({ state, before, limit }) =>
      read(() => {
        const start = before === undefined ? { sequence: Number.MAX_SAFE_INTEGER } : known.get(before)
        if (start === undefined) return undefined
        const { sequence } = start as unknown as Place
        const rows = state === undefined ? latest.iterate(sequence, limit) : latestIn.iterate(sequence, state, limit)
        const page: HeldPush[] = []
        let room = mostTold
        for (const row of rows as unknown as Iterable<HeldPush>) {
          room -= Buffer.byteLength(row.content)
          if (room < 0) break
          page.push(row)
        }
        return page
      }),
  }
}

function placesOf(rows: unknown): readonly Place[] {
  return rows as readonly Place[]
}
