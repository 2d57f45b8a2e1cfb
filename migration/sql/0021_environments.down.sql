-- What an environment beside `production` holds is lost.
DROP POLICY rollback_targets_reached ON registry.rollback_targets;
DROP POLICY activations_reached ON registry.activations;
SELECT set_config('registry.scope', 'platform', true), set_config('registry.environments', '{*}', true);
ALTER TABLE registry.activations DISABLE TRIGGER activations_immutable;
DELETE FROM registry.activations WHERE environment_key <> 'production';
DELETE FROM registry.rollback_targets WHERE environment_key <> 'production';
ALTER TABLE registry.activations ENABLE TRIGGER activations_immutable;
SELECT set_config('registry.scope', '', true), set_config('registry.environments', '', true);
ALTER TABLE registry.service_tokens DROP COLUMN environments;
ALTER TABLE registry.api_keys DROP COLUMN environment_ids;
CREATE OR REPLACE FUNCTION registry.append_changes(entries jsonb) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    head    registry.log_head%ROWTYPE;
    entry   record;
    hash    bytea;
BEGIN
    SELECT * INTO STRICT head FROM registry.log_head FOR NO KEY UPDATE;
    head.revision := head.revision + 1;
    head.position := 0;
    head.at := greatest(clock_timestamp(), head.at);
    FOR entry IN
        SELECT e.*, gen_random_uuid() AS salt FROM jsonb_to_recordset(entries) AS e (
            customer_id uuid, agent_id uuid, version_id uuid, subject_id uuid, action text,
            actor_kind text, actor_id uuid, request_id text, details text, channel text, network text)
    LOOP
        head.position := head.position + 1;
        hash := registry.change_row_hash(head.revision, head.position, head.at, entry.customer_id, entry.agent_id,
            entry.version_id, entry.subject_id, entry.action, entry.actor_kind, entry.actor_id, entry.request_id,
            entry.details, entry.channel, entry.network, entry.salt);
        head.chain_hash := sha256(head.chain_hash || hash);
        INSERT INTO registry.changes (revision, position, at, customer_id, agent_id, version_id, subject_id, action,
            actor_kind, actor_id, request_id, details, channel, network, salt, row_hash, chain_hash)
        VALUES (head.revision, head.position, head.at, entry.customer_id, entry.agent_id, entry.version_id,
            entry.subject_id, entry.action, entry.actor_kind, entry.actor_id, entry.request_id, entry.details,
            entry.channel, entry.network, entry.salt, hash, head.chain_hash);
        IF entry.action IN ('agent.activated', 'agent.deactivated') THEN
            UPDATE registry.activations SET revision = head.revision, position = head.position,
                cursor_hash = substr(head.chain_hash, 1, 8)
            WHERE id = entry.subject_id;
        END IF;
        IF entry.action IN ('agent.activated', 'agent.deactivated') OR entry.action = 'agent.updated'
           AND entry.details::jsonb #> '{before,name}' IS DISTINCT FROM entry.details::jsonb #> '{after,name}' THEN
            UPDATE registry.agents SET config_revision = head.revision WHERE id = entry.agent_id;
        END IF;
    END LOOP;
    IF head.position = 0 THEN
        RAISE EXCEPTION 'a commit has at least one change' USING ERRCODE = 'check_violation';
    END IF;
    UPDATE registry.log_head SET revision = head.revision, position = head.position, at = head.at, chain_hash = head.chain_hash;
    PERFORM pg_notify('registry_changes', head.revision::text);
    RETURN head.revision;
END
$$;
CREATE OR REPLACE FUNCTION registry.keep_rollback_targets() RETURNS trigger
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
CREATE OR REPLACE FUNCTION registry.check_activation_insert() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revision IS NOT NULL OR NEW.position IS NOT NULL OR NEW.cursor_hash IS NOT NULL THEN
        RAISE EXCEPTION 'an activation takes its place from the log' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE FUNCTION registry.check_activation_update() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.revision IS NOT NULL
       OR ROW (NEW.id, NEW.customer_id, NEW.agent_id, NEW.version_id, NEW.previous_version_id, NEW.reason,
               NEW.activated_by_kind, NEW.activated_by_id, NEW.activated_at)
          IS DISTINCT FROM
          ROW (OLD.id, OLD.customer_id, OLD.agent_id, OLD.version_id, OLD.previous_version_id, OLD.reason,
               OLD.activated_by_kind, OLD.activated_by_id, OLD.activated_at) THEN
        RAISE EXCEPTION 'rows of activations never change' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
DROP TRIGGER activations_date_serving ON registry.activations;
DROP FUNCTION registry.date_serving;
ALTER TABLE registry.rollback_targets
    DROP CONSTRAINT rollback_targets_pkey,
    DROP CONSTRAINT rollback_targets_place_key,
    DROP COLUMN environment_key,
    ADD CONSTRAINT rollback_targets_pkey PRIMARY KEY (agent_id, version_id),
    ADD CONSTRAINT rollback_targets_place_key UNIQUE (agent_id, place);
ALTER TABLE registry.activations
    DROP COLUMN environment_id,
    DROP COLUMN environment_key,
    DROP COLUMN promoted_from;
ALTER TABLE registry.agents DROP COLUMN name_revision;
DROP TRIGGER agents_served_in_default ON registry.agents;
DROP FUNCTION registry.serve_in_default;
DROP TRIGGER agents_archived_serves_nowhere ON registry.agents;
DROP FUNCTION registry.check_agent_archival;
DROP TABLE registry.servings;
DROP FUNCTION registry.check_serving;
DROP TRIGGER customers_default_environment ON registry.customers;
DROP FUNCTION registry.add_default_environment;
DROP TABLE registry.environments;
DROP FUNCTION registry.scope_environments;
