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
