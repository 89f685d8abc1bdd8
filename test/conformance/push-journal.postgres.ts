import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject, it, onTestFinished } from 'vitest'
import { noteFor, patient, schemaName } from '../postgres/engine.ts'
import { opened, sql } from '../postgres/opened.ts'
import { pushJournalBehaves } from './push-journal.suite.ts'

const connection = inject('postgres')

/** A server without room for a row refuses it with this code. The room is counted here instead of filling a disk. */
function littleRoom(schema: string): string {
  return `
    CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM ${schema}.push) > 20 THEN
        RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full';
      END IF;
      RETURN NULL;
    END $$;
    CREATE TRIGGER room AFTER INSERT ON push FOR EACH ROW EXECUTE FUNCTION no_room()`
}

if (connection === undefined) it.skip('postgres as a journal of pushes: no server is installed')
else {
  pushJournalBehaves('postgres', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'crocevia-pushes-'))
    onTestFinished(() => rm(directory, { recursive: true, force: true }))
    const clock = { time: Date.UTC(2026, 2, 2), now: () => clock.time }
    const options = { connection, schema: schemaName(), ...patient }
    await noteFor(directory, options)

    return {
      store: await opened({ ...options, clock }),
      clock,
      reopen: () => opened({ ...options, clock }),
      directory,
      engine: new URL('../postgres/engine.ts', import.meta.url),
      async rows() {
        const [row] = await sql<{ rows: number }>(
          connection,
          options.schema,
          `SELECT ((SELECT count(*) FROM push) + (SELECT count(*) FROM push_identity) +
             (SELECT count(*) FROM push_patient) + (SELECT count(*) FROM push_object))::int AS rows`,
        )
        return row?.rows ?? Number.NaN
      },
      narrow: (capacity) => opened({ ...options, schema: schemaName(), clock, capacity }),
      async full() {
        const schema = schemaName()
        const store = await opened({ ...options, schema, clock })
        await sql(connection, schema, littleRoom(schema))
        return store
      },
    }
  })
}
