-- A version, its agent's number and what that serves are written in one statement, and many of them are: so numbers are looked
-- at once a statement, when all that it writes is there. They still run 1, 2, 3 …: none is beyond the number that its agent
-- was moved to, and each follows another.
DROP TRIGGER agent_versions_number_is_next ON registry.agent_versions;
DROP FUNCTION registry.check_version_number();

CREATE FUNCTION registry.check_version_numbers() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT v.agent_id, v.number INTO wrong
    FROM added AS v
    WHERE v.number IS DISTINCT FROM 1
      AND NOT EXISTS (SELECT FROM registry.agent_versions AS b WHERE b.agent_id = v.agent_id AND b.number = v.number - 1)
       OR NOT EXISTS (SELECT FROM registry.agents AS a WHERE a.id = v.agent_id AND v.number <= a.latest_number)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'version % is not next for this agent', wrong.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'agent_versions_number_is_next';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER agent_versions_number_is_next AFTER INSERT ON registry.agent_versions
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION registry.check_version_numbers();
