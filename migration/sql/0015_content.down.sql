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
