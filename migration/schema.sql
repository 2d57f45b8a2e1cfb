-- The database's schema after all migrations, to read: the steps in sql/ say why, and are what is applied.
-- Generated: UPDATE=1 cargo test --test migration

CREATE TABLE registry.activations (
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    version_id uuid,
    previous_version_id uuid,
    reason text NOT NULL,
    activated_by_kind text NOT NULL,
    activated_by_id uuid,
    activated_at timestamp with time zone NOT NULL,
    revision bigint,
    "position" integer,
    cursor_hash bytea,
    environment_id uuid NOT NULL,
    environment_key text COLLATE "C" NOT NULL DEFAULT 'production'::text,
    promoted_from text COLLATE "C",
    CONSTRAINT activations_pkey PRIMARY KEY (id),
    CONSTRAINT activations_changes_something CHECK ((version_id IS DISTINCT FROM previous_version_id)),
    CONSTRAINT activations_promoted CHECK (((promoted_from IS NULL) OR ((reason = 'ACTIVATE'::text) AND (promoted_from <> environment_key)))),
    CONSTRAINT activations_reason CHECK ((reason = ANY (ARRAY['ACTIVATE'::text, 'PUBLISH'::text, 'ROLLBACK'::text, 'DEACTIVATE'::text, 'ARCHIVE'::text]))),
    CONSTRAINT activations_agent_fkey FOREIGN KEY (customer_id, agent_id) REFERENCES registry.agents(customer_id, id),
    CONSTRAINT activations_environment_fkey FOREIGN KEY (customer_id, environment_id, environment_key) REFERENCES registry.environments(customer_id, id, key),
    CONSTRAINT activations_previous_version_fkey FOREIGN KEY (agent_id, previous_version_id) REFERENCES registry.agent_versions(agent_id, id),
    CONSTRAINT activations_version_fkey FOREIGN KEY (agent_id, version_id) REFERENCES registry.agent_versions(agent_id, id)
);

CREATE INDEX activations_agent_idx ON registry.activations USING btree (agent_id, id);
CREATE INDEX activations_customer_day_idx ON registry.activations USING btree (customer_id, activated_at) INCLUDE (environment_key, reason, promoted_from);
CREATE INDEX activations_customer_idx ON registry.activations USING btree (customer_id, environment_key, (
CASE
    WHEN (promoted_from IS NULL) THEN reason
    ELSE 'PROMOTE'::text
END), revision, "position");
CREATE INDEX activations_day_idx ON registry.activations USING btree (activated_at) INCLUDE (customer_id, environment_key, reason, promoted_from);
CREATE INDEX activations_environment_idx ON registry.activations USING btree (agent_id, environment_key, id);
CREATE INDEX activations_newest_idx ON registry.activations USING btree (environment_key, (
CASE
    WHEN (promoted_from IS NULL) THEN reason
    ELSE 'PROMOTE'::text
END), revision, "position");
CREATE INDEX activations_revision_idx ON registry.activations USING btree (agent_id, revision, "position");
CREATE INDEX activations_serving_idx ON registry.activations USING btree (agent_id, environment_key, revision, "position");
CREATE INDEX activations_version_idx ON registry.activations USING btree (agent_id, version_id, environment_key) WHERE (version_id IS NOT NULL);

CREATE TRIGGER activations_date_serving AFTER UPDATE OF revision ON registry.activations FOR EACH ROW EXECUTE FUNCTION registry.date_serving();
CREATE TRIGGER activations_final BEFORE UPDATE ON registry.activations FOR EACH ROW EXECUTE FUNCTION registry.check_activation_update();
CREATE TRIGGER activations_immutable BEFORE DELETE ON registry.activations FOR EACH ROW EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER activations_keep BEFORE TRUNCATE ON registry.activations FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER activations_rollback_targets AFTER INSERT ON registry.activations FOR EACH ROW EXECUTE FUNCTION registry.keep_rollback_targets();
CREATE TRIGGER activations_unplaced BEFORE INSERT ON registry.activations FOR EACH ROW EXECUTE FUNCTION registry.check_activation_insert();

ALTER TABLE registry.activations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY activations_reached ON registry.activations AS RESTRICTIVE FOR ALL
    USING (('*'::text = ANY (( SELECT registry.scope_environments() AS scope_environments)::text[])) OR (environment_key = ANY (( SELECT registry.scope_environments() AS scope_environments)::text[])));
CREATE POLICY activations_read ON registry.activations FOR SELECT
    USING ((( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'runtime'::text])) OR (customer_id = ANY (( SELECT registry.readable_customers() AS readable_customers)::uuid[])));
CREATE POLICY activations_write ON registry.activations FOR ALL
    USING ((( SELECT registry.scope() AS scope) = 'platform'::text) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));

CREATE TABLE registry.agent_active_tools (
    customer_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    tool_name text NOT NULL,
    CONSTRAINT agent_active_tools_pkey PRIMARY KEY (agent_id, tool_name),
    CONSTRAINT agent_active_tools_agent_fkey FOREIGN KEY (customer_id, agent_id) REFERENCES registry.agents(customer_id, id)
);

CREATE INDEX agent_active_tools_idx ON registry.agent_active_tools USING btree (customer_id, tool_name, agent_id);
CREATE INDEX agent_active_tools_name_idx ON registry.agent_active_tools USING btree (tool_name, agent_id) INCLUDE (customer_id);

CREATE TRIGGER agent_active_tools_keep BEFORE TRUNCATE ON registry.agent_active_tools FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.agent_active_tools ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY agent_active_tools_all ON registry.agent_active_tools FOR ALL
    USING ((( SELECT registry.scope() AS scope) = 'platform'::text) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));

CREATE TABLE registry.agent_name_ends (
    customer_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    "position" smallint NOT NULL,
    ending text COLLATE "C" NOT NULL,
    CONSTRAINT agent_name_ends_pkey PRIMARY KEY (agent_id, "position"),
    CONSTRAINT agent_name_ends_agent_fkey FOREIGN KEY (customer_id, agent_id) REFERENCES registry.agents(customer_id, id)
);

CREATE INDEX agent_name_ends_ending_idx ON registry.agent_name_ends USING btree (ending, agent_id) INCLUDE (customer_id);
CREATE INDEX agent_name_ends_idx ON registry.agent_name_ends USING btree (customer_id, ending, agent_id);

CREATE TRIGGER agent_name_ends_keep BEFORE TRUNCATE ON registry.agent_name_ends FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.agent_name_ends ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY agent_name_ends_all ON registry.agent_name_ends FOR ALL
    USING ((( SELECT registry.scope() AS scope) = 'platform'::text) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));

CREATE TABLE registry.agent_versions (
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    number integer NOT NULL,
    system_prompt text NOT NULL,
    model_name text NOT NULL,
    model_parameters jsonb NOT NULL,
    tools jsonb NOT NULL,
    message text,
    content_hash bytea NOT NULL,
    content_bytes integer NOT NULL GENERATED ALWAYS AS (((octet_length(system_prompt) + octet_length((model_parameters)::text)) + octet_length((tools)::text))) STORED,
    created_by_kind text NOT NULL,
    created_by_id uuid,
    created_at timestamp with time zone NOT NULL,
    model_parameters_text text,
    tools_text text,
    bytes_hash bytea,
    served_bytes integer,
    extensions_text text,
    CONSTRAINT agent_versions_pkey PRIMARY KEY (id),
    CONSTRAINT agent_versions_agent_id_key UNIQUE (agent_id, id),
    CONSTRAINT agent_versions_agent_number_key UNIQUE (agent_id, number),
    CONSTRAINT agent_versions_bytes_hash_length CHECK ((octet_length(bytes_hash) = 32)),
    CONSTRAINT agent_versions_content_hash_length CHECK ((octet_length(content_hash) = 32)),
    CONSTRAINT agent_versions_extensions_text_is_beside_others CHECK (((extensions_text IS NULL) OR (tools_text IS NOT NULL))) NOT VALID,
    CONSTRAINT agent_versions_extensions_text_size CHECK ((octet_length(extensions_text) <= 262144)) NOT VALID,
    CONSTRAINT agent_versions_message_length CHECK ((char_length(message) <= 2000)),
    CONSTRAINT agent_versions_model_name_length CHECK (((char_length(model_name) >= 1) AND (char_length(model_name) <= 200))),
    CONSTRAINT agent_versions_model_parameters CHECK ((jsonb_typeof(model_parameters) = 'object'::text)),
    CONSTRAINT agent_versions_model_parameters_text_size CHECK ((octet_length(model_parameters_text) <= 65536)),
    CONSTRAINT agent_versions_number CHECK ((number >= 1)),
    CONSTRAINT agent_versions_system_prompt_size CHECK ((octet_length(system_prompt) <= 524288)),
    CONSTRAINT agent_versions_text_is_complete CHECK (((num_nulls(model_parameters_text, tools_text, served_bytes) = ANY (ARRAY[0, 3])) AND ((tools_text IS NULL) OR (bytes_hash IS NOT NULL)))),
    CONSTRAINT agent_versions_tools CHECK ((jsonb_typeof(tools) = 'array'::text)),
    CONSTRAINT agent_versions_tools_text_size CHECK ((octet_length(tools_text) <= 1048576)),
    CONSTRAINT agent_versions_agent_fkey FOREIGN KEY (customer_id, agent_id) REFERENCES registry.agents(customer_id, id)
);

CREATE TRIGGER agent_versions_erased AFTER UPDATE ON registry.agent_versions REFERENCING NEW TABLE AS erased FOR EACH STATEMENT EXECUTE FUNCTION registry.forget_active_tools();
CREATE TRIGGER agent_versions_immutable BEFORE DELETE OR UPDATE ON registry.agent_versions FOR EACH ROW EXECUTE FUNCTION registry.check_version_change();
CREATE TRIGGER agent_versions_keep BEFORE TRUNCATE ON registry.agent_versions FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER agent_versions_number_is_next AFTER INSERT ON registry.agent_versions REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION registry.check_version_numbers();
CREATE TRIGGER agent_versions_tools AFTER INSERT ON registry.agent_versions REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION registry.list_version_tools();
CREATE TRIGGER agent_versions_tools_erased AFTER UPDATE ON registry.agent_versions REFERENCING NEW TABLE AS erased FOR EACH STATEMENT EXECUTE FUNCTION registry.forget_version_tools();

ALTER TABLE registry.agent_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY agent_versions_read ON registry.agent_versions FOR SELECT
    USING ((( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'runtime'::text])) OR (customer_id = ANY (( SELECT registry.readable_customers() AS readable_customers)::uuid[])));
CREATE POLICY agent_versions_write ON registry.agent_versions FOR ALL
    USING ((( SELECT registry.scope() AS scope) = 'platform'::text) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));

CREATE TABLE registry.agents (
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    owner_id uuid,
    latest_number integer NOT NULL DEFAULT 0,
    active_version_id uuid,
    activated_at timestamp with time zone,
    config_revision bigint NOT NULL DEFAULT 0,
    archived_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    name_lower text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    active_model_name text,
    name_folded text COLLATE "C" NOT NULL GENERATED ALWAYS AS (registry.fold_case(name)) STORED,
    source_id uuid,
    name_revision bigint NOT NULL DEFAULT 0,
    CONSTRAINT agents_pkey PRIMARY KEY (id),
    CONSTRAINT agents_customer_id_key UNIQUE (customer_id, id),
    CONSTRAINT agents_customer_name_key UNIQUE (customer_id, name),
    CONSTRAINT agents_activated_with_version CHECK (((active_version_id IS NULL) = (activated_at IS NULL))),
    CONSTRAINT agents_archived_is_inactive CHECK (((archived_at IS NULL) OR (active_version_id IS NULL))),
    CONSTRAINT agents_description_length CHECK ((char_length(description) <= 2000)),
    CONSTRAINT agents_latest_number CHECK ((latest_number >= 0)),
    CONSTRAINT agents_name_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200))),
    CONSTRAINT agents_active_version_fkey FOREIGN KEY (id, active_version_id) REFERENCES registry.agent_versions(agent_id, id),
    CONSTRAINT agents_customer_fkey FOREIGN KEY (customer_id) REFERENCES registry.customers(id),
    CONSTRAINT agents_owner_fkey FOREIGN KEY (customer_id, owner_id) REFERENCES registry.memberships(customer_id, user_id) ON DELETE SET NULL (owner_id)
);

CREATE INDEX agents_archived_idx ON registry.agents USING btree (id) INCLUDE (customer_id) WHERE (archived_at IS NOT NULL);
CREATE INDEX agents_customer_archived_idx ON registry.agents USING btree (customer_id, id) WHERE (archived_at IS NOT NULL);
CREATE INDEX agents_customer_kept_idx ON registry.agents USING btree (customer_id, id) WHERE (archived_at IS NULL);
CREATE INDEX agents_customer_model_idx ON registry.agents USING btree (customer_id, active_model_name, id) WHERE (active_model_name IS NOT NULL);
CREATE INDEX agents_customer_name_bytes_idx ON registry.agents USING btree (customer_id, name COLLATE "C");
CREATE INDEX agents_customer_name_folded_idx ON registry.agents USING btree (customer_id, name_folded, id);
CREATE INDEX agents_customer_name_lower_idx ON registry.agents USING btree (customer_id, name_lower, id);
CREATE UNIQUE INDEX agents_customer_source_key ON registry.agents USING btree (customer_id, source_id) WHERE (source_id IS NOT NULL);
CREATE INDEX agents_kept_idx ON registry.agents USING btree (id) INCLUDE (customer_id) WHERE (archived_at IS NULL);
CREATE INDEX agents_model_idx ON registry.agents USING btree (active_model_name, id) INCLUDE (customer_id) WHERE (active_model_name IS NOT NULL);
CREATE INDEX agents_name_folded_idx ON registry.agents USING btree (name_folded, id) INCLUDE (customer_id);
CREATE INDEX agents_name_lower_idx ON registry.agents USING btree (name_lower, id) INCLUDE (customer_id);
CREATE INDEX agents_owner_idx ON registry.agents USING btree (owner_id, id) WHERE (owner_id IS NOT NULL);

CREATE TRIGGER agents_active_version_changed BEFORE UPDATE OF active_version_id ON registry.agents FOR EACH ROW WHEN ((old.active_version_id IS DISTINCT FROM new.active_version_id)) EXECUTE FUNCTION registry.index_active_version();
CREATE TRIGGER agents_archived_serves_nowhere BEFORE UPDATE OF archived_at ON registry.agents FOR EACH ROW WHEN (((old.archived_at IS NULL) AND (new.archived_at IS NOT NULL))) EXECUTE FUNCTION registry.check_agent_archival();
CREATE TRIGGER agents_immutable BEFORE DELETE ON registry.agents FOR EACH ROW EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER agents_keep BEFORE TRUNCATE ON registry.agents FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER agents_listed AFTER INSERT ON registry.agents FOR EACH ROW EXECUTE FUNCTION registry.list_agent();
CREATE TRIGGER agents_name_changed AFTER UPDATE OF name ON registry.agents FOR EACH ROW WHEN ((old.name IS DISTINCT FROM new.name)) EXECUTE FUNCTION registry.index_agent_name();
CREATE TRIGGER agents_name_inserted AFTER INSERT ON registry.agents FOR EACH ROW EXECUTE FUNCTION registry.index_agent_name();
CREATE TRIGGER agents_relisted AFTER UPDATE OF name, description, owner_id, archived_at, latest_number ON registry.agents FOR EACH ROW WHEN ((((((old.name IS DISTINCT FROM new.name) OR (old.description IS DISTINCT FROM new.description)) OR (old.owner_id IS DISTINCT FROM new.owner_id)) OR (old.archived_at IS DISTINCT FROM new.archived_at)) OR (old.latest_number IS DISTINCT FROM new.latest_number))) EXECUTE FUNCTION registry.relist_agent();
CREATE TRIGGER agents_served_in_default AFTER UPDATE OF active_version_id, activated_at ON registry.agents FOR EACH ROW WHEN (((old.active_version_id IS DISTINCT FROM new.active_version_id) OR (old.activated_at IS DISTINCT FROM new.activated_at))) EXECUTE FUNCTION registry.serve_in_default();

ALTER TABLE registry.agents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY agents_read ON registry.agents FOR SELECT
    USING ((( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'runtime'::text])) OR (customer_id = ANY (( SELECT registry.readable_customers() AS readable_customers)::uuid[])));
CREATE POLICY agents_write ON registry.agents FOR ALL
    USING ((( SELECT registry.scope() AS scope) = 'platform'::text) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));

CREATE TABLE registry.api_keys (
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    name text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_by_kind text NOT NULL,
    created_by_id uuid,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    replaced_by uuid,
    environment_ids uuid[],
    CONSTRAINT api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT api_keys_customer_id_key UNIQUE (customer_id, id),
    CONSTRAINT api_keys_environment_ids CHECK (((cardinality(environment_ids) >= 1) AND (cardinality(environment_ids) <= 100))),
    CONSTRAINT api_keys_name_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200))),
    CONSTRAINT api_keys_scopes CHECK (((cardinality(scopes) > 0) AND (scopes <@ ARRAY['agents:read'::text, 'agents:write'::text, 'versions:publish'::text, 'versions:activate'::text, 'configs:read'::text, 'activations:watch'::text, 'changes:read'::text]))),
    CONSTRAINT api_keys_secret_hash_length CHECK ((octet_length(secret_hash) = 32)),
    CONSTRAINT api_keys_customer_fkey FOREIGN KEY (customer_id) REFERENCES registry.customers(id),
    CONSTRAINT api_keys_replaced_by_fkey FOREIGN KEY (customer_id, replaced_by) REFERENCES registry.api_keys(customer_id, id)
);

CREATE INDEX api_keys_replaced_by_idx ON registry.api_keys USING btree (replaced_by) WHERE (replaced_by IS NOT NULL);

CREATE TRIGGER api_keys_keep BEFORE TRUNCATE ON registry.api_keys FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.api_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY api_keys_read ON registry.api_keys FOR SELECT
    USING ((( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'auth'::text])) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));
CREATE POLICY api_keys_write ON registry.api_keys FOR ALL
    USING ((( SELECT registry.scope() AS scope) = 'platform'::text) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));

CREATE TABLE registry.changes (
    revision bigint NOT NULL,
    "position" integer NOT NULL,
    at timestamp with time zone NOT NULL,
    customer_id uuid,
    agent_id uuid,
    version_id uuid,
    subject_id uuid,
    action text NOT NULL,
    actor_kind text NOT NULL,
    actor_id uuid,
    request_id text,
    details text NOT NULL,
    row_hash bytea NOT NULL,
    chain_hash bytea NOT NULL,
    channel text,
    network text,
    salt uuid,
    CONSTRAINT changes_pkey PRIMARY KEY (revision, "position"),
    CONSTRAINT changes_details CHECK ((jsonb_typeof((details)::jsonb) = 'object'::text))
);

CREATE INDEX changes_action_idx ON registry.changes USING btree (customer_id, action, revision, "position");
CREATE INDEX changes_actor_idx ON registry.changes USING btree (customer_id, actor_id, revision, "position");
CREATE INDEX changes_agent_idx ON registry.changes USING btree (agent_id, revision, "position");
CREATE INDEX changes_at_idx ON registry.changes USING btree (at, revision);
CREATE INDEX changes_customer_idx ON registry.changes USING btree (customer_id, revision, "position");
CREATE INDEX changes_kind_idx ON registry.changes USING btree (customer_id, actor_kind, revision, "position") WHERE (actor_kind <> 'USER'::text);
CREATE INDEX changes_platform_action_idx ON registry.changes USING btree (action, revision, "position");
CREATE INDEX changes_platform_actor_idx ON registry.changes USING btree (actor_id, revision, "position");
CREATE INDEX changes_platform_kind_idx ON registry.changes USING btree (actor_kind, revision, "position") WHERE (actor_kind <> 'USER'::text);

CREATE TRIGGER changes_activity AFTER INSERT ON registry.changes FOR EACH ROW WHEN ((new.customer_id IS NOT NULL)) EXECUTE FUNCTION registry.note_activity();
CREATE TRIGGER changes_immutable BEFORE UPDATE ON registry.changes FOR EACH ROW EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER changes_keep BEFORE TRUNCATE ON registry.changes FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER changes_removal BEFORE DELETE ON registry.changes FOR EACH ROW EXECUTE FUNCTION registry.check_change_removal();

ALTER TABLE registry.changes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY changes_insert ON registry.changes FOR INSERT
    WITH CHECK ((( SELECT registry.scope() AS scope) = 'platform'::text) OR (customer_id IS NULL) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));
CREATE POLICY changes_prune ON registry.changes FOR DELETE
    USING ((( SELECT registry.scope() AS scope) = 'platform'::text) AND (revision <= ( SELECT log_floor.revision
   FROM registry.log_floor)));
CREATE POLICY changes_read ON registry.changes FOR SELECT
    USING ((( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'runtime'::text])) OR (customer_id = ANY (( SELECT registry.readable_customers() AS readable_customers)::uuid[])));

CREATE TABLE registry.customer_activity (
    customer_id uuid NOT NULL,
    minute timestamp with time zone NOT NULL,
    CONSTRAINT customer_activity_pkey PRIMARY KEY (customer_id),
    CONSTRAINT customer_activity_customer_fkey FOREIGN KEY (customer_id) REFERENCES registry.customers(id)
);

CREATE INDEX customer_activity_idx ON registry.customer_activity USING btree (minute, customer_id);

CREATE TRIGGER customer_activity_keep BEFORE TRUNCATE ON registry.customer_activity FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.customer_activity ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY customer_activity_read ON registry.customer_activity FOR SELECT
    USING (( SELECT (registry.scope() = 'platform'::text)) OR (customer_id = ANY (( SELECT registry.readable_customers() AS readable_customers)::uuid[])));
CREATE POLICY customer_activity_write ON registry.customer_activity FOR ALL
    USING (( SELECT (registry.scope() = 'platform'::text)) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));

CREATE TABLE registry.customer_name_ends (
    customer_id uuid NOT NULL,
    "position" smallint NOT NULL,
    ending text COLLATE "C" NOT NULL,
    CONSTRAINT customer_name_ends_pkey PRIMARY KEY (customer_id, "position"),
    CONSTRAINT customer_name_ends_customer_fkey FOREIGN KEY (customer_id) REFERENCES registry.customers(id)
);

CREATE INDEX customer_name_ends_idx ON registry.customer_name_ends USING btree (ending, customer_id);

CREATE TRIGGER customer_name_ends_keep BEFORE TRUNCATE ON registry.customer_name_ends FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.customer_name_ends ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY customer_name_ends_all ON registry.customer_name_ends FOR ALL
    USING (( SELECT (registry.scope() = 'platform'::text)) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));

CREATE TABLE registry.customers (
    id uuid NOT NULL,
    name text NOT NULL,
    plan text NOT NULL DEFAULT 'FREE'::text,
    billing_status text NOT NULL DEFAULT 'ACTIVE'::text,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    erased_at timestamp with time zone,
    external_id text,
    name_folded text COLLATE "C" NOT NULL GENERATED ALWAYS AS (registry.fold_case(name)) STORED,
    CONSTRAINT customers_pkey PRIMARY KEY (id),
    CONSTRAINT customers_billing_status CHECK ((billing_status = ANY (ARRAY['TRIALING'::text, 'ACTIVE'::text, 'PAST_DUE'::text, 'SUSPENDED'::text, 'CANCELED'::text]))),
    CONSTRAINT customers_erased_is_canceled CHECK (((erased_at IS NULL) OR (billing_status = 'CANCELED'::text))),
    CONSTRAINT customers_external_id_length CHECK (((char_length(external_id) >= 1) AND (char_length(external_id) <= 200))),
    CONSTRAINT customers_name_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200))),
    CONSTRAINT customers_plan CHECK ((plan = ANY (ARRAY['FREE'::text, 'PRO'::text, 'ENTERPRISE'::text])))
);

CREATE INDEX customers_billing_status_idx ON registry.customers USING btree (billing_status, id);
CREATE INDEX customers_created_idx ON registry.customers USING btree (created_at, id);
CREATE UNIQUE INDEX customers_external_id_key ON registry.customers USING btree (external_id) WHERE (external_id IS NOT NULL);
CREATE INDEX customers_name_folded_idx ON registry.customers USING btree (name_folded, id);
CREATE INDEX customers_name_idx ON registry.customers USING btree (name, id);
CREATE INDEX customers_plan_idx ON registry.customers USING btree (plan, id);

CREATE TRIGGER customers_default_environment AFTER INSERT ON registry.customers FOR EACH ROW EXECUTE FUNCTION registry.add_default_environment();
CREATE TRIGGER customers_erased_is_final BEFORE UPDATE ON registry.customers FOR EACH ROW WHEN ((old.erased_at IS NOT NULL)) EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER customers_keep BEFORE TRUNCATE ON registry.customers FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER customers_listed AFTER INSERT ON registry.customers FOR EACH ROW EXECUTE FUNCTION registry.list_customer();
CREATE TRIGGER customers_relisted AFTER UPDATE OF name ON registry.customers FOR EACH ROW WHEN ((old.name IS DISTINCT FROM new.name)) EXECUTE FUNCTION registry.list_customer();

ALTER TABLE registry.customers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY customers_insert ON registry.customers FOR INSERT
    WITH CHECK (( SELECT registry.scope() AS scope) = 'platform'::text);
CREATE POLICY customers_read ON registry.customers FOR SELECT
    USING ((( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'runtime'::text, 'auth'::text])) OR (id = ANY (( SELECT registry.readable_customers() AS readable_customers)::uuid[])));
CREATE POLICY customers_update ON registry.customers FOR UPDATE
    USING ((( SELECT registry.scope() AS scope) = 'platform'::text) OR (id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));

CREATE TABLE registry.environments (
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    key text COLLATE "C" NOT NULL,
    name text NOT NULL,
    rank integer NOT NULL,
    is_default boolean NOT NULL,
    promote_from uuid,
    min_soak_seconds integer NOT NULL DEFAULT 0,
    on_breaking text NOT NULL,
    allowed_models text[],
    activate_role text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone,
    CONSTRAINT environments_pkey PRIMARY KEY (id),
    CONSTRAINT environments_customer_id_key UNIQUE (customer_id, id),
    CONSTRAINT environments_customer_id_with_key UNIQUE (customer_id, id, key),
    CONSTRAINT environments_customer_key_key UNIQUE (customer_id, key),
    CONSTRAINT environments_activate_role CHECK ((activate_role = ANY (ARRAY['EDITOR'::text, 'ADMIN'::text]))),
    CONSTRAINT environments_allowed_models CHECK (((cardinality(allowed_models) >= 1) AND (cardinality(allowed_models) <= 100))),
    CONSTRAINT environments_default_is_kept CHECK (((NOT is_default) OR (archived_at IS NULL))),
    CONSTRAINT environments_default_is_production CHECK ((is_default = (key = 'production'::text))),
    CONSTRAINT environments_key_form CHECK ((key ~ '^[a-z][a-z0-9-]{0,31}$'::text)),
    CONSTRAINT environments_min_soak CHECK (((min_soak_seconds >= 0) AND (min_soak_seconds <= 31536000))),
    CONSTRAINT environments_name_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200))),
    CONSTRAINT environments_on_breaking CHECK ((on_breaking = ANY (ARRAY['ALLOW'::text, 'CONFIRM'::text, 'REFUSE'::text]))),
    CONSTRAINT environments_promote_from_another CHECK ((promote_from <> id)),
    CONSTRAINT environments_soak_elsewhere CHECK (((promote_from IS NOT NULL) OR (min_soak_seconds = 0))),
    CONSTRAINT environments_customer_fkey FOREIGN KEY (customer_id) REFERENCES registry.customers(id),
    CONSTRAINT environments_promote_from_fkey FOREIGN KEY (customer_id, promote_from) REFERENCES registry.environments(customer_id, id)
);

CREATE UNIQUE INDEX environments_default_key ON registry.environments USING btree (customer_id) WHERE is_default;

CREATE TRIGGER environments_immutable BEFORE DELETE ON registry.environments FOR EACH ROW EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER environments_keep BEFORE TRUNCATE ON registry.environments FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER environments_key_is_final BEFORE UPDATE ON registry.environments FOR EACH ROW WHEN ((((old.id IS DISTINCT FROM new.id) OR (old.customer_id IS DISTINCT FROM new.customer_id)) OR (old.key IS DISTINCT FROM new.key))) EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER environments_listed AFTER INSERT ON registry.environments FOR EACH ROW EXECUTE FUNCTION registry.list_environment();

ALTER TABLE registry.environments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY environments_reached ON registry.environments AS RESTRICTIVE FOR ALL
    USING (('*'::text = ANY (( SELECT registry.scope_environments() AS scope_environments)::text[])) OR (key = ANY (( SELECT registry.scope_environments() AS scope_environments)::text[])));
CREATE POLICY environments_read ON registry.environments FOR SELECT
    USING ((( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'runtime'::text, 'auth'::text])) OR (customer_id = ANY (( SELECT registry.readable_customers() AS readable_customers)::uuid[])));
CREATE POLICY environments_write ON registry.environments FOR ALL
    USING ((( SELECT registry.scope() AS scope) = 'platform'::text) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));

CREATE UNLOGGED TABLE registry.gateway_epochs (
    id smallint NOT NULL,
    begun_at timestamp with time zone NOT NULL,
    CONSTRAINT gateway_epochs_pkey PRIMARY KEY (id),
    CONSTRAINT gateway_epochs_one CHECK ((id = 1))
);

CREATE TRIGGER gateway_epochs_keep BEFORE TRUNCATE ON registry.gateway_epochs FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.gateway_epochs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY gateway_epochs_read ON registry.gateway_epochs FOR SELECT
    USING (( SELECT registry.scope() AS scope) IS NOT NULL);
CREATE POLICY gateway_epochs_write ON registry.gateway_epochs FOR ALL
    USING (( SELECT registry.scope() AS scope) = 'platform'::text);

CREATE UNLOGGED TABLE registry.gateway_instances (
    id uuid NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    CONSTRAINT gateway_instances_pkey PRIMARY KEY (id)
);

CREATE TRIGGER gateway_instances_keep BEFORE TRUNCATE ON registry.gateway_instances FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.gateway_instances ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY gateway_instances_read ON registry.gateway_instances FOR SELECT
    USING (( SELECT registry.scope() AS scope) IS NOT NULL);
CREATE POLICY gateway_instances_write ON registry.gateway_instances FOR ALL
    USING (( SELECT registry.scope() AS scope) = 'platform'::text);

CREATE UNLOGGED TABLE registry.gateway_rejections (
    gateway_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    environment_key text COLLATE "C" NOT NULL,
    version_id uuid NOT NULL,
    revision bigint NOT NULL,
    code text NOT NULL,
    message text,
    reported_at timestamp with time zone NOT NULL,
    CONSTRAINT gateway_rejections_pkey PRIMARY KEY (gateway_id, agent_id),
    CONSTRAINT gateway_rejections_code CHECK ((code = ANY (ARRAY['UNKNOWN_MODEL'::text, 'UNKNOWN_TOOL'::text, 'INVALID_SCHEMA'::text, 'TOO_LARGE'::text, 'INTERNAL'::text]))),
    CONSTRAINT gateway_rejections_message CHECK ((char_length(message) <= 500)),
    CONSTRAINT gateway_rejections_gateway_fkey FOREIGN KEY (gateway_id) REFERENCES registry.gateways(id) ON DELETE CASCADE
);

CREATE INDEX gateway_rejections_customer_idx ON registry.gateway_rejections USING btree (customer_id, environment_key, reported_at);

CREATE TRIGGER gateway_rejections_keep BEFORE TRUNCATE ON registry.gateway_rejections FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.gateway_rejections ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY gateway_rejections_reached ON registry.gateway_rejections AS RESTRICTIVE FOR ALL
    USING (('*'::text = ANY (( SELECT registry.scope_environments() AS scope_environments)::text[])) OR (environment_key = ANY (( SELECT registry.scope_environments() AS scope_environments)::text[])));
CREATE POLICY gateway_rejections_read ON registry.gateway_rejections FOR SELECT
    USING ((( SELECT registry.scope() AS scope) = 'platform'::text) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));
CREATE POLICY gateway_rejections_write ON registry.gateway_rejections FOR ALL
    USING (( SELECT registry.scope() AS scope) = 'platform'::text);

CREATE UNLOGGED TABLE registry.gateway_watches (
    id uuid NOT NULL,
    instance_id uuid NOT NULL,
    principal_kind text NOT NULL,
    principal_id uuid NOT NULL,
    name text NOT NULL,
    customer_id uuid,
    customer_ids uuid[],
    agent_ids uuid[],
    environment_key text COLLATE "C" NOT NULL,
    client_name text,
    client_version text,
    since timestamp with time zone NOT NULL,
    delivered_revision bigint NOT NULL,
    CONSTRAINT gateway_watches_pkey PRIMARY KEY (id),
    CONSTRAINT gateway_watches_client_name CHECK (((char_length(client_name) >= 1) AND (char_length(client_name) <= 100))),
    CONSTRAINT gateway_watches_client_version CHECK (((char_length(client_version) >= 1) AND (char_length(client_version) <= 100))),
    CONSTRAINT gateway_watches_principal_kind CHECK ((principal_kind = ANY (ARRAY['API_KEY'::text, 'SERVICE'::text]))),
    CONSTRAINT gateway_watches_instance_fkey FOREIGN KEY (instance_id) REFERENCES registry.gateway_instances(id) ON DELETE CASCADE
);

CREATE INDEX gateway_watches_customer_idx ON registry.gateway_watches USING btree (customer_id) WHERE (customer_id IS NOT NULL);
CREATE INDEX gateway_watches_environment_idx ON registry.gateway_watches USING btree (environment_key);
CREATE INDEX gateway_watches_instance_idx ON registry.gateway_watches USING btree (instance_id);

CREATE TRIGGER gateway_watches_keep BEFORE TRUNCATE ON registry.gateway_watches FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.gateway_watches ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY gateway_watches_reached ON registry.gateway_watches AS RESTRICTIVE FOR ALL
    USING (('*'::text = ANY (( SELECT registry.scope_environments() AS scope_environments)::text[])) OR (environment_key = ANY (( SELECT registry.scope_environments() AS scope_environments)::text[])));
CREATE POLICY gateway_watches_read ON registry.gateway_watches FOR SELECT
    USING ((( SELECT registry.scope() AS scope) = 'platform'::text) OR ((cardinality(( SELECT registry.scope_customers() AS scope_customers)) > 0) AND ((customer_ids IS NULL) OR (customer_ids && ( SELECT registry.scope_customers() AS scope_customers)))));
CREATE POLICY gateway_watches_write ON registry.gateway_watches FOR ALL
    USING (( SELECT registry.scope() AS scope) = 'platform'::text);

CREATE UNLOGGED TABLE registry.gateways (
    id uuid NOT NULL,
    principal_kind text NOT NULL,
    principal_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    customer_id uuid,
    customer_ids uuid[],
    agent_ids uuid[],
    environment_key text COLLATE "C" NOT NULL,
    region text,
    build text,
    client_name text,
    client_version text,
    since timestamp with time zone NOT NULL,
    last_report_at timestamp with time zone NOT NULL,
    applied_revision bigint NOT NULL,
    step_revisions bigint[] NOT NULL,
    step_times timestamp with time zone[] NOT NULL,
    watch_id uuid,
    CONSTRAINT gateways_pkey PRIMARY KEY (id),
    CONSTRAINT gateways_name_key UNIQUE (principal_id, environment_key, name),
    CONSTRAINT gateways_build_length CHECK (((char_length(build) >= 1) AND (char_length(build) <= 100))),
    CONSTRAINT gateways_client_name CHECK (((char_length(client_name) >= 1) AND (char_length(client_name) <= 100))),
    CONSTRAINT gateways_client_version CHECK (((char_length(client_version) >= 1) AND (char_length(client_version) <= 100))),
    CONSTRAINT gateways_name_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 100))),
    CONSTRAINT gateways_principal_kind CHECK ((principal_kind = ANY (ARRAY['API_KEY'::text, 'SERVICE'::text]))),
    CONSTRAINT gateways_region_length CHECK (((char_length(region) >= 1) AND (char_length(region) <= 100))),
    CONSTRAINT gateways_steps CHECK ((((cardinality(step_revisions) >= 1) AND (cardinality(step_revisions) <= 64)) AND (cardinality(step_revisions) = cardinality(step_times))))
);

CREATE INDEX gateways_customer_idx ON registry.gateways USING btree (customer_id) WHERE (customer_id IS NOT NULL);
CREATE INDEX gateways_environment_idx ON registry.gateways USING btree (environment_key, name);
CREATE INDEX gateways_last_report_idx ON registry.gateways USING btree (last_report_at);

CREATE TRIGGER gateways_keep BEFORE TRUNCATE ON registry.gateways FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.gateways ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY gateways_reached ON registry.gateways AS RESTRICTIVE FOR ALL
    USING (('*'::text = ANY (( SELECT registry.scope_environments() AS scope_environments)::text[])) OR (environment_key = ANY (( SELECT registry.scope_environments() AS scope_environments)::text[])));
CREATE POLICY gateways_read ON registry.gateways FOR SELECT
    USING ((( SELECT registry.scope() AS scope) = 'platform'::text) OR ((cardinality(( SELECT registry.scope_customers() AS scope_customers)) > 0) AND ((customer_ids IS NULL) OR (customer_ids && ( SELECT registry.scope_customers() AS scope_customers)))));
CREATE POLICY gateways_write ON registry.gateways FOR ALL
    USING (( SELECT registry.scope() AS scope) = 'platform'::text);

CREATE TABLE registry.idempotency_keys (
    principal_id uuid NOT NULL,
    key_hash bytea NOT NULL,
    request_hash bytea NOT NULL,
    claimed_at timestamp with time zone NOT NULL,
    subject_id uuid,
    other_id uuid,
    revision bigint,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (principal_id, key_hash),
    CONSTRAINT idempotency_keys_key_hash CHECK ((octet_length(key_hash) = 32)),
    CONSTRAINT idempotency_keys_request_hash CHECK ((octet_length(request_hash) = 32))
);

CREATE INDEX idempotency_keys_claimed_at_idx ON registry.idempotency_keys USING btree (claimed_at);

CREATE TRIGGER idempotency_keys_keep BEFORE TRUNCATE ON registry.idempotency_keys FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.idempotency_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY idempotency_keys_delete ON registry.idempotency_keys FOR DELETE
    USING (( SELECT registry.scope() AS scope) = 'platform'::text);
CREATE POLICY idempotency_keys_own ON registry.idempotency_keys FOR ALL
    USING ((principal_id = ( SELECT registry.scope_principal() AS scope_principal)) AND (( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'customers'::text, 'auth'::text])));
CREATE POLICY idempotency_keys_read ON registry.idempotency_keys FOR SELECT
    USING (( SELECT registry.scope() AS scope) = 'platform'::text);

CREATE TABLE registry.identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    synced_at timestamp with time zone,
    CONSTRAINT identities_pkey PRIMARY KEY (issuer, subject),
    CONSTRAINT identities_subject_length CHECK (((char_length(subject) >= 1) AND (char_length(subject) <= 255))),
    CONSTRAINT identities_user_fkey FOREIGN KEY (user_id) REFERENCES registry.users(id) ON DELETE CASCADE
);

CREATE INDEX identities_user_idx ON registry.identities USING btree (user_id);

CREATE TRIGGER identities_keep BEFORE TRUNCATE ON registry.identities FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.identities ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY identities_delete ON registry.identities FOR DELETE
    USING (( SELECT registry.scope() AS scope) = 'platform'::text);
CREATE POLICY identities_insert ON registry.identities FOR INSERT
    WITH CHECK (( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'customers'::text, 'auth'::text]));
CREATE POLICY identities_read ON registry.identities FOR SELECT
    USING ((( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'auth'::text])) OR (user_id IN ( SELECT memberships.user_id
   FROM registry.memberships
  WHERE (memberships.customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])))));
CREATE POLICY identities_update ON registry.identities FOR UPDATE
    USING (( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'auth'::text]));

CREATE TABLE registry.invitations (
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    invited_by_kind text NOT NULL,
    invited_by_id uuid,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT invitations_pkey PRIMARY KEY (id),
    CONSTRAINT invitations_customer_email_key UNIQUE (customer_id, email),
    CONSTRAINT invitations_customer_id_key UNIQUE (customer_id, id),
    CONSTRAINT invitations_email_form CHECK ((((char_length(email) >= 3) AND (char_length(email) <= 254)) AND (email = lower((email COLLATE "C"))))),
    CONSTRAINT invitations_role CHECK ((role = ANY (ARRAY['VIEWER'::text, 'EDITOR'::text, 'ADMIN'::text]))),
    CONSTRAINT invitations_customer_fkey FOREIGN KEY (customer_id) REFERENCES registry.customers(id)
);

CREATE INDEX invitations_customer_expires_idx ON registry.invitations USING btree (customer_id, expires_at);
CREATE INDEX invitations_email_idx ON registry.invitations USING btree (email);

CREATE TRIGGER invitations_keep BEFORE TRUNCATE ON registry.invitations FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.invitations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY invitations_read ON registry.invitations FOR SELECT
    USING ((( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'auth'::text])) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));
CREATE POLICY invitations_write ON registry.invitations FOR ALL
    USING ((( SELECT registry.scope() AS scope) = 'platform'::text) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));

CREATE TABLE registry.listed_agents (
    customer_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT listed_agents_pkey PRIMARY KEY (agent_id),
    CONSTRAINT listed_agents_agent_fkey FOREIGN KEY (customer_id, agent_id) REFERENCES registry.agents(customer_id, id)
);

CREATE INDEX listed_agents_customer_idx ON registry.listed_agents USING btree (customer_id, updated_at, agent_id);
CREATE INDEX listed_agents_idx ON registry.listed_agents USING btree (updated_at, agent_id) INCLUDE (customer_id);

CREATE TRIGGER listed_agents_keep BEFORE TRUNCATE ON registry.listed_agents FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.listed_agents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY listed_agents_reached ON registry.listed_agents AS RESTRICTIVE FOR ALL
    USING ( SELECT ('*'::text = ANY (registry.scope_environments())));
CREATE POLICY listed_agents_read ON registry.listed_agents FOR SELECT
    USING (( SELECT (registry.scope() = 'platform'::text)) OR (customer_id = ANY (( SELECT registry.readable_customers() AS readable_customers)::uuid[])));
CREATE POLICY listed_agents_write ON registry.listed_agents FOR ALL
    USING (( SELECT (registry.scope() = 'platform'::text)) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));

CREATE TABLE registry.listed_servings (
    customer_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    environment_key text COLLATE "C" NOT NULL,
    active_version_id uuid,
    model_name text COLLATE "C",
    active_number integer,
    latest_number integer NOT NULL,
    serves_latest boolean GENERATED ALWAYS AS (
CASE
    WHEN (latest_number > 0) THEN COALESCE((active_number = latest_number), false)
    ELSE NULL::boolean
END) STORED,
    last_activated_at timestamp with time zone,
    CONSTRAINT listed_servings_pkey PRIMARY KEY (agent_id, environment_key),
    CONSTRAINT listed_servings_active CHECK ((((active_version_id IS NULL) = (active_number IS NULL)) AND ((active_version_id IS NULL) = (model_name IS NULL)))),
    CONSTRAINT listed_servings_agent_fkey FOREIGN KEY (customer_id, agent_id) REFERENCES registry.agents(customer_id, id),
    CONSTRAINT listed_servings_environment_fkey FOREIGN KEY (customer_id, environment_key) REFERENCES registry.environments(customer_id, key)
);

CREATE INDEX listed_servings_customer_last_idx ON registry.listed_servings USING btree (customer_id, environment_key, last_activated_at, agent_id);
CREATE INDEX listed_servings_customer_latest_idx ON registry.listed_servings USING btree (customer_id, environment_key, serves_latest, agent_id);
CREATE INDEX listed_servings_customer_model_idx ON registry.listed_servings USING btree (customer_id, environment_key, model_name, agent_id) INCLUDE (active_version_id, last_activated_at);
CREATE INDEX listed_servings_last_idx ON registry.listed_servings USING btree (environment_key, last_activated_at, agent_id) INCLUDE (customer_id);
CREATE INDEX listed_servings_latest_idx ON registry.listed_servings USING btree (environment_key, serves_latest, agent_id) INCLUDE (customer_id);
CREATE INDEX listed_servings_model_idx ON registry.listed_servings USING btree (environment_key, model_name, agent_id) INCLUDE (customer_id, active_version_id, last_activated_at);

CREATE TRIGGER listed_servings_keep BEFORE TRUNCATE ON registry.listed_servings FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.listed_servings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY listed_servings_reached ON registry.listed_servings AS RESTRICTIVE FOR ALL
    USING (( SELECT ('*'::text = ANY (registry.scope_environments()))) OR (environment_key = ANY (( SELECT registry.scope_environments() AS scope_environments)::text[])));
CREATE POLICY listed_servings_read ON registry.listed_servings FOR SELECT
    USING (( SELECT (registry.scope() = 'platform'::text)) OR (customer_id = ANY (( SELECT registry.readable_customers() AS readable_customers)::uuid[])));
CREATE POLICY listed_servings_write ON registry.listed_servings FOR ALL
    USING (( SELECT (registry.scope() = 'platform'::text)) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));

CREATE TABLE registry.log_floor (
    one_row boolean NOT NULL DEFAULT true,
    revision bigint NOT NULL,
    "position" integer NOT NULL,
    chain_hash bytea NOT NULL,
    keep interval NOT NULL DEFAULT '01:00:00'::interval,
    CONSTRAINT log_floor_pkey PRIMARY KEY (one_row),
    CONSTRAINT log_floor_one_row CHECK (one_row)
);

CREATE TRIGGER log_floor_keep BEFORE TRUNCATE ON registry.log_floor FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER log_floor_rises BEFORE DELETE OR UPDATE ON registry.log_floor FOR EACH ROW EXECUTE FUNCTION registry.check_floor();

CREATE TABLE registry.log_head (
    one_row boolean NOT NULL DEFAULT true,
    log_id uuid NOT NULL,
    revision bigint NOT NULL,
    "position" integer NOT NULL,
    at timestamp with time zone NOT NULL,
    chain_hash bytea NOT NULL,
    CONSTRAINT log_head_pkey PRIMARY KEY (one_row),
    CONSTRAINT log_head_one_row CHECK (one_row)
);

CREATE TRIGGER log_head_keep BEFORE TRUNCATE ON registry.log_head FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

CREATE TABLE registry.memberships (
    customer_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    claim_issuer text,
    CONSTRAINT memberships_pkey PRIMARY KEY (customer_id, user_id),
    CONSTRAINT memberships_role CHECK ((role = ANY (ARRAY['VIEWER'::text, 'EDITOR'::text, 'ADMIN'::text]))),
    CONSTRAINT memberships_customer_fkey FOREIGN KEY (customer_id) REFERENCES registry.customers(id),
    CONSTRAINT memberships_user_fkey FOREIGN KEY (user_id) REFERENCES registry.users(id)
);

CREATE INDEX memberships_user_idx ON registry.memberships USING btree (user_id);

CREATE TRIGGER memberships_keep BEFORE TRUNCATE ON registry.memberships FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.memberships ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY memberships_read ON registry.memberships FOR SELECT
    USING ((( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'auth'::text])) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));
CREATE POLICY memberships_write ON registry.memberships FOR ALL
    USING ((( SELECT registry.scope() AS scope) = 'platform'::text) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));

CREATE TABLE registry.operators (
    issuer text NOT NULL,
    subject text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT operators_pkey PRIMARY KEY (issuer, subject)
);

CREATE TRIGGER operators_keep BEFORE TRUNCATE ON registry.operators FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.operators ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY operators_read ON registry.operators FOR SELECT
    USING (( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'auth'::text]));
CREATE POLICY operators_write ON registry.operators FOR ALL
    USING (( SELECT registry.scope() AS scope) = 'platform'::text);

CREATE TABLE registry.rollback_targets (
    customer_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    version_id uuid NOT NULL,
    place integer NOT NULL,
    environment_key text COLLATE "C" NOT NULL DEFAULT 'production'::text,
    CONSTRAINT rollback_targets_pkey PRIMARY KEY (agent_id, environment_key, version_id),
    CONSTRAINT rollback_targets_place_key UNIQUE (agent_id, environment_key, place),
    CONSTRAINT rollback_targets_place CHECK ((place >= 1)),
    CONSTRAINT rollback_targets_agent_fkey FOREIGN KEY (customer_id, agent_id) REFERENCES registry.agents(customer_id, id),
    CONSTRAINT rollback_targets_environment_fkey FOREIGN KEY (customer_id, environment_key) REFERENCES registry.environments(customer_id, key),
    CONSTRAINT rollback_targets_version_fkey FOREIGN KEY (agent_id, version_id) REFERENCES registry.agent_versions(agent_id, id)
);

CREATE TRIGGER rollback_targets_keep BEFORE TRUNCATE ON registry.rollback_targets FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.rollback_targets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY rollback_targets_all ON registry.rollback_targets FOR ALL
    USING ((( SELECT registry.scope() AS scope) = 'platform'::text) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));
CREATE POLICY rollback_targets_reached ON registry.rollback_targets AS RESTRICTIVE FOR ALL
    USING (('*'::text = ANY (( SELECT registry.scope_environments() AS scope_environments)::text[])) OR (environment_key = ANY (( SELECT registry.scope_environments() AS scope_environments)::text[])));

CREATE TABLE registry.schema_migrations (
    number integer NOT NULL,
    name text NOT NULL,
    oldest_binary integer,
    applied_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT schema_migrations_pkey PRIMARY KEY (number),
    CONSTRAINT schema_migrations_name UNIQUE (name),
    CONSTRAINT schema_migrations_oldest_binary CHECK (((oldest_binary >= 1) AND (oldest_binary <= number)))
);

CREATE TABLE registry.service_tokens (
    id uuid NOT NULL,
    name text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    customer_ids uuid[],
    created_by_kind text,
    created_by_id uuid,
    expires_at timestamp with time zone,
    replaced_by uuid,
    environments text[],
    last_used_at timestamp with time zone,
    CONSTRAINT service_tokens_pkey PRIMARY KEY (id),
    CONSTRAINT service_tokens_customer_ids CHECK (((cardinality(customer_ids) >= 1) AND (cardinality(customer_ids) <= 100))),
    CONSTRAINT service_tokens_environments CHECK (((cardinality(environments) >= 1) AND (cardinality(environments) <= 100))),
    CONSTRAINT service_tokens_name_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200))),
    CONSTRAINT service_tokens_scopes CHECK (((cardinality(scopes) > 0) AND (scopes <@ ARRAY['configs:read'::text, 'activations:watch'::text]))),
    CONSTRAINT service_tokens_secret_hash_length CHECK ((octet_length(secret_hash) = 32)),
    CONSTRAINT service_tokens_replaced_by_fkey FOREIGN KEY (replaced_by) REFERENCES registry.service_tokens(id)
);

CREATE TRIGGER service_tokens_keep BEFORE TRUNCATE ON registry.service_tokens FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.service_tokens ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY service_tokens_read ON registry.service_tokens FOR SELECT
    USING ((( SELECT registry.scope() AS scope) = 'platform'::text) OR ((( SELECT registry.scope() AS scope) = 'auth'::text) AND ((expires_at IS NULL) OR (expires_at > now()))));
CREATE POLICY service_tokens_write ON registry.service_tokens FOR ALL
    USING (( SELECT registry.scope() AS scope) = 'platform'::text);

CREATE TABLE registry.servings (
    customer_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    environment_id uuid NOT NULL,
    environment_key text COLLATE "C" NOT NULL,
    active_version_id uuid,
    activated_at timestamp with time zone,
    config_revision bigint NOT NULL DEFAULT 0,
    CONSTRAINT servings_pkey PRIMARY KEY (agent_id, environment_id),
    CONSTRAINT servings_activated_with_version CHECK (((active_version_id IS NULL) = (activated_at IS NULL))),
    CONSTRAINT servings_agent_fkey FOREIGN KEY (customer_id, agent_id) REFERENCES registry.agents(customer_id, id),
    CONSTRAINT servings_environment_fkey FOREIGN KEY (customer_id, environment_id, environment_key) REFERENCES registry.environments(customer_id, id, key),
    CONSTRAINT servings_version_fkey FOREIGN KEY (agent_id, active_version_id) REFERENCES registry.agent_versions(agent_id, id)
);

CREATE INDEX servings_customer_idx ON registry.servings USING btree (customer_id, environment_key, agent_id);
CREATE INDEX servings_environment_idx ON registry.servings USING btree (environment_key, agent_id) INCLUDE (customer_id);

CREATE TRIGGER servings_archived_is_inactive BEFORE INSERT OR UPDATE OF active_version_id ON registry.servings FOR EACH ROW WHEN ((new.active_version_id IS NOT NULL)) EXECUTE FUNCTION registry.check_serving();
CREATE TRIGGER servings_immutable BEFORE DELETE ON registry.servings FOR EACH ROW EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER servings_keep BEFORE TRUNCATE ON registry.servings FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER servings_listed AFTER INSERT ON registry.servings FOR EACH ROW WHEN ((new.active_version_id IS NOT NULL)) EXECUTE FUNCTION registry.relist_serving();
CREATE TRIGGER servings_relisted AFTER UPDATE OF active_version_id, activated_at ON registry.servings FOR EACH ROW WHEN (((old.active_version_id IS DISTINCT FROM new.active_version_id) OR (old.activated_at IS DISTINCT FROM new.activated_at))) EXECUTE FUNCTION registry.relist_serving();

ALTER TABLE registry.servings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY servings_reached ON registry.servings AS RESTRICTIVE FOR ALL
    USING (('*'::text = ANY (( SELECT registry.scope_environments() AS scope_environments)::text[])) OR (environment_key = ANY (( SELECT registry.scope_environments() AS scope_environments)::text[])));
CREATE POLICY servings_read ON registry.servings FOR SELECT
    USING ((( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'runtime'::text])) OR (customer_id = ANY (( SELECT registry.readable_customers() AS readable_customers)::uuid[])));
CREATE POLICY servings_write ON registry.servings FOR ALL
    USING ((( SELECT registry.scope() AS scope) = 'platform'::text) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));

CREATE TABLE registry.sessions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_by uuid,
    network text,
    client text,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_client_length CHECK (((char_length(client) >= 1) AND (char_length(client) <= 100))),
    CONSTRAINT sessions_ended CHECK (((ended_at IS NULL) = (ended_by IS NULL))),
    CONSTRAINT sessions_secret_hash_length CHECK ((octet_length(secret_hash) = 32)),
    CONSTRAINT sessions_user_fkey FOREIGN KEY (user_id) REFERENCES registry.users(id) ON DELETE CASCADE
);

CREATE INDEX sessions_ended_by_idx ON registry.sessions USING btree (ended_by) WHERE (ended_by IS NOT NULL);
CREATE INDEX sessions_expires_idx ON registry.sessions USING btree (expires_at);
CREATE INDEX sessions_user_idx ON registry.sessions USING btree (user_id, expires_at);

CREATE TRIGGER sessions_keep BEFORE TRUNCATE ON registry.sessions FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY sessions_all ON registry.sessions FOR ALL
    USING (( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'auth'::text]));

CREATE TABLE registry.sign_in_links (
    secret_hash bytea NOT NULL,
    user_id uuid NOT NULL,
    makes_operator boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    spent_at timestamp with time zone,
    CONSTRAINT sign_in_links_pkey PRIMARY KEY (secret_hash),
    CONSTRAINT sign_in_links_secret_hash_length CHECK ((octet_length(secret_hash) = 32)),
    CONSTRAINT sign_in_links_user_fkey FOREIGN KEY (user_id) REFERENCES registry.users(id) ON DELETE CASCADE
);

CREATE INDEX sign_in_links_expires_idx ON registry.sign_in_links USING btree (expires_at);
CREATE INDEX sign_in_links_user_idx ON registry.sign_in_links USING btree (user_id);

CREATE TRIGGER sign_in_links_keep BEFORE TRUNCATE ON registry.sign_in_links FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.sign_in_links ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY sign_in_links_all ON registry.sign_in_links FOR ALL
    USING (( SELECT registry.scope() AS scope) = 'platform'::text);

CREATE TABLE registry.user_ends (
    user_id uuid NOT NULL,
    part text COLLATE "C" NOT NULL,
    "position" smallint NOT NULL,
    ending text COLLATE "C" NOT NULL,
    CONSTRAINT user_ends_pkey PRIMARY KEY (user_id, part, "position"),
    CONSTRAINT user_ends_part CHECK ((part = ANY (ARRAY['E'::text, 'N'::text]))),
    CONSTRAINT user_ends_user_fkey FOREIGN KEY (user_id) REFERENCES registry.users(id) ON DELETE CASCADE
);

CREATE INDEX user_ends_idx ON registry.user_ends USING btree (part, ending, user_id);

CREATE TRIGGER user_ends_keep BEFORE TRUNCATE ON registry.user_ends FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.user_ends ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY user_ends_all ON registry.user_ends FOR ALL
    USING ( SELECT (registry.scope() = 'platform'::text));

CREATE TABLE registry.users (
    id uuid NOT NULL,
    issuer text NOT NULL,
    subject text NOT NULL,
    email text,
    name text,
    created_at timestamp with time zone NOT NULL,
    chosen_name text,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_issuer_subject_key UNIQUE (issuer, subject),
    CONSTRAINT users_chosen_name_length CHECK (((char_length(chosen_name) >= 1) AND (char_length(chosen_name) <= 200))),
    CONSTRAINT users_subject_length CHECK (((char_length(subject) >= 1) AND (char_length(subject) <= 255)))
);

CREATE TRIGGER users_first_identity AFTER INSERT ON registry.users FOR EACH ROW EXECUTE FUNCTION registry.add_first_identity();
CREATE TRIGGER users_keep BEFORE TRUNCATE ON registry.users FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER users_listed AFTER INSERT ON registry.users FOR EACH ROW EXECUTE FUNCTION registry.list_user();
CREATE TRIGGER users_relisted AFTER UPDATE OF email, name, chosen_name ON registry.users FOR EACH ROW WHEN ((((old.email IS DISTINCT FROM new.email) OR (old.name IS DISTINCT FROM new.name)) OR (old.chosen_name IS DISTINCT FROM new.chosen_name))) EXECUTE FUNCTION registry.list_user();

ALTER TABLE registry.users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY users_delete ON registry.users FOR DELETE
    USING (( SELECT registry.scope() AS scope) = 'platform'::text);
CREATE POLICY users_insert ON registry.users FOR INSERT
    WITH CHECK (( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'customers'::text, 'auth'::text]));
CREATE POLICY users_read ON registry.users FOR SELECT
    USING ((( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'auth'::text])) OR ( SELECT true
   FROM registry.memberships m
  WHERE ((m.user_id = users.id) AND (m.customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])))
 LIMIT 1));
CREATE POLICY users_update ON registry.users FOR UPDATE
    USING (( SELECT registry.scope() AS scope) = ANY (ARRAY['platform'::text, 'auth'::text]));

CREATE TABLE registry.version_tools (
    customer_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    version_id uuid NOT NULL,
    tool_name text COLLATE "C" NOT NULL,
    CONSTRAINT version_tools_pkey PRIMARY KEY (version_id, tool_name),
    CONSTRAINT version_tools_version_fkey FOREIGN KEY (agent_id, version_id) REFERENCES registry.agent_versions(agent_id, id)
);

CREATE INDEX version_tools_customer_idx ON registry.version_tools USING btree (customer_id, tool_name, agent_id);
CREATE INDEX version_tools_idx ON registry.version_tools USING btree (tool_name, agent_id) INCLUDE (customer_id);

CREATE TRIGGER version_tools_immutable BEFORE UPDATE ON registry.version_tools FOR EACH ROW EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER version_tools_keep BEFORE TRUNCATE ON registry.version_tools FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.version_tools ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY version_tools_read ON registry.version_tools FOR SELECT
    USING (( SELECT (registry.scope() = 'platform'::text)) OR (customer_id = ANY (( SELECT registry.readable_customers() AS readable_customers)::uuid[])));
CREATE POLICY version_tools_write ON registry.version_tools FOR ALL
    USING (( SELECT (registry.scope() = 'platform'::text)) OR (customer_id = ANY (( SELECT registry.scope_customers() AS scope_customers)::uuid[])));

CREATE OR REPLACE FUNCTION registry.add_default_environment()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
BEGIN
    INSERT INTO registry.environments (id, customer_id, key, name, rank, is_default, on_breaking, activate_role, created_at, updated_at)
    VALUES (gen_random_uuid(), NEW.id, 'production', 'Production', 0, true, 'ALLOW', 'EDITOR', NEW.created_at, NEW.created_at);
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION registry.add_first_identity()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
BEGIN
    INSERT INTO registry.identities (issuer, subject, user_id, created_at)
    VALUES (NEW.issuer, NEW.subject, NEW.id, NEW.created_at);
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION registry.append_changes(entries jsonb)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION registry.change_row_hash(revision bigint, "position" integer, at timestamp with time zone, customer_id uuid, agent_id uuid, version_id uuid, subject_id uuid, action text, actor_kind text, actor_id uuid, request_id text, details text, channel text, network text, salt uuid)
 RETURNS bytea
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN sha256(((((((((((((registry.hash_field((revision)::text) || registry.hash_field(("position")::text)) || registry.hash_field(to_char((at AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'::text))) || registry.hash_field((customer_id)::text)) || registry.hash_field((agent_id)::text)) || registry.hash_field((version_id)::text)) || registry.hash_field((subject_id)::text)) || registry.hash_field(action)) || registry.hash_field(actor_kind)) || registry.hash_field((actor_id)::text)) || registry.hash_field(request_id)) || registry.hash_field(details)) || CASE WHEN (COALESCE(channel, network, (salt)::text) IS NULL) THEN '\x'::bytea ELSE ((registry.hash_field(channel) || registry.hash_field(network)) || registry.hash_field((salt)::text)) END));

CREATE OR REPLACE FUNCTION registry.check_activation_insert()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION registry.check_activation_update()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION registry.check_agent_archival()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION registry.check_change_removal()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF OLD.revision <= (SELECT revision FROM registry.log_floor) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'rows of changes never change' USING ERRCODE = 'restrict_violation';
END
$function$;

CREATE OR REPLACE FUNCTION registry.check_floor()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.revision, NEW.position, NEW.chain_hash) = (OLD.revision, OLD.position, OLD.chain_hash) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.revision > OLD.revision AND EXISTS (
        SELECT FROM registry.changes AS c WHERE (c.revision, c.position, c.chain_hash) = (NEW.revision, NEW.position, NEW.chain_hash)
    ) AND EXISTS (
        SELECT FROM registry.changes AS c WHERE (c.revision, c.position) = (NEW.revision + 1, 1)
    ) AND NOT EXISTS (
        SELECT FROM registry.changes AS c WHERE (c.revision, c.position) = (NEW.revision, NEW.position + 1)
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the log begins at the end of a later commit, or where it did' USING ERRCODE = 'restrict_violation';
END
$function$;

CREATE OR REPLACE FUNCTION registry.check_serving()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
BEGIN
    IF EXISTS (SELECT FROM registry.agents WHERE id = NEW.agent_id AND archived_at IS NOT NULL)
       OR EXISTS (SELECT FROM registry.environments WHERE id = NEW.environment_id AND archived_at IS NOT NULL) THEN
        RAISE EXCEPTION 'what is archived serves nothing'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'servings_archived_is_inactive';
    END IF;
    RETURN NEW;
END
$function$;

CREATE OR REPLACE FUNCTION registry.check_version_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF TG_OP = 'UPDATE'
       AND NEW.system_prompt = '' AND NEW.model_parameters = '{}' AND NEW.tools = '[]' AND NEW.message IS NULL
       AND NEW.model_name IN (OLD.model_name, 'erased')
       AND (NEW.tools_text IS NULL
            OR ROW (NEW.model_parameters_text, NEW.tools_text, NEW.served_bytes)
               IS NOT DISTINCT FROM ROW (OLD.model_parameters_text, OLD.tools_text, OLD.served_bytes))
       AND (NEW.extensions_text IS NULL OR NEW.extensions_text IS NOT DISTINCT FROM OLD.extensions_text)
       AND ROW (NEW.id, NEW.customer_id, NEW.agent_id, NEW.number, NEW.content_hash, NEW.bytes_hash,
                NEW.created_by_kind, NEW.created_by_id, NEW.created_at)
           IS NOT DISTINCT FROM
           ROW (OLD.id, OLD.customer_id, OLD.agent_id, OLD.number, OLD.content_hash, OLD.bytes_hash,
                OLD.created_by_kind, OLD.created_by_id, OLD.created_at)
       AND EXISTS (SELECT FROM registry.customers WHERE id = OLD.customer_id AND erased_at IS NOT NULL) THEN
        NEW.model_name := 'erased';
        NEW.model_parameters_text := NULL;
        NEW.tools_text := NULL;
        NEW.extensions_text := NULL;
        NEW.served_bytes := NULL;
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'rows of agent_versions never change' USING ERRCODE = 'restrict_violation';
END
$function$;

CREATE OR REPLACE FUNCTION registry.check_version_numbers()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
    wrong record;
BEGIN
    SELECT v.agent_id, v.number INTO wrong
    FROM added AS v
    WHERE v.number IS DISTINCT FROM 1
      AND NOT EXISTS (SELECT FROM registry.agent_versions AS b WHERE b.agent_id = v.agent_id AND b.number = v.number - 1)
       OR NOT EXISTS (SELECT FROM registry.agents AS a WHERE a.id = v.agent_id AND v.number <= a.latest_number)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'version % is not next for this agent', wrong.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'agent_versions_number_is_next';
    END IF;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION registry.claim_key(principal uuid, key bytea, request bytea, now timestamp with time zone, over timestamp with time zone)
 RETURNS TABLE(request_hash bytea, subject_id uuid, other_id uuid, revision bigint)
 LANGUAGE plpgsql
AS $function$
BEGIN
    PERFORM set_config('registry.principal', principal::text, true);
    INSERT INTO registry.idempotency_keys AS k (principal_id, key_hash, request_hash, claimed_at)
    VALUES (principal, key, request, now)
    ON CONFLICT ON CONSTRAINT idempotency_keys_pkey DO UPDATE
    SET request_hash = EXCLUDED.request_hash, claimed_at = EXCLUDED.claimed_at,
        subject_id = NULL, other_id = NULL, revision = NULL
    WHERE k.claimed_at <= over;
    IF NOT FOUND THEN
        RETURN QUERY SELECT k.request_hash, k.subject_id, k.other_id, k.revision
        FROM registry.idempotency_keys AS k WHERE k.principal_id = principal AND k.key_hash = key;
    END IF;
END
$function$;

CREATE OR REPLACE FUNCTION registry.date_serving()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
BEGIN
    UPDATE registry.servings SET config_revision = NEW.revision
    WHERE agent_id = NEW.agent_id AND environment_id = NEW.environment_id;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION registry.fold_case(given text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
RETURN replace((lower((upper((given COLLATE "und-x-icu")) COLLATE "und-x-icu")) COLLATE "C"), 'ς'::text, 'σ'::text);

CREATE OR REPLACE FUNCTION registry.forget_active_tools()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    DELETE FROM registry.agent_active_tools WHERE agent_id IN (SELECT DISTINCT agent_id FROM erased);
    UPDATE registry.agents AS a SET active_model_name = e.model_name
    FROM erased AS e WHERE e.agent_id = a.id AND e.id = a.active_version_id;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION registry.forget_version_tools()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
DECLARE
    reach text := coalesce(current_setting('registry.environments', true), '');
BEGIN
    PERFORM set_config('registry.environments', '{*}', true);
    DELETE FROM registry.version_tools WHERE version_id IN (SELECT id FROM erased);
    UPDATE registry.listed_servings AS l SET model_name = e.model_name
    FROM erased AS e WHERE e.agent_id = l.agent_id AND e.id = l.active_version_id;
    PERFORM set_config('registry.environments', reach, true);
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION registry.hash_field(value text)
 RETURNS bytea
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (value IS NULL) THEN '\xffffffff'::bytea ELSE (int4send(octet_length(value)) || convert_to(value, 'UTF8'::name)) END;

CREATE OR REPLACE FUNCTION registry.hold_session(session uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
DECLARE
    scope text := coalesce(current_setting('registry.scope', true), '');
    held  boolean;
BEGIN
    PERFORM set_config('registry.scope', 'auth', true);
    PERFORM FROM registry.sessions AS s WHERE s.id = session AND s.ended_at IS NULL FOR KEY SHARE;
    held := FOUND;
    PERFORM set_config('registry.scope', scope, true);
    RETURN held;
END
$function$;

CREATE OR REPLACE FUNCTION registry.index_active_version()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    NEW.active_model_name := (SELECT model_name FROM registry.agent_versions WHERE id = NEW.active_version_id);
    DELETE FROM registry.agent_active_tools WHERE agent_id = NEW.id;
    INSERT INTO registry.agent_active_tools (customer_id, agent_id, tool_name)
    SELECT NEW.customer_id, NEW.id, tool ->> 'name'
    FROM registry.agent_versions AS v, jsonb_array_elements(v.tools) AS tool
    WHERE v.id = NEW.active_version_id;
    RETURN NEW;
END
$function$;

CREATE OR REPLACE FUNCTION registry.index_agent_name()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION registry.keep_rollback_targets()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION registry.list_agent()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
DECLARE
    reach text := coalesce(current_setting('registry.environments', true), '');
BEGIN
    PERFORM set_config('registry.environments', '{*}', true);
    INSERT INTO registry.listed_servings (customer_id, agent_id, environment_key, latest_number)
    SELECT NEW.customer_id, NEW.id, e.key, NEW.latest_number
    FROM registry.environments AS e WHERE e.customer_id = NEW.customer_id;
    INSERT INTO registry.listed_agents (customer_id, agent_id, updated_at) VALUES (NEW.customer_id, NEW.id, NEW.created_at);
    PERFORM set_config('registry.environments', reach, true);
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION registry.list_customer()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
DECLARE
    folded constant text := registry.fold_case(NEW.name);
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO registry.customer_activity (customer_id, minute) VALUES (NEW.id, date_trunc('minute', NEW.created_at));
    END IF;
    DELETE FROM registry.customer_name_ends WHERE customer_id = NEW.id;
    INSERT INTO registry.customer_name_ends (customer_id, position, ending)
    SELECT NEW.id, place, substr(folded, place, 40) FROM generate_series(1, char_length(folded)) AS place;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION registry.list_environment()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
DECLARE
    reach text := coalesce(current_setting('registry.environments', true), '');
BEGIN
    PERFORM set_config('registry.environments', '{*}', true);
    INSERT INTO registry.listed_servings (customer_id, agent_id, environment_key, latest_number)
    SELECT a.customer_id, a.id, NEW.key, a.latest_number
    FROM registry.agents AS a WHERE a.customer_id = NEW.customer_id;
    PERFORM set_config('registry.environments', reach, true);
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION registry.list_user()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
DECLARE
    scope text := coalesce(current_setting('registry.scope', true), '');
BEGIN
    PERFORM set_config('registry.scope', 'platform', true);
    DELETE FROM registry.user_ends WHERE user_id = NEW.id;
    INSERT INTO registry.user_ends (user_id, part, position, ending)
    SELECT NEW.id, p.part, place, substr(p.folded, place, 40)
    FROM (VALUES ('E', left(registry.fold_case(NEW.email), 400)),
                 ('N', left(registry.fold_case(coalesce(NEW.chosen_name, NEW.name)), 400))) AS p (part, folded),
         generate_series(1, char_length(p.folded)) AS place;
    PERFORM set_config('registry.scope', scope, true);
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION registry.list_version_tools()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
BEGIN
    INSERT INTO registry.version_tools (customer_id, agent_id, version_id, tool_name)
    SELECT DISTINCT v.customer_id, v.agent_id, v.id, tool ->> 'name'
    FROM added AS v, jsonb_array_elements(v.tools) AS tool;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION registry.note_activity()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
BEGIN
    UPDATE registry.customer_activity SET minute = date_trunc('minute', NEW.at)
    WHERE customer_id = NEW.customer_id AND minute < date_trunc('minute', NEW.at);
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION registry.prune_changes(until timestamp with time zone, most integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
DECLARE
    floor   registry.log_floor%ROWTYPE;
    target  bigint;
    risen   registry.log_floor%ROWTYPE;
BEGIN
    SELECT * INTO STRICT floor FROM registry.log_floor FOR NO KEY UPDATE;
    SELECT c.revision INTO target FROM (
        SELECT revision FROM registry.changes
        WHERE revision > floor.revision AND at < least(until, clock_timestamp() - floor.keep) AND revision < (SELECT revision FROM registry.log_head)
        ORDER BY revision, position LIMIT most) AS c ORDER BY c.revision DESC LIMIT 1;
    -- An entry that only tells of a pruning is no reason for another.
    IF target IS NULL OR NOT EXISTS (
        SELECT FROM registry.changes AS c
        WHERE c.revision > floor.revision AND c.revision <= target AND c.action <> 'log.pruned') THEN
        RETURN NULL;
    END IF;
    UPDATE registry.log_floor SET (revision, position, chain_hash) = (
        SELECT c.revision, c.position, c.chain_hash FROM registry.changes AS c
        WHERE c.revision = target ORDER BY c.position DESC LIMIT 1)
    RETURNING * INTO risen;
    DELETE FROM registry.changes WHERE revision <= target;
    PERFORM registry.append_changes(jsonb_build_array(jsonb_build_object(
        'action', 'log.pruned', 'actor_kind', 'SYSTEM', 'channel', 'SERVICE', 'request_id', 'retention',
        'details', format('{"after":{"chain_hash":"%s","position":%s,"revision":%s},"before":{"revision":%s}}',
            encode(risen.chain_hash, 'hex'), risen.position, risen.revision, floor.revision))));
    RETURN risen.revision;
END
$function$;

CREATE OR REPLACE FUNCTION registry.readable_customers()
 RETURNS uuid[]
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN COALESCE((NULLIF(current_setting('registry.customers'::text, true), ''::text))::uuid[], '{}'::uuid[]);

CREATE OR REPLACE FUNCTION registry.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    RAISE EXCEPTION 'rows of % never change', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$function$;

CREATE OR REPLACE FUNCTION registry.refuse_truncate()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    RAISE EXCEPTION '% is never emptied', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$function$;

CREATE OR REPLACE FUNCTION registry.relist_agent()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
DECLARE
    reach   text := coalesce(current_setting('registry.environments', true), '');
    changed timestamptz := clock_timestamp();
BEGIN
    PERFORM set_config('registry.environments', '{*}', true);
    IF NEW.latest_number IS DISTINCT FROM OLD.latest_number THEN
        UPDATE registry.listed_servings SET latest_number = NEW.latest_number WHERE agent_id = NEW.id;
        changed := coalesce((SELECT v.created_at FROM registry.agent_versions AS v
                             WHERE v.agent_id = NEW.id AND v.number = NEW.latest_number), changed);
    ELSIF NEW.updated_at IS DISTINCT FROM OLD.updated_at THEN
        changed := NEW.updated_at;
    END IF;
    UPDATE registry.listed_agents SET updated_at = greatest(updated_at, changed) WHERE agent_id = NEW.id;
    PERFORM set_config('registry.environments', reach, true);
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION registry.relist_serving()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
DECLARE
    reach text := coalesce(current_setting('registry.environments', true), '');
BEGIN
    PERFORM set_config('registry.environments', '{*}', true);
    UPDATE registry.listed_servings AS l
    SET active_version_id = NEW.active_version_id, model_name = v.model_name, active_number = v.number,
        last_activated_at = coalesce(NEW.activated_at, l.last_activated_at)
    FROM (SELECT) AS one LEFT JOIN registry.agent_versions AS v ON v.id = NEW.active_version_id
    WHERE l.agent_id = NEW.agent_id AND l.environment_key = NEW.environment_key;
    UPDATE registry.listed_agents SET updated_at = greatest(updated_at, coalesce(NEW.activated_at, clock_timestamp()))
    WHERE agent_id = NEW.agent_id;
    PERFORM set_config('registry.environments', reach, true);
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION registry.revision_at(moment timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
DECLARE
    scope text := coalesce(current_setting('registry.scope', true), '');
    found bigint;
BEGIN
    PERFORM set_config('registry.scope', 'platform', true);
    SELECT c.revision INTO found FROM registry.changes AS c WHERE c.at >= moment ORDER BY c.at, c.revision LIMIT 1;
    PERFORM set_config('registry.scope', scope, true);
    RETURN found;
END
$function$;

CREATE OR REPLACE FUNCTION registry.scope()
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN NULLIF(current_setting('registry.scope'::text, true), ''::text);

CREATE OR REPLACE FUNCTION registry.scope_customers()
 RETURNS uuid[]
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN CASE WHEN (registry.scope() = 'limited'::text) THEN '{}'::uuid[] ELSE COALESCE((NULLIF(current_setting('registry.customers'::text, true), ''::text))::uuid[], '{}'::uuid[]) END;

CREATE OR REPLACE FUNCTION registry.scope_environments()
 RETURNS text[]
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN COALESCE((NULLIF(current_setting('registry.environments'::text, true), ''::text))::text[], '{production}'::text[]);

CREATE OR REPLACE FUNCTION registry.scope_principal()
 RETURNS uuid
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN (NULLIF(current_setting('registry.principal'::text, true), ''::text))::uuid;

CREATE OR REPLACE FUNCTION registry.serve_in_default()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
BEGIN
    INSERT INTO registry.servings AS s (customer_id, agent_id, environment_id, environment_key, active_version_id, activated_at)
    SELECT NEW.customer_id, NEW.id, e.id, e.key, NEW.active_version_id, NEW.activated_at
    FROM registry.environments AS e WHERE e.customer_id = NEW.customer_id AND e.key = 'production'
    ON CONFLICT ON CONSTRAINT servings_pkey DO UPDATE
    SET active_version_id = EXCLUDED.active_version_id, activated_at = EXCLUDED.activated_at;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION registry.time_in_environment(agent uuid, environment uuid, version uuid)
 RETURNS TABLE(environment_key text, periods bigint, ended_seconds bigint, active_since timestamp with time zone)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
DECLARE
    reach text := coalesce(current_setting('registry.environments', true), '');
BEGIN
    PERFORM set_config('registry.environments', '{*}', true);
    RETURN QUERY SELECT e.key, count(t.id),
        -- Periods begin and end by the clocks of different instances.
        coalesce(floor(sum(extract(epoch FROM greatest(ending.at - t.activated_at, interval '0')))), 0)::bigint,
        max(t.activated_at) FILTER (WHERE ending.at IS NULL)
    FROM registry.environments AS e
    LEFT JOIN registry.activations AS t
        ON t.agent_id = agent AND t.environment_key = e.key AND t.version_id = version AND t.revision IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT x.activated_at AS at FROM registry.activations AS x
        WHERE x.agent_id = t.agent_id AND x.environment_key = t.environment_key
          AND (x.revision, x.position) > (t.revision, t.position)
        ORDER BY x.revision, x.position LIMIT 1) AS ending ON true
    WHERE e.id = environment
    GROUP BY e.key;
    PERFORM set_config('registry.environments', reach, true);
END
$function$;
