-- What a write came to that was sent with an idempotency key, so that sending it again does nothing again. Ids and hashes
-- only: neither what was asked nor what was answered. Kept for a day; not in the log, since nothing of anybody's changes.
CREATE TABLE registry.idempotency_keys (
    principal_id uuid   NOT NULL,
    -- SHA-256 of the key: whatever a client takes for one, it is not kept.
    key_hash     bytea  NOT NULL CONSTRAINT idempotency_keys_key_hash CHECK (octet_length(key_hash) = 32),
    -- SHA-256 of the request: what else comes with the same key is refused.
    request_hash bytea  NOT NULL CONSTRAINT idempotency_keys_request_hash CHECK (octet_length(request_hash) = 32),
    claimed_at   timestamptz NOT NULL,
    -- What it made or changed, and in which commit; none only inside the transaction that claims the key.
    subject_id   uuid,
    other_id     uuid,
    revision     bigint,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (principal_id, key_hash)
);
CREATE INDEX idempotency_keys_claimed_at_idx ON registry.idempotency_keys (claimed_at);
CREATE TRIGGER idempotency_keys_keep BEFORE TRUNCATE ON registry.idempotency_keys EXECUTE FUNCTION registry.refuse_truncate();

-- A principal has its own rows and no others, also among those of one customer. The platform takes away what is over.
CREATE FUNCTION registry.scope_principal() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('registry.principal', true), '')::uuid;

ALTER TABLE registry.idempotency_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY idempotency_keys_own ON registry.idempotency_keys USING (
    principal_id = (SELECT registry.scope_principal()) AND (SELECT registry.scope()) IN ('platform', 'customers'));
CREATE POLICY idempotency_keys_read ON registry.idempotency_keys FOR SELECT USING ((SELECT registry.scope()) = 'platform');
CREATE POLICY idempotency_keys_delete ON registry.idempotency_keys FOR DELETE USING ((SELECT registry.scope()) = 'platform');

-- The first statement of a write with a key. Whoever sends the same at the same time waits here for the first to end, and
-- is then answered its row; no row means that the key is the caller's now, until its transaction ends.
CREATE FUNCTION registry.claim_key(principal uuid, key bytea, request bytea, now timestamptz, over timestamptz)
    RETURNS TABLE (request_hash bytea, subject_id uuid, other_id uuid, revision bigint)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('registry.principal', principal::text, true);
    INSERT INTO registry.idempotency_keys AS k (principal_id, key_hash, request_hash, claimed_at)
    VALUES (principal, key, request, now)
    ON CONFLICT ON CONSTRAINT idempotency_keys_pkey DO UPDATE
    SET request_hash = EXCLUDED.request_hash, claimed_at = EXCLUDED.claimed_at,
        subject_id = NULL, other_id = NULL, revision = NULL
    WHERE k.claimed_at <= over;
    IF NOT FOUND THEN
        RETURN QUERY SELECT k.request_hash, k.subject_id, k.other_id, k.revision
        FROM registry.idempotency_keys AS k WHERE k.principal_id = principal AND k.key_hash = key;
    END IF;
END
$$;
