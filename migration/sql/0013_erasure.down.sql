CREATE OR REPLACE FUNCTION registry.forget_active_tools() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM registry.agent_active_tools WHERE agent_id IN (SELECT DISTINCT agent_id FROM erased);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION registry.check_version_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
       AND NEW.system_prompt = '' AND NEW.model_parameters = '{}' AND NEW.tools = '[]' AND NEW.message IS NULL
       AND ROW (NEW.id, NEW.customer_id, NEW.agent_id, NEW.number, NEW.model_name, NEW.content_hash,
                NEW.created_by_kind, NEW.created_by_id, NEW.created_at)
           IS NOT DISTINCT FROM
           ROW (OLD.id, OLD.customer_id, OLD.agent_id, OLD.number, OLD.model_name, OLD.content_hash,
                OLD.created_by_kind, OLD.created_by_id, OLD.created_at)
       AND EXISTS (SELECT FROM registry.customers WHERE id = OLD.customer_id AND erased_at IS NOT NULL) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'rows of agent_versions never change' USING ERRCODE = 'restrict_violation';
END
$$;
