-- Environments: the places where a customer's agents serve. Each customer is born with `production`, its default for ever, which
-- is all that an older binary knows. Everything here only expands: an older binary goes on reading and writing
-- `agents.active_version_id` and `activations`, and sees of the latter those of `production` alone.

-- The environments whose rows a transaction may access, by key; `*` for all. A binary that doesn't set them knows only `production`.
CREATE FUNCTION registry.scope_environments() RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('registry.environments', true), '')::text[], '{production}');

CREATE TABLE registry.environments (
    id               uuid        NOT NULL,
    customer_id      uuid        NOT NULL,
    -- Part of every API, cursor and log entry, so it never changes, and stays taken while the environment is archived.
    key              text        COLLATE "C" NOT NULL CONSTRAINT environments_key_form CHECK (key ~ '^[a-z][a-z0-9-]{0,31}$'),
    name             text        NOT NULL CONSTRAINT environments_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
    -- The place in lists, ascending.
    rank             integer     NOT NULL,
    is_default       boolean     NOT NULL,
    -- The environment in which a version must have been active before, and for how long.
    promote_from     uuid,
    min_soak_seconds integer     NOT NULL DEFAULT 0 CONSTRAINT environments_min_soak CHECK (min_soak_seconds BETWEEN 0 AND 31536000),
    on_breaking      text        NOT NULL CONSTRAINT environments_on_breaking CHECK (on_breaking IN ('ALLOW', 'CONFIRM', 'REFUSE')),
    -- NULL: every model.
    allowed_models   text[]      CONSTRAINT environments_allowed_models CHECK (cardinality(allowed_models) BETWEEN 1 AND 100),
    activate_role    text        NOT NULL CONSTRAINT environments_activate_role CHECK (activate_role IN ('EDITOR', 'ADMIN')),
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    archived_at      timestamptz,
    CONSTRAINT environments_pkey PRIMARY KEY (id),
    CONSTRAINT environments_customer_key_key UNIQUE (customer_id, key),
    CONSTRAINT environments_customer_id_key UNIQUE (customer_id, id),
    -- For foreign keys that keep id and key together.
    CONSTRAINT environments_customer_id_with_key UNIQUE (customer_id, id, key),
    CONSTRAINT environments_default_is_production CHECK (is_default = (key = 'production')),
    CONSTRAINT environments_default_is_kept CHECK (NOT is_default OR archived_at IS NULL),
    CONSTRAINT environments_promote_from_another CHECK (promote_from <> id),
    CONSTRAINT environments_soak_elsewhere CHECK (promote_from IS NOT NULL OR min_soak_seconds = 0),
    CONSTRAINT environments_customer_fkey FOREIGN KEY (customer_id) REFERENCES registry.customers (id),
    CONSTRAINT environments_promote_from_fkey FOREIGN KEY (customer_id, promote_from) REFERENCES registry.environments (customer_id, id)
);
CREATE UNIQUE INDEX environments_default_key ON registry.environments (customer_id) WHERE is_default;
CREATE TRIGGER environments_keep BEFORE TRUNCATE ON registry.environments EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER environments_immutable BEFORE DELETE ON registry.environments
    FOR EACH ROW EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER environments_key_is_final BEFORE UPDATE ON registry.environments FOR EACH ROW
    WHEN ((OLD.id, OLD.customer_id, OLD.key) IS DISTINCT FROM (NEW.id, NEW.customer_id, NEW.key))
    EXECUTE FUNCTION registry.refuse_change();

-- The functions below that read or write the new tables run with the owner's rights: a release that doesn't know these tables
-- revokes the service's rights on them when it starts, and fires the triggers itself. Row-level security holds for the owner too.
CREATE FUNCTION registry.add_default_environment() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO registry.environments (id, customer_id, key, name, rank, is_default, on_breaking, activate_role, created_at, updated_at)
    VALUES (gen_random_uuid(), NEW.id, 'production', 'Production', 0, true, 'ALLOW', 'EDITOR', NEW.created_at, NEW.created_at);
    RETURN NULL;
END
$$;
CREATE TRIGGER customers_default_environment AFTER INSERT ON registry.customers
    FOR EACH ROW EXECUTE FUNCTION registry.add_default_environment();

-- What one agent serves in one environment. An agent that never served there may have no row.
CREATE TABLE registry.servings (
    customer_id       uuid   NOT NULL,
    agent_id          uuid   NOT NULL,
    environment_id    uuid   NOT NULL,
    environment_key   text   COLLATE "C" NOT NULL,
    active_version_id uuid,
    activated_at      timestamptz,
    -- The commit of the last activation or deactivation here; 0 while there was none.
    config_revision   bigint NOT NULL DEFAULT 0,
    CONSTRAINT servings_pkey PRIMARY KEY (agent_id, environment_id),
    CONSTRAINT servings_activated_with_version CHECK ((active_version_id IS NULL) = (activated_at IS NULL)),
    CONSTRAINT servings_agent_fkey FOREIGN KEY (customer_id, agent_id) REFERENCES registry.agents (customer_id, id),
    CONSTRAINT servings_environment_fkey FOREIGN KEY (customer_id, environment_id, environment_key)
        REFERENCES registry.environments (customer_id, id, key),
    CONSTRAINT servings_version_fkey FOREIGN KEY (agent_id, active_version_id) REFERENCES registry.agent_versions (agent_id, id)
);
CREATE INDEX servings_customer_idx ON registry.servings (customer_id, environment_key, agent_id);
CREATE INDEX servings_environment_idx ON registry.servings (environment_key, agent_id) INCLUDE (customer_id);
CREATE TRIGGER servings_keep BEFORE TRUNCATE ON registry.servings EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER servings_immutable BEFORE DELETE ON registry.servings FOR EACH ROW EXECUTE FUNCTION registry.refuse_change();

-- An archived agent serves nowhere, and nothing serves in an archived environment. Of `production`, a check of `agents` says so.
CREATE FUNCTION registry.check_serving() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM registry.agents WHERE id = NEW.agent_id AND archived_at IS NOT NULL)
       OR EXISTS (SELECT FROM registry.environments WHERE id = NEW.environment_id AND archived_at IS NOT NULL) THEN
        RAISE EXCEPTION 'what is archived serves nothing'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'servings_archived_is_inactive';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER servings_archived_is_inactive BEFORE INSERT OR UPDATE OF active_version_id ON registry.servings
    FOR EACH ROW WHEN (NEW.active_version_id IS NOT NULL) EXECUTE FUNCTION registry.check_serving();

-- The other way round. A binary that doesn't know environments can't deactivate an agent in them, so it can't archive it.
CREATE FUNCTION registry.check_agent_archival() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reach text := coalesce(current_setting('registry.environments', true), '');
    serves boolean;
BEGIN
    PERFORM set_config('registry.environments', '{*}', true);
    serves := EXISTS (SELECT FROM registry.servings WHERE agent_id = NEW.id AND active_version_id IS NOT NULL
                      AND environment_key <> 'production');
    PERFORM set_config('registry.environments', reach, true);
    IF serves THEN
        RAISE EXCEPTION 'the agent serves in another environment'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'agents_archived_serves_nowhere';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER agents_archived_serves_nowhere BEFORE UPDATE OF archived_at ON registry.agents
    FOR EACH ROW WHEN (OLD.archived_at IS NULL AND NEW.archived_at IS NOT NULL)
    EXECUTE FUNCTION registry.check_agent_archival();

-- `production` is the agent's own row, which older binaries read and write; its serving follows.
CREATE FUNCTION registry.serve_in_default() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO registry.servings AS s (customer_id, agent_id, environment_id, environment_key, active_version_id, activated_at)
    SELECT NEW.customer_id, NEW.id, e.id, e.key, NEW.active_version_id, NEW.activated_at
    FROM registry.environments AS e WHERE e.customer_id = NEW.customer_id AND e.key = 'production'
    ON CONFLICT ON CONSTRAINT servings_pkey DO UPDATE
    SET active_version_id = EXCLUDED.active_version_id, activated_at = EXCLUDED.activated_at;
    RETURN NULL;
END
$$;
CREATE TRIGGER agents_served_in_default AFTER UPDATE OF active_version_id, activated_at ON registry.agents
    FOR EACH ROW WHEN ((OLD.active_version_id, OLD.activated_at) IS DISTINCT FROM (NEW.active_version_id, NEW.activated_at))
    EXECUTE FUNCTION registry.serve_in_default();

-- The commit that last changed the agent's name: with the serving's `config_revision`, the revision of its configuration in any
-- environment. At first, the last commit that changed anything that `production` serves, which is no earlier.
ALTER TABLE registry.agents ADD COLUMN name_revision bigint NOT NULL DEFAULT 0;

-- Each activation is one in an environment. A binary that doesn't know them activates in `production`.
ALTER TABLE registry.activations
    ADD COLUMN environment_id uuid,
    ADD COLUMN environment_key text COLLATE "C" NOT NULL DEFAULT 'production',
    -- The key of the environment from which the version was promoted. A promotion has the reason ACTIVATE, because an older binary
    -- can't read a reason that it doesn't know.
    ADD COLUMN promoted_from text COLLATE "C",
    ADD CONSTRAINT activations_promoted CHECK (promoted_from IS NULL OR reason = 'ACTIVATE' AND promoted_from <> environment_key);

-- The versions to which a rollback may return are each environment's own.
ALTER TABLE registry.rollback_targets
    ADD COLUMN environment_key text COLLATE "C" NOT NULL DEFAULT 'production',
    DROP CONSTRAINT rollback_targets_pkey,
    DROP CONSTRAINT rollback_targets_place_key,
    ADD CONSTRAINT rollback_targets_pkey PRIMARY KEY (agent_id, environment_key, version_id),
    ADD CONSTRAINT rollback_targets_place_key UNIQUE (agent_id, environment_key, place);

-- What there is already. The rows of activations never change, but for this.
SELECT set_config('registry.scope', 'platform', true), set_config('registry.environments', '{*}', true);
INSERT INTO registry.environments (id, customer_id, key, name, rank, is_default, on_breaking, activate_role, created_at, updated_at)
SELECT gen_random_uuid(), c.id, 'production', 'Production', 0, true, 'ALLOW', 'EDITOR', c.created_at, c.created_at
FROM registry.customers AS c;
ALTER TABLE registry.activations DISABLE TRIGGER activations_final;
UPDATE registry.activations AS x SET environment_id = e.id
FROM registry.environments AS e WHERE e.customer_id = x.customer_id;
ALTER TABLE registry.activations ENABLE TRIGGER activations_final;
UPDATE registry.agents SET name_revision = config_revision WHERE config_revision > 0;
INSERT INTO registry.servings (customer_id, agent_id, environment_id, environment_key, active_version_id, activated_at, config_revision)
SELECT a.customer_id, a.id, e.id, e.key, a.active_version_id, a.activated_at, a.config_revision
FROM registry.agents AS a JOIN registry.environments AS e ON e.customer_id = a.customer_id
WHERE EXISTS (SELECT FROM registry.activations AS x WHERE x.agent_id = a.id);
SELECT set_config('registry.scope', '', true), set_config('registry.environments', '', true);

ALTER TABLE registry.activations
    ALTER COLUMN environment_id SET NOT NULL,
    ADD CONSTRAINT activations_environment_fkey FOREIGN KEY (customer_id, environment_id, environment_key)
        REFERENCES registry.environments (customer_id, id, key);
-- What an environment served at a commit, and the pages of its history.
CREATE INDEX activations_serving_idx ON registry.activations (agent_id, environment_key, revision, position);
CREATE INDEX activations_environment_idx ON registry.activations (agent_id, environment_key, id);
-- Whether a version has ever served in an environment, for conversations that began with it.
CREATE INDEX activations_version_idx ON registry.activations (agent_id, version_id, environment_key) WHERE version_id IS NOT NULL;
ALTER TABLE registry.rollback_targets
    ADD CONSTRAINT rollback_targets_environment_fkey FOREIGN KEY (customer_id, environment_key)
        REFERENCES registry.environments (customer_id, key);

-- Completes what an older binary leaves out, and refuses what only the log sets.
CREATE OR REPLACE FUNCTION registry.check_activation_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.revision IS NOT NULL OR NEW.position IS NOT NULL OR NEW.cursor_hash IS NOT NULL THEN
        RAISE EXCEPTION 'an activation takes its place from the log' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.environment_id IS NULL THEN
        NEW.environment_id := (SELECT e.id FROM registry.environments AS e
                               WHERE e.customer_id = NEW.customer_id AND e.key = NEW.environment_key);
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION registry.check_activation_update() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.revision IS NOT NULL
       OR ROW (NEW.id, NEW.customer_id, NEW.agent_id, NEW.environment_id, NEW.environment_key, NEW.version_id,
               NEW.previous_version_id, NEW.reason, NEW.promoted_from, NEW.activated_by_kind, NEW.activated_by_id, NEW.activated_at)
          IS DISTINCT FROM
          ROW (OLD.id, OLD.customer_id, OLD.agent_id, OLD.environment_id, OLD.environment_key, OLD.version_id,
               OLD.previous_version_id, OLD.reason, OLD.promoted_from, OLD.activated_by_kind, OLD.activated_by_id, OLD.activated_at) THEN
        RAISE EXCEPTION 'rows of activations never change' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

-- The serving of an activation gets the activation's revision. Its writer has locked the serving already.
CREATE FUNCTION registry.date_serving() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE registry.servings SET config_revision = NEW.revision
    WHERE agent_id = NEW.agent_id AND environment_id = NEW.environment_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER activations_date_serving AFTER UPDATE OF revision ON registry.activations
    FOR EACH ROW EXECUTE FUNCTION registry.date_serving();

-- As before, in the activation's environment.
CREATE OR REPLACE FUNCTION registry.keep_rollback_targets() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.reason = 'ROLLBACK' THEN
        DELETE FROM registry.rollback_targets AS t
        USING registry.rollback_targets AS target
        WHERE target.agent_id = NEW.agent_id AND target.environment_key = NEW.environment_key
          AND target.version_id = NEW.version_id
          AND t.agent_id = NEW.agent_id AND t.environment_key = NEW.environment_key AND t.place > target.place;
        DELETE FROM registry.rollback_targets
        WHERE agent_id = NEW.agent_id AND environment_key = NEW.environment_key AND version_id = NEW.previous_version_id;
    ELSIF NEW.version_id IS NOT NULL THEN
        INSERT INTO registry.rollback_targets (customer_id, agent_id, environment_key, version_id, place)
        VALUES (NEW.customer_id, NEW.agent_id, NEW.environment_key, NEW.version_id,
                1 + coalesce((SELECT max(place) FROM registry.rollback_targets
                              WHERE agent_id = NEW.agent_id AND environment_key = NEW.environment_key), 0))
        ON CONFLICT ON CONSTRAINT rollback_targets_pkey DO UPDATE SET place = EXCLUDED.place;
    END IF;
    RETURN NULL;
END
$$;

-- An entry of an activation without an environment is one of `production`, as all entries of older binaries are. Only those, and
-- new names, change `agents.config_revision`.
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
            IF coalesce(entry.details::jsonb ->> 'environment', 'production') = 'production' THEN
                UPDATE registry.agents SET config_revision = head.revision WHERE id = entry.agent_id;
            END IF;
        ELSIF entry.action = 'agent.updated'
           AND entry.details::jsonb #> '{before,name}' IS DISTINCT FROM entry.details::jsonb #> '{after,name}' THEN
            UPDATE registry.agents SET config_revision = head.revision, name_revision = head.revision WHERE id = entry.agent_id;
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

-- The environments that an API key reaches; NULL for all.
-- `secret_hash` of a limited key or token is the hash of the secret's hash, so a binary that doesn't know the column rejects it,
-- instead of accepting it for all environments.
ALTER TABLE registry.api_keys ADD COLUMN environment_ids uuid[]
    CONSTRAINT api_keys_environment_ids CHECK (cardinality(environment_ids) BETWEEN 1 AND 100);
-- A platform's token spans customers, so it names environments by their keys; NULL for all.
ALTER TABLE registry.service_tokens ADD COLUMN environments text[]
    CONSTRAINT service_tokens_environments CHECK (cardinality(environments) BETWEEN 1 AND 100);

ALTER TABLE registry.environments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY environments_read ON registry.environments FOR SELECT USING (
    (SELECT registry.scope()) = ANY (ARRAY['platform', 'runtime', 'auth'])
    OR customer_id = ANY ((SELECT registry.readable_customers())::uuid[]));
CREATE POLICY environments_write ON registry.environments USING (
    (SELECT registry.scope()) = 'platform' OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
CREATE POLICY environments_reached ON registry.environments AS RESTRICTIVE USING (
    '*' = ANY ((SELECT registry.scope_environments())::text[]) OR key = ANY ((SELECT registry.scope_environments())::text[]));

ALTER TABLE registry.servings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY servings_read ON registry.servings FOR SELECT USING (
    (SELECT registry.scope()) = ANY (ARRAY['platform', 'runtime'])
    OR customer_id = ANY ((SELECT registry.readable_customers())::uuid[]));
CREATE POLICY servings_write ON registry.servings USING (
    (SELECT registry.scope()) = 'platform' OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
CREATE POLICY servings_reached ON registry.servings AS RESTRICTIVE USING (
    '*' = ANY ((SELECT registry.scope_environments())::text[])
    OR environment_key = ANY ((SELECT registry.scope_environments())::text[]));

CREATE POLICY activations_reached ON registry.activations AS RESTRICTIVE USING (
    '*' = ANY ((SELECT registry.scope_environments())::text[])
    OR environment_key = ANY ((SELECT registry.scope_environments())::text[]));
CREATE POLICY rollback_targets_reached ON registry.rollback_targets AS RESTRICTIVE USING (
    '*' = ANY ((SELECT registry.scope_environments())::text[])
    OR environment_key = ANY ((SELECT registry.scope_environments())::text[]));
