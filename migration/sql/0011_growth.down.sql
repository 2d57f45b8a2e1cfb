ALTER POLICY users_read ON registry.users USING (
    (SELECT registry.scope()) IN ('platform', 'auth')
    OR id IN (SELECT user_id FROM registry.memberships
              WHERE customer_id = ANY ((SELECT registry.scope_customers())::uuid[])));
DROP INDEX registry.changes_platform_kind_idx;
DROP INDEX registry.changes_kind_idx;
DROP INDEX registry.changes_platform_action_idx;
DROP INDEX registry.changes_platform_actor_idx;
DROP INDEX registry.api_keys_replaced_by_idx;
DROP INDEX registry.invitations_customer_expires_idx;
DROP INDEX registry.customers_name_idx;
DROP INDEX registry.agents_customer_name_bytes_idx;
DROP INDEX registry.agents_kept_idx;
DROP INDEX registry.agents_archived_idx;
DROP INDEX registry.agents_customer_kept_idx;
DROP INDEX registry.agents_customer_archived_idx;
DROP INDEX registry.agent_active_tools_name_idx;
DROP INDEX registry.agent_name_ends_ending_idx;
DROP INDEX registry.agents_model_idx;
DROP INDEX registry.agents_name_lower_idx;
DROP INDEX registry.agents_customer_name_lower_idx;
CREATE INDEX agents_customer_name_lower_idx ON registry.agents (customer_id, name_lower);
