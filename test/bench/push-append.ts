import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { JournalDraft, PushJournal } from '../../src/core/ports.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { assertion, entry, submissionSet } from '../support/builders.ts'
import { draft } from '../unit/store/child/drafts.ts'
import { interleaved, type Measurement, rssMb, seconds } from './measurement.ts'

const rounds = 7
const callers = 32
const pushes = 3200
const inserts = 1500

/** Durable pushes per second, each with its delivery, when 32 callers wait for their own: one document submitted at a time. */
export async function pushAppend(): Promise<Measurement> {
  const directory = await mkdtemp(join(tmpdir(), 'crocevia-bench-'))
  const store = await sqliteStore({ path: join(directory, 'store.db') })
  const raw = new DatabaseSync(join(directory, 'raw.db'))
  let made = 0
  try {
    raw.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE push (sequence INTEGER PRIMARY KEY, content TEXT)',
    )
    const insert = raw.prepare('INSERT INTO push (content) VALUES (?)')
    const { value, floor } = await interleaved(
      rounds,
      async () => pushes / (await seconds(() => appendAll(store.journal, () => submission(made++)))),
      async () =>
        inserts /
        (await seconds(() => {
          for (let count = 0; count < inserts; count++) insert.run(JSON.stringify(submission(made++)))
        })),
    )
    return {
      bench: 'push-append',
      unit: 'pushes/s',
      value: Math.round(value),
      floor: Math.round(floor),
      floorIs:
        'node:sqlite inserting the same push as JSON, nothing else, one commit each, synchronous=FULL, on the calling thread',
      ratio: value / floor,
      rssMb: rssMb(),
    }
  } finally {
    raw.close()
    await store[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  }
}

async function appendAll(journal: PushJournal, next: () => JournalDraft): Promise<void> {
  let begun = 0
  async function caller(): Promise<void> {
    while (begun++ < pushes) await journal.append(next())
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

/** One document of one of a thousand people: a set and its entry, on somebody's word. */
function submission(number: number): JournalDraft {
  const name = `push-${number}`
  const { patientId } = entry(name)
  return draft(name, {
    transaction: 'ITI-42',
    identities: [`message ${name}`, `document ${name}`],
    patients: [{ ...patientId, value: `person ${number % 1000}` }],
    objects: [`urn:uuid:${name}`, entry(name).uniqueId],
    pushed: {
      kind: 'change',
      change: {
        type: 'submit',
        submission: {
          submissionSet: submissionSet(`set of ${name}`),
          entries: [entry(name)],
          folders: [],
          associations: [],
        },
      },
      assertion: assertion(),
    },
  })
}
