/** Marks a database file as this gateway's (`PRAGMA application_id`): "CROC". */
export const applicationId = 0x43524f43

/**
 * The schema's history: a database at version n has had the first n of these applied. An entry that was released is never
 * edited; a change is a new entry.
 */
export const migrations: readonly string[] = [
  `CREATE TABLE audit (
     sequence INTEGER PRIMARY KEY,
     record TEXT NOT NULL,
     hash TEXT NOT NULL
   ) STRICT;

   CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
   BEGIN SELECT RAISE(ABORT, 'the audit journal is append-only'); END;

   CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
   BEGIN SELECT RAISE(ABORT, 'the audit journal is append-only'); END;

   -- INSERT OR REPLACE deletes without firing the trigger above, so only the next sequence may be inserted.
   CREATE TRIGGER audit_only_grows BEFORE INSERT ON audit
   WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM audit)
   BEGIN SELECT RAISE(ABORT, 'the audit journal is append-only'); END;`,

  // Instants are milliseconds since the epoch; the presenter is a digest. Rows are found by key, and forgotten by age.
  `CREATE TABLE replay (
     key BLOB PRIMARY KEY,
     presenter BLOB,
     until INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;

   CREATE INDEX replay_by_age ON replay (until);`,

  // In the order in which they were put; "first" is of its key, whether or not it is dead: only such a one is claimed, and
  // of others next_at means nothing yet. What was delivered or discarded leaves its id, so that it is not put again.
  `CREATE TABLE outbox (
     place INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     kind TEXT NOT NULL,
     key TEXT NOT NULL,
     content TEXT NOT NULL,
     put_at INTEGER NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0,
     next_at INTEGER NOT NULL,
     claimed INTEGER NOT NULL DEFAULT 0,
     dead INTEGER NOT NULL DEFAULT 0,
     first INTEGER NOT NULL,
     reason TEXT
   ) STRICT;

   CREATE INDEX outbox_by_key ON outbox (key, place);
   CREATE INDEX outbox_due ON outbox (next_at, place) WHERE first = 1 AND dead = 0;
   CREATE INDEX outbox_dead ON outbox (place) WHERE dead = 1;

   CREATE TABLE outbox_done (
     id TEXT PRIMARY KEY,
     place INTEGER NOT NULL,
     done_at INTEGER NOT NULL,
     reason TEXT
   ) STRICT, WITHOUT ROWID;

   CREATE INDEX outbox_done_by_age ON outbox_done (done_at);`,
]
