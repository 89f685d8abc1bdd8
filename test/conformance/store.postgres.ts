import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject, it, onTestFinished } from 'vitest'
import { noteFor, patient, schemaName } from '../postgres/engine.ts'
import { opened, sql } from '../postgres/opened.ts'
import { auditStoreBehaves } from './store.suite.ts'

const connection = inject('postgres')

/** A server without room for a row refuses it with this code. The room is counted here instead of filling a disk. */
function littleRoom(schema: string): string {
  return `
    CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT sum(length(record)) FROM ${schema}.audit) > 32768 THEN
        RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full';
      END IF;
      RETURN NULL;
    END $$;
    CREATE TRIGGER room AFTER INSERT ON audit FOR EACH ROW EXECUTE FUNCTION no_room()`
}

/** The one statement of the suite that only SQLite knows, as PostgreSQL says it. */
function inItsWords(statements: string): string {
  return statements.replace(
    /^INSERT OR REPLACE (INTO audit .*)$/,
    'INSERT $1 ON CONFLICT (sequence) DO UPDATE SET record = excluded.record, hash = excluded.hash',
  )
}

if (connection === undefined) it.skip('postgres as an audit store: no server is installed')
else {
  auditStoreBehaves('postgres', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'crocevia-store-'))
    onTestFinished(() => rm(directory, { recursive: true, force: true }))
    const options = { connection, schema: schemaName(), ...patient }
    await noteFor(directory, options)

    return {
      store: await opened(options),
      reopen: () => opened(options),
      directory,
      engine: new URL('../postgres/engine.ts', import.meta.url),
      sql: async (statements) => void (await sql(connection, options.schema, inItsWords(statements))),
      unprotect: `DROP TRIGGER IF EXISTS audit_is_never_changed ON audit;
                  DROP TRIGGER IF EXISTS audit_is_never_deleted ON audit;
                  DROP TRIGGER IF EXISTS audit_only_grows ON audit`,
      narrow: (capacity) => opened({ ...options, schema: schemaName(), capacity }),
      async full() {
        const schema = schemaName()
        const store = await opened({ ...options, schema })
        await sql(connection, schema, littleRoom(schema))
        return store
      },
    }
  })
}
