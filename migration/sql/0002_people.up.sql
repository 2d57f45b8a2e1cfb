-- Customers are the tenants: every row of theirs carries customer_id, and every index starts with it.
CREATE TABLE registry.customers (
    id             uuid        CONSTRAINT customers_pkey PRIMARY KEY,
    name           text        NOT NULL CONSTRAINT customers_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
    plan           text        NOT NULL DEFAULT 'FREE'
                               CONSTRAINT customers_plan CHECK (plan IN ('FREE', 'PRO', 'ENTERPRISE')),
    billing_status text        NOT NULL DEFAULT 'ACTIVE'
                               CONSTRAINT customers_billing_status
                               CHECK (billing_status IN ('TRIALING', 'ACTIVE', 'PAST_DUE', 'SUSPENDED', 'CANCELED')),
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);

-- A user is known by (issuer, subject), as OpenID Connect Core 5.7 asks; e-mail and name may change.
CREATE TABLE registry.users (
    id         uuid        CONSTRAINT users_pkey PRIMARY KEY,
    issuer     text        NOT NULL,
    subject    text        NOT NULL CONSTRAINT users_subject_length CHECK (char_length(subject) BETWEEN 1 AND 255),
    email      text,
    name       text,
    created_at timestamptz NOT NULL,
    CONSTRAINT users_issuer_subject_key UNIQUE (issuer, subject)
);

CREATE TABLE registry.memberships (
    customer_id uuid        NOT NULL CONSTRAINT memberships_customer_fkey REFERENCES registry.customers (id),
    user_id     uuid        NOT NULL CONSTRAINT memberships_user_fkey REFERENCES registry.users (id),
    role        text        NOT NULL CONSTRAINT memberships_role CHECK (role IN ('VIEWER', 'EDITOR', 'ADMIN')),
    created_at  timestamptz NOT NULL,
    CONSTRAINT memberships_pkey PRIMARY KEY (customer_id, user_id)
);
-- Signing in asks the other way round: of which customers is this user a member?
CREATE INDEX memberships_user_idx ON registry.memberships (user_id);

-- Operators are users of the platform itself. They are named before they ever sign in, so there is no key to users.
CREATE TABLE registry.operators (
    issuer     text        NOT NULL,
    subject    text        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT operators_pkey PRIMARY KEY (issuer, subject)
);

-- Credentials of the platform's own services. Only the SHA-256 of the secret is kept: with 256 random bits a slow hash adds nothing.
CREATE TABLE registry.service_tokens (
    id           uuid        CONSTRAINT service_tokens_pkey PRIMARY KEY,
    name         text        NOT NULL CONSTRAINT service_tokens_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
    secret_hash  bytea       NOT NULL CONSTRAINT service_tokens_secret_hash_length CHECK (octet_length(secret_hash) = 32),
    scopes       text[]      NOT NULL CONSTRAINT service_tokens_scopes
                             CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['configs:read', 'activations:watch']),
    created_at   timestamptz NOT NULL,
    revoked_at   timestamptz
);

CREATE TRIGGER customers_keep BEFORE TRUNCATE ON registry.customers EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER users_keep BEFORE TRUNCATE ON registry.users EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER memberships_keep BEFORE TRUNCATE ON registry.memberships EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER operators_keep BEFORE TRUNCATE ON registry.operators EXECUTE FUNCTION registry.refuse_truncate();
CREATE TRIGGER service_tokens_keep BEFORE TRUNCATE ON registry.service_tokens EXECUTE FUNCTION registry.refuse_truncate();

-- Row-level security is the second wall: the first is the explicit predicate of each query. FORCE, because the
-- service may own the tables. The sub-selects make Postgres read the setting once a query and not once a row.
ALTER TABLE registry.customers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY customers_read ON registry.customers FOR SELECT USING (
    (SELECT registry.scope()) IN ('platform', 'runtime')
    OR id = ANY ((SELECT registry.scope_customers())::uuid[]));
CREATE POLICY customers_insert ON registry.customers FOR INSERT WITH CHECK ((SELECT registry.scope()) = 'platform');
CREATE POLICY customers_update ON registry.customers FOR UPDATE USING (
    (SELECT registry.scope()) = 'platform' OR id = ANY ((SELECT registry.scope_customers())::uuid[]));

-- A customer's people see one another and nobody else; signing in looks anybody up.
ALTER TABLE registry.memberships ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY memberships_read ON registry.memberships FOR SELECT USING (
    (SELECT registry.scope()) IN ('platform', 'auth')
    OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));
CREATE POLICY memberships_write ON registry.memberships USING (
    (SELECT registry.scope()) = 'platform' OR customer_id = ANY ((SELECT registry.scope_customers())::uuid[]));

ALTER TABLE registry.users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY users_read ON registry.users FOR SELECT USING (
    (SELECT registry.scope()) IN ('platform', 'auth')
    OR id IN (SELECT user_id FROM registry.memberships
              WHERE customer_id = ANY ((SELECT registry.scope_customers())::uuid[])));
CREATE POLICY users_insert ON registry.users FOR INSERT WITH CHECK ((SELECT registry.scope()) IN ('platform', 'customers'));

ALTER TABLE registry.operators ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY operators_read ON registry.operators FOR SELECT USING ((SELECT registry.scope()) IN ('platform', 'auth'));
CREATE POLICY operators_write ON registry.operators USING ((SELECT registry.scope()) = 'platform');

ALTER TABLE registry.service_tokens ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY service_tokens_read ON registry.service_tokens FOR SELECT USING ((SELECT registry.scope()) IN ('platform', 'auth'));
CREATE POLICY service_tokens_write ON registry.service_tokens USING ((SELECT registry.scope()) = 'platform');
