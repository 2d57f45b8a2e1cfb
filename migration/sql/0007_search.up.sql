-- Search by index, also under row-level security. There Postgres uses an index only for operators that are leakproof:
-- comparisons of text are, LIKE and its trigrams are not, and neither is what looks into arrays and JSON. So whatever is
-- searched for stands in a column of its own, and is found by a range of a btree in the order of its bytes.

-- By the beginning of the name.
ALTER TABLE registry.agents ADD COLUMN name_lower text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(name)) STORED;
CREATE INDEX agents_customer_name_lower_idx ON registry.agents (customer_id, name_lower);

-- By any part of the name: whatever is within it begins one of its ends. Forty characters of each are kept; who asks for
-- more is answered from those that share the first forty.
CREATE TABLE registry.agent_name_ends (
    customer_id uuid NOT NULL,
    agent_id    uuid NOT NULL,
    position    smallint NOT NULL,
    ending      text COLLATE "C" NOT NULL,
    CONSTRAINT agent_name_ends_pkey PRIMARY KEY (agent_id, position),
    CONSTRAINT agent_name_ends_agent_fkey FOREIGN KEY (customer_id, agent_id) REFERENCES registry.agents (customer_id, id)
);
CREATE INDEX agent_name_ends_idx ON registry.agent_name_ends (customer_id, ending, agent_id);

-- By the model and the tools of the version that serves.
ALTER TABLE registry.agents ADD COLUMN active_model_name text;
CREATE INDEX agents_customer_model_idx ON registry.agents (customer_id, active_model_name, id) WHERE active_model_name IS NOT NULL;
CREATE TABLE registry.agent_active_tools (
    customer_id uuid NOT NULL,
    agent_id    uuid NOT NULL,
    tool_name   text NOT NULL,
    CONSTRAINT agent_active_tools_pkey PRIMARY KEY (agent_id, tool_name),
    CONSTRAINT agent_active_tools_agent_fkey FOREIGN KEY (customer_id, agent_id) REFERENCES registry.agents (customer_id, id)
);
CREATE INDEX agent_active_tools_idx ON registry.agent_active_tools (customer_id, tool_name, agent_id);

CREATE TRIGGER agent_name_ends_keep BEFORE TRUNCATE ON registry.agent_name_ends EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER agent_active_tools_keep BEFORE TRUNCATE ON registry.agent_active_tools EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.agent_name_ends ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY agent_name_ends_all ON registry.agent_name_ends USING (
    (SELECT registry.scope()) = 'platform' OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
ALTER TABLE registry.agent_active_tools ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY agent_active_tools_all ON registry.agent_active_tools USING (
    (SELECT registry.scope()) = 'platform' OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));

-- Kept by triggers, so that no writer can forget it.
CREATE FUNCTION registry.index_agent_name() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM registry.agent_name_ends WHERE agent_id = NEW.id;
    INSERT INTO registry.agent_name_ends (customer_id, agent_id, position, ending)
    SELECT NEW.customer_id, NEW.id, place, substr(lower(NEW.name), place, 40)
    FROM generate_series(1, char_length(lower(NEW.name))) AS place;
    RETURN NULL;
END
$$;
CREATE TRIGGER agents_name_inserted AFTER INSERT ON registry.agents
    FOR EACH ROW EXECUTE FUNCTION registry.index_agent_name();
CREATE TRIGGER agents_name_changed AFTER UPDATE OF name ON registry.agents
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION registry.index_agent_name();

CREATE FUNCTION registry.index_active_version() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.active_model_name := (SELECT model_name FROM registry.agent_versions WHERE id = NEW.active_version_id);
    DELETE FROM registry.agent_active_tools WHERE agent_id = NEW.id;
    INSERT INTO registry.agent_active_tools (customer_id, agent_id, tool_name)
    SELECT NEW.customer_id, NEW.id, tool ->> 'name'
    FROM registry.agent_versions AS v, jsonb_array_elements(v.tools) AS tool
    WHERE v.id = NEW.active_version_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER agents_active_version_changed BEFORE UPDATE OF active_version_id ON registry.agents
    FOR EACH ROW WHEN (OLD.active_version_id IS DISTINCT FROM NEW.active_version_id)
    EXECUTE FUNCTION registry.index_active_version();

-- The tools of a version change only when it is erased, and then there are none.
CREATE FUNCTION registry.forget_active_tools() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM registry.agent_active_tools WHERE agent_id IN (SELECT DISTINCT agent_id FROM erased);
    RETURN NULL;
END
$$;
CREATE TRIGGER agent_versions_erased AFTER UPDATE ON registry.agent_versions
    REFERENCING NEW TABLE AS erased
    FOR EACH STATEMENT EXECUTE FUNCTION registry.forget_active_tools();

-- What is there already. Row-level security holds for the owner too, and without a scope it would find no row.
SELECT set_config('registry.scope', 'platform', true);
INSERT INTO registry.agent_name_ends (customer_id, agent_id, position, ending)
SELECT a.customer_id, a.id, place, substr(lower(a.name), place, 40)
FROM registry.agents AS a, generate_series(1, char_length(lower(a.name))) AS place;
UPDATE registry.agents AS a SET active_model_name = v.model_name
FROM registry.agent_versions AS v WHERE v.id = a.active_version_id;
INSERT INTO registry.agent_active_tools (customer_id, agent_id, tool_name)
SELECT a.customer_id, a.id, tool ->> 'name'
FROM registry.agents AS a
JOIN registry.agent_versions AS v ON v.id = a.active_version_id, jsonb_array_elements(v.tools) AS tool;
SELECT set_config('registry.scope', '', true);
