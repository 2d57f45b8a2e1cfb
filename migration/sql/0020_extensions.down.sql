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

ALTER TABLE registry.agent_versions
    DROP CONSTRAINT agent_versions_extensions_text_is_beside_others,
    DROP COLUMN extensions_text;
