/** The schema's fourth migration: what was pushed to us. `schema` is quoted already. */
export function pushMigration(schema: string): string {
  return `
    -- Steps of the journal: the one at which a push was appended is its sequence, and another is taken when it ceases to be
    -- pending. Whoever takes one holds the lock of the outbox until it has committed, so that a later step is seen later.
    CREATE SEQUENCE ${schema}.push_step;

    -- Identities, patients and objects are digests. Those of identities are there while the push has taken them, those of
    -- objects while it is pending; "settled" is the step at which it ceased to be.
    CREATE TABLE ${schema}.push (
      sequence bigint PRIMARY KEY,
      id text NOT NULL UNIQUE,
      state text NOT NULL,
      settled_at bigint,
      reason text,
      content text NOT NULL
    ) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

    CREATE INDEX push_by_state ON ${schema}.push (state, sequence);
    CREATE INDEX push_by_age ON ${schema}.push (settled_at) WHERE settled_at IS NOT NULL;

    CREATE TABLE ${schema}.push_identity (
      identity bytea PRIMARY KEY,
      sequence bigint NOT NULL
    ) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);

    CREATE INDEX push_identity_by_push ON ${schema}.push_identity (sequence);

    CREATE TABLE ${schema}.push_patient (
      patient bytea NOT NULL,
      sequence bigint NOT NULL,
      settled bigint,
      PRIMARY KEY (patient, sequence)
    ) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000);

    CREATE INDEX push_patient_settled ON ${schema}.push_patient (patient, settled);
    CREATE INDEX push_patient_by_push ON ${schema}.push_patient (sequence);

    CREATE TABLE ${schema}.push_object (
      object bytea NOT NULL,
      sequence bigint NOT NULL,
      PRIMARY KEY (object, sequence)
    ) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

    CREATE INDEX push_object_by_push ON ${schema}.push_object (sequence);

    -- Appends one push after the other with its delivery. The identities of push p are those from last_identity[p - 1] + 1 to
    -- last_identity[p], and so on. Returns for each its sequence; that of the push it repeats, negative; or 0 for an id of a
    -- delivery that is no push.
    CREATE FUNCTION ${schema}.append_pushes(
      ids text[], kinds text[], contents text[], identities bytea[], last_identity int[], frees bytea[], last_free int[],
      patients bytea[], last_patient int[], objects bytea[], last_object int[],
      instant bigint, forget_before bigint, forget_at_most int
    ) RETURNS bigint[] LANGUAGE plpgsql AS $$
    DECLARE
      places bigint[] := '{}';
      forgotten bigint[];
      taking bytea[];
      touching bytea[];
      place bigint;
      b int;
    BEGIN
      PERFORM pg_advisory_xact_lock(x'43524f43'::bigint << 32 | '${schema}.outbox'::regclass::oid::bigint);
      forgotten := ARRAY(
        SELECT sequence FROM ${schema}.push WHERE settled_at < forget_before ORDER BY settled_at LIMIT forget_at_most);
      IF forgotten <> '{}' THEN
        DELETE FROM ${schema}.push_identity WHERE sequence = ANY (forgotten);
        DELETE FROM ${schema}.push_patient WHERE sequence = ANY (forgotten);
        DELETE FROM ${schema}.push WHERE sequence = ANY (forgotten);
      END IF;

      FOR p IN 1 .. cardinality(ids) LOOP
        b := p - 1;
        taking := identities[coalesce(last_identity[b], 0) + 1 : last_identity[p]];
        place := ${schema}.push_with(taking);
        IF place IS NULL THEN
          SELECT sequence INTO place FROM ${schema}.push WHERE id = ids[p];
        END IF;
        IF place IS NOT NULL THEN
          places := places || -place;
        ELSIF kinds[p] IS NOT NULL AND (EXISTS (SELECT FROM ${schema}.outbox WHERE id = ids[p])
            OR EXISTS (SELECT FROM ${schema}.outbox_done WHERE id = ids[p])) THEN
          places := places || 0::bigint;
        ELSE
          place := nextval('${schema}.push_step');
          DELETE FROM ${schema}.push_identity
            WHERE identity = ANY (frees[coalesce(last_free[b], 0) + 1 : last_free[p]]);
          INSERT INTO ${schema}.push (sequence, id, state, settled_at, content)
            SELECT place, ids[p], CASE WHEN kinds[p] IS NULL THEN 'kept' ELSE 'pending' END,
              CASE WHEN kinds[p] IS NULL THEN instant END, contents[p];
          INSERT INTO ${schema}.push_identity (identity, sequence) SELECT unnest(taking), place;
          INSERT INTO ${schema}.push_patient (patient, sequence, settled)
            SELECT unnest(patients[coalesce(last_patient[b], 0) + 1 : last_patient[p]]), place,
              CASE WHEN kinds[p] IS NULL THEN place END;
          IF kinds[p] IS NOT NULL THEN
            touching := objects[coalesce(last_object[b], 0) + 1 : last_object[p]];
            INSERT INTO ${schema}.outbox (id, kind, key, content, put_at, next_at, first)
              SELECT ids[p], kinds[p], ids[p], ids[p], instant, instant,
                NOT EXISTS (SELECT FROM ${schema}.push_object WHERE object = ANY (touching));
            INSERT INTO ${schema}.push_object (object, sequence) SELECT unnest(touching), place;
          END IF;
          places := places || place;
        END IF;
      END LOOP;
      RETURN places;
    END $$;

    -- The sequence of the push that has taken the first of the identities that is taken.
    CREATE FUNCTION ${schema}.push_with(identities bytea[]) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
    BEGIN
      RETURN (
        SELECT held.sequence
        FROM unnest(identities) WITH ORDINALITY AS asked (identity, nth)
        JOIN ${schema}.push_identity AS held ON held.identity = asked.identity
        ORDER BY asked.nth LIMIT 1);
    END $$;

    -- Whoever is done with the delivery of a push is done with the push, also one who knows nothing of pushes, and may not
    -- touch them. The delivery has a key of its own; what makes it "first" is that no earlier push that is pending touches
    -- one of its objects.
    CREATE FUNCTION ${schema}.settle_push() RETURNS trigger
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    DECLARE
      ended bigint;
      step bigint;
      behind bigint[];
    BEGIN
      UPDATE ${schema}.push SET settled_at = NEW.done_at, reason = NEW.reason,
        state = CASE WHEN NEW.reason IS NULL THEN 'delivered' ELSE 'discarded' END
        WHERE id = NEW.id AND state = 'pending' RETURNING sequence INTO ended;
      IF ended IS NULL THEN
        RETURN NULL;
      END IF;
      step := nextval('${schema}.push_step');
      UPDATE ${schema}.push_patient SET settled = step WHERE sequence = ended;
      IF NEW.reason IS NOT NULL THEN
        DELETE FROM ${schema}.push_identity WHERE sequence = ended;
      END IF;
      behind := ARRAY(
        SELECT DISTINCT next.sequence
        FROM ${schema}.push_object AS mine CROSS JOIN LATERAL (
          SELECT other.sequence FROM ${schema}.push_object AS other
          WHERE other.object = mine.object AND other.sequence > ended ORDER BY other.sequence LIMIT 1) AS next
        WHERE mine.sequence = ended);
      DELETE FROM ${schema}.push_object WHERE sequence = ended;
      UPDATE ${schema}.outbox SET first = true WHERE id IN (
        SELECT next.id FROM ${schema}.push AS next WHERE next.sequence = ANY (behind) AND NOT EXISTS (
          SELECT FROM ${schema}.push_object AS its
          JOIN ${schema}.push_object AS before ON before.object = its.object AND before.sequence < its.sequence
          WHERE its.sequence = next.sequence));
      RETURN NULL;
    END $$;

    CREATE TRIGGER push_is_settled AFTER INSERT ON ${schema}.outbox_done
      FOR EACH ROW EXECUTE FUNCTION ${schema}.settle_push();

    -- What there is about a person at one moment. One row that has no push when none is asked for, or when they are larger
    -- than "most" bytes.
    CREATE FUNCTION ${schema}.pushes_about(asked bytea[], since bigint, most bigint) RETURNS TABLE (
      generation bigint, latest bigint, large boolean,
      sequence bigint, id text, state text, settled_at bigint, reason text, content text
    ) LANGUAGE plpgsql STABLE AS $$
    #variable_conflict use_column
    DECLARE
      head bigint;
      ended bigint;
      found_ones bigint[];
      is_large boolean := false;
    BEGIN
      SELECT coalesce(max(newest.sequence), 0), coalesce(max(last.settled), 0) INTO head, ended
        FROM unnest(asked) AS one (patient)
        LEFT JOIN LATERAL (SELECT sequence FROM ${schema}.push_patient
          WHERE patient = one.patient ORDER BY sequence DESC LIMIT 1) AS newest ON true
        LEFT JOIN LATERAL (SELECT settled FROM ${schema}.push_patient
          WHERE patient = one.patient AND settled IS NOT NULL ORDER BY settled DESC LIMIT 1) AS last ON true;
      found_ones := ARRAY(
        SELECT sequence FROM unnest(asked) AS one (patient) JOIN ${schema}.push_patient AS held USING (patient)
          WHERE held.settled IS NULL
        UNION
        SELECT sequence FROM unnest(asked) AS one (patient) JOIN ${schema}.push_patient AS held USING (patient)
          WHERE held.sequence > since);
      IF found_ones <> '{}' THEN
        is_large := most < (SELECT sum(octet_length(content)) FROM ${schema}.push WHERE sequence = ANY (found_ones));
      END IF;
      IF found_ones = '{}' OR is_large THEN
        RETURN QUERY SELECT greatest(head, ended), head, is_large, NULL::bigint, '', '', NULL::bigint, '', '';
      ELSE
        RETURN QUERY
          SELECT greatest(head, ended), head, false,
            held.sequence, held.id, held.state, held.settled_at, held.reason, held.content
          FROM ${schema}.push AS held WHERE held.sequence = ANY (found_ones) ORDER BY held.sequence;
      END IF;
    END $$;`
}
