-- Who was asked to work for a customer and has not come yet. A row is an open invitation: it goes when it is accepted,
-- taken back or replaced, and the log keeps what happened. The address is kept in lower case, as it is compared.
CREATE TABLE registry.invitations (
    id              uuid        CONSTRAINT invitations_pkey PRIMARY KEY,
    customer_id     uuid        NOT NULL CONSTRAINT invitations_customer_fkey REFERENCES registry.customers (id),
    email           text        NOT NULL CONSTRAINT invitations_email_form
                                CHECK (char_length(email) BETWEEN 3 AND 254 AND email = lower(email)),
    role            text        NOT NULL CONSTRAINT invitations_role CHECK (role IN ('VIEWER', 'EDITOR', 'ADMIN')),
    invited_by_kind text        NOT NULL,
    invited_by_id   uuid,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    CONSTRAINT invitations_customer_email_key UNIQUE (customer_id, email),
    -- Also the order in which a customer's invitations are listed.
    CONSTRAINT invitations_customer_id_key UNIQUE (customer_id, id)
);
-- Signing in asks the other way round: who has invited this address?
CREATE INDEX invitations_email_idx ON registry.invitations (email);

-- Credentials of a customer's own programs. Only the SHA-256 of the secret is kept: with 256 random bits a slow hash
-- adds nothing.
CREATE TABLE registry.api_keys (
    id              uuid        CONSTRAINT api_keys_pkey PRIMARY KEY,
    customer_id     uuid        NOT NULL CONSTRAINT api_keys_customer_fkey REFERENCES registry.customers (id),
    name            text        NOT NULL CONSTRAINT api_keys_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
    secret_hash     bytea       NOT NULL CONSTRAINT api_keys_secret_hash_length CHECK (octet_length(secret_hash) = 32),
    scopes          text[]      NOT NULL CONSTRAINT api_keys_scopes
                                CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['agents:read', 'agents:write',
                                       'versions:publish', 'versions:activate', 'configs:read', 'activations:watch', 'changes:read']),
    created_by_kind text        NOT NULL,
    created_by_id   uuid,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz,
    -- Written at most once a minute, and not in the log: it says when, and changes nothing.
    last_used_at    timestamptz,
    revoked_at      timestamptz,
    -- The key that took over when this one was rotated.
    replaced_by     uuid,
    CONSTRAINT api_keys_customer_id_key UNIQUE (customer_id, id),
    CONSTRAINT api_keys_replaced_by_fkey FOREIGN KEY (customer_id, replaced_by) REFERENCES registry.api_keys (customer_id, id)
);

CREATE TRIGGER invitations_keep BEFORE TRUNCATE ON registry.invitations EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER api_keys_keep BEFORE TRUNCATE ON registry.api_keys EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.invitations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY invitations_read ON registry.invitations FOR SELECT USING (
    (SELECT registry.scope()) IN ('platform', 'auth')
    OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
CREATE POLICY invitations_write ON registry.invitations USING (
    (SELECT registry.scope()) = 'platform' OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));

ALTER TABLE registry.api_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY api_keys_read ON registry.api_keys FOR SELECT USING (
    (SELECT registry.scope()) IN ('platform', 'auth')
    OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
CREATE POLICY api_keys_write ON registry.api_keys USING (
    (SELECT registry.scope()) = 'platform' OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));

-- Signing in reads a customer's plan, which says how much its people and keys may ask for.
DROP POLICY customers_read ON registry.customers;
CREATE POLICY customers_read ON registry.customers FOR SELECT USING (
    (SELECT registry.scope()) IN ('platform', 'runtime', 'auth')
    OR id = ANY ((SELECT registry.scope_customers())::uuid[]));

-- Whoever accepts an invitation does so in the scope auth, and in that of the one customer that has invited it: it makes
-- its own profile, or completes it.
DROP POLICY users_insert ON registry.users;
CREATE POLICY users_insert ON registry.users FOR INSERT WITH CHECK ((SELECT registry.scope()) IN ('platform', 'customers', 'auth'));
CREATE POLICY users_update ON registry.users FOR UPDATE USING ((SELECT registry.scope()) IN ('platform', 'auth'));
CREATE POLICY users_delete ON registry.users FOR DELETE USING ((SELECT registry.scope()) = 'platform');

-- Who leaves a customer owns none of its agents any more.
ALTER TABLE registry.agents DROP CONSTRAINT agents_owner_fkey;
ALTER TABLE registry.agents ADD CONSTRAINT agents_owner_fkey FOREIGN KEY (customer_id, owner_id)
    REFERENCES registry.memberships (customer_id, user_id) ON DELETE SET NULL (owner_id);
CREATE INDEX agents_owner_idx ON registry.agents (owner_id, id) WHERE owner_id IS NOT NULL;
