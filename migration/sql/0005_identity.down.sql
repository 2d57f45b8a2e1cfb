DROP INDEX registry.agents_owner_idx;
ALTER TABLE registry.agents DROP CONSTRAINT agents_owner_fkey;
ALTER TABLE registry.agents ADD CONSTRAINT agents_owner_fkey FOREIGN KEY (customer_id, owner_id)
    REFERENCES registry.memberships (customer_id, user_id);
DROP POLICY users_delete ON registry.users;
DROP POLICY users_update ON registry.users;
DROP POLICY users_insert ON registry.users;
CREATE POLICY users_insert ON registry.users FOR INSERT WITH CHECK ((SELECT registry.scope()) IN ('platform', 'customers'));
DROP POLICY customers_read ON registry.customers;
CREATE POLICY customers_read ON registry.customers FOR SELECT USING (
    (SELECT registry.scope()) IN ('platform', 'runtime')
    OR id = ANY ((SELECT registry.scope_customers())::uuid[]));
DROP TABLE registry.api_keys;
DROP TABLE registry.invitations;
