-- Lists in other orders than that of creation, and what is counted for charts. A list is read in the order of an index, so what it is
-- ordered or filtered by stands in one row for each agent and environment, or for each agent or customer. Triggers keep these rows,
-- because older binaries write beside this schema. They lock them last, after the customer, the agent and the serving, and before the
-- head of the log, always in this order: what an agent serves, then when it changed.

-- When a service token was last accepted, as keys and sessions have it.
ALTER TABLE registry.service_tokens ADD COLUMN last_used_at timestamptz;

-- What each agent serves in each environment, also where it never served: rows without a value are read from an index too.
CREATE TABLE registry.listed_servings (
    customer_id       uuid    NOT NULL,
    agent_id          uuid    NOT NULL,
    environment_key   text    COLLATE "C" NOT NULL,
    active_version_id uuid,
    -- Of the active version.
    model_name        text    COLLATE "C",
    active_number     integer,
    -- The agent's newest version, 0 without one. Here, so that a publication and an activation that meet at this row each write
    -- their own number, and neither compares with a number that the other one is changing.
    latest_number     integer NOT NULL,
    -- NULL without a version.
    serves_latest     boolean GENERATED ALWAYS AS (CASE WHEN latest_number > 0 THEN coalesce(active_number = latest_number, false) END) STORED,
    -- The latest activation, which a deactivation doesn't clear.
    last_activated_at timestamptz,
    CONSTRAINT listed_servings_pkey PRIMARY KEY (agent_id, environment_key),
    CONSTRAINT listed_servings_active CHECK ((active_version_id IS NULL) = (active_number IS NULL) AND (active_version_id IS NULL) = (model_name IS NULL)),
    CONSTRAINT listed_servings_agent_fkey FOREIGN KEY (customer_id, agent_id) REFERENCES registry.agents (customer_id, id),
    CONSTRAINT listed_servings_environment_fkey FOREIGN KEY (customer_id, environment_key)
        REFERENCES registry.environments (customer_id, key)
);

-- When an agent last changed: its own fields, its versions, or what it serves anywhere. Not a column of `agents`: activations in two
-- environments don't wait for each other at that row.
CREATE TABLE registry.listed_agents (
    customer_id uuid        NOT NULL,
    agent_id    uuid        NOT NULL,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT listed_agents_pkey PRIMARY KEY (agent_id),
    CONSTRAINT listed_agents_agent_fkey FOREIGN KEY (customer_id, agent_id) REFERENCES registry.agents (customer_id, id)
);

-- The names of a version's tools. They change only when the version is erased, and then there are none.
CREATE TABLE registry.version_tools (
    customer_id uuid NOT NULL,
    agent_id    uuid NOT NULL,
    version_id  uuid NOT NULL,
    tool_name   text COLLATE "C" NOT NULL,
    CONSTRAINT version_tools_pkey PRIMARY KEY (version_id, tool_name),
    CONSTRAINT version_tools_version_fkey FOREIGN KEY (agent_id, version_id) REFERENCES registry.agent_versions (agent_id, id)
);

-- The customer's id in another system.
ALTER TABLE registry.customers
    ADD COLUMN external_id text CONSTRAINT customers_external_id_length CHECK (char_length(external_id) BETWEEN 1 AND 200),
    ADD COLUMN name_folded text COLLATE "C" NOT NULL GENERATED ALWAYS AS (registry.fold_case(name)) STORED;

-- As `agent_name_ends`: any part of a name begins one of its ends.
CREATE TABLE registry.customer_name_ends (
    customer_id uuid     NOT NULL,
    position    smallint NOT NULL,
    ending      text     COLLATE "C" NOT NULL,
    CONSTRAINT customer_name_ends_pkey PRIMARY KEY (customer_id, position),
    CONSTRAINT customer_name_ends_customer_fkey FOREIGN KEY (customer_id) REFERENCES registry.customers (id)
);

-- The minute of a customer's latest entry of the log. Exact to the minute, so that a commit writes it once a minute and customer, and
-- otherwise only looks: the head of the log is locked then.
CREATE TABLE registry.customer_activity (
    customer_id uuid        NOT NULL,
    minute      timestamptz NOT NULL,
    CONSTRAINT customer_activity_pkey PRIMARY KEY (customer_id),
    CONSTRAINT customer_activity_customer_fkey FOREIGN KEY (customer_id) REFERENCES registry.customers (id)
);

-- As `agent_name_ends`, of what people are searched by: `E`, the address; `N`, the display name.
CREATE TABLE registry.user_ends (
    user_id  uuid     NOT NULL,
    part     text     COLLATE "C" NOT NULL CONSTRAINT user_ends_part CHECK (part IN ('E', 'N')),
    position smallint NOT NULL,
    ending   text     COLLATE "C" NOT NULL,
    CONSTRAINT user_ends_pkey PRIMARY KEY (user_id, part, position),
    CONSTRAINT user_ends_user_fkey FOREIGN KEY (user_id) REFERENCES registry.users (id) ON DELETE CASCADE
);

CREATE TRIGGER listed_servings_keep BEFORE TRUNCATE ON registry.listed_servings EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER listed_agents_keep BEFORE TRUNCATE ON registry.listed_agents EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER version_tools_keep BEFORE TRUNCATE ON registry.version_tools EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER version_tools_immutable BEFORE UPDATE ON registry.version_tools
    FOR EACH ROW EXECUTE FUNCTION registry.refuse_change();
CREATE TRIGGER customer_name_ends_keep BEFORE TRUNCATE ON registry.customer_name_ends EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER customer_activity_keep BEFORE TRUNCATE ON registry.customer_activity EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER user_ends_keep BEFORE TRUNCATE ON registry.user_ends EXECUTE FUNCTION registry.refuse_truncate();

-- A writer may reach only some environments, and an older binary knows only `production`: the functions below see all of them, of the
-- customers in the writer's scope. They run with the owner's rights, as those of 0021_environments do.
CREATE FUNCTION registry.list_agent() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
$$;
CREATE TRIGGER agents_listed AFTER INSERT ON registry.agents FOR EACH ROW EXECUTE FUNCTION registry.list_agent();

-- Its writer has locked the customer, so no agent is created meanwhile.
CREATE FUNCTION registry.list_environment() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
$$;
CREATE TRIGGER environments_listed AFTER INSERT ON registry.environments
    FOR EACH ROW EXECUTE FUNCTION registry.list_environment();

-- A change of the agent's own fields, or new versions. Fires before `agents_served_in_default`, as its name is earlier: both write these
-- rows.
CREATE FUNCTION registry.relist_agent() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
$$;
CREATE TRIGGER agents_relisted AFTER UPDATE OF name, description, owner_id, archived_at, latest_number ON registry.agents FOR EACH ROW
    WHEN ((OLD.name, OLD.description, OLD.owner_id, OLD.archived_at, OLD.latest_number)
          IS DISTINCT FROM (NEW.name, NEW.description, NEW.owner_id, NEW.archived_at, NEW.latest_number))
    EXECUTE FUNCTION registry.relist_agent();

CREATE FUNCTION registry.relist_serving() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
$$;
CREATE TRIGGER servings_listed AFTER INSERT ON registry.servings FOR EACH ROW
    WHEN (NEW.active_version_id IS NOT NULL) EXECUTE FUNCTION registry.relist_serving();
CREATE TRIGGER servings_relisted AFTER UPDATE OF active_version_id, activated_at ON registry.servings FOR EACH ROW
    WHEN ((OLD.active_version_id, OLD.activated_at) IS DISTINCT FROM (NEW.active_version_id, NEW.activated_at))
    EXECUTE FUNCTION registry.relist_serving();

CREATE FUNCTION registry.list_version_tools() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO registry.version_tools (customer_id, agent_id, version_id, tool_name)
    SELECT DISTINCT v.customer_id, v.agent_id, v.id, tool ->> 'name'
    FROM added AS v, jsonb_array_elements(v.tools) AS tool;
    RETURN NULL;
END
$$;
CREATE TRIGGER agent_versions_tools AFTER INSERT ON registry.agent_versions
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION registry.list_version_tools();

-- Versions change only when they are erased.
CREATE FUNCTION registry.forget_version_tools() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
$$;
CREATE TRIGGER agent_versions_tools_erased AFTER UPDATE ON registry.agent_versions
    REFERENCING NEW TABLE AS erased
    FOR EACH STATEMENT EXECUTE FUNCTION registry.forget_version_tools();

CREATE FUNCTION registry.list_customer() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
$$;
CREATE TRIGGER customers_listed AFTER INSERT ON registry.customers FOR EACH ROW EXECUTE FUNCTION registry.list_customer();
CREATE TRIGGER customers_relisted AFTER UPDATE OF name ON registry.customers FOR EACH ROW
    WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION registry.list_customer();

-- An entry of the log about a customer. The head of the log is locked: in most commits this finds, by one descent of an index, that the
-- minute is written already.
CREATE FUNCTION registry.note_activity() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE registry.customer_activity SET minute = date_trunc('minute', NEW.at)
    WHERE customer_id = NEW.customer_id AND minute < date_trunc('minute', NEW.at);
    RETURN NULL;
END
$$;
CREATE TRIGGER changes_activity AFTER INSERT ON registry.changes FOR EACH ROW
    WHEN (NEW.customer_id IS NOT NULL) EXECUTE FUNCTION registry.note_activity();

CREATE FUNCTION registry.list_user() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
$$;
CREATE TRIGGER users_listed AFTER INSERT ON registry.users FOR EACH ROW EXECUTE FUNCTION registry.list_user();
CREATE TRIGGER users_relisted AFTER UPDATE OF email, name, chosen_name ON registry.users FOR EACH ROW
    WHEN ((OLD.email, OLD.name, OLD.chosen_name) IS DISTINCT FROM (NEW.email, NEW.name, NEW.chosen_name))
    EXECUTE FUNCTION registry.list_user();

ALTER TABLE registry.listed_servings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY listed_servings_read ON registry.listed_servings FOR SELECT USING (
    (SELECT registry.scope() = 'platform') OR customer_id = ANY ((SELECT registry.readable_customers())::uuid[]));
CREATE POLICY listed_servings_write ON registry.listed_servings USING (
    (SELECT registry.scope() = 'platform') OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
CREATE POLICY listed_servings_reached ON registry.listed_servings AS RESTRICTIVE USING (
    (SELECT '*' = ANY (registry.scope_environments()))
    OR environment_key = ANY ((SELECT registry.scope_environments())::text[]));
-- The latest change may be one in any environment.
ALTER TABLE registry.listed_agents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY listed_agents_read ON registry.listed_agents FOR SELECT USING (
    (SELECT registry.scope() = 'platform') OR customer_id = ANY ((SELECT registry.readable_customers())::uuid[]));
CREATE POLICY listed_agents_write ON registry.listed_agents USING (
    (SELECT registry.scope() = 'platform') OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
CREATE POLICY listed_agents_reached ON registry.listed_agents AS RESTRICTIVE USING (
    (SELECT '*' = ANY (registry.scope_environments())));
ALTER TABLE registry.version_tools ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY version_tools_read ON registry.version_tools FOR SELECT USING (
    (SELECT registry.scope() = 'platform') OR customer_id = ANY ((SELECT registry.readable_customers())::uuid[]));
CREATE POLICY version_tools_write ON registry.version_tools USING (
    (SELECT registry.scope() = 'platform') OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
ALTER TABLE registry.customer_name_ends ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY customer_name_ends_all ON registry.customer_name_ends USING (
    (SELECT registry.scope() = 'platform') OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
ALTER TABLE registry.customer_activity ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY customer_activity_read ON registry.customer_activity FOR SELECT USING (
    (SELECT registry.scope() = 'platform') OR customer_id = ANY ((SELECT registry.readable_customers())::uuid[]));
CREATE POLICY customer_activity_write ON registry.customer_activity USING (
    (SELECT registry.scope() = 'platform') OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
-- People are searched by the platform alone. The trigger writes in its scope, whatever scope a profile is written in.
ALTER TABLE registry.user_ends ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY user_ends_all ON registry.user_ends USING ((SELECT registry.scope() = 'platform'));

-- What there is already.
SELECT set_config('registry.scope', 'platform', true), set_config('registry.environments', '{*}', true);
INSERT INTO registry.listed_servings (customer_id, agent_id, environment_key, active_version_id, model_name, active_number,
    latest_number, last_activated_at)
SELECT a.customer_id, a.id, e.key, s.active_version_id, v.model_name, v.number, a.latest_number,
    coalesce(s.activated_at, (SELECT x.activated_at FROM registry.activations AS x
     WHERE x.agent_id = a.id AND x.environment_key = e.key AND x.version_id IS NOT NULL ORDER BY x.id DESC LIMIT 1))
FROM registry.agents AS a
JOIN registry.environments AS e ON e.customer_id = a.customer_id
LEFT JOIN registry.servings AS s ON s.agent_id = a.id AND s.environment_id = e.id
LEFT JOIN registry.agent_versions AS v ON v.id = s.active_version_id;
INSERT INTO registry.listed_agents (customer_id, agent_id, updated_at)
SELECT a.customer_id, a.id, greatest(a.updated_at,
    (SELECT v.created_at FROM registry.agent_versions AS v WHERE v.agent_id = a.id AND v.number = a.latest_number),
    (SELECT x.activated_at FROM registry.activations AS x WHERE x.agent_id = a.id ORDER BY x.id DESC LIMIT 1))
FROM registry.agents AS a;
INSERT INTO registry.version_tools (customer_id, agent_id, version_id, tool_name)
SELECT DISTINCT v.customer_id, v.agent_id, v.id, tool ->> 'name'
FROM registry.agent_versions AS v, jsonb_array_elements(v.tools) AS tool;
INSERT INTO registry.customer_name_ends (customer_id, position, ending)
SELECT c.id, place, substr(c.name_folded, place, 40)
FROM registry.customers AS c, generate_series(1, char_length(c.name_folded)) AS place;
INSERT INTO registry.customer_activity (customer_id, minute)
SELECT c.id, date_trunc('minute', coalesce(
    (SELECT x.at FROM registry.changes AS x WHERE x.customer_id = c.id ORDER BY x.revision DESC, x.position DESC LIMIT 1), c.updated_at))
FROM registry.customers AS c;
INSERT INTO registry.user_ends (user_id, part, position, ending)
SELECT u.id, p.part, place, substr(p.folded, place, 40)
FROM registry.users AS u,
     LATERAL (VALUES ('E', left(registry.fold_case(u.email), 400)),
                     ('N', left(registry.fold_case(coalesce(u.chosen_name, u.name)), 400))) AS p (part, folded),
     generate_series(1, char_length(p.folded)) AS place;
SELECT set_config('registry.scope', '', true), set_config('registry.environments', '', true);

-- The orders and filters: of one customer, and of all for operators.
CREATE INDEX listed_servings_customer_model_idx ON registry.listed_servings (customer_id, environment_key, model_name, agent_id)
    INCLUDE (active_version_id, last_activated_at);
CREATE INDEX listed_servings_model_idx ON registry.listed_servings (environment_key, model_name, agent_id)
    INCLUDE (customer_id, active_version_id, last_activated_at);
CREATE INDEX listed_servings_customer_last_idx ON registry.listed_servings (customer_id, environment_key, last_activated_at, agent_id);
CREATE INDEX listed_servings_last_idx ON registry.listed_servings (environment_key, last_activated_at, agent_id) INCLUDE (customer_id);
CREATE INDEX listed_servings_customer_latest_idx ON registry.listed_servings (customer_id, environment_key, serves_latest, agent_id);
CREATE INDEX listed_servings_latest_idx ON registry.listed_servings (environment_key, serves_latest, agent_id) INCLUDE (customer_id);
CREATE INDEX listed_agents_customer_idx ON registry.listed_agents (customer_id, updated_at, agent_id);
CREATE INDEX listed_agents_idx ON registry.listed_agents (updated_at, agent_id) INCLUDE (customer_id);
CREATE INDEX version_tools_customer_idx ON registry.version_tools (customer_id, tool_name, agent_id);
CREATE INDEX version_tools_idx ON registry.version_tools (tool_name, agent_id) INCLUDE (customer_id);
CREATE UNIQUE INDEX customers_external_id_key ON registry.customers (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX customers_name_folded_idx ON registry.customers (name_folded, id);
CREATE INDEX customers_billing_status_idx ON registry.customers (billing_status, id);
CREATE INDEX customers_plan_idx ON registry.customers (plan, id);
CREATE INDEX customers_created_idx ON registry.customers (created_at, id);
CREATE INDEX customer_name_ends_idx ON registry.customer_name_ends (ending, customer_id);
CREATE INDEX customer_activity_idx ON registry.customer_activity (minute, customer_id);
CREATE INDEX user_ends_idx ON registry.user_ends (part, ending, user_id);
-- Activations a day.
CREATE INDEX activations_customer_day_idx ON registry.activations (customer_id, activated_at)
    INCLUDE (environment_key, reason, promoted_from);
CREATE INDEX activations_day_idx ON registry.activations (activated_at)
    INCLUDE (customer_id, environment_key, reason, promoted_from);
