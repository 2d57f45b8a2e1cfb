SELECT set_config('registry.scope', 'platform', true);
DELETE FROM registry.agent_name_ends WHERE position > 1000;
SELECT set_config('registry.scope', '', true);
CREATE OR REPLACE FUNCTION registry.index_agent_name() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM registry.agent_name_ends WHERE agent_id = NEW.id;
    INSERT INTO registry.agent_name_ends (customer_id, agent_id, position, ending)
    SELECT NEW.customer_id, NEW.id, place, substr(lower(NEW.name), place, 40)
    FROM generate_series(1, char_length(lower(NEW.name))) AS place;
    RETURN NULL;
END
$$;
ALTER TABLE registry.agents DROP COLUMN name_folded;
DROP FUNCTION registry.fold_case;

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
        IF entry.action IN ('agent.activated', 'agent.deactivated', 'agent.updated') THEN
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

CREATE OR REPLACE FUNCTION registry.check_version_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
       AND NEW.system_prompt = '' AND NEW.model_parameters = '{}' AND NEW.tools = '[]' AND NEW.message IS NULL
       AND NEW.model_name IN (OLD.model_name, 'erased')
       AND ROW (NEW.id, NEW.customer_id, NEW.agent_id, NEW.number, NEW.content_hash,
                NEW.created_by_kind, NEW.created_by_id, NEW.created_at)
           IS NOT DISTINCT FROM
           ROW (OLD.id, OLD.customer_id, OLD.agent_id, OLD.number, OLD.content_hash,
                OLD.created_by_kind, OLD.created_by_id, OLD.created_at)
       AND EXISTS (SELECT FROM registry.customers WHERE id = OLD.customer_id AND erased_at IS NOT NULL) THEN
        NEW.model_name := 'erased';
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'rows of agent_versions never change' USING ERRCODE = 'restrict_violation';
END
$$;

ALTER TABLE registry.agent_versions
    DROP CONSTRAINT agent_versions_text_is_complete,
    DROP COLUMN served_bytes,
    DROP COLUMN bytes_hash,
    DROP COLUMN tools_text,
    DROP COLUMN model_parameters_text;
