import { pushMigration } from './postgres-push-migration.ts'

/** Marks a schema as this gateway's; the table holds the version of the schema and the identity of the store. */
export const markTable = 'crocevia_store'

/**
 * The schema's history: a schema at version n has had the first n of these applied. An entry that was released is never
 * edited; a change is a new entry. Replicas of the version before go on while it is applied: what they call stays, and a
 * function or procedure that works otherwise gets another name. `schema` is quoted already.
 */
export function migrationsOf(schema: string): readonly string[] {
  return [
    `CREATE TABLE ${schema}.audit (
       sequence bigint PRIMARY KEY,
       record text NOT NULL,
       hash text NOT NULL
     );

     CREATE FUNCTION ${schema}.audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       RAISE EXCEPTION 'the audit journal is append-only';
     END $$;

     CREATE FUNCTION ${schema}.audit_is_next() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       IF NEW.sequence IS DISTINCT FROM (SELECT coalesce(max(sequence), 0) + 1 FROM ${schema}.audit) THEN
         RAISE EXCEPTION 'the audit journal is append-only';
       END IF;
       RETURN NEW;
     END $$;

     CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON ${schema}.audit
       FOR EACH ROW EXECUTE FUNCTION ${schema}.audit_is_kept();
     CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON ${schema}.audit
       FOR EACH ROW EXECUTE FUNCTION ${schema}.audit_is_kept();
     CREATE TRIGGER audit_is_never_emptied BEFORE TRUNCATE ON ${schema}.audit
       FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.audit_is_kept();
     CREATE TRIGGER audit_only_grows BEFORE INSERT ON ${schema}.audit
       FOR EACH ROW EXECUTE FUNCTION ${schema}.audit_is_next();

     -- Even for a session that replicates or restores (session_replication_role).
     ALTER TABLE ${schema}.audit
       ENABLE ALWAYS TRIGGER audit_is_never_changed, ENABLE ALWAYS TRIGGER audit_is_never_deleted,
       ENABLE ALWAYS TRIGGER audit_is_never_emptied, ENABLE ALWAYS TRIGGER audit_only_grows;

     -- One statement, so that the lock never waits for a gateway: from the last record read to the commit on disk.
     CREATE FUNCTION ${schema}.append_records(records text[]) RETURNS bigint LANGUAGE plpgsql AS $$
     DECLARE
       head bigint;
       link text;
       links text[] := '{}';
       entry text;
     BEGIN
       PERFORM pg_advisory_xact_lock(x'43524f43'::bigint << 32 | '${schema}.audit'::regclass::oid::bigint);
       SELECT sequence, hash INTO head, link FROM ${schema}.audit ORDER BY sequence DESC LIMIT 1;
       head := coalesce(head, 0);
       link := coalesce(link, repeat('0', 64));
       FOREACH entry IN ARRAY records LOOP
         link := encode(sha256(convert_to(link || entry, 'UTF8')), 'hex');
         links := links || link;
       END LOOP;
       INSERT INTO ${schema}.audit (sequence, record, hash)
         SELECT head + chain.place, chain.record, chain.hash
         FROM unnest(records, links) WITH ORDINALITY AS chain (record, hash, place)
         ORDER BY chain.place;
       RETURN head + 1;
     END $$;`,

    // Instants are milliseconds since the epoch; the presenter is a digest. Rows are found by key, and forgotten by age.
    `CREATE TABLE ${schema}.replay (
       key bytea PRIMARY KEY,
       presenter bytea,
       until bigint NOT NULL
     ) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);

     CREATE INDEX replay_by_age ON ${schema}.replay (until);

     -- Judges calls one after the other, each seeing those before it. "keys" are distinct. The uses of call c are those from
     -- last_use[c - 1] + 1 to last_use[c]; use u is of keys[use_key[u]]. taken[c] is the first of them that was taken, or 0;
     -- then they are remembered, if the call is "fit".
     CREATE PROCEDURE ${schema}.remember_uses(
       keys bytea[], last_use int[], fit boolean[], use_key int[], presenters bytea[], untils bigint[],
       instant bigint, forget_before bigint, forget_at_most int, INOUT taken int[]
     ) LANGUAGE plpgsql AS $$
     DECLARE
       free constant bigint := -1;
       likely_presenters bytea[] := array_fill(NULL::bytea, ARRAY[cardinality(keys)]);
       likely_untils bigint[] := array_fill(free, ARRAY[cardinality(keys)]);
       made int[];
       stored_holders bytea[];
       stored_ends bigint[];
       holders bytea[];
       ends bigint[];
       first int := 1;
       k int;
     BEGIN
       -- A transaction of its own, that waits for no lock and for no disk: it may be lost.
       PERFORM set_config('synchronous_commit', 'off', true);
       DELETE FROM ${schema}.replay WHERE key IN (
         SELECT key FROM ${schema}.replay WHERE until < forget_before ORDER BY until LIMIT forget_at_most
         FOR UPDATE SKIP LOCKED);
       COMMIT;

       -- Takes hold of every key, always in one order, so that no two transactions wait for each other in a circle. A new
       -- key gets what will most likely be remembered of it.
       FOR u IN REVERSE cardinality(use_key) .. 1 LOOP
         likely_presenters[use_key[u]] := presenters[u];
         likely_untils[use_key[u]] := untils[u];
       END LOOP;
       WITH inserted AS (
         INSERT INTO ${schema}.replay AS held (key, presenter, until)
           SELECT * FROM unnest(keys, likely_presenters, likely_untils) AS likely (key, presenter, until) ORDER BY key
           ON CONFLICT (key) DO UPDATE SET until = held.until WHERE false
           RETURNING held.key)
       SELECT coalesce(array_agg(asked.place), '{}') INTO made
         FROM unnest(keys) WITH ORDINALITY AS asked (key, place) JOIN inserted USING (key);
       SELECT array_agg(held.presenter ORDER BY asked.place), array_agg(held.until ORDER BY asked.place)
         INTO stored_holders, stored_ends
         FROM unnest(keys) WITH ORDINALITY AS asked (key, place) JOIN ${schema}.replay AS held USING (key);
       IF cardinality(stored_ends) IS DISTINCT FROM cardinality(keys) THEN
         RAISE EXCEPTION 'a key that is held was not found';
       END IF;
       holders := stored_holders;
       ends := stored_ends;
       FOREACH k IN ARRAY made LOOP
         ends[k] := free;
       END LOOP;

       taken := array_fill(0, ARRAY[cardinality(last_use)]);
       FOR c IN 1 .. cardinality(last_use) LOOP
         FOR u IN first .. last_use[c] LOOP
           k := use_key[u];
           IF ends[k] >= instant AND (holders[k] = presenters[u]) IS NOT TRUE THEN
             taken[c] := u;
             EXIT;
           END IF;
         END LOOP;
         IF fit[c] AND taken[c] = 0 THEN
           FOR u IN first .. last_use[c] LOOP
             k := use_key[u];
             holders[k] := presenters[u];
             ends[k] := greatest(ends[k], untils[u]);
           END LOOP;
         END IF;
         first := last_use[c] + 1;
       END LOOP;

       DELETE FROM ${schema}.replay AS held USING unnest(keys, ends) AS fate (key, until)
         WHERE held.key = fate.key AND fate.until = free;
       IF (holders, ends) IS DISTINCT FROM (stored_holders, stored_ends) THEN
         UPDATE ${schema}.replay AS held SET presenter = fate.presenter, until = fate.until
           FROM unnest(keys, holders, ends) AS fate (key, presenter, until)
           WHERE held.key = fate.key
             AND (held.presenter, held.until) IS DISTINCT FROM (fate.presenter, fate.until);
       END IF;
     END $$;`,

    // In the order in which they were put; "first" is of its key, whether or not it is dead: only such a one is claimed, and
    // of others next_at means nothing yet. What was delivered or discarded leaves its id, so that it is not put again.
    `CREATE TABLE ${schema}.outbox (
       place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
       id text NOT NULL UNIQUE,
       kind text NOT NULL,
       key text NOT NULL,
       content text NOT NULL,
       put_at bigint NOT NULL,
       attempts int NOT NULL DEFAULT 0,
       next_at bigint NOT NULL,
       claimed boolean NOT NULL DEFAULT false,
       dead boolean NOT NULL DEFAULT false,
       first boolean NOT NULL,
       reason text
     ) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

     CREATE INDEX outbox_by_key ON ${schema}.outbox (key, place);
     CREATE INDEX outbox_due ON ${schema}.outbox (next_at, place) WHERE first AND NOT dead;
     CREATE INDEX outbox_dead ON ${schema}.outbox (place) WHERE dead;

     CREATE TABLE ${schema}.outbox_done (
       id text PRIMARY KEY,
       place bigint NOT NULL,
       done_at bigint NOT NULL,
       reason text
     ) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);

     CREATE INDEX outbox_done_by_age ON ${schema}.outbox_done (done_at);

     -- Does one thing after the other and returns for each whether it changed anything. Of the arrays each verb uses what it
     -- needs. One transaction at a time: what is first of a key is decided by seeing all of that key.
     CREATE FUNCTION ${schema}.change_outbox(
       verbs text[], ids text[], kinds text[], keys text[], contents text[], reasons text[], tries int[], instants bigint[],
       instant bigint, forget_before bigint, forget_at_most int
     ) RETURNS boolean[] LANGUAGE plpgsql AS $$
     DECLARE
       changed boolean[] := '{}';
       done ${schema}.outbox%ROWTYPE;
       did boolean;
     BEGIN
       PERFORM pg_advisory_xact_lock(x'43524f43'::bigint << 32 | '${schema}.outbox'::regclass::oid::bigint);
       DELETE FROM ${schema}.outbox_done WHERE id IN (
         SELECT id FROM ${schema}.outbox_done WHERE done_at < forget_before ORDER BY done_at LIMIT forget_at_most);

       FOR c IN 1 .. cardinality(verbs) LOOP
         CASE verbs[c]
           WHEN 'put' THEN
             INSERT INTO ${schema}.outbox (id, kind, key, content, put_at, next_at, first)
               SELECT ids[c], kinds[c], keys[c], contents[c], instant, instant,
                 NOT EXISTS (SELECT FROM ${schema}.outbox WHERE key = keys[c])
               WHERE NOT EXISTS (SELECT FROM ${schema}.outbox_done WHERE id = ids[c])
               ON CONFLICT (id) DO NOTHING;
             did := FOUND;
           WHEN 'failed', 'dead' THEN
             UPDATE ${schema}.outbox SET claimed = false, dead = (verbs[c] = 'dead'), reason = reasons[c],
               next_at = coalesce(instants[c], next_at)
               WHERE id = ids[c] AND claimed AND attempts = tries[c];
             did := FOUND;
           WHEN 'retry' THEN
             UPDATE ${schema}.outbox SET dead = false, attempts = 0, next_at = instants[c]
               WHERE id = ids[c] AND (dead OR (NOT claimed AND next_at > instants[c]));
             did := FOUND;
           WHEN 'delivered', 'discard' THEN
             DELETE FROM ${schema}.outbox
               WHERE id = ids[c] AND (verbs[c] = 'delivered' OR NOT claimed OR next_at <= instant)
               RETURNING * INTO done;
             did := FOUND;
             IF did THEN
               INSERT INTO ${schema}.outbox_done (id, place, done_at, reason)
                 VALUES (done.id, done.place, instant, reasons[c]);
               IF done.first THEN
                 UPDATE ${schema}.outbox SET first = true WHERE place = (
                   SELECT place FROM ${schema}.outbox WHERE key = done.key ORDER BY place LIMIT 1);
               END IF;
             END IF;
         END CASE;
         changed := changed || did;
       END LOOP;
       RETURN changed;
     END $$;`,

    pushMigration(schema),
  ]
}
