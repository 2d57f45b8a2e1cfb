-- The versions to which a rollback of an agent may return, one row for each version however often it was activated, so that a
-- rollback reads an index and never the history. An explicit activation puts its version on top. A rollback removes the version
-- that it leaves and each one above its target, which therefore come back only by an explicit activation. A deactivation changes
-- nothing here, so a rollback after it returns to what served before.
-- A trigger keeps the table, because a binary that doesn't know it may write activations during a rolling update.
CREATE TABLE registry.rollback_targets (
    customer_id uuid    NOT NULL,
    agent_id    uuid    NOT NULL,
    version_id  uuid    NOT NULL,
    -- The order of the last explicit activations. Not a time or an id: those come from the clocks of several instances.
    place       integer NOT NULL CONSTRAINT rollback_targets_place CHECK (place >= 1),
    CONSTRAINT rollback_targets_pkey PRIMARY KEY (agent_id, version_id),
    CONSTRAINT rollback_targets_place_key UNIQUE (agent_id, place),
    CONSTRAINT rollback_targets_agent_fkey FOREIGN KEY (customer_id, agent_id) REFERENCES registry.agents (customer_id, id),
    CONSTRAINT rollback_targets_version_fkey FOREIGN KEY (agent_id, version_id) REFERENCES registry.agent_versions (agent_id, id)
);
CREATE TRIGGER rollback_targets_keep BEFORE TRUNCATE ON registry.rollback_targets EXECUTE FUNCTION registry.refuse_truncate();

-- The writer of an activation has locked the agent's row, so nothing else changes the agent's rows here meanwhile. Runs with the
-- owner's rights: a release that doesn't know the table revokes the service's rights on it when it starts. Row-level security holds
-- for the owner too.
CREATE FUNCTION registry.keep_rollback_targets() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.reason = 'ROLLBACK' THEN
        DELETE FROM registry.rollback_targets AS t
        USING registry.rollback_targets AS target
        WHERE target.agent_id = NEW.agent_id AND target.version_id = NEW.version_id
          AND t.agent_id = NEW.agent_id AND t.place > target.place;
        DELETE FROM registry.rollback_targets WHERE agent_id = NEW.agent_id AND version_id = NEW.previous_version_id;
    ELSIF NEW.version_id IS NOT NULL THEN
        INSERT INTO registry.rollback_targets (customer_id, agent_id, version_id, place)
        VALUES (NEW.customer_id, NEW.agent_id, NEW.version_id,
                1 + coalesce((SELECT max(place) FROM registry.rollback_targets WHERE agent_id = NEW.agent_id), 0))
        ON CONFLICT ON CONSTRAINT rollback_targets_pkey DO UPDATE SET place = EXCLUDED.place;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER activations_rollback_targets AFTER INSERT ON registry.activations
    FOR EACH ROW EXECUTE FUNCTION registry.keep_rollback_targets();

-- What the history so far amounts to: the last explicit activation of each version, unless a rollback has left the version since.
SELECT set_config('registry.scope', 'platform', true);
INSERT INTO registry.rollback_targets (customer_id, agent_id, version_id, place)
SELECT a.customer_id, a.agent_id, a.version_id, row_number() OVER (PARTITION BY a.agent_id ORDER BY a.revision, a.position)
FROM (SELECT DISTINCT ON (agent_id, version_id) customer_id, agent_id, version_id, revision, position
      FROM registry.activations
      WHERE reason <> 'ROLLBACK' AND version_id IS NOT NULL
      ORDER BY agent_id, version_id, revision DESC, position DESC) AS a
LEFT JOIN (SELECT agent_id, previous_version_id AS version_id, max(revision) AS revision
           FROM registry.activations
           WHERE reason = 'ROLLBACK' AND previous_version_id IS NOT NULL
           GROUP BY agent_id, previous_version_id) AS b USING (agent_id, version_id)
WHERE b.revision IS NULL OR b.revision < a.revision;
SELECT set_config('registry.scope', '', true);

ALTER TABLE registry.rollback_targets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY rollback_targets_all ON registry.rollback_targets USING (
    (SELECT registry.scope()) = 'platform' OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
