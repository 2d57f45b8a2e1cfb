DROP POLICY idempotency_keys_own ON registry.idempotency_keys;
CREATE POLICY idempotency_keys_own ON registry.idempotency_keys USING (
    principal_id = (SELECT registry.scope_principal()) AND (SELECT registry.scope()) IN ('platform', 'customers'));
ALTER TABLE registry.invitations DROP CONSTRAINT invitations_email_form;
ALTER TABLE registry.invitations ADD CONSTRAINT invitations_email_form
    CHECK (char_length(email) BETWEEN 3 AND 254 AND email = lower(email));
ALTER TABLE registry.memberships DROP COLUMN claim_issuer;
ALTER TABLE registry.users DROP COLUMN chosen_name;
DROP TRIGGER users_first_identity ON registry.users;
DROP FUNCTION registry.add_first_identity();
DROP TABLE registry.identities;
