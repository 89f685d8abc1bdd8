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

  // What was pushed to us. A push has as its sequence the step at which it was appended; another step is taken when it ceases
  // to be pending. Identities, patients and objects are digests. Those of identities are there while the push has taken
  // them, those of objects while it is pending; "settled" is the step at which it ceased to be.
  `CREATE TABLE push_step (step INTEGER NOT NULL) STRICT;
   INSERT INTO push_step VALUES (0);

   CREATE TABLE push (
     sequence INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     state TEXT NOT NULL,
     settled_at INTEGER,
     reason TEXT,
     content TEXT NOT NULL
   ) STRICT;

   CREATE INDEX push_by_state ON push (state, sequence);
   CREATE INDEX push_by_age ON push (settled_at) WHERE settled_at IS NOT NULL;

   CREATE TABLE push_identity (
     identity BLOB PRIMARY KEY,
     sequence INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;

   CREATE INDEX push_identity_by_push ON push_identity (sequence);

   CREATE TABLE push_patient (
     patient BLOB NOT NULL,
     sequence INTEGER NOT NULL,
     settled INTEGER,
     PRIMARY KEY (patient, sequence)
   ) STRICT, WITHOUT ROWID;

   CREATE INDEX push_patient_settled ON push_patient (patient, settled);
   CREATE INDEX push_patient_by_push ON push_patient (sequence);

   CREATE TABLE push_object (
     object BLOB NOT NULL,
     sequence INTEGER NOT NULL,
     PRIMARY KEY (object, sequence)
   ) STRICT, WITHOUT ROWID;

   CREATE INDEX push_object_by_push ON push_object (sequence);

   -- Whoever is done with the delivery of a push is done with the push, also one who knows nothing of pushes. The delivery has
   -- a key of its own; what makes it "first" is that no earlier push that is pending touches one of its objects.
   CREATE TRIGGER push_is_settled AFTER INSERT ON outbox_done
   WHEN EXISTS (SELECT 1 FROM push WHERE id = NEW.id AND state = 'pending')
   BEGIN
     UPDATE push_step SET step = step + 1;
     UPDATE push_patient SET settled = (SELECT step FROM push_step)
       WHERE sequence = (SELECT sequence FROM push WHERE id = NEW.id);
     DELETE FROM push_identity
       WHERE NEW.reason IS NOT NULL AND sequence = (SELECT sequence FROM push WHERE id = NEW.id);
     UPDATE outbox SET first = 1 WHERE id IN (
       SELECT push.id
       FROM (
         SELECT DISTINCT mine.sequence AS ended, (
           SELECT min(behind.sequence) FROM push_object AS behind
           WHERE behind.object = mine.object AND behind.sequence > mine.sequence) AS sequence
         FROM push_object AS mine WHERE mine.sequence = (SELECT sequence FROM push WHERE id = NEW.id)
       ) AS next JOIN push ON push.sequence = next.sequence
       WHERE NOT EXISTS (
         SELECT 1 FROM push_object AS its JOIN push_object AS before ON before.object = its.object
         WHERE its.sequence = next.sequence AND before.sequence < its.sequence AND before.sequence <> next.ended));
     DELETE FROM push_object WHERE sequence = (SELECT sequence FROM push WHERE id = NEW.id);
     UPDATE push SET settled_at = NEW.done_at, reason = NEW.reason,
       state = CASE WHEN NEW.reason IS NULL THEN 'delivered' ELSE 'discarded' END
       WHERE id = NEW.id;
   END;`,
]
