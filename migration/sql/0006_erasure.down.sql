DROP TRIGGER agent_versions_immutable ON registry.agent_versions;
CREATE TRIGGER agent_versions_immutable BEFORE UPDATE OR DELETE ON registry.agent_versions
    FOR EACH ROW EXECUTE FUNCTION registry.refuse_change();
DROP FUNCTION registry.check_version_change;
DROP TRIGGER customers_erased_is_final ON registry.customers;
ALTER TABLE registry.customers DROP COLUMN erased_at;
