-- A canceled customer can be erased: prompts and personal data go, numbers, hashes and the log stay. Then its row never
-- changes again.
ALTER TABLE registry.customers ADD COLUMN erased_at timestamptz
    CONSTRAINT customers_erased_is_canceled CHECK (erased_at IS NULL OR billing_status = 'CANCELED');
CREATE TRIGGER customers_erased_is_final BEFORE UPDATE ON registry.customers
    FOR EACH ROW WHEN (OLD.erased_at IS NOT NULL) EXECUTE FUNCTION registry.refuse_change();

-- A version never changes, but for this: the content of an erased customer's is taken away, and nothing is put in its place.
CREATE FUNCTION registry.check_version_change() RETURNS trigger
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
DROP TRIGGER agent_versions_immutable ON registry.agent_versions;
CREATE TRIGGER agent_versions_immutable BEFORE UPDATE OR DELETE ON registry.agent_versions
    FOR EACH ROW EXECUTE FUNCTION registry.check_version_change();
