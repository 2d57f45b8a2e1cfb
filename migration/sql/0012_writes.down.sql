DROP TRIGGER agent_versions_number_is_next ON registry.agent_versions;
DROP FUNCTION registry.check_version_numbers();

CREATE FUNCTION registry.check_version_number() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    latest integer;
BEGIN
    SELECT latest_number INTO latest FROM registry.agents WHERE id = NEW.agent_id;
    IF NEW.number IS DISTINCT FROM latest
       OR (NEW.number > 1 AND NOT EXISTS (
               SELECT FROM registry.agent_versions WHERE agent_id = NEW.agent_id AND number = NEW.number - 1)) THEN
        RAISE EXCEPTION 'version % is not next for this agent', NEW.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'agent_versions_number_is_next';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER agent_versions_number_is_next BEFORE INSERT ON registry.agent_versions
    FOR EACH ROW EXECUTE FUNCTION registry.check_version_number();
