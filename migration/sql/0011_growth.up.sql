-- What is asked for costs the same however much there is besides. Each list is read in the order of an index, from where its
-- page begins; a search goes by what an index has for it. Those of one customer had theirs; these are for operators, who see
-- all customers, and for what was gone through until now.

-- Ids stand in each, and the customers that row-level security asks for, so that the rows that a search lets pass are counted,
-- and put in order, without being read.
DROP INDEX registry.agents_customer_name_lower_idx;
CREATE INDEX agents_customer_name_lower_idx ON registry.agents (customer_id, name_lower, id);
CREATE INDEX agents_name_lower_idx ON registry.agents (name_lower, id) INCLUDE (customer_id);
CREATE INDEX agents_model_idx ON registry.agents (active_model_name, id) INCLUDE (customer_id)
    WHERE active_model_name IS NOT NULL;
CREATE INDEX agent_name_ends_ending_idx ON registry.agent_name_ends (ending, agent_id) INCLUDE (customer_id);
CREATE INDEX agent_active_tools_name_idx ON registry.agent_active_tools (tool_name, agent_id) INCLUDE (customer_id);

-- Those that are put away are few among many, or many among few.
CREATE INDEX agents_customer_archived_idx ON registry.agents (customer_id, id) WHERE archived_at IS NOT NULL;
CREATE INDEX agents_customer_kept_idx ON registry.agents (customer_id, id) WHERE archived_at IS NULL;
CREATE INDEX agents_archived_idx ON registry.agents (id) INCLUDE (customer_id) WHERE archived_at IS NOT NULL;
CREATE INDEX agents_kept_idx ON registry.agents (id) INCLUDE (customer_id) WHERE archived_at IS NULL;

-- An export goes by the bytes of names, which is not the order of the database's locale.
CREATE INDEX agents_customer_name_bytes_idx ON registry.agents (customer_id, name COLLATE "C");

CREATE INDEX customers_name_idx ON registry.customers (name, id);

-- Those that are past their time stay until somebody invites the same address again.
CREATE INDEX invitations_customer_expires_idx ON registry.invitations (customer_id, expires_at);

-- A key that is rotated again asks which one it replaced; so does whoever takes one away.
CREATE INDEX api_keys_replaced_by_idx ON registry.api_keys (replaced_by) WHERE replaced_by IS NOT NULL;

-- The audit of all customers, by who and by what.
CREATE INDEX changes_platform_actor_idx ON registry.changes (actor_id, revision, position);
CREATE INDEX changes_platform_action_idx ON registry.changes (action, revision, position);
-- By what kind of caller: most entries are people's, and need none.
CREATE INDEX changes_kind_idx ON registry.changes (customer_id, actor_kind, revision, position) WHERE actor_kind <> 'USER';
CREATE INDEX changes_platform_kind_idx ON registry.changes (actor_kind, revision, position) WHERE actor_kind <> 'USER';

-- A customer's people see one another: whether one of them is one is asked of those that are read, and not all are listed.
ALTER POLICY users_read ON registry.users USING (
    (SELECT registry.scope()) IN ('platform', 'auth')
    OR (SELECT true FROM registry.memberships AS m
        WHERE m.user_id = users.id AND m.customer_id = ANY ((SELECT registry.scope_customers())::uuid[]) LIMIT 1));
