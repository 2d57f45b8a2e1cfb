-- Erasure takes the models' names too: a name such as `city-of-x-finetune` is the customer's own. An instance of the release before
-- leaves them as they are; its erasure is completed here.
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

-- What the search finds agents by goes with what it was taken from.
CREATE OR REPLACE FUNCTION registry.forget_active_tools() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM registry.agent_active_tools WHERE agent_id IN (SELECT DISTINCT agent_id FROM erased);
    UPDATE registry.agents AS a SET active_model_name = e.model_name
    FROM erased AS e WHERE e.agent_id = a.id AND e.id = a.active_version_id;
    RETURN NULL;
END
$$;

-- Customers that were erased before. Row-level security holds for the owner too, and without a scope it would find no row.
SELECT set_config('registry.scope', 'platform', true);
UPDATE registry.agent_versions AS v SET model_name = 'erased'
FROM registry.customers AS c WHERE c.id = v.customer_id AND c.erased_at IS NOT NULL AND v.model_name <> 'erased';
SELECT set_config('registry.scope', '', true);
