-- Service tokens limited to customers, with an end, a creator and a successor. A row that a binary without these columns writes has
-- none of them: a token for all customers that doesn't end.
ALTER TABLE registry.service_tokens
    -- NULL: all customers. No foreign key: an erased customer keeps its row, and stays in the list.
    -- `secret_hash` of a limited token is the hash of the secret's hash, so a binary that doesn't know this column rejects the
    -- token, instead of accepting it for all customers.
    ADD COLUMN customer_ids    uuid[] CONSTRAINT service_tokens_customer_ids CHECK (cardinality(customer_ids) BETWEEN 1 AND 100),
    -- NULL in rows of binaries without these columns: the log has the creator.
    ADD COLUMN created_by_kind text,
    ADD COLUMN created_by_id   uuid,
    ADD COLUMN expires_at      timestamptz,
    ADD COLUMN replaced_by     uuid CONSTRAINT service_tokens_replaced_by_fkey REFERENCES registry.service_tokens (id);

-- The log keeps an entry for as long as its retention says, so the creators that it still has are stored.
SELECT set_config('registry.scope', 'platform', true);
UPDATE registry.service_tokens AS t
SET created_by_kind = c.actor_kind, created_by_id = c.actor_id
FROM registry.changes AS c
WHERE c.customer_id IS NULL AND c.action = 'service_token.created' AND c.subject_id = t.id;
SELECT set_config('registry.scope', '', true);

-- The service compares `expires_at` with its own clock. This is for binaries that don't know the column.
ALTER POLICY service_tokens_read ON registry.service_tokens USING (
    (SELECT registry.scope()) = 'platform'
    OR (SELECT registry.scope()) = 'auth' AND (expires_at IS NULL OR expires_at > now()));

-- A further scope: `limited` is `runtime` for the customers named in registry.customers alone. These are then not customers whose
-- people, keys and invitations may be read, or to whose tables anything may be written: only the tables that `runtime` reads name
-- readable_customers().
CREATE FUNCTION registry.readable_customers() RETURNS uuid[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('registry.customers', true), '')::uuid[], '{}');

CREATE OR REPLACE FUNCTION registry.scope_customers() RETURNS uuid[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN registry.scope() = 'limited' THEN '{}'::uuid[]
       ELSE coalesce(nullif(current_setting('registry.customers', true), '')::uuid[], '{}') END;

ALTER POLICY customers_read ON registry.customers USING (
    (SELECT registry.scope()) IN ('platform', 'runtime', 'auth')
    OR id = ANY ((SELECT registry.readable_customers())::uuid[]));
ALTER POLICY agents_read ON registry.agents USING (
    (SELECT registry.scope()) IN ('platform', 'runtime')
    OR customer_id = ANY ((SELECT registry.readable_customers())::uuid[]));
ALTER POLICY agent_versions_read ON registry.agent_versions USING (
    (SELECT registry.scope()) IN ('platform', 'runtime')
    OR customer_id = ANY ((SELECT registry.readable_customers())::uuid[]));
ALTER POLICY activations_read ON registry.activations USING (
    (SELECT registry.scope()) IN ('platform', 'runtime')
    OR customer_id = ANY ((SELECT registry.readable_customers())::uuid[]));
ALTER POLICY changes_read ON registry.changes USING (
    (SELECT registry.scope()) IN ('platform', 'runtime')
    OR customer_id = ANY ((SELECT registry.readable_customers())::uuid[]));
