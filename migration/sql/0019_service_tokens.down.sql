ALTER POLICY changes_read ON registry.changes USING (
    (SELECT registry.scope()) IN ('platform', 'runtime')
    OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
ALTER POLICY activations_read ON registry.activations USING (
    (SELECT registry.scope()) IN ('platform', 'runtime')
    OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
ALTER POLICY agent_versions_read ON registry.agent_versions USING (
    (SELECT registry.scope()) IN ('platform', 'runtime')
    OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
ALTER POLICY agents_read ON registry.agents USING (
    (SELECT registry.scope()) IN ('platform', 'runtime')
    OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
ALTER POLICY customers_read ON registry.customers USING (
    (SELECT registry.scope()) IN ('platform', 'runtime', 'auth')
    OR id = ANY ((SELECT registry.scope_customers())::uuid[]));
CREATE OR REPLACE FUNCTION registry.scope_customers() RETURNS uuid[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('registry.customers', true), '')::uuid[], '{}');
DROP FUNCTION registry.readable_customers();
ALTER POLICY service_tokens_read ON registry.service_tokens USING ((SELECT registry.scope()) IN ('platform', 'auth'));
ALTER TABLE registry.service_tokens
    DROP COLUMN replaced_by, DROP COLUMN expires_at, DROP COLUMN created_by_id, DROP COLUMN created_by_kind, DROP COLUMN customer_ids;
