-- The text that is served. jsonb keeps neither the order of keys nor the tokens of numbers, and models read a schema in its
-- order. `model_parameters` and `tools` stay, for SQL and for the search: of each tool its name, description and input schema.
-- Versions from before have no text, and are served from jsonb as they always were. So is a version that an instance of the
-- release before publishes.
ALTER TABLE registry.agent_versions
    ADD COLUMN model_parameters_text text
        CONSTRAINT agent_versions_model_parameters_text_size CHECK (octet_length(model_parameters_text) <= 65536),
    ADD COLUMN tools_text text
        CONSTRAINT agent_versions_tools_text_size CHECK (octet_length(tools_text) <= 1048576),
    -- SHA-256 over the bytes that are served: prompt, model, parameters, tools, each after its length.
    ADD COLUMN bytes_hash bytea
        CONSTRAINT agent_versions_bytes_hash_length CHECK (octet_length(bytes_hash) = 32),
    -- How much is served, known without reading it.
    ADD COLUMN served_bytes integer,
    ADD CONSTRAINT agent_versions_text_is_complete CHECK (
        num_nulls(model_parameters_text, tools_text, served_bytes) IN (0, 3)
        AND (tools_text IS NULL OR bytes_hash IS NOT NULL));

-- Erasure takes the texts too. An instance of the release before doesn't know them; its erasure is completed here.
CREATE OR REPLACE FUNCTION registry.check_version_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
       AND NEW.system_prompt = '' AND NEW.model_parameters = '{}' AND NEW.tools = '[]' AND NEW.message IS NULL
       AND NEW.model_name IN (OLD.model_name, 'erased')
       AND (NEW.tools_text IS NULL
            OR ROW (NEW.model_parameters_text, NEW.tools_text, NEW.served_bytes)
               IS NOT DISTINCT FROM ROW (OLD.model_parameters_text, OLD.tools_text, OLD.served_bytes))
       AND ROW (NEW.id, NEW.customer_id, NEW.agent_id, NEW.number, NEW.content_hash, NEW.bytes_hash,
                NEW.created_by_kind, NEW.created_by_id, NEW.created_at)
           IS NOT DISTINCT FROM
           ROW (OLD.id, OLD.customer_id, OLD.agent_id, OLD.number, OLD.content_hash, OLD.bytes_hash,
                OLD.created_by_kind, OLD.created_by_id, OLD.created_at)
       AND EXISTS (SELECT FROM registry.customers WHERE id = OLD.customer_id AND erased_at IS NOT NULL) THEN
        NEW.model_name := 'erased';
        NEW.model_parameters_text := NULL;
        NEW.tools_text := NULL;
        NEW.served_bytes := NULL;
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'rows of agent_versions never change' USING ERRCODE = 'restrict_violation';
END
$$;

-- What the runtime gets has the agent's name, but neither its description nor its owner: only a new name is a new revision of
-- the configuration.
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

-- Upper and lower case, and what folds to the same, are one: by ICU's root locale, never by the database's. The final sigma
-- depends on its place in a word, so it is folded apart.
CREATE FUNCTION registry.fold_case(given text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN replace(lower(upper(given COLLATE "und-x-icu") COLLATE "und-x-icu") COLLATE "C", 'ς', 'σ');

-- `name_lower` is lower case by the database's locale; older instances search it. What is searched from now on:
ALTER TABLE registry.agents ADD COLUMN name_folded text COLLATE "C" NOT NULL GENERATED ALWAYS AS (registry.fold_case(name)) STORED;
CREATE INDEX agents_customer_name_folded_idx ON registry.agents (customer_id, name_folded, id);
CREATE INDEX agents_name_folded_idx ON registry.agents (name_folded, id) INCLUDE (customer_id);

-- The ends of the folded name. Where it differs from the lower-case one, older instances go on finding that one's ends, which
-- stand at places from 1001 on.
CREATE OR REPLACE FUNCTION registry.index_agent_name() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    folded constant text := registry.fold_case(NEW.name);
BEGIN
    DELETE FROM registry.agent_name_ends WHERE agent_id = NEW.id;
    INSERT INTO registry.agent_name_ends (customer_id, agent_id, position, ending)
    SELECT NEW.customer_id, NEW.id, place, substr(folded, place, 40) FROM generate_series(1, char_length(folded)) AS place;
    IF folded <> lower(NEW.name) THEN
        INSERT INTO registry.agent_name_ends (customer_id, agent_id, position, ending)
        SELECT NEW.customer_id, NEW.id, 1000 + place, substr(lower(NEW.name), place, 40)
        FROM generate_series(1, char_length(lower(NEW.name))) AS place;
    END IF;
    RETURN NULL;
END
$$;
SELECT set_config('registry.scope', 'platform', true);
INSERT INTO registry.agent_name_ends (customer_id, agent_id, position, ending)
SELECT a.customer_id, a.id, 1000 + place, substr(a.name_folded, place, 40)
FROM registry.agents AS a, generate_series(1, char_length(a.name_folded)) AS place
WHERE a.name_folded <> a.name_lower;
SELECT set_config('registry.scope', '', true);
