CREATE TABLE registry.agents (
    id                uuid        CONSTRAINT agents_pkey PRIMARY KEY,
    customer_id       uuid        NOT NULL CONSTRAINT agents_customer_fkey REFERENCES registry.customers (id),
    name              text        NOT NULL CONSTRAINT agents_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
    description       text        CONSTRAINT agents_description_length CHECK (char_length(description) <= 2000),
    owner_id          uuid,
    -- The number of the newest version, so that publishing takes its number under this row's lock and counting is free.
    latest_number     integer     NOT NULL DEFAULT 0 CONSTRAINT agents_latest_number CHECK (latest_number >= 0),
    active_version_id uuid,
    activated_at      timestamptz,
    -- The revision of the last change to what the runtime gets for this agent: written by append_changes alone.
    config_revision   bigint      NOT NULL DEFAULT 0,
    archived_at       timestamptz,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    CONSTRAINT agents_customer_name_key UNIQUE (customer_id, name),
    -- Also the order in which a customer's agents are listed: ids are time-ordered (UUID version 7).
    CONSTRAINT agents_customer_id_key UNIQUE (customer_id, id),
    -- Who owns an agent works for its customer.
    CONSTRAINT agents_owner_fkey FOREIGN KEY (customer_id, owner_id) REFERENCES registry.memberships (customer_id, user_id),
    CONSTRAINT agents_archived_is_inactive CHECK (archived_at IS NULL OR active_version_id IS NULL),
    CONSTRAINT agents_activated_with_version CHECK ((active_version_id IS NULL) = (activated_at IS NULL))
);

-- A version never changes: activations, changes and caches point at it by id.
CREATE TABLE registry.agent_versions (
    id               uuid        CONSTRAINT agent_versions_pkey PRIMARY KEY,
    customer_id      uuid        NOT NULL,
    agent_id         uuid        NOT NULL,
    number           integer     NOT NULL CONSTRAINT agent_versions_number CHECK (number >= 1),
    system_prompt    text        NOT NULL CONSTRAINT agent_versions_system_prompt_size CHECK (octet_length(system_prompt) <= 524288),
    model_name       text        NOT NULL CONSTRAINT agent_versions_model_name_length CHECK (char_length(model_name) BETWEEN 1 AND 200),
    model_parameters jsonb       NOT NULL CONSTRAINT agent_versions_model_parameters CHECK (jsonb_typeof(model_parameters) = 'object'),
    tools            jsonb       NOT NULL CONSTRAINT agent_versions_tools CHECK (jsonb_typeof(tools) = 'array'),
    message          text        CONSTRAINT agent_versions_message_length CHECK (char_length(message) <= 2000),
    -- SHA-256 over the canonical JSON (RFC 8785) of what the runtime gets: prompt, model, parameters, tools.
    content_hash     bytea       NOT NULL CONSTRAINT agent_versions_content_hash_length CHECK (octet_length(content_hash) = 32),
    -- How much there is to read, known without reading it: lists leave the content out, and who wants much is refused.
    content_bytes    integer     NOT NULL GENERATED ALWAYS AS
                                 (octet_length(system_prompt) + octet_length(model_parameters::text) + octet_length(tools::text)) STORED,
    created_by_kind  text        NOT NULL,
    created_by_id    uuid,
    created_at       timestamptz NOT NULL,
    CONSTRAINT agent_versions_agent_number_key UNIQUE (agent_id, number),
    CONSTRAINT agent_versions_agent_id_key UNIQUE (agent_id, id),
    -- A version stays with its agent's customer.
    CONSTRAINT agent_versions_agent_fkey FOREIGN KEY (customer_id, agent_id) REFERENCES registry.agents (customer_id, id)
);

-- What serves is a version of this agent and of no other.
ALTER TABLE registry.agents ADD CONSTRAINT agents_active_version_fkey
    FOREIGN KEY (id, active_version_id) REFERENCES registry.agent_versions (agent_id, id);

-- Numbers run 1, 2, 3 … because a new row must carry the number that its agent was just moved to.
CREATE FUNCTION registry.check_version_number() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    latest integer;
BEGIN
    SELECT latest_number INTO latest FROM registry.agents WHERE id = NEW.agent_id;
    IF NEW.number IS DISTINCT FROM latest
       OR (NEW.number > 1 AND NOT EXISTS (
               SELECT FROM registry.agent_versions WHERE agent_id = NEW.agent_id AND number = NEW.number - 1)) THEN
        RAISE EXCEPTION 'version % is not next for this agent', NEW.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'agent_versions_number_is_next';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER agent_versions_number_is_next BEFORE INSERT ON registry.agent_versions
    FOR EACH ROW EXECUTE FUNCTION registry.check_version_number();

CREATE TRIGGER agent_versions_immutable BEFORE UPDATE OR DELETE ON registry.agent_versions
    FOR EACH ROW EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER agent_versions_keep BEFORE TRUNCATE ON registry.agent_versions EXECUTE FUNCTION registry.refuse_truncate();

-- The record of each time an agent's active version changed. A null version_id is a deactivation.
CREATE TABLE registry.activations (
    id                  uuid        CONSTRAINT activations_pkey PRIMARY KEY,
    customer_id         uuid        NOT NULL,
    agent_id            uuid        NOT NULL,
    version_id          uuid,
    previous_version_id uuid,
    reason              text        NOT NULL
                                    CONSTRAINT activations_reason CHECK (reason IN ('ACTIVATE', 'PUBLISH', 'ROLLBACK', 'DEACTIVATE', 'ARCHIVE')),
    activated_by_kind   text        NOT NULL,
    activated_by_id     uuid,
    activated_at        timestamptz NOT NULL,
    -- Where this stands in the log: null only inside the transaction that makes it, filled once by append_changes.
    revision            bigint,
    position            integer,
    cursor_hash         bytea,
    CONSTRAINT activations_changes_something CHECK (version_id IS DISTINCT FROM previous_version_id),
    CONSTRAINT activations_agent_fkey FOREIGN KEY (customer_id, agent_id) REFERENCES registry.agents (customer_id, id),
    CONSTRAINT activations_version_fkey FOREIGN KEY (agent_id, version_id) REFERENCES registry.agent_versions (agent_id, id),
    CONSTRAINT activations_previous_version_fkey FOREIGN KEY (agent_id, previous_version_id) REFERENCES registry.agent_versions (agent_id, id)
);
CREATE INDEX activations_agent_idx ON registry.activations (agent_id, id);

CREATE FUNCTION registry.check_activation_update() RETURNS trigger
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
CREATE TRIGGER activations_final BEFORE UPDATE ON registry.activations
    FOR EACH ROW EXECUTE FUNCTION registry.check_activation_update();
CREATE TRIGGER activations_immutable BEFORE DELETE ON registry.activations
    FOR EACH ROW EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER activations_keep BEFORE TRUNCATE ON registry.activations EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER agents_immutable BEFORE DELETE ON registry.agents
    FOR EACH ROW EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER agents_keep BEFORE TRUNCATE ON registry.agents EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.agents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY agents_read ON registry.agents FOR SELECT USING (
    (SELECT registry.scope()) IN ('platform', 'runtime')
    OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
CREATE POLICY agents_write ON registry.agents USING (
    (SELECT registry.scope()) = 'platform' OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));

ALTER TABLE registry.agent_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY agent_versions_read ON registry.agent_versions FOR SELECT USING (
    (SELECT registry.scope()) IN ('platform', 'runtime')
    OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
CREATE POLICY agent_versions_write ON registry.agent_versions USING (
    (SELECT registry.scope()) = 'platform' OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));

ALTER TABLE registry.activations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY activations_read ON registry.activations FOR SELECT USING (
    (SELECT registry.scope()) IN ('platform', 'runtime')
    OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
CREATE POLICY activations_write ON registry.activations USING (
    (SELECT registry.scope()) = 'platform' OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
