-- The text of a version's extensions, as it was given; NULL when there are none. It is served as it is, so there is no column of
-- JSON beside it. An older instance publishes versions without extensions, and serves those of others without them.
-- No row has extensions yet, so the constraints needn't read the table: that would lock it while versions are published.
ALTER TABLE registry.agent_versions
    ADD COLUMN extensions_text text;
ALTER TABLE registry.agent_versions
    ADD CONSTRAINT agent_versions_extensions_text_size CHECK (octet_length(extensions_text) <= 262144) NOT VALID,
    -- Their size is part of `served_bytes`, and they are part of what `bytes_hash` covers.
    ADD CONSTRAINT agent_versions_extensions_text_is_beside_others CHECK (extensions_text IS NULL OR tools_text IS NOT NULL) NOT VALID;

-- Erasure takes the extensions too. An older instance doesn't know them; its erasure is completed here.
CREATE OR REPLACE FUNCTION registry.check_version_change() RETURNS trigger
LANGUAGE plpgsql AS $$
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
$$;
