-- The names by which a person signs in. `users` has the first of them; a move to another provider adds one, so that both
-- are the same person.
CREATE TABLE registry.identities (
    issuer     text        NOT NULL,
    subject    text        NOT NULL CONSTRAINT identities_subject_length CHECK (char_length(subject) BETWEEN 1 AND 255),
    user_id    uuid        NOT NULL CONSTRAINT identities_user_fkey REFERENCES registry.users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    -- When this identity's token last updated the profile and the memberships. Not in the log: it changes no right.
    synced_at  timestamptz,
    CONSTRAINT identities_pkey PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_user_idx ON registry.identities (user_id);

CREATE TRIGGER identities_keep BEFORE TRUNCATE ON registry.identities EXECUTE FUNCTION registry.refuse_truncate();

ALTER TABLE registry.identities ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY identities_read ON registry.identities FOR SELECT USING (
    (SELECT registry.scope()) IN ('platform', 'auth')
    OR user_id IN (SELECT user_id FROM registry.memberships
                   WHERE customer_id = ANY ((SELECT registry.scope_customers())::uuid[])));
CREATE POLICY identities_insert ON registry.identities FOR INSERT
    WITH CHECK ((SELECT registry.scope()) IN ('platform', 'customers', 'auth'));
CREATE POLICY identities_update ON registry.identities FOR UPDATE USING ((SELECT registry.scope()) IN ('platform', 'auth'));
CREATE POLICY identities_delete ON registry.identities FOR DELETE USING ((SELECT registry.scope()) = 'platform');

-- Every profile has its first identity, also one that an instance of the release before creates. Runs with the owner's
-- rights: that release revokes the service's rights on a table that it doesn't know when it starts. Row-level security
-- holds for the owner too.
CREATE FUNCTION registry.add_first_identity() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO registry.identities (issuer, subject, user_id, created_at)
    VALUES (NEW.issuer, NEW.subject, NEW.id, NEW.created_at);
    RETURN NULL;
END
$$;
CREATE TRIGGER users_first_identity AFTER INSERT ON registry.users
    FOR EACH ROW EXECUTE FUNCTION registry.add_first_identity();

-- Row-level security holds for the owner too, and without a scope it would find no row.
SELECT set_config('registry.scope', 'platform', true);
INSERT INTO registry.identities (issuer, subject, user_id, created_at)
SELECT issuer, subject, id, created_at FROM registry.users;
SELECT set_config('registry.scope', '', true);

-- The name that a person has chosen, in place of the provider's in `name`.
ALTER TABLE registry.users ADD COLUMN chosen_name text
    CONSTRAINT users_chosen_name_length CHECK (char_length(chosen_name) BETWEEN 1 AND 200);

-- The issuer whose claims gave the membership, and may change it. NULL for one that a person gave.
ALTER TABLE registry.memberships ADD COLUMN claim_issuer text;

-- The service lower-cases addresses. The database's locale must not: in a Turkish one, lower('I') is not 'i'.
ALTER TABLE registry.invitations DROP CONSTRAINT invitations_email_form;
ALTER TABLE registry.invitations ADD CONSTRAINT invitations_email_form
    CHECK (char_length(email) BETWEEN 3 AND 254 AND email = lower(email COLLATE "C"));

-- A person updates its own profile, and an ADMIN adds a member whose profile it can't see yet, in the scope auth.
DROP POLICY idempotency_keys_own ON registry.idempotency_keys;
CREATE POLICY idempotency_keys_own ON registry.idempotency_keys USING (
    principal_id = (SELECT registry.scope_principal()) AND (SELECT registry.scope()) IN ('platform', 'customers', 'auth'));
